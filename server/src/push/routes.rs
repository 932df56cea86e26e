//! What phones and whoever runs the installation call.

use utoipa_axum::router::OpenApiRouter;

use super::{campaigns, desk, devices};
use crate::app::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    devices::routes::routes().merge(campaigns::routes::routes()).merge(desk::routes::routes())
}

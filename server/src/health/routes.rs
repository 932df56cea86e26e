//! `/healthz`, `/readyz`, `/v1/time`.

use axum::Json;
use axum::extract::State;
use liventix_core::sync::wire::ServerTime;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::params;
use crate::platform::db::DbError;
use crate::platform::problem::{ApiError, ApiResult, Code};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(time))
}

/// What the checks answer.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
    /// The server's version.
    version: &'static str,
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Is the process alive?
#[utoipa::path(get, path = "/healthz", tag = "server", responses((status = 200, body = Health)))]
async fn healthz() -> Json<Health> {
    Json(OK)
}

/// Should requests be sent to it?
///
/// Does the database answer, for reading and for writing? A server that is asked to stop says no for `drain_seconds`
/// while it works on.
#[utoipa::path(
    get, path = "/readyz", tag = "server",
    responses((status = 200, body = Health), (status = 503, description = "`not_ready`"))
)]
async fn readyz(State(app): State<AppState>) -> ApiResult<Json<Health>> {
    if app.is_draining() {
        return Err(ApiError::new(
            Code::NotReady,
            "The server is about to stop. Send requests to another one.",
        ));
    }
    let read = app.db().read(|conn| Box::pin(async move { conn.first("SELECT 1", params![]).await }));
    let write = app.db().write(|tx| Box::pin(async move { tx.first("SELECT 1", params![]).await }));
    let answers: Result<(), DbError> = match tokio::join!(read, write) {
        (Ok(_), Ok(_)) => Ok(()),
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match answers {
        Ok(()) => Ok(Json(OK)),
        Err(error) => {
            tracing::error!(%error, "not ready");
            Err(ApiError::new(Code::NotReady, "The database does not answer. Look at the server's log."))
        }
    }
}

/// The server's clock, for measuring the offset of a door's.
#[utoipa::path(get, path = "/v1/time", tag = "server", responses((status = 200, body = ServerTime)))]
async fn time(State(app): State<AppState>) -> Json<ServerTime> {
    Json(ServerTime { server_ms: app.now() })
}

//! `/v1/mail-texts`.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service;
use super::types::{MailText, MailTextView, NewMailText, Preview};
use crate::app::AppState;
use crate::mails::Kind;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::locale::Locale;
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, save, reset)).routes(routes!(preview))
}

/// List the texts of mails, and which are the organiser's own
#[utoipa::path(
    get, path = "/v1/mail-texts", tag = "mails", security(("session" = []), ("api_key" = [])),
    responses((status = 200, body = Vec<MailText>), (status = 403, description = "`scope_missing`, `role_missing`"))
)]
async fn list(
    caller: Caller<may::EditMails>,
    State(app): State<AppState>,
) -> ApiResult<axum::Json<Vec<MailText>>> {
    Ok(axum::Json(service::list(&app, caller.who).await?))
}

/// Which version.
#[derive(Debug, Deserialize, IntoParams)]
struct VersionQuery {
    /// An earlier one, by its number; left out: what is used now.
    version: Option<i64>,
}

/// The text of a mail, with what it may name and its versions
#[utoipa::path(
    get, path = "/v1/mail-texts/{kind}/{locale}", tag = "mails", security(("session" = []), ("api_key" = [])),
    params(("kind" = Kind, Path, description = "Of which mail"), ("locale" = Locale, Path, description = "In which language"),
        VersionQuery),
    responses(
        (status = 200, body = MailTextView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`not_found`")
    )
)]
async fn get(
    caller: Caller<may::EditMails>,
    State(app): State<AppState>,
    Path(which): Path<(Kind, Locale)>,
    Query(query): Query<VersionQuery>,
) -> ApiResult<axum::Json<MailTextView>> {
    Ok(axum::Json(service::get(&app, caller.who, which, query.version).await?))
}

/// Use a text of one's own for a mail
///
/// It is tried with samples first: what it names has to be there, and what buyers need has to be in it.
#[utoipa::path(
    put, path = "/v1/mail-texts/{kind}/{locale}", tag = "mails", security(("session" = []), ("api_key" = [])),
    params(("kind" = Kind, Path, description = "Of which mail"), ("locale" = Locale, Path, description = "In which language")),
    request_body = NewMailText,
    responses(
        (status = 200, body = MailTextView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`not_found`"),
        (status = 422, description = "`mail_text_invalid`, `invalid_body`")
    )
)]
async fn save(
    caller: Caller<may::EditMails>,
    State(app): State<AppState>,
    Path(which): Path<(Kind, Locale)>,
    Json(new): Json<NewMailText>,
) -> ApiResult<axum::Json<MailTextView>> {
    Ok(axum::Json(service::save(&app, caller.who, which, new).await?))
}

/// Use our text again for a mail
#[utoipa::path(
    delete, path = "/v1/mail-texts/{kind}/{locale}", tag = "mails", security(("session" = []), ("api_key" = [])),
    params(("kind" = Kind, Path, description = "Of which mail"), ("locale" = Locale, Path, description = "In which language")),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`not_found`")
    )
)]
async fn reset(
    caller: Caller<may::EditMails>,
    State(app): State<AppState>,
    Path(which): Path<(Kind, Locale)>,
) -> ApiResult<StatusCode> {
    service::reset(&app, caller.who, which).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See what a mail would look like
#[utoipa::path(
    post, path = "/v1/mail-texts/{kind}/{locale}/preview", tag = "mails",
    security(("session" = []), ("api_key" = [])),
    params(("kind" = Kind, Path, description = "Of which mail"), ("locale" = Locale, Path, description = "In which language")),
    request_body = NewMailText,
    responses(
        (status = 200, body = Preview), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`not_found`"),
        (status = 422, description = "`mail_text_invalid`, `invalid_body`")
    )
)]
async fn preview(
    caller: Caller<may::EditMails>,
    State(app): State<AppState>,
    Path(which): Path<(Kind, Locale)>,
    Json(new): Json<NewMailText>,
) -> ApiResult<axum::Json<Preview>> {
    Ok(axum::Json(service::preview(&app, caller.who, which, &new).await?))
}

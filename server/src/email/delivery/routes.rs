//! `/v1/webhooks/resend`.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::signature::{self, Signed};
use super::{take_in, wire};
use crate::app::AppState;
use crate::platform::db::DbError;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// The largest event, in bytes.
const MAX_EVENT: usize = 256 * 1_024;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(take)).layer(DefaultBodyLimit::max(MAX_EVENT))
}

/// What Resend tells
///
/// The body is checked against `svix-signature` as it came. Each event counts once, however often it comes and in
/// which order; 200 says that it is safely stored.
#[utoipa::path(
    post, path = "/v1/webhooks/resend", tag = "server",
    request_body(content = String, content_type = "application/json", description = "An event of Resend's"),
    params(
        ("svix-id" = String, Header, description = "The event's id"),
        ("svix-timestamp" = String, Header, description = "When it was sent (seconds)"),
        ("svix-signature" = String, Header, description = "`v1,…`")
    ),
    responses(
        (status = 200, description = "Stored"), (status = 400, description = "`signature_invalid`, `invalid_json`"),
        (status = 503, description = "`mails_off`")
    )
)]
async fn take(State(app): State<AppState>, headers: HeaderMap, body: Bytes) -> ApiResult<axum::Json<Value>> {
    let config = &app.config().email;
    if config.resend_webhook_secrets.is_none() {
        let detail =
            "No web hook of Resend's is set up here: set resend_webhook_secrets, or remove it there.";
        return Err(ApiError::new(Code::MailsOff, detail));
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = Signed {
        id: header("svix-id"),
        time: header("svix-timestamp"),
        signatures: header("svix-signature"),
    };
    signature::check(signed, &body, config.webhook_secrets(), app.now()).map_err(|refusal| {
        tracing::warn!(%refusal, "a web hook was not taken");
        ApiError::new(Code::SignatureInvalid, format!("The event was not taken: {refusal}."))
    })?;
    let Some(event) = wire::read(signed.id, &body) else {
        return Err(ApiError::new(Code::InvalidJson, "The body is signed, but it is no event of Resend's."));
    };
    let app_in = app.clone();
    let taken: Result<(), DbError> =
        app.db().write(move |tx| Box::pin(async move { take_in(tx, &app_in, &event).await })).await;
    taken?;
    Ok(axum::Json(json!({"received": true})))
}

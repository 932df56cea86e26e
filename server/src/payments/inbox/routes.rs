//! `/v1/webhooks/stripe`.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::signature;
use super::store::{self, Event};
use super::{QUEUE, put_in};
use crate::app::AppState;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// The largest event, in bytes.
const MAX_EVENT: usize = 1_024 * 1_024;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(take)).layer(DefaultBodyLimit::max(MAX_EVENT))
}

/// What is read before it is stored. <https://docs.stripe.com/api/events/object>
#[derive(Deserialize)]
struct Head {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    livemode: bool,
    api_version: Option<String>,
    created: i64,
}

/// What Stripe tells
///
/// The body is checked against `Stripe-Signature` as it came. Each event is stored once, and answered for with 200 as
/// soon as it is safely stored, whatever becomes of it then.
#[utoipa::path(
    post, path = "/v1/webhooks/stripe", tag = "server",
    request_body(content = String, content_type = "application/json", description = "An event of Stripe's"),
    params(("Stripe-Signature" = String, Header, description = "`t=…,v1=…`")),
    responses(
        (status = 200, description = "Stored"), (status = 400, description = "`signature_invalid`, `invalid_json`"),
        (status = 503, description = "`payments_off`")
    )
)]
async fn take(State(app): State<AppState>, headers: HeaderMap, body: Bytes) -> ApiResult<axum::Json<Value>> {
    let config = &app.config().payments;
    if config.stripe_secret_key.is_none() {
        return Err(ApiError::new(
            Code::PaymentsOff,
            "Stripe is not set up here: remove this web hook there.",
        ));
    }
    let header = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    signature::check(header, &body, config.webhook_secrets(), app.now()).map_err(|refusal| {
        tracing::warn!(%refusal, "a web hook was not taken");
        ApiError::new(Code::SignatureInvalid, format!("The event was not taken: {refusal}."))
    })?;
    let text = String::from_utf8(body.to_vec()).ok();
    let head = text.as_deref().and_then(|text| serde_json::from_str::<Head>(text).ok());
    let (Some(text), Some(head)) = (text, head) else {
        return Err(ApiError::new(Code::InvalidJson, "The body is signed, but it is no event of Stripe's."));
    };
    let event = Event {
        event_id: head.id,
        kind: head.kind,
        is_live: head.livemode,
        api_version: head.api_version,
        made_at: head.created.saturating_mul(1_000),
        body: text,
    };
    let app_in = app.clone();
    let is_new = app.db().write(move |tx| {
        Box::pin(async move {
            let is_new = store::insert(tx, &event, app_in.now()).await?;
            if is_new {
                put_in(tx, &app_in, &event.event_id).await?;
            }
            Ok::<_, ApiError>(is_new)
        })
    });
    if is_new.await? {
        app.queue().wake(QUEUE.name);
    }
    Ok(axum::Json(json!({"received": true})))
}

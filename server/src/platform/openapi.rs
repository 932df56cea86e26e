//! The OpenAPI document: collected from the handlers, completed here, served as JSON and as a page.

mod page;

use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::problem::{Code, Problem};
use crate::app::AppState;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Liventix",
        version = env!("CARGO_PKG_VERSION"),
        description = "Tickets with signed codes, doors that scan without a network, and one truth after the sync. \
            Times are UTC milliseconds, ids UUID text, binary values base64url without padding. \
            Errors are application/problem+json (RFC 9457) with a stable `code`."
    ),
    components(schemas(Problem)),
    tags(
        (name = "organisers", description = "Organisers and their API keys"),
        (name = "events", description = "Events, gates, ticket types, signing keys"),
        (name = "tickets", description = "Issuing tickets and everything that happens to them"),
        (name = "devices", description = "Enrolling and revoking scanners"),
        (name = "door", description = "What an enrolled scanner calls: manifest, keys, upload"),
        (name = "scanning", description = "Online redeem, scans, conflicts, quarantine, counts"),
        (name = "anomalies", description = "What scans tell beyond their verdicts: forged codes, copied tickets, broken ledgers"),
        (name = "wallet", description = "What an attendee's phone calls: claim, keep, activate, hand on"),
        (name = "server", description = "Health and time"),
    )
)]
struct Base;

/// What the routes are added to.
#[must_use]
pub fn base() -> Document {
    Base::openapi()
}

/// The finished document: token kinds, the answers every call can give, and the error body everywhere.
#[must_use]
pub fn finish(document: &Document) -> Value {
    let mut value = serde_json::to_value(document).unwrap_or_default();
    value["components"]["securitySchemes"] = json!({
        "api_key": {"type": "http", "scheme": "bearer", "description": "An organiser's API key, lx_…"},
        "device": {"type": "http", "scheme": "bearer", "description": "A device's token, lxd_…"},
        "wallet": {"type": "http", "scheme": "bearer", "description": "A wallet's token, lxw_…, made by the phone"},
        "admin": {"type": "http", "scheme": "bearer", "description": "The administrator's token, from the configuration"},
    });
    if let Some(paths) = value["paths"].as_object_mut() {
        for operation in
            paths.values_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut())
        {
            complete(operation);
        }
    }
    value
}

fn complete(operation: &mut Value) {
    let mut common: Vec<(Code, &str)> = vec![(Code::InternalError, ""), (Code::RateLimited, "")];
    if operation.get("security").is_some() {
        common.push((Code::Unauthenticated, ""));
    }
    if let Some(body) = operation.get("requestBody").and_then(|body| body.get("content")) {
        common.extend([(Code::BodyTooLarge, ""), (Code::UnsupportedMediaType, "")]);
        if body.get("application/json").is_some() {
            common.extend([(Code::InvalidJson, ""), (Code::InvalidBody, ", `invalid_field`")]);
        }
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (code, more) in common {
        let description = format!("`{}`{more}", code.as_str());
        responses.entry(code.status().as_str()).or_insert_with(|| json!({ "description": description }));
    }
    for (status, response) in responses.iter_mut() {
        if status.as_str() >= "400" && response.get("content").is_none() {
            response["content"] = json!({
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            });
        }
    }
}

/// `GET /openapi.json` and `GET /docs`.
pub fn routes(document: Document) -> Router<AppState> {
    let document = finish(&document);
    let html = page::render(&document);
    Router::new()
        .route("/openapi.json", get(async move || Json(document.clone())))
        .route("/docs", get(async move || Html(html.clone())))
}

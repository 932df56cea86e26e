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
        (name = "sessions", description = "People signing in"),
        (name = "members", description = "People of an organiser, invitations, the audit trail"),
        (name = "events", description = "Events, gates, ticket types, signing keys"),
        (name = "tickets", description = "Issuing tickets and everything that happens to them"),
        (name = "devices", description = "Enrolling and revoking scanners"),
        (name = "door", description = "What an enrolled scanner calls: manifest, keys, upload"),
        (name = "scanning", description = "Online redeem, scans, conflicts, quarantine, counts"),
        (name = "anomalies", description = "What scans tell beyond their verdicts: forged codes, copied tickets, broken ledgers"),
        (name = "wallet", description = "What an attendee's phone calls: claim, keep, activate, hand on"),
        (name = "sales", description = "What an event sells: prices, fees, taxes, how many"),
        (name = "shop", description = "What buyers call: the offer, a checkout, their order"),
        (name = "mails", description = "Organisers' own texts of the mails that buyers get"),
        (name = "orders", description = "Orders, their tickets and what happened to them"),
        (name = "money", description = "What is whose, and payouts"),
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
        "session": {"type": "http", "scheme": "bearer", "description": "A person's session, lxs_…"},
        "api_key": {"type": "http", "scheme": "bearer", "description": "An organiser's API key, lx_…"},
        "device": {"type": "http", "scheme": "bearer", "description": "A device's token, lxd_…"},
        "wallet": {"type": "http", "scheme": "bearer", "description": "A wallet's token, lxw_…, made by the phone"},
        "order": {"type": "http", "scheme": "bearer", "description": "An order's token, lxo_…, which its buyer gets"},
        "admin": {"type": "http", "scheme": "bearer", "description": "The administrator's token, from the configuration"},
    });
    value["components"]["headers"] = headers();
    if let Some(paths) = value["paths"].as_object_mut() {
        for (path, item) in paths {
            for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
                complete(operation);
                if !path.contains("{organiser_id}") {
                    complete_for_people(operation);
                }
            }
        }
    }
    value
}

/// The headers that answers refer to.
fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "RateLimit-Policy": text(
            "The limits that the call comes under: how many (`q`) in how many seconds (`w`), e.g. \
             `\"redeem\";q=1200;w=60`. IETF draft RateLimit header fields for HTTP."
        ),
        "RateLimit": text(
            "How many are left of each (`r`), and in how many seconds one more comes (`t`), e.g. \
             `\"redeem\";r=1187;t=21`."
        ),
        "Retry-After": {"description": "After how many seconds to try again.", "schema": {"type": "integer"}},
        "Idempotent-Replayed": text("`true`: the answer to an earlier request with this key. Nothing was done now."),
    })
}

/// The parameter of calls that can be repeated safely.
fn idempotency_key(declared: &Value) -> Value {
    let operation = declared["operation"].as_str().unwrap_or_default();
    json!({
        "name": "Idempotency-Key", "in": "header", "required": declared["required"] == true,
        "schema": {"type": "string"},
        "example": format!("{operation}:order-1017:01930f2e-7c1a-7b3c-9d4e-5f60718293a4"),
        "description": format!(
            "Makes the call safe to repeat for a day: `{operation}:<id of yours>:<new UUID>`. The same key gets \
             the same answer, and the work is done once."
        ),
    })
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
    let limits = operation.get("x-rate-limits").is_some();
    let idempotent = operation.get("x-idempotent").map(idempotency_key);
    if let Some(key) = &idempotent {
        match operation.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(parameters) => parameters.push(key.clone()),
            None => operation["parameters"] = json!([key]),
        }
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (code, more) in common {
        let description = format!("`{}`{more}", code.as_str());
        responses.entry(code.status().as_str()).or_insert_with(|| json!({ "description": description }));
    }
    if let Some(key) = &idempotent {
        let mut codes =
            vec![Code::IdempotencyKeyInvalid, Code::IdempotencyKeyReused, Code::IdempotencyInProgress];
        if key["required"] == true {
            codes.push(Code::IdempotencyKeyMissing);
        }
        for code in codes {
            let response = responses.entry(code.status().as_str()).or_insert_with(|| json!({}));
            let before = response["description"].as_str().map(|text| format!("{text}, ")).unwrap_or_default();
            response["description"] = json!(format!("{before}`{}`", code.as_str()));
        }
    }
    for (status, response) in responses.iter_mut() {
        for (header, applies) in [
            ("RateLimit-Policy", limits || status == "429"),
            ("RateLimit", limits || status == "429"),
            ("Retry-After", status == "429" || (idempotent.is_some() && status == "409")),
            ("Idempotent-Replayed", idempotent.is_some() && status.as_str() < "500"),
        ] {
            if applies {
                response["headers"][header] = json!({"$ref": format!("#/components/headers/{header}")});
            }
        }
    }
    for (status, response) in responses.iter_mut() {
        if status.as_str() >= "400" && response.get("content").is_none() {
            response["content"] = problem_content();
        }
    }
}

/// Where the path names no organiser, a person may have to, in a header.
fn complete_for_people(operation: &mut Value) {
    let kinds = operation["security"].as_array().into_iter().flatten();
    let mut names = kinds.filter_map(Value::as_object).flat_map(|kind| kind.keys());
    if operation["tags"][0] == "sessions" || !names.any(|name| name == "session") {
        return;
    }
    for code in [Code::OrganiserNeeded, Code::OrganiserNotFound] {
        let response = &mut operation["responses"][code.status().as_str()];
        let known = response["description"].as_str().filter(|known| !known.is_empty());
        let description = match known {
            Some(known) => format!("{known}, `{}`", code.as_str()),
            None => format!("`{}`", code.as_str()),
        };
        response["description"] = description.into();
        response["content"] = problem_content();
    }
    let header = json!({
        "name": "Liventix-Organiser", "in": "header", "required": false,
        "description": "Which of a person's organisers is meant, if they have several",
        "schema": {"type": "string", "format": "uuid"},
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(header),
        None => operation["parameters"] = json!([header]),
    }
}

fn problem_content() -> Value {
    json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}})
}

/// `GET /openapi.json` and `GET /docs`.
pub fn routes(document: Document) -> Router<AppState> {
    let document = finish(&document);
    let html = page::render(&document);
    Router::new()
        .route("/openapi.json", get(async move || Json(document.clone())))
        .route("/docs", get(async move || Html(html.clone())))
}

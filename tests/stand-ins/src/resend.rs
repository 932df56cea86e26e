//! Resend: mails taken once for a key, as documented. <https://resend.com/docs/api-reference/emails/send-email>

mod events;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use crate::stripe::Fault;
pub use events::{Told, WEBHOOK_SECRET};

#[derive(Default)]
struct State {
    /// By id.
    mails: BTreeMap<String, Value>,
    /// What a key was used for, and the answer.
    kept: HashMap<String, (Value, Value)>,
    /// Addresses that it sends nothing to.
    suppressed: BTreeSet<String>,
    faults: VecDeque<Fault>,
    /// When each was made.
    calls: Vec<Instant>,
}

/// An account of one's own, on loopback. Cheap to clone.
#[derive(Clone)]
pub struct Resend {
    state: Arc<Mutex<State>>,
    url: String,
}

impl Resend {
    /// One that knows nothing yet.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let resend = Self { state: Arc::default(), url };
        let router = Router::new()
            .route("/emails", post(send))
            .route("/emails/{id}", get(retrieve))
            .route("/suppressions/{address}", delete(unsuppress))
            .route("/_control/fail", post(fail))
            .route("/_control/suppress", post(suppress))
            .route("/_control/tell", post(tell))
            // As much as a mail may have, and what is around it.
            .layer(DefaultBodyLimit::max(50_000_000))
            .with_state(resend.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        resend
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call goes wrong like this; several wait for several calls.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// Every mail that was taken, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        self.state().mails.values().cloned().collect()
    }

    /// It sends nothing to this address any more.
    pub fn suppress(&self, address: &str) {
        self.state().suppressed.insert(address.to_owned());
    }

    /// The addresses that it sends nothing to.
    #[must_use]
    pub fn suppressed(&self) -> Vec<String> {
        self.state().suppressed.iter().cloned().collect()
    }

    /// How often it was asked to take one.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state().calls.len()
    }

    /// When it was.
    #[must_use]
    pub fn called(&self) -> Vec<Instant> {
        self.state().calls.clone()
    }
}

fn refusal(status: u16, name: &str, message: &str) -> (u16, Value) {
    (status, json!({"statusCode": status, "name": name, "message": message}))
}

/// <https://resend.com/docs/api-reference/errors>
fn check(headers: &HeaderMap, mail: &Value) -> Result<(), (u16, Value)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("authorization").and_then(|header| header.strip_prefix("Bearer ")) {
        None => return Err(refusal(401, "missing_api_key", "Missing API key in the authorization header.")),
        Some(key) if !key.starts_with("re_") => {
            return Err(refusal(403, "invalid_api_key", "API key is invalid."));
        }
        Some(_) => {}
    }
    if text("idempotency-key").is_some_and(|key| key.is_empty() || key.len() > 256) {
        return Err(refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars."));
    }
    for field in ["from", "to", "subject"] {
        if mail[field].is_null() {
            return Err(refusal(422, "missing_required_field", &format!("Missing `{field}` field.")));
        }
    }
    if mail["html"].is_null() && mail["text"].is_null() {
        return Err(refusal(422, "validation_error", "Missing `html` or `text` field."));
    }
    let to: Vec<&str> = match &mail["to"] {
        Value::String(one) => vec![one],
        many => many.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    if to.is_empty() || to.len() > 50 || !to.iter().all(|to| to.contains('@')) {
        return Err(refusal(422, "validation_error", "Invalid `to` field."));
    }
    Ok(())
}

fn take(state: &mut State, key: Option<&str>, mail: &Value) -> (u16, Value) {
    if let Some((used_for, answer)) = key.and_then(|key| state.kept.get(key)) {
        if used_for == mail {
            return (200, answer.clone());
        }
        let message = "Same idempotency key used with a different request payload.";
        return refusal(409, "invalid_idempotent_request", message);
    }
    let id = format!("00000000-0000-4000-8000-{:012}", state.mails.len() + 1);
    let mut kept = mail.clone();
    kept["id"] = json!(id);
    kept["object"] = json!("email");
    kept["last_event"] = json!("sent");
    state.mails.insert(id.clone(), kept);
    let answer = json!({ "id": id });
    if let Some(key) = key {
        state.kept.insert(key.to_owned(), (mail.clone(), answer.clone()));
    }
    (200, answer)
}

async fn send(Extract(resend): Extract<Resend>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let mail: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (fault, (status, answer)) = {
        let mut state = resend.state();
        state.calls.push(Instant::now());
        let fault = state.faults.pop_front();
        let answer = match &fault {
            Some(Fault::HangBefore | Fault::BreakBefore) => (500, Value::Null),
            Some(Fault::TooMany(_) | Fault::TooManyUntil(_)) => {
                refusal(429, "rate_limit_exceeded", "Too many requests.")
            }
            Some(Fault::InProgress) => refusal(
                409,
                "concurrent_idempotent_requests",
                "Same idempotency key used while original request is still in progress.",
            ),
            Some(Fault::Fail(status) | Fault::FailKept(status)) => {
                refusal(*status, "application_error", "This is on command.")
            }
            _ => check(&headers, &mail).map_or_else(|refused| refused, |()| take(&mut state, key, &mail)),
        };
        (fault, answer)
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match fault {
        Some(Fault::HangBefore | Fault::HangAfter) => std::future::pending().await,
        Some(Fault::BreakBefore | Fault::BreakAfter) => {
            let chunks = [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("broken off on command"))];
            Body::from_stream(stream::iter(chunks)).into_response()
        }
        Some(Fault::Garble) => "<html>Not JSON</html>".into_response(),
        Some(Fault::TooMany(seconds)) => {
            let mut response = (status, Json(answer)).into_response();
            response.headers_mut().insert("retry-after", seconds.into());
            response
        }
        Some(Fault::TooManyUntil(when)) => {
            let mut response = (status, Json(answer)).into_response();
            if !when.is_empty() {
                response.headers_mut().insert("retry-after", when.parse().expect("a header"));
            }
            response
        }
        Some(Fault::Flood) => " ".repeat(10_000_000).into_response(),
        _ => (status, Json(answer)).into_response(),
    }
}

async fn retrieve(Extract(resend): Extract<Resend>, Path(id): Path<String>) -> Response {
    match resend.state().mails.get(&id) {
        Some(mail) => Json(mail.clone()).into_response(),
        None => {
            let (_, refused) = refusal(404, "not_found", "Email not found");
            (StatusCode::NOT_FOUND, Json(refused)).into_response()
        }
    }
}

async fn fail(Extract(resend): Extract<Resend>, Json(fault): Json<Fault>) -> Json<Value> {
    resend.fail(fault);
    Json(json!({}))
}

/// <https://resend.com/docs/api-reference/suppressions/remove-suppression>
async fn unsuppress(
    Extract(resend): Extract<Resend>,
    headers: HeaderMap,
    Path(address): Path<String>,
) -> Response {
    let fault = resend.state().faults.pop_front();
    if let Some(Fault::Fail(status)) = fault {
        let (_, refused) = refusal(status, "restricted_api_key", "This API key may only send emails.");
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, Json(refused)).into_response();
    }
    if !headers.contains_key("authorization") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if resend.state().suppressed.remove(&address) {
        return Json(json!({"object": "suppression", "id": "sup_1", "deleted": true})).into_response();
    }
    let (_, refused) = refusal(404, "not_found", "Suppression not found");
    (StatusCode::NOT_FOUND, Json(refused)).into_response()
}

async fn suppress(Extract(resend): Extract<Resend>, Json(address): Json<String>) -> Json<Value> {
    resend.suppress(&address);
    Json(json!({}))
}

/// What would be told of a mail: `{"mail", "id", "kind", "beside", "at"}`.
async fn tell(Extract(resend): Extract<Resend>, Json(wish): Json<Value>) -> Json<Value> {
    let text = |name: &str| wish[name].as_str().unwrap_or_default().to_owned();
    let mail = resend.state().mails.get(&text("mail")).cloned().unwrap_or_default();
    let what = (text("kind"), wish["beside"].clone());
    let told = Told::of(&mail, &text("id"), (&what.0, what.1), wish["at"].as_i64().unwrap_or_default());
    Json(json!({
        "id": told.id, "timestamp": told.time, "signature": told.signature(WEBHOOK_SECRET), "body": told.body,
        "secret": WEBHOOK_SECRET,
    }))
}

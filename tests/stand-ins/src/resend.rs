//! Resend: mails taken once for a key, as documented. <https://resend.com/docs/api-reference/emails/send-email>

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use crate::stripe::Fault;

#[derive(Default)]
struct State {
    /// By id.
    mails: BTreeMap<String, Value>,
    /// What a key was used for, and the answer.
    kept: HashMap<String, (Value, Value)>,
    faults: VecDeque<Fault>,
    calls: usize,
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
            .route("/_control/fail", post(fail))
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

    /// How often it was asked to take one.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state().calls
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
        state.calls += 1;
        let fault = state.faults.pop_front();
        let answer = match &fault {
            Some(Fault::HangBefore | Fault::BreakBefore) => (500, Value::Null),
            Some(Fault::TooMany(_)) => refusal(429, "rate_limit_exceeded", "Too many requests."),
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

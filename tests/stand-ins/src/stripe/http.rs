//! Calls as they come over the wire.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::errors::ApiError;
use super::faults::{Fault, Operation, next_random};
use super::form::Form;
use super::state::{Seen, State};
use super::{Stripe, control, idempotency, payments, refunds, transfers};

pub(super) fn router(stripe: Stripe) -> Router {
    Router::new().merge(control::routes()).fallback(answer).with_state(stripe)
}

type Answer = (u16, Value);

/// One call.
struct Call {
    method: Method,
    path: Vec<String>,
    line: String,
    form: Form,
    key: Option<String>,
}

impl Call {
    fn operation(&self) -> Option<Operation> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let is_post = self.method == Method::POST;
        Some(match (is_post, path.as_slice()) {
            (true, ["payment_intents"]) => Operation::CreatePayment,
            (false, ["payment_intents", "search"]) => Operation::SearchPayments,
            (false, ["payment_intents", _]) => Operation::RetrievePayment,
            (true, ["payment_intents", _, "cancel"]) => Operation::CancelPayment,
            (true, ["payment_intents", _, "confirm"]) => Operation::ConfirmPayment,
            (true, ["refunds"]) => Operation::CreateRefund,
            (false, ["refunds", _]) => Operation::RetrieveRefund,
            (false, ["refunds"]) => Operation::ListRefunds,
            (false, ["disputes", _]) => Operation::RetrieveDispute,
            (true, ["transfers"]) => Operation::CreateTransfer,
            (false, ["transfers", _]) => Operation::RetrieveTransfer,
            (false, ["transfers"]) => Operation::ListTransfers,
            _ => return None,
        })
    }

    fn perform(&self, state: &mut State) -> Result<Value, ApiError> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let is_post = self.method == Method::POST;
        match (is_post, path.as_slice()) {
            (true, ["payment_intents"]) => payments::create(state, &self.form),
            (false, ["payment_intents", "search"]) => payments::search(state, &self.form),
            (false, ["payment_intents"]) => Ok(list(state, "payment_intent")),
            (false, ["payment_intents", id]) => payments::retrieve(state, id),
            (true, ["payment_intents", id, "cancel"]) => payments::cancel(state, id, &self.form),
            (true, ["payment_intents", id, "confirm"]) => {
                payments::confirm(state, id, payments::Card::named(self.form.needed("payment_method")?)?)
            }
            (true, ["refunds"]) => refunds::create(state, &self.form),
            (false, ["refunds"]) => Ok(list_of(state, "refund", self.form.text("payment_intent"))),
            (false, ["charges"]) => Ok(list(state, "charge")),
            (false, ["disputes"]) => Ok(list(state, "dispute")),
            (true, ["transfers"]) => transfers::create(state, &self.form),
            (false, ["transfers"]) => Ok(transfers::list(state, &self.form)),
            (true, ["transfers", id, "reversals"]) => transfers::reverse(state, id, &self.form),
            (false, ["events"]) => {
                Ok(json!({"object": "list", "data": state.events, "has_more": false, "url": "/v1/events"}))
            }
            (false, [kind @ ("refunds" | "charges" | "disputes" | "transfers"), id]) => {
                let object = kind.trim_end_matches('s');
                state.of_kind(id, object).ok_or_else(|| ApiError::missing(object, id))
            }
            _ => Err(ApiError::invalid(None, format!("Unrecognized request URL ({}).", self.line))),
        }
    }
}

fn list(state: &State, object: &str) -> Value {
    list_of(state, object, None)
}

/// Newest first; of one payment, if that is asked for.
fn list_of(state: &State, object: &str, intent: Option<&str>) -> Value {
    let is_wanted =
        |it: &&Value| it["object"] == object && intent.is_none_or(|intent| it["payment_intent"] == intent);
    let data: Vec<&Value> = state.objects.values().rev().filter(is_wanted).collect();
    json!({"object": "list", "data": data, "has_more": false, "url": format!("/v1/{object}s")})
}

async fn answer(
    Extract(stripe): Extract<Stripe>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let form =
        Form::parse(if method == Method::GET { uri.query().unwrap_or_default().as_bytes() } else { &body });
    let path = uri.path().trim_start_matches("/v1/").split('/').map(str::to_owned).collect();
    let line = format!("{method} {}", uri.path());
    let call = Call { method, path, line, form, key: text("idempotency-key") };
    let (fault, answered, request_id) = {
        let mut state = stripe.state();
        let operation = call.operation();
        let (line, idempotency_key) = (call.line.clone(), call.key.clone());
        let version = text("stripe-version");
        state.seen.push(Seen { operation, line, idempotency_key, version, form: call.form.0.clone() });
        let request_id = state.id("req");
        let fault = operation.and_then(|operation| fault_of(&mut state, operation));
        let answered = if is_known(text("authorization").as_deref()) {
            perform(&mut state, &call, fault.as_ref())
        } else {
            (refusal(&ApiError::unauthenticated()), false)
        };
        (fault, answered, request_id)
    };
    let ((status, body), is_replayed) = answered;
    match fault {
        Some(Fault::HangBefore | Fault::HangAfter) => std::future::pending().await,
        Some(Fault::BreakBefore | Fault::BreakAfter) => broken_off(),
        Some(Fault::Garble) => (StatusCode::OK, "<html>Not JSON</html>").into_response(),
        other => respond((status, &body), is_replayed, &request_id, other),
    }
}

/// As a bearer token, or as the user of basic authentication.
fn is_known(authorization: Option<&str>) -> bool {
    let Some((scheme, rest)) = authorization.and_then(|header| header.split_once(' ')) else { return false };
    let key = if scheme.eq_ignore_ascii_case("basic") {
        let bytes = data_encoding::BASE64.decode(rest.as_bytes()).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    } else {
        rest.to_owned()
    };
    key.starts_with("sk_test_") || key.starts_with("rk_test_")
}

fn fault_of(state: &mut State, operation: Operation) -> Option<Fault> {
    if let Some(place) = state.faults.iter().position(|(on, _)| *on == operation) {
        return state.faults.remove(place).map(|(_, fault)| fault);
    }
    let (seed, per_mille) = state.chance.as_mut()?;
    let fails = next_random(seed) % 1_000 < u64::from(*per_mille);
    fails.then(|| Fault::by_chance(next_random(seed)))
}

fn refusal(error: &ApiError) -> Answer {
    (error.status, error.body())
}

/// Does what is to be done, and says whether it was answered before.
fn perform(state: &mut State, call: &Call, fault: Option<&Fault>) -> (Answer, bool) {
    match fault {
        Some(Fault::HangBefore | Fault::BreakBefore) => return (refusal(&ApiError::status(500)), false),
        Some(Fault::TooMany(_)) => return (refusal(&ApiError::status(429)), false),
        Some(Fault::InProgress) => return (refusal(&ApiError::in_progress()), false),
        Some(Fault::Fail(status)) => return (refusal(&ApiError::status(*status)), false),
        _ => {}
    }
    if let Some(key) = &call.key {
        match idempotency::find(state, key, &call.line, &call.form) {
            Err(error) => return (refusal(&error), false),
            Ok(Some(kept)) => return (kept, true),
            Ok(None) => {}
        }
    }
    let answer = match fault {
        Some(Fault::FailKept(status)) => refusal(&ApiError::status(*status)),
        _ => call.perform(state).map_or_else(|error| refusal(&error), |body| (200, body)),
    };
    if let Some(key) = &call.key {
        idempotency::keep(state, key, &call.line, &call.form, (answer.0, &answer.1));
    }
    (answer, false)
}

fn respond(
    (status, body): (u16, &Value),
    is_replayed: bool,
    request_id: &str,
    fault: Option<Fault>,
) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().expect("a header"));
    headers.insert("request-id", request_id.parse().expect("a header"));
    if is_replayed {
        headers.insert("idempotent-replayed", "true".parse().expect("a header"));
    }
    if let Some(Fault::TooMany(seconds)) = fault {
        headers.insert("retry-after", seconds.into());
    }
    response
}

/// Begins, and never ends.
fn broken_off() -> Response {
    let chunks = [Ok(Bytes::from_static(b"{\"id\": ")), Err(std::io::Error::other("broken off on command"))];
    Body::from_stream(stream::iter(chunks)).into_response()
}

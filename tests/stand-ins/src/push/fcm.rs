//! Google's service, and where its service accounts sign in.

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::keys::ACCOUNT;
use super::{Fault, Open, PROJECT, PushServices, Taken, Verdict, broken, control};

const TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";
/// Either will do (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>).
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"];

pub(super) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

pub(super) async fn serve(listener: TcpListener, services: PushServices) {
    let router = Router::new()
        .route("/token", post(sign_in))
        // `{project}/messages:send`
        .route("/v1/projects/{project}/{call}", post(take))
        .merge(control::routes())
        .with_state(services);
    let _ = axum::serve(listener, router).await;
}

/// <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
async fn sign_in(Extract(services): Extract<PushServices>, body: Bytes) -> Response {
    let fields: std::collections::HashMap<String, String> =
        form_urlencoded::parse(&body).into_owned().collect();
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    if fields.get("grant_type").map(String::as_str) != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
        return refuse("unsupported_grant_type");
    }
    let assertion = fields.get("assertion").map_or("", String::as_str);
    let Some((header, claims)) = services.keys.of_account(assertion) else { return refuse("invalid_grant") };
    let now = (services.now)() / 1_000;
    let (from, until) = (claims["iat"].as_i64().unwrap_or(0), claims["exp"].as_i64().unwrap_or(0));
    let is_good = header["alg"] == "RS256"
        && claims["iss"] == ACCOUNT
        && claims["scope"].as_str().is_some_and(|scope| scope.split(' ').any(|one| SCOPES.contains(&one)))
        // Google's own library always says where Google is.
        && (claims["aud"] == format!("{}/token", services.fcm_url) || claims["aud"] == TOKEN_ENDPOINT)
        && from <= now + 300
        && until > now
        && until - from <= 3_600;
    if !is_good {
        return refuse("invalid_grant");
    }
    let mut state = services.state();
    state.sign_ins += 1;
    let token = format!("ya29.{}", state.sign_ins);
    state.access_tokens.insert(token.clone());
    Json(json!({ "access_token": token, "expires_in": 3_599, "token_type": "Bearer" })).into_response()
}

struct Refusal {
    status: u16,
    name: &'static str,
    /// The service's own code, and the field that is wrong.
    own: Option<&'static str>,
    field: Option<&'static str>,
}

impl Refusal {
    const fn new(status: u16, name: &'static str, own: Option<&'static str>) -> Self {
        Self { status, name, own, field: None }
    }

    /// <https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>
    fn answer(&self) -> Response {
        let mut details = Vec::new();
        if let Some(own) = self.own {
            details.push(json!({
                "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": own,
            }));
        }
        if let Some(field) = self.field {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{ "field": field, "description": "Invalid value" }],
            }));
        }
        let body = json!({ "error": {
            "code": self.status, "message": "This is on command.", "status": self.name, "details": details,
        } });
        (StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body))
            .into_response()
    }
}

async fn take(
    Extract(services): Extract<PushServices>,
    Path((project, call)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let _open = Open::begin(&services);
    let fault = services.begin();
    if matches!(fault, Some(Fault::HangBefore)) {
        return std::future::pending().await;
    }
    let answer = match &fault {
        Some(Fault::BreakBefore) => return broken(),
        Some(Fault::TooMany(_)) => Err(Refusal::new(429, "RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"))),
        Some(Fault::Fail(status)) if *status == 503 => {
            Err(Refusal::new(503, "UNAVAILABLE", Some("UNAVAILABLE")))
        }
        Some(Fault::Fail(status)) if *status == 401 => Err(Refusal::new(401, "UNAUTHENTICATED", None)),
        Some(Fault::Fail(_)) => Err(Refusal::new(500, "INTERNAL", Some("INTERNAL"))),
        _ if project != PROJECT || call != "messages:send" => Err(Refusal::new(404, "NOT_FOUND", None)),
        _ => decide(&services, &headers, &body),
    };
    match fault {
        Some(Fault::HangAfter) => return std::future::pending().await,
        Some(Fault::BreakAfter) => return broken(),
        Some(Fault::Garble) => return "<html>Not JSON</html>".into_response(),
        _ => {}
    }
    let mut response = match answer {
        Ok(number) => {
            Json(json!({ "name": format!("projects/{PROJECT}/messages/{number}") })).into_response()
        }
        Err(refusal) => refusal.answer(),
    };
    if let Some(Fault::TooMany(seconds)) = fault {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

fn decide(services: &PushServices, headers: &HeaderMap, body: &[u8]) -> Result<usize, Refusal> {
    let mut state = services.state();
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
    if !state.access_tokens.contains(bearer) {
        return Err(Refusal::new(401, "UNAUTHENTICATED", None));
    }
    let invalid = |field| Refusal {
        field: Some(field),
        ..Refusal::new(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"))
    };
    let whole: Value = serde_json::from_slice(body).map_err(|_| invalid("message"))?;
    let message = &whole["message"];
    let known = ["token", "fid", "notification", "data", "android", "apns", "webpush", "fcm_options"];
    if !message.as_object().is_some_and(|fields| fields.keys().all(|name| known.contains(&name.as_str()))) {
        return Err(invalid("message"));
    }
    let (token, field) = match (message["token"].as_str(), message["fid"].as_str()) {
        (Some(token), None) if token.contains(':') => (token, "message.token"),
        (None, Some(fid)) if fid.len() == 22 => (fid, "message.fid"),
        _ => return Err(invalid("message.token")),
    };
    // Every value is text.
    if !message["data"].as_object().is_none_or(|data| data.values().all(Value::is_string)) {
        return Err(invalid("message.data"));
    }
    let android = &message["android"];
    let is_ttl = |text: &str| text.strip_suffix('s').is_some_and(|seconds| seconds.parse::<u32>().is_ok());
    if !android["ttl"].as_str().is_none_or(is_ttl) {
        return Err(invalid("message.android.ttl"));
    }
    match state.verdicts.get(token) {
        Some(Verdict::Unregistered(_)) => {
            return Err(Refusal::new(404, "NOT_FOUND", Some("UNREGISTERED")));
        }
        Some(Verdict::Bad) => return Err(invalid(field)),
        Some(Verdict::OtherApp) => {
            return Err(Refusal::new(403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH")));
        }
        Some(Verdict::TooMany) => {
            return Err(Refusal::new(429, "RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED")));
        }
        Some(Verdict::Refused) => return Err(invalid("message.notification")),
        None => {}
    }
    let of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let taken = Taken {
        service: "fcm",
        token: token.to_owned(),
        collapse_id: of(&android["notification"]["tag"]),
        title: of(&message["notification"]["title"]),
        body: of(&message["notification"]["body"]),
        payload: of(&message["data"]["liventix"]),
        is_urgent: android["priority"] == "HIGH",
        whole,
    };
    state.taken.push(taken);
    Ok(state.taken.len())
}

//! Apple's service.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Fault, KEY_ID, Open, PushServices, TEAM_ID, TOPIC, Taken, Verdict, broken, tls};

const MINUTE_MS: i64 = 60_000;
/// <https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification>
const MAX_PAYLOAD: usize = 4_096;
const MAX_COLLAPSE_ID: usize = 64;

pub(super) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    (listener, format!("https://localhost:{port}"))
}

pub(super) async fn serve(listener: TcpListener, services: PushServices) {
    let acceptor = tls::acceptor(services.keys.folder.path());
    let router = Router::new().route("/3/device/{token}", post(take)).with_state(services.clone());
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, router, services) = (acceptor.clone(), router.clone(), services.clone());
        tokio::spawn(async move {
            let hung_up = services.hang_up.notified();
            let Ok(stream) = acceptor.accept(stream).await else { return };
            services.state().connections += 1;
            let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            server.max_concurrent_streams(1_000);
            let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
            tokio::select! {
                _ = connection => {}
                () = hung_up => {}
            }
        });
    }
}

/// <https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>
type Refusal = (u16, &'static str);

async fn take(
    Extract(services): Extract<PushServices>,
    Path(token): Path<String>,
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
        Some(Fault::TooMany(_)) => Err((429, "TooManyRequests")),
        Some(Fault::Fail(status)) if *status == 503 => Err((503, "ServiceUnavailable")),
        Some(Fault::Fail(status)) if *status == 403 => Err((403, "ExpiredProviderToken")),
        Some(Fault::Fail(_)) => Err((500, "InternalServerError")),
        _ => decide(&services, &token, &headers, &body),
    };
    match fault {
        Some(Fault::HangAfter) => return std::future::pending().await,
        Some(Fault::BreakAfter) => return broken(),
        Some(Fault::Garble) => return (StatusCode::BAD_GATEWAY, "<html>Not JSON</html>").into_response(),
        _ => {}
    }
    let id = headers.get("apns-id").cloned();
    let mut response = match answer {
        Ok(()) => StatusCode::OK.into_response(),
        Err((status, reason)) => {
            let mut answer = json!({ "reason": reason });
            if let Some(Verdict::Unregistered(at)) = services.state().verdicts.get(&token) {
                answer["timestamp"] = json!(at);
            }
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, axum::Json(answer)).into_response()
        }
    };
    id.into_iter().for_each(|id| drop(response.headers_mut().insert("apns-id", id)));
    if let Some(Fault::TooMany(seconds)) = fault {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

fn decide(services: &PushServices, token: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    authorize(services, text("authorization"))?;
    match text("apns-topic") {
        None => return Err((400, "MissingTopic")),
        Some(topic) if topic != TOPIC => return Err((400, "TopicDisallowed")),
        Some(_) => {}
    }
    if text("apns-push-type") != Some("alert") {
        return Err((400, "InvalidPushType"));
    }
    if !text("apns-priority").is_none_or(|text| matches!(text, "1" | "5" | "10")) {
        return Err((400, "BadPriority"));
    }
    let expires_at = text("apns-expiration").map(str::parse::<i64>);
    if expires_at.is_some_and(|at| at.is_err()) {
        return Err((400, "BadExpirationDate"));
    }
    if !text("apns-id").is_none_or(is_uuid) {
        return Err((400, "BadMessageId"));
    }
    let collapse_id = text("apns-collapse-id").unwrap_or_default();
    if collapse_id.len() > MAX_COLLAPSE_ID {
        return Err((400, "BadCollapseId"));
    }
    if body.is_empty() {
        return Err((400, "PayloadEmpty"));
    }
    if body.len() > MAX_PAYLOAD {
        return Err((413, "PayloadTooLarge"));
    }
    if token.len() < 64 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err((400, "BadDeviceToken"));
    }
    let mut state = services.state();
    match state.verdicts.get(token) {
        Some(Verdict::Unregistered(_)) => return Err((410, "Unregistered")),
        Some(Verdict::Bad) => return Err((400, "BadDeviceToken")),
        Some(Verdict::OtherApp) => return Err((400, "DeviceTokenNotForTopic")),
        Some(Verdict::TooMany) => return Err((429, "TooManyRequests")),
        Some(Verdict::Refused) => return Err((400, "IdleTimeout")),
        None => {}
    }
    let whole: Value = serde_json::from_slice(body).unwrap_or_default();
    let alert = &whole["aps"]["alert"];
    let of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    state.taken.push(Taken {
        service: "apns",
        token: token.to_owned(),
        collapse_id: collapse_id.to_owned(),
        title: of(&alert["title"]),
        body: of(&alert["body"]),
        payload: of(&whole["liventix"]),
        is_urgent: text("apns-priority") != Some("5"),
        whole,
    });
    Ok(())
}

fn authorize(services: &PushServices, header: Option<&str>) -> Result<(), Refusal> {
    let token = header.and_then(|header| header.strip_prefix("bearer "));
    let token = token.ok_or((403, "MissingProviderToken"))?;
    let (header, claims) = services.keys.of_apns(token).ok_or((403, "InvalidProviderToken"))?;
    let mut state = services.state();
    let key = header["kid"].as_str().unwrap_or_default();
    let is_known = key == KEY_ID || state.more_keys.contains(key);
    if header["alg"] != "ES256" || !is_known || claims["iss"] != TEAM_ID {
        return Err((403, "InvalidProviderToken"));
    }
    let now = (services.now)();
    let age = now - claims["iat"].as_i64().unwrap_or_default() * 1_000;
    if !(-5 * MINUTE_MS..=60 * MINUTE_MS).contains(&age) {
        return Err((403, "ExpiredProviderToken"));
    }
    if !state.provider_tokens.contains(token) {
        // Not more than one of a key in twenty minutes.
        if state.renewed_at.get(key).is_some_and(|at| now - at < 20 * MINUTE_MS) {
            return Err((429, "TooManyProviderTokenUpdates"));
        }
        state.renewed_at.insert(key.to_owned(), now);
        state.provider_tokens.insert(token.to_owned());
    }
    Ok(())
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

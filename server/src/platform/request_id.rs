//! Request ids: taken from `x-request-id` if sane, made otherwise, echoed, logged, put into problems.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::field;

use super::telemetry::context::{self, Context};
use crate::app::AppState;

/// The header, in both directions.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are replaced: they would flood the log.
const MAX_LENGTH: usize = 64;
/// What is logged of a path, in bytes.
const LONGEST_PATH: usize = 256;

/// The id of the request this task answers, or of the one that wanted the job it does.
#[must_use]
pub fn current() -> Option<String> {
    context::request_id()
}

/// Gives every request its id and a log span, and logs how it ended.
pub async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let id = accepted(&request).unwrap_or_else(|| generated(&app));
    let path = loggable(request.uri().path()).to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let context = Context {
        feature: context::feature_of(&route).to_owned(),
        request_id: Some(id.clone()),
        ..Context::default()
    };
    let span = tracing::info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = %path,
        feature = context.feature,
        organiser_id = field::Empty,
        user_id = field::Empty,
        device_id = field::Empty,
    );
    let (started, method) = (Instant::now(), request.method().clone());
    let answer = async {
        let response = next.run(request).await;
        let took = started.elapsed();
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), took_ms, "answered");
        app.metrics().answered(&route, &method, response.status(), took);
        app.objectives().answered(&route, response.status(), took);
        response
    };
    let mut response = context.within(span, answer).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// The path without secrets: whoever has a ticket's link has the ticket, and so with an invitation or a sign-in
/// link. And not the whole of one that is longer than any of ours.
fn loggable(path: &str) -> &str {
    let path = &path[..path.floor_char_boundary(LONGEST_PATH)];
    ["/t/", "/shop/orders/", "/console/invitation/", "/console/sign-in/link/"]
        .into_iter()
        .find(|start| path.starts_with(start))
        .unwrap_or(path)
}

fn accepted(request: &Request) -> Option<String> {
    let id = request.headers().get(HEADER)?.to_str().ok()?;
    is_sane(id).then(|| id.to_owned())
}

/// Short, and made of what nobody can break a log line with.
fn is_sane(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn generated(app: &AppState) -> String {
    let mut bytes = [0_u8; 12];
    app.entropy().fill(&mut bytes);
    data_encoding::HEXLOWER.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::{is_sane, loggable};

    #[test]
    fn a_link_stays_out_of_the_log() {
        assert_eq!(loggable("/t/lxt_00_secret"), "/t/");
        assert_eq!(loggable("/console/invitation/lxi_00_secret"), "/console/invitation/");
        assert_eq!(loggable("/console/sign-in/link/lxl_00_secret"), "/console/sign-in/link/");
        assert_eq!(loggable("/shop/orders/lxo_00_secret/cancel"), "/shop/orders/");
        assert_eq!(loggable("/v1/events"), "/v1/events");
        assert_eq!(loggable(&"/x".repeat(1_000)).len(), 256);
        assert_eq!(loggable(&"ü".repeat(1_000)).len(), 256);
    }

    #[test]
    fn only_short_plain_ids_are_taken_over() {
        assert!(is_sane("req-1_2.A"));
        for bad in ["", "a b", "a\n", "é", &"x".repeat(65)] {
            assert!(!is_sane(bad), "{bad:?}");
        }
    }
}

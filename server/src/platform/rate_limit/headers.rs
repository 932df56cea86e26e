//! What an answer says of the limits it came under: `RateLimit-Policy` and `RateLimit`, as the IETF draft
//! *RateLimit header fields for HTTP* (draft-ietf-httpapi-ratelimit-headers-10) writes them.
//!
//! Whatever is checked while a request is answered is noted here, so that no handler can forget it, whether
//! it allows the request, refuses it, or fails afterwards.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::{Check, Rate};

/// How much may be asked for, in which window: `"redeem";q=1200;w=60`.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it, and in how many seconds more comes: `"redeem";r=1187;t=21`.
pub const STATE: HeaderName = HeaderName::from_static("ratelimit");

#[derive(Debug, Clone, Copy)]
struct Noted {
    check: Check,
    rate: Rate,
    now: i64,
}

tokio::task_local! {
    static NOTED: Mutex<Vec<Noted>>;
}

/// Notes where a request stands with a limit. Outside of a request it does nothing.
pub(super) fn note(check: Check, rate: Rate, now: i64) {
    let _ = NOTED.try_with(|noted| {
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|before| before.check.key.purpose != check.key.purpose);
        noted.push(Noted { check, rate, now });
    });
}

/// Puts what was noted into the answer.
pub async fn layer(request: Request, next: Next) -> Response {
    let answer = async {
        let response = next.run(request).await;
        (
            response,
            NOTED.with(|noted| std::mem::take(&mut *noted.lock().unwrap_or_else(PoisonError::into_inner))),
        )
    };
    let (mut response, noted) = NOTED.scope(Mutex::default(), answer).await;
    if let Some((policy, state)) = values(&noted) {
        response.headers_mut().insert(POLICY, policy);
        response.headers_mut().insert(STATE, state);
    }
    response
}

fn values(noted: &[Noted]) -> Option<(HeaderValue, HeaderValue)> {
    let (mut policy, mut state) = (String::new(), String::new());
    for (place, Noted { check, rate, now }) in noted.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        let (name, limit) = (check.key.purpose, check.limit);
        let _ = write!(policy, "{separator}\"{name}\";q={};w={}", limit.count, limit.window.as_secs().max(1));
        let _ = write!(state, "{separator}\"{name}\";r={}", rate.remaining);
        if rate.reset_at > *now {
            let _ = write!(state, ";t={}", rate.seconds(*now));
        }
    }
    if noted.is_empty() {
        return None;
    }
    Some((policy.parse().ok()?, state.parse().ok()?))
}

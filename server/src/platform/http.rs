//! What surrounds every handler: limits, timeouts, compression, caught panics, problems for 404 and 405.

use std::any::Any;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _, SizeAbove};

use super::problem::{ApiError, Code};
use super::{rate_limit, request_id};
use crate::app::AppState;

/// The largest body, in bytes, where a route does not say otherwise.
pub const MAX_BODY: usize = 256 * 1_024;

/// A smaller answer goes out in one packet anyhow: compressing a verdict costs more than sending it.
const ONE_PACKET: u64 = 1_400;

/// Puts the layers around the routes.
pub fn wrap(router: Router<AppState>, app: &AppState) -> Router {
    router
        .fallback(async || {
            ApiError::new(Code::NotFound, "There is nothing here. The addresses are listed at /docs.")
        })
        .method_not_allowed_fallback(async || {
            ApiError::new(Code::MethodNotAllowed, "This address takes other methods. See /docs.")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), timeout))
        .layer(CatchPanicLayer::custom(caught))
        .layer(middleware::from_fn(rate_limit::layer))
        // The fastest level: on manifest pages it costs a third of the default and gains nearly as much,
        // since most of a page is random ids.
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .quality(CompressionLevel::Fastest)
                .compress_when(DefaultPredicate::new().and(SizeAbove::new(ONE_PACKET))),
        )
        .layer(middleware::map_response(harden))
        .layer(middleware::from_fn_with_state(app.clone(), request_id::layer))
        .with_state(app.clone())
}

async fn timeout(State(app): State<AppState>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.config().request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail =
                "The request took too long. Whether it took effect is not known: look before repeating it.";
            ApiError::new(Code::TimedOut, detail).into_response()
        }
    }
}

fn caught(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    ApiError::internal(format!("a handler panicked: {text}")).into_response()
}

/// Answers hold tickets and secrets: no cache keeps them, no browser guesses at them.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

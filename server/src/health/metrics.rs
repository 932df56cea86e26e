//! `/metrics`.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts;
use crate::app::AppState;
use crate::platform::auth::{Client, count_guess};
use crate::platform::objectives;
use crate::platform::problem::{ApiError, ApiResult, Code};

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What proxies add. A request that passed one does not come from this machine, whatever its address says.
const FORWARDED: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Whoever may see the numbers: with the `metrics_token` if one is set, else from this machine only.
struct Scraper;

impl FromRequestParts<AppState> for Scraper {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let Some(expected) = &app.config().metrics_token else {
            let ConnectInfo(address) = ConnectInfo::<SocketAddr>::from_request_parts(parts, app)
                .await
                .map_err(ApiError::internal)?;
            let direct = !FORWARDED.iter().any(|name| parts.headers.contains_key(*name));
            let detail = "Set metrics_token to read the numbers from elsewhere than this machine.";
            return if direct && address.ip().to_canonical().is_loopback() {
                Ok(Self)
            } else {
                Err(ApiError::new(Code::MetricsClosed, detail))
            };
        };
        let expected = Sha256::digest(expected.expose_secret().as_bytes());
        if bearer(&parts.headers)
            .is_some_and(|given| Sha256::digest(given.as_bytes()).ct_eq(&expected).into())
        {
            return Ok(Self);
        }
        let client = Client::from_request_parts(parts, app).await?;
        count_guess(app, client).await?;
        Err(ApiError::new(Code::Unauthenticated, "Send Authorization: Bearer with the metrics_token."))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The server in numbers, for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "server",
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 401, description = "`unauthenticated`"), (status = 403, description = "`metrics_closed`")
    )
)]
async fn metrics(_scraper: Scraper, State(app): State<AppState>) -> ApiResult<impl IntoResponse> {
    app.metrics().queues(&app.queue().stats().await?, app.now());
    app.metrics().objectives(&objectives::report(&app).await?);
    for (rule, count) in alerts::counts(&app).await? {
        app.metrics().alerts(rule.code(), count);
    }
    Ok(([(header::CONTENT_TYPE, FORMAT)], app.metrics().render(app.db())))
}

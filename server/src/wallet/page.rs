//! `/t/{token}`: a ticket's link in a browser. Looking at it claims nothing.
//!
//! One page without a script, which keeps nothing and tells nobody where it was opened from.

mod view;

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use data_encoding::BASE64;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::app::AppState;
use crate::platform::auth::Client;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::request_id;

/// The name ends as it must for escaping.
const TEMPLATE: &str = "ticket.html";
const STYLE: &str = include_str!("page/style.css");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

static PAGES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    pages.add_template(TEMPLATE, include_str!("page/ticket.html"))?;
    Ok(pages)
});

/// Nothing from anywhere but this page's own style, known by its hash.
static CONTENT_POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = BASE64.encode(&Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// What stands there instead of a ticket.
#[derive(Serialize)]
struct Notice {
    title: &'static str,
    text: String,
}

/// The page.
pub fn routes() -> Router<AppState> {
    Router::new().route("/t/{token}", get(show))
}

async fn show(
    client: Client,
    State(app): State<AppState>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    // What is no text is no link either.
    let token = token.map_or_else(|_| String::new(), |Path(token)| token);
    let page = async { render("ticket", &view::of(&app, client, &token).await?) };
    let mut response = match page.await {
        Ok(html) => (StatusCode::OK, html).into_response(),
        Err(error) => sorry(error),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow, noarchive"));
    if let Ok(policy) = HeaderValue::from_str(&CONTENT_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page with a `ticket` or a `notice` on it.
fn render(what: &str, content: &impl Serialize) -> ApiResult<String> {
    let pages = PAGES.as_ref().map_err(|error| ApiError::internal(error.to_string()))?;
    let template = pages.get_template(TEMPLATE).map_err(ApiError::internal)?;
    let style = Value::from_safe_string(STYLE.to_owned());
    let content = Value::from_pairs([(what, Value::from(Serde(content)))]);
    template.render(context! { style, ..content }).map_err(ApiError::internal)
}

/// An error as a page, with the status and the headers it has everywhere.
fn sorry(error: ApiError) -> Response {
    let notice = notice(error.code());
    let mut response = error.into_response();
    let plain = format!("{}. {}", notice.title, notice.text);
    *response.body_mut() = Body::from(render("notice", &notice).unwrap_or(plain));
    response
}

fn notice(code: Code) -> Notice {
    let (title, text) = match code {
        Code::LinkUnknown => (
            "We cannot find this ticket",
            "The link may have been cut short. Open it exactly as it was sent to you, or ask for it again.",
        ),
        Code::LinkUsed => (
            "This link no longer works",
            "It was used, taken back or replaced by a new one. Ask whoever sent it to you.",
        ),
        Code::LinkExpired => {
            ("This link has expired", "The ticket went back to whoever offered it. Ask them for a new link.")
        }
        Code::RateLimited => ("Too many tries", "Wait a minute, then open the link again as it was sent."),
        _ => {
            let id = request_id::current().unwrap_or_default();
            let text = format!("The server failed. Try again in a moment. If it stays so, quote {id}.");
            return Notice { title: "Something went wrong here", text };
        }
    };
    Notice { title, text: text.to_owned() }
}

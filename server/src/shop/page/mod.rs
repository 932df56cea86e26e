//! `/shop`: an event's tickets and an order, in a browser.
//!
//! Works without a script, but for Stripe's own: whoever pays by Stripe gives their card to Stripe, and to nobody
//! else. The address of an order holds its token: it is told nobody, and stays out of the log.

mod offer;
mod order;
mod unsubscribe;
mod view;

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::app::AppState;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::request_id;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("pay.js");
const HTML: &str = "text/html; charset=utf-8";
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
/// Nothing from anywhere else, but what Stripe needs: <https://docs.stripe.com/security/guide#content-security-policy>.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'; script-src 'self' https://js.stripe.com https://*.js.stripe.com; \
    connect-src 'self' https://api.stripe.com; \
    frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com";

// The names end as they must for escaping.
static PAGES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
    pages.add_template("layout.html", include_str!("layout.html"))?;
    pages.add_template("offer.html", include_str!("offer.html"))?;
    pages.add_template("order.html", include_str!("order.html"))?;
    pages.add_template("unsubscribe.html", include_str!("unsubscribe.html"))?;
    pages.add_template("notice.html", include_str!("notice.html"))?;
    Ok(pages)
});
static STYLE_PATH: LazyLock<String> = LazyLock::new(|| asset_path("style", STYLE, "css"));
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| asset_path("pay", SCRIPT, "js"));

fn asset_path(name: &str, content: &str, kind: &str) -> String {
    format!("/shop/{name}.{}.{kind}", HEXLOWER.encode(&Sha256::digest(content)[..8]))
}

fn asset(path: &str, kind: &'static str, content: &'static str) -> Router<AppState> {
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Router::new().route(path, get(async move || (headers, content)))
}

pub(crate) fn routes() -> Router<AppState> {
    let pages = Router::new()
        .route("/shop/{event_id}", get(offer::show).post(offer::buy))
        .route("/shop/orders/{token}", get(order::show))
        .route("/shop/orders/{token}/cancel", post(order::cancel))
        .route("/shop/orders/{token}/test-payment", post(order::try_out))
        .route("/shop/unsubscribe/{token}", get(unsubscribe::show).post(unsubscribe::change));
    pages
        .layer(axum::middleware::map_response(protect))
        .merge(asset(&STYLE_PATH, "text/css; charset=utf-8", STYLE))
        .merge(asset(&SCRIPT_PATH, "text/javascript; charset=utf-8", SCRIPT))
}

/// Puts the headers on that keep a page to itself.
async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow, noarchive"));
    response
}

fn html(app: &AppState, template: &str, title: &str, content: &impl Serialize) -> ApiResult<String> {
    let pages = PAGES.as_ref().map_err(|error| ApiError::internal(error.to_string()))?;
    let page = Value::from(Serde(content));
    let values = context! {
        base => app.base_path(), style => STYLE_PATH.as_str(), script => SCRIPT_PATH.as_str(), title, page,
    };
    pages.get_template(template).and_then(|template| template.render(values)).map_err(ApiError::internal)
}

fn page(app: &AppState, template: &str, title: &str, content: &impl Serialize) -> ApiResult<Response> {
    let html = html(app, template, title, content)?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, HTML)], html).into_response())
}

/// The same for a form that was refused, with the refusal's status and headers.
fn refused(
    app: &AppState,
    error: ApiError,
    (template, title): (&str, &str),
    content: &impl Serialize,
) -> Response {
    let html = html(app, template, title, content);
    let mut response = error.into_response();
    if let Ok(html) = html {
        *response.body_mut() = Body::from(html);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    }
    response
}

/// What stands there instead of a page.
#[derive(Serialize)]
struct Notice {
    title: &'static str,
    text: String,
}

/// The same for a page that is not the shop's.
fn sorry_about(app: &AppState, error: ApiError, title: &'static str) -> Response {
    if error.code() != Code::NotFound {
        return sorry(app, error);
    }
    let text = "The link may have been cut short. Open it exactly as it is in the mail.".to_owned();
    refused(app, error, ("notice.html", title), &Notice { title: "We do not know this link", text })
}

/// An error as a page.
fn sorry(app: &AppState, error: ApiError) -> Response {
    let (title, text) = match error.code() {
        Code::NothingOnSale | Code::InvalidPath => (
            "There is nothing to buy here",
            "The link may have been cut short, or the sale is over. Ask the organiser.".to_owned(),
        ),
        Code::Unauthenticated => (
            "We cannot find this order",
            "The link may have been cut short. Open it exactly as you had it, or ask the organiser."
                .to_owned(),
        ),
        Code::RateLimited => ("Too many tries", "Wait a while, then try again.".to_owned()),
        Code::OrderOver => ("This order has moved on", "Go back and load its page again.".to_owned()),
        _ => {
            let id = request_id::current().unwrap_or_default();
            ("Something went wrong here", format!("Try again in a moment. If it stays so, quote {id}."))
        }
    };
    refused(app, error, ("notice.html", title), &Notice { title, text })
}

fn see_other(app: &AppState, path: &str) -> Response {
    let location = HeaderValue::from_str(&format!("{}{path}", app.base_path()));
    let location = location.unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

//! Sign-in links: asked for, opened, and used by a press of a button, so that whoever only looks uses none up.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use secrecy::SecretString;
use serde::Serialize;

use super::super::cookies::{self, Cookie};
use super::super::csrf;
use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::layout::{self, Frame, Moment};
use super::super::visitor::Visitor;
use super::Done;
use super::sign_in::{form_cookie, with_session};
use crate::accounts::Browser;
use crate::accounts::links::{self, SignInLink};
use crate::app::AppState;
use crate::platform::auth::Client;
use crate::platform::body::{Path, Query};
use crate::platform::problem::{ApiError, ApiResult, Code};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/sign-in/link", get(show).post(ask))
        .route("/console/sign-in/link/{token}", get(open).post(redeem))
}

/// A page with a form, bound to a cookie that the browser has or gets.
fn page(
    app: &AppState,
    headers: &HeaderMap,
    template: &str,
    frame: Frame<'_>,
    content: impl Serialize,
) -> ApiResult<Response> {
    let (cookie, new) = form_cookie(app, headers);
    let csrf = Some(csrf::token(&cookie, app.entropy().as_ref()));
    let mut response = layout::render(app, template, &Frame { csrf, ..frame }, content)?;
    if new {
        response.headers_mut().append(header::SET_COOKIE, cookies::set(app, Cookie::Form, &cookie, None));
    }
    Ok(response)
}

#[derive(Debug, Default, Serialize)]
struct Asking {
    email: String,
    wrong: Wrong,
}

fn asking(app: &AppState, headers: &HeaderMap, done: Option<&str>, content: &Asking) -> ApiResult<Response> {
    let frame = Frame { title: "Sign in by mail", done, ..Frame::default() };
    page(app, headers, "sign_in_link.html", frame, content)
}

async fn show(
    headers: HeaderMap,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    if !app.emails().are_on() {
        return Err(ApiError::new(Code::NotFound, "There is no such page.").into());
    }
    Ok(asking(&app, &headers, done.done.as_deref(), &Asking::default())?)
}

async fn ask(
    client: Client,
    headers: HeaderMap,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let email = form.text("email").to_owned();
    match links::ask(&app, client, &email).await {
        Ok(()) => {
            let location = format!("{}/console/sign-in/link", layout::base(&app));
            Ok(layout::done(&location, Flash::SignInLinkAsked))
        }
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            Ok(layout::refused(asking(&app, &headers, None, &Asking { email, wrong })?, error))
        }
    }
}

#[derive(Debug, Serialize)]
struct Opened {
    name: String,
    email: String,
    until: Moment,
    /// Who is signed in here so far.
    visitor: Option<String>,
}

async fn open(
    client: Client,
    visitor: Option<Visitor>,
    headers: HeaderMap,
    State(app): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    let SignInLink { name, email, expires_at } =
        links::look_up(&app, client, &SecretString::from(token)).await?;
    let content = Opened {
        name,
        email,
        until: Moment::new(expires_at),
        visitor: visitor.as_ref().map(|visitor| visitor.person.signed_in.name.clone()),
    };
    let frame = Frame { title: "Sign in", visitor: visitor.as_ref(), ..Frame::default() };
    Ok(layout::with_secret_address(page(&app, &headers, "sign_in_by_link.html", frame, &content)?))
}

async fn redeem(
    client: Client,
    old: Option<Visitor>,
    headers: HeaderMap,
    State(app): State<AppState>,
    Path(token): Path<String>,
    _form: Form,
) -> Result<Response, Failure> {
    let old = old.map(|visitor| visitor.person);
    let new = links::redeem(&app, Browser::new(client, &headers), old, &SecretString::from(token)).await?;
    let location = format!("{}/console/account", layout::base(&app));
    Ok(with_session(&app, layout::done(&location, Flash::SignedInByLink), &new))
}

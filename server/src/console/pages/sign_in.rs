//! Signing in and out.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::{get, post};
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::super::cookies::{self, Cookie};
use super::super::csrf;
use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::layout::{self, Frame};
use super::super::visitor::Visitor;
use crate::accounts::types::SignIn;
use crate::accounts::{self, Accounts, Browser, NewSession};
use crate::app::AppState;
use crate::platform::auth::Client;
use crate::platform::body::Query;
use crate::platform::problem::ApiResult;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/sign-in", get(show).post(sign_in))
        .route("/console/sign-out", post(sign_out))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    next: Option<String>,
    done: Option<String>,
}

/// What is in the form.
#[derive(Debug, Default, Serialize)]
struct Content {
    email: String,
    remember: bool,
    next: String,
    /// Whether links are mailed.
    by_mail: bool,
    wrong: Wrong,
}

async fn show(
    visitor: Option<Visitor>,
    headers: HeaderMap,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let next = asked.next.filter(|next| layout::is_ours(next)).unwrap_or_default();
    if visitor.is_some() {
        return Ok(layout::see_other(&after(&app, &next)));
    }
    let content = Content { next, by_mail: app.emails().are_on(), ..Content::default() };
    Ok(page(&app, &headers, asked.done.as_deref(), &content)?)
}

/// The form, bound to a cookie that the browser has or gets.
fn page(app: &AppState, headers: &HeaderMap, done: Option<&str>, content: &Content) -> ApiResult<Response> {
    let (cookie, new) = form_cookie(app, headers);
    let csrf = Some(csrf::token(&cookie, app.entropy().as_ref()));
    let frame = Frame { title: "Sign in", done, csrf, ..Frame::default() };
    let mut response = layout::render(app, "sign_in.html", &frame, content)?;
    if new {
        response.headers_mut().append(header::SET_COOKIE, cookies::set(app, Cookie::Form, &cookie, None));
    }
    Ok(response)
}

/// What the forms of a visitor who is not signed in are bound to, and whether it is new.
pub(super) fn form_cookie(app: &AppState, headers: &HeaderMap) -> (SecretString, bool) {
    // A session's that is over serves as well: forms look for it first.
    let known = cookies::read(app, headers, Cookie::Session);
    if let Some(cookie) = known.or_else(|| cookies::read(app, headers, Cookie::Form)) {
        return (cookie, false);
    }
    let mut random = [0_u8; 32];
    app.entropy().fill(&mut random);
    (BASE64URL_NOPAD.encode(&random).into(), true)
}

fn after(app: &AppState, next: &str) -> String {
    let path = if next.is_empty() { "/console" } else { next };
    format!("{}{path}", layout::base(app))
}

async fn sign_in(
    client: Client,
    old: Option<Visitor>,
    headers: HeaderMap,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let next = Some(form.text("next")).filter(|next| layout::is_ours(next)).unwrap_or_default().to_owned();
    let request = SignIn {
        email: form.text("email").to_owned(),
        password: form.secret("password"),
        remember: form.ticked("remember"),
    };
    let content = Content {
        email: request.email.clone(),
        remember: request.remember,
        next,
        by_mail: app.emails().are_on(),
        wrong: Wrong::default(),
    };
    let old = old.map(|visitor| visitor.person);
    match accounts::sign_in(&app, Browser::new(client, &headers), old, request).await {
        Ok(new) => Ok(with_session(&app, layout::see_other(&after(&app, &content.next)), &new)),
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            Ok(layout::refused(page(&app, &headers, None, &Content { wrong, ..content })?, error))
        }
    }
}

/// Gives the browser its new session.
pub(super) fn with_session(app: &AppState, mut response: Response, new: &NewSession) -> Response {
    let life = new.remembered.then(|| (new.expires_at - app.now()) / 1_000);
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookies::set(app, Cookie::Session, &new.token, life));
    headers.append(header::SET_COOKIE, cookies::clear(app, Cookie::Form));
    response
}

/// Takes the session from the browser.
pub(super) fn without_session(app: &AppState, mut response: Response) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookies::clear(app, Cookie::Session));
    response
}

async fn sign_out(
    visitor: Option<Visitor>,
    State(app): State<AppState>,
    _form: Form,
) -> Result<Response, Failure> {
    if let Some(Visitor { person, .. }) = visitor {
        Accounts::of(&app).end_session(&person, person.signed_in.session_id).await?;
    }
    let location = layout::sign_in_path(&app, None);
    Ok(without_session(&app, layout::done(&location, Flash::SignedOut)))
}

//! The link of an invitation.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::super::cookies::{self, Cookie};
use super::super::csrf;
use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::layout::{self, Frame, Moment};
use super::super::visitor::Visitor;
use super::sign_in::{form_cookie, with_session};
use crate::accounts::types::{AcceptInvitation, SignIn};
use crate::accounts::{self, Browser, Invited};
use crate::app::AppState;
use crate::platform::auth::Client;
use crate::platform::body::Path;
use crate::platform::problem::ApiResult;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/invitation/{token}", get(show).post(accept))
}

#[derive(Debug, Serialize)]
struct Content {
    organiser: String,
    email: String,
    role: &'static str,
    invited_by: String,
    limited: bool,
    until: Moment,
    /// `newcomer` chooses a password, `known` signs in first, `right` accepts, `other` signs out first.
    who: &'static str,
    sign_in: String,
    name: String,
    wrong: Wrong,
}

fn content(app: &AppState, invited: Invited, visitor: Option<&Visitor>, token: &SecretString) -> Content {
    let email = invited.invitation.email;
    let is_theirs = |visitor: &Visitor| visitor.person.signed_in.email.to_lowercase() == email.to_lowercase();
    let who = match visitor {
        Some(visitor) if is_theirs(visitor) => "right",
        Some(_) => "other",
        None if invited.has_account => "known",
        None => "newcomer",
    };
    let path = format!("/console/invitation/{}", token.expose_secret());
    Content {
        organiser: invited.organiser_name,
        email,
        role: layout::role_words(invited.invitation.role),
        invited_by: invited.invitation.invited_by,
        limited: invited.invitation.event_ids.is_some(),
        until: Moment::new(invited.invitation.expires_at),
        who,
        sign_in: layout::sign_in_path(app, Some(&path)),
        name: String::new(),
        wrong: Wrong::default(),
    }
}

fn page(
    app: &AppState,
    headers: &HeaderMap,
    visitor: Option<&Visitor>,
    content: &Content,
) -> ApiResult<Response> {
    let (cookie, new) = form_cookie(app, headers);
    let csrf = Some(csrf::token(&cookie, app.entropy().as_ref()));
    let frame = Frame { title: "Invitation", visitor, csrf, ..Frame::default() };
    let mut response = layout::render(app, "invitation.html", &frame, content)?;
    if new {
        response.headers_mut().append(header::SET_COOKIE, cookies::set(app, Cookie::Form, &cookie, None));
    }
    Ok(layout::with_secret_address(response))
}

async fn show(
    client: Client,
    visitor: Option<Visitor>,
    headers: HeaderMap,
    State(app): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    let token = SecretString::from(token);
    let invited = accounts::look_up_invitation(&app, client, &token).await?;
    Ok(page(&app, &headers, visitor.as_ref(), &content(&app, invited, visitor.as_ref(), &token))?)
}

async fn accept(
    client: Client,
    visitor: Option<Visitor>,
    headers: HeaderMap,
    State(app): State<AppState>,
    Path(token): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let token = SecretString::from(token);
    let invited = accounts::look_up_invitation(&app, client, &token).await?;
    let email = invited.invitation.email.clone();
    let (name, password) = (form.text("name").to_owned(), form.secret("password"));
    let request =
        AcceptInvitation { token: token.clone(), name: Some(name.clone()), password: Some(password.clone()) };
    let person = visitor.as_ref().map(|visitor| visitor.person.clone());
    match accounts::accept(&app, client, person, request).await {
        Ok(joined) => {
            let location = format!("{}/console/organisers/{}", layout::base(&app), joined.organiser_id);
            let response = layout::done(&location, Flash::Joined);
            if visitor.is_some() {
                return Ok(response);
            }
            let request = SignIn { email, password, remember: false };
            let new = accounts::sign_in(&app, Browser::new(client, &headers), None, request).await?;
            Ok(with_session(&app, response, &new))
        }
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            let content = Content { name, wrong, ..content(&app, invited, visitor.as_ref(), &token) };
            Ok(layout::refused(page(&app, &headers, visitor.as_ref(), &content)?, error))
        }
    }
}

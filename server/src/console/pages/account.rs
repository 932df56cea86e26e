//! One's own account: sessions and password.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::layout::{self, Frame, Moment};
use super::super::visitor::Visitor;
use super::Done;
use super::sign_in::without_session;
use crate::accounts::Accounts;
use crate::accounts::types::{PasswordChange, SessionView};
use crate::app::AppState;
use crate::platform::body::{Path, Query};
use crate::platform::ids::SessionId;
use crate::platform::problem::ApiResult;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/account", get(show))
        .route("/console/account/password", post(change_password))
        .route("/console/account/sessions/{session_id}/end", post(end_session))
}

#[derive(Debug, Serialize)]
struct Session {
    session_id: SessionId,
    current: bool,
    agent: String,
    network: String,
    since: Moment,
    seen: Moment,
}

impl Session {
    fn new(view: SessionView) -> Self {
        Self {
            session_id: view.session_id,
            current: view.current,
            agent: browser_words(&view.agent),
            network: view.network,
            since: Moment::new(view.created_at),
            seen: Moment::new(view.seen_at),
        }
    }
}

/// `Firefox on Linux`, as far as a browser's description of itself tells.
fn browser_words(agent: &str) -> String {
    let first = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    // Each names those it imitates as well: the most particular comes first.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if agent.is_empty() => "A program".to_owned(),
        _ => agent.chars().take(40).collect(),
    }
}

#[derive(Debug, Serialize)]
struct Content {
    name: String,
    email: String,
    sessions: Vec<Session>,
    /// Until when no current password is asked for; none: it is.
    free_until: Option<Moment>,
    wrong: Wrong,
}

async fn page(app: &AppState, visitor: &Visitor, done: Option<&str>, wrong: Wrong) -> ApiResult<Response> {
    let sessions = Accounts::of(app).sessions(&visitor.person).await?;
    let signed_in = &visitor.person.signed_in;
    let content = Content {
        name: signed_in.name.clone(),
        email: signed_in.email.clone(),
        sessions: sessions.into_iter().map(Session::new).collect(),
        free_until: signed_in.password_until.filter(|until| app.now() < *until).map(Moment::new),
        wrong,
    };
    let frame =
        Frame { title: "Your account", visitor: Some(visitor), here: "account", done, ..Frame::default() };
    layout::render(app, "account.html", &frame, &content)
}

async fn show(
    visitor: Visitor,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    Ok(page(&app, &visitor, done.done.as_deref(), Wrong::default()).await?)
}

async fn change_password(
    visitor: Visitor,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let change = PasswordChange {
        // The form of those who need not know it has no field for it.
        current_password: Some(form.secret("current_password"))
            .filter(|typed| !typed.expose_secret().is_empty()),
        new_password: form.secret("new_password"),
    };
    match Accounts::of(&app).change_password(&app, &visitor.person, change).await {
        Ok(()) => {
            let location = layout::sign_in_path(&app, None);
            Ok(without_session(&app, layout::done(&location, Flash::PasswordChanged)))
        }
        Err(error) => {
            let (mut wrong, error) = Wrong::of(error)?;
            if error.code() == crate::platform::problem::Code::SignInFailed {
                wrong.alert = Some("Please look at what is marked below.".to_owned());
                wrong.fields.insert("current_password".into(), "That is not your current password.".into());
            }
            Ok(layout::refused(page(&app, &visitor, None, wrong).await?, error))
        }
    }
}

async fn end_session(
    visitor: Visitor,
    State(app): State<AppState>,
    Path(session): Path<SessionId>,
    _form: Form,
) -> Result<Response, Failure> {
    Accounts::of(&app).end_session(&visitor.person, session).await?;
    if session == visitor.person.signed_in.session_id {
        let location = layout::sign_in_path(&app, None);
        return Ok(without_session(&app, layout::done(&location, Flash::SignedOut)));
    }
    Ok(layout::done(&format!("{}/console/account", layout::base(&app)), Flash::SessionEnded))
}

#[cfg(test)]
mod tests {
    use super::browser_words;

    #[test]
    fn browsers_are_called_what_people_call_them() {
        for (agent, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140",
                "Edge on Windows",
            ),
            ("curl/8.5", "curl/8.5"),
            ("", "A program"),
        ] {
            assert_eq!(browser_words(agent), words);
        }
    }
}

//! Signing in, and sessions until they end.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use secrecy::SecretString;
use serde_json::json;

use super::Accounts;
use super::passwords::Verdict;
use super::store::{self, SessionRow, UserRow};
use super::types::{SessionView, SignIn};
use super::users::{address, user_entry};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Pen, Target};
use crate::platform::auth::{Client, Kind, Person, SessionLife, Token};
use crate::platform::authorize::{Actor, By, network};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::SessionId;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::rate_limit::Key;

/// Sessions that are over are kept this long, for whoever looks into what happened.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;
/// What is kept of a browser's description of itself, in characters.
const LONGEST_AGENT: usize = 200;

/// What signs in: from where, and what it calls itself.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(super) client: Client,
    agent: String,
}

impl Browser {
    pub(crate) fn new(client: Client, headers: &HeaderMap) -> Self {
        let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self { client, agent: agent.chars().take(LONGEST_AGENT).collect() }
    }
}

/// A session just made.
pub(crate) struct NewSession {
    pub(crate) session_id: SessionId,
    pub(crate) token: SecretString,
    pub(crate) expires_at: i64,
    pub(crate) remembered: bool,
}

/// By what somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By their password; for a month, if they asked for that.
    Password { remembered: bool },
    /// By a link that was mailed to them.
    Link,
}

/// The same answer to an address nobody has and to a wrong password.
fn failed(app: &AppState) -> ApiError {
    let detail = if app.emails().are_on() {
        "Check both and try again, or have a sign-in link sent to you."
    } else {
        "Check both and try again. Whoever runs this server can give you a new password."
    };
    ApiError::new(Code::SignInFailed, detail)
}

/// Makes a session for whoever knows the password, always a new one; `old`, which the browser had before,
/// ends.
///
/// # Errors
/// `sign_in_failed`, `rate_limited`, `invalid_field`.
pub(crate) async fn sign_in(
    app: &AppState,
    browser: Browser,
    old: Option<Person>,
    request: SignIn,
) -> ApiResult<NewSession> {
    let (_, email_key) = address(&request.email)?;
    let limits = &app.config().limits;
    let from = Key::of_address("sign_in_address", browser.client.0);
    app.limiter().require(from, limits.sign_in_address).await?;
    app.limiter().require(Key::new("sign_in_account", email_key.as_ref()), limits.sign_in_account).await?;
    let user = {
        let email_key = email_key.clone();
        app.db().read(move |conn| {
            Box::pin(async move { Ok::<_, ApiError>(store::user_by_email(conn, &email_key).await?) })
        })
    };
    let user = user.await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let verdict = app.passwords().verify(&request.password, stored).await?;
    match user {
        Some(user) if verdict != Verdict::Wrong => {
            let rehashed = match verdict {
                Verdict::RightButOld => Some(app.passwords().hash(&request.password, app.entropy()).await?),
                _ => None,
            };
            open(app, (browser, old), user, rehashed, request.remember).await
        }
        user => {
            record_failure(app, browser, user).await?;
            Err(failed(app))
        }
    }
}

/// A session that is about to begin.
pub(super) struct Opening {
    session: SessionRow,
    /// What the browser had before.
    old: Option<Person>,
    by: By,
    how: How,
}

impl Opening {
    pub(super) fn new(
        app: &AppState,
        browser: Browser,
        old: Option<Person>,
        user: &UserRow,
        how: How,
    ) -> (Self, NewSession) {
        let now = app.now();
        let remembered = how == How::Password { remembered: true };
        let session_id = SessionId::generate(now, app.entropy().as_ref());
        let token = Token::generate(Kind::Session, *session_id.as_bytes(), app.entropy().as_ref());
        let session = SessionRow {
            session_id,
            user_id: user.user_id,
            secret_hash: token.secret_hash(),
            remembered,
            by_link: how == How::Link,
            agent: browser.agent,
            network: network(browser.client.0),
            created_at: now,
            expires_at: now + SessionLife::of(remembered).absolute_ms,
        };
        let new = NewSession { session_id, token: token.text(), expires_at: session.expires_at, remembered };
        let actor = Actor::User { user_id: user.user_id, session_id };
        let by = By { actor, name: user.name.clone(), origin: browser.client.origin() };
        (Self { session, old, by, how }, new)
    }

    /// Begins it, under the person's lock: whatever entitles them to it has been asked again there.
    pub(super) async fn store(self, tx: &mut Tx, pen: &Pen, user: &UserRow) -> Result<(), DbError> {
        store::forget_sessions(tx, user.user_id, pen.now - KEEP_MS).await?;
        if let Some(old) = &self.old {
            store::end_session(tx, old.signed_in.user_id, old.signed_in.session_id, pen.now).await?;
        }
        store::insert_session(tx, &self.session).await?;
        let entry = user_entry(Deed::SignedIn, user);
        let entry = if self.how == How::Link { entry.after(json!({ "by": "link" })) } else { entry };
        pen.write_of_person(tx, user.user_id, &self.by, entry).await
    }
}

async fn open(
    app: &AppState,
    (browser, old): (Browser, Option<Person>),
    user: UserRow,
    rehashed: Option<String>,
    remembered: bool,
) -> ApiResult<NewSession> {
    let (opening, new) = Opening::new(app, browser, old, &user, How::Password { remembered });
    let (pen, changed) = (audit::pen(app), failed(app));
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                tx.lock("user", user.user_id.as_bytes()).await?;
                // The password may have been changed while this one was being checked.
                let hash = rehashed.as_ref().unwrap_or(&user.password_hash);
                if !store::replace_hash(tx, user.user_id, &user.password_hash, hash).await? {
                    return Err(changed);
                }
                Ok::<_, ApiError>(opening.store(tx, &pen, &user).await?)
            })
        })
        .await?;
    Ok(new)
}

/// A failure goes on record with the organisers of whoever it was about; if nobody, without a name, for what
/// was typed may be a password.
async fn record_failure(app: &AppState, browser: Browser, user: Option<UserRow>) -> ApiResult<()> {
    let by = By { actor: Actor::Nobody, name: String::new(), origin: browser.client.origin() };
    let pen = audit::pen(app);
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                match user {
                    Some(user) => {
                        let entry = user_entry(Deed::SignInFailed, &user);
                        pen.write_of_person(tx, user.user_id, &by, entry).await?;
                    }
                    None => pen.write(tx, None, &by, Entry::of(Deed::SignInFailed)).await?,
                }
                Ok::<_, ApiError>(())
            })
        })
        .await
}

impl Accounts<'_> {
    /// A person's open sessions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn sessions(&self, person: &Person) -> ApiResult<Vec<SessionView>> {
        let (user, current, now) = (person.signed_in.user_id, person.signed_in.session_id, self.now);
        let rows = self.db.read(move |conn| {
            Box::pin(async move { Ok::<_, ApiError>(store::sessions(conn, user, current, now).await?) })
        });
        let alive = |(view, remembered): &(SessionView, bool)| {
            now < view.seen_at.saturating_add(SessionLife::of(*remembered).idle_ms)
        };
        Ok(rows.await?.into_iter().filter(alive).map(|(view, _)| view).collect())
    }

    /// Ends one of a person's sessions, perhaps the one that asks.
    ///
    /// # Errors
    /// `session_not_found`, also for somebody else's.
    pub(crate) async fn end_session(&self, person: &Person, session: SessionId) -> ApiResult<()> {
        let (user, by, pen) = (person.signed_in.user_id, person.by(), self.pen());
        let deed = if session == person.signed_in.session_id { Deed::SignedOut } else { Deed::SessionEnded };
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    if !store::end_session(tx, user, session, pen.now).await? {
                        let detail = "You have no open session with this id. List yours at /v1/sessions.";
                        return Err(ApiError::new(Code::SessionNotFound, detail));
                    }
                    let entry = Entry::of(deed).to(Target::Session, session.as_bytes());
                    pen.write_of_person(tx, user, &by, entry).await?;
                    Ok(())
                })
            })
            .await
    }
}

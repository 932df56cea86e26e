//! Sign-in links: mailed to whoever has an account, and their way back in without the password.
//!
//! The secret is made when the mail is composed: until then the row has none, and what is on its way is sealed with
//! the mail. A link signs in once; looking at it, as scanners of mail do, uses nothing up.

mod store;

use secrecy::{ExposeSecret as _, SecretString};
use tracing::Instrument as _;

use super::sessions::{Browser, How, NewSession, Opening};
use super::store::{UserRow, user_by_email};
use super::users::{address, user_entry};
use crate::app::AppState;
use crate::audit::{self, Deed};
use crate::email;
use crate::mails;
use crate::platform::auth::{Client, Kind, Person, Token, count_guess};
use crate::platform::authorize::{Actor, By, Origin};
use crate::platform::db::{Conn, DbError};
use crate::platform::ids::SignInLinkId;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::rate_limit::Key;
use crate::platform::telemetry::context;

pub(super) use store::end_all;

/// How long a link works.
const LIFE_MS: i64 = 15 * 60_000;
/// Links that are over are kept this long, for whoever opens one late.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;

/// A link, as whoever opens it or composes its mail sees it.
#[derive(Debug, Clone)]
pub(crate) struct SignInLink {
    /// Whom it signs in.
    pub(crate) name: String,
    pub(crate) email: String,
    /// Until when (UTC milliseconds).
    pub(crate) expires_at: i64,
}

impl SignInLink {
    fn of(user: UserRow, expires_at: i64) -> Self {
        Self { name: user.name, email: user.email, expires_at }
    }
}

fn unknown() -> ApiError {
    ApiError::new(Code::LinkUnknown, "Open the whole link as it was sent, or have a new one sent.")
}

fn used() -> ApiError {
    let detail = "It works once, and no more after another link or a new password. Have a new one sent.";
    ApiError::new(Code::LinkUsed, detail)
}

fn check_open(row: &store::LinkRow, now: i64) -> ApiResult<()> {
    if row.ended {
        return Err(used());
    }
    if row.expires_at <= now {
        return Err(ApiError::new(Code::LinkExpired, "It worked for 15 minutes. Have a new one sent."));
    }
    Ok(())
}

/// Sends a link to whoever has an account with this address. Whether anybody has is told by neither the answer nor
/// the time it takes.
///
/// # Errors
/// `mails_off`, `invalid_field`, `rate_limited`.
pub(crate) async fn ask(app: &AppState, client: Client, email: &str) -> ApiResult<()> {
    if !app.emails().are_on() {
        let detail = "No mail is sent here. Whoever runs this server can give you a new password.";
        return Err(ApiError::new(Code::MailsOff, detail));
    }
    let (_, email_key) = address(email)?;
    let limits = &app.config().limits;
    let from = Key::of_address("sign_in_link_address", client.0);
    app.limiter().require(from, limits.sign_in_link_address).await?;
    app.limiter().require(Key::new("sign_in_link", email_key.as_ref()), limits.sign_in_link).await?;
    // Answered before anybody is looked for. Should the server end before it is done, no mail comes, as the answer
    // allows for, and they ask again.
    let (app, origin) = (app.clone(), client.origin());
    let sending = context::carried().on(Box::pin(async move {
        if let Err(error) = send(&app, email_key, origin).await {
            tracing::error!(cause = error.to_string(), "a sign-in link was asked for and could not be sent");
        }
    }));
    tokio::spawn(sending.in_current_span());
    Ok(())
}

async fn send(app: &AppState, email_key: String, origin: Origin) -> ApiResult<()> {
    let (now, pen, app_in) = (app.now(), audit::pen(app), app.clone());
    let link_id = SignInLinkId::generate(now, app.entropy().as_ref());
    let by = By { actor: Actor::Nobody, name: String::new(), origin };
    let written = app.db().write(move |tx| {
        Box::pin(async move {
            let Some(user) = user_by_email(tx, &email_key).await? else { return Ok(()) };
            store::forget(tx, user.user_id, now - KEEP_MS).await?;
            store::insert(tx, link_id, user.user_id, (now, now + LIFE_MS)).await?;
            mails::sign_in_link(tx, &app_in, link_id, (&user.name, &user.email)).await?;
            pen.write_of_person(tx, user.user_id, &by, user_entry(Deed::SignInLinkAsked, &user)).await
        })
    });
    let written: Result<(), DbError> = written.await;
    written?;
    app.queue().wake(email::QUEUE.name);
    Ok(())
}

/// Makes the link's secret, for the mail that brings it; a secret made before, for a mail that was not kept, works no
/// more. None if the link is over.
///
/// # Errors
/// When the database fails.
pub(crate) async fn write_out(
    app: &AppState,
    id: SignInLinkId,
) -> Result<Option<(SignInLink, SecretString)>, DbError> {
    let now = app.now();
    let token = Token::generate(Kind::SignInLink, *id.as_bytes(), app.entropy().as_ref());
    let secret_hash = token.secret_hash();
    let found = app.db().write(move |tx| {
        Box::pin(async move {
            if !store::set_secret(tx, id, secret_hash, now).await? {
                return Ok(None);
            }
            Ok(store::by_id(tx, id).await?.map(|row| SignInLink::of(row.user, row.expires_at)))
        })
    });
    let found: Result<_, DbError> = found.await;
    let url = format!("{}/console/sign-in/link/{}", app.public_url(), token.text().expose_secret());
    Ok(found?.map(|link| (link, url.into())))
}

/// The link a token is of; none if there never was one.
async fn find(conn: &mut Conn, token: &Token) -> Result<Option<store::LinkRow>, DbError> {
    if token.kind != Kind::SignInLink {
        return Ok(None);
    }
    let found = store::by_id(conn, SignInLinkId::from_bytes(token.id)).await?;
    Ok(found.filter(|row| row.secret_hash.is_some_and(|hash| token.fits(&hash))))
}

/// What a link is about. Guesses are counted, and never reach a write.
async fn opened(app: &AppState, client: Client, token: &SecretString) -> ApiResult<store::LinkRow> {
    if let Some(token) = Token::parse(token.expose_secret()) {
        let found = app.db().read(move |conn| Box::pin(async move { find(conn, &token).await }));
        if let Some(row) = found.await? {
            check_open(&row, app.now())?;
            return Ok(row);
        }
    }
    count_guess(app, client).await?;
    Err(unknown())
}

/// Whom a link signs in. It stays as good as it was.
///
/// # Errors
/// `link_unknown`, `link_used`, `link_expired`, `rate_limited`.
pub(crate) async fn look_up(app: &AppState, client: Client, token: &SecretString) -> ApiResult<SignInLink> {
    let row = opened(app, client, token).await?;
    Ok(SignInLink::of(row.user, row.expires_at))
}

/// Makes a session for whoever has the link, always a new one; `old`, which the browser had before, ends, and so does
/// every link of theirs.
///
/// # Errors
/// `link_unknown`, `link_used`, `link_expired`, `rate_limited`.
pub(crate) async fn redeem(
    app: &AppState,
    browser: Browser,
    old: Option<Person>,
    token: &SecretString,
) -> ApiResult<NewSession> {
    let store::LinkRow { link_id, user, .. } = opened(app, browser.client, token).await?;
    let (opening, new) = Opening::new(app, browser, old, &user, How::Link);
    let pen = audit::pen(app);
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                tx.lock("user", user.user_id.as_bytes()).await?;
                // The condition decides between two who open it at once, and a new password.
                if !store::end(tx, link_id, pen.now).await? {
                    return Err(used());
                }
                end_all(tx, user.user_id, pen.now).await?;
                Ok::<_, ApiError>(opening.store(tx, &pen, &user).await?)
            })
        })
        .await?;
    Ok(new)
}

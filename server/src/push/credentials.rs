//! What services are called with: made by one process for all, which holds a lease while it does.
//!
//! Apple wants one token used for 20 to 60 minutes, and refuses those who make them more often
//! (<https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns>).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

use crate::app::AppState;
use crate::params;
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::db::DbError;

/// Whoever makes one has this long, before another tries.
const LEASE_MS: i64 = 30_000;
/// So far the clocks of processes may be apart.
const CLOCK_SLACK_MS: i64 = 60_000;
/// Not made anew within this, whatever the service says.
const MIN_AGE_MS: i64 = 20 * 60_000;

/// A token, and for how long.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) token: SecretString,
    pub(super) made_at: i64,
    /// It is used until then (UTC milliseconds).
    pub(super) expires_at: i64,
}

impl Credential {
    /// Another is made from this time on (UTC milliseconds): when five sixths of its life are over.
    const fn refresh_at(&self) -> i64 {
        self.made_at + (self.expires_at - self.made_at) * 5 / 6
    }

    /// Whether it is used on. One from a time that is still to come was made before the clock was set back.
    const fn is_fresh(&self, now: i64) -> bool {
        now < self.refresh_at() && self.made_at <= now + CLOCK_SLACK_MS
    }
}

/// Those that this process knows.
#[derive(Debug, Default)]
pub(super) struct Known {
    all: Mutex<HashMap<&'static str, Credential>>,
    /// One asks at a time, for all who wait.
    asking: tokio::sync::Mutex<()>,
}

impl Known {
    fn get(&self, name: &str) -> Option<Credential> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn put(&self, name: &'static str, credential: Credential) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).insert(name, credential);
    }

    fn forget(&self, name: &str) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn unusable(error: impl std::fmt::Display) -> CallFailure {
    CallFailure::new(Outcome::NotCalled, format!("No token to call with: {error}."))
}

fn context(name: &str) -> Vec<u8> {
    format!("push credential {name}").into_bytes()
}

/// The token of this name. If it is time for another one, `make` makes it, unless somebody else does.
pub(super) async fn get<F>(
    app: &AppState,
    name: &'static str,
    make: impl FnOnce() -> F,
) -> Result<Credential, CallFailure>
where
    F: Future<Output = Result<Credential, CallFailure>>,
{
    // By the time of each look: others may have made one meanwhile.
    let known = || app.push().known.get(name).filter(|it| it.is_fresh(app.now()));
    if let Some(known) = known() {
        return Ok(known);
    }
    let _turn = app.push().known.asking.lock().await;
    if let Some(known) = known() {
        return Ok(known);
    }
    let last = match stored(app, name).await? {
        Some(fresh) if fresh.is_fresh(app.now()) => return Ok(remember(app, name, fresh)),
        last => last,
    };
    if !lease(app, name).await.map_err(unusable)? {
        // Another process makes one. Until it has, the last one does.
        let usable = last.filter(|it| app.now() < it.expires_at);
        return usable.ok_or_else(|| unusable("another process makes one"));
    }
    // Another process may have made one between the look and the lease.
    if let Some(fresh) = stored(app, name).await?.filter(|it| it.is_fresh(app.now())) {
        release(app, name).await.map_err(unusable)?;
        return Ok(remember(app, name, fresh));
    }
    let made = make().await;
    match &made {
        Ok(made) => store(app, name, made).await,
        Err(_) => release(app, name).await,
    }
    .map_err(unusable)?;
    made.map(|made| remember(app, name, made))
}

fn remember(app: &AppState, name: &'static str, credential: Credential) -> Credential {
    app.push().known.put(name, credential.clone());
    credential
}

async fn stored(app: &AppState, name: &str) -> Result<Option<Credential>, CallFailure> {
    let sql = "SELECT sealed, made_at, expires_at FROM push_credentials WHERE name = $1";
    let row = app.db().first(sql, params![name]).await.map_err(unusable)?;
    let Some(row) = row else { return Ok(None) };
    let read = || Ok::<_, DbError>((row.get::<Option<Vec<u8>>>(0)?, row.get(1)?, row.get::<i64>(2)?));
    let (sealed, made_at, expires_at) = read().map_err(unusable)?;
    let Some(sealed) = sealed else { return Ok(None) };
    // One that does not open is made anew.
    let Ok(opened) = app.vault().unseal(&context(name), &sealed) else { return Ok(None) };
    let Ok(token) = String::from_utf8(opened.expose_secret().clone()) else { return Ok(None) };
    Ok(Some(Credential { token: token.into(), made_at, expires_at }))
}

/// Whether it is this process that makes one.
async fn lease(app: &AppState, name: &'static str) -> Result<bool, DbError> {
    let now = app.now();
    let taken = app.db().write(move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO push_credentials (name, made_at, expires_at, leased_until) VALUES ($1, 0, 0, $2) \
                       ON CONFLICT (name) DO UPDATE SET leased_until = excluded.leased_until \
                       WHERE push_credentials.leased_until <= $3 OR push_credentials.leased_until > $2";
            tx.execute(sql, params![name, now + LEASE_MS, now]).await
        })
    });
    let taken: u64 = taken.await?;
    Ok(taken == 1)
}

/// Gives the lease back. The last one stays.
async fn release(app: &AppState, name: &'static str) -> Result<(), DbError> {
    let released = app.db().write(move |tx| {
        Box::pin(async move {
            let sql = "UPDATE push_credentials SET leased_until = 0 WHERE name = $1";
            tx.execute(sql, params![name]).await.map(drop)
        })
    });
    released.await
}

/// Keeps it for all, and gives the lease back.
async fn store(app: &AppState, name: &'static str, made: &Credential) -> Result<(), DbError> {
    let sealed = app.vault().seal(&context(name), made.token.expose_secret().as_bytes());
    let sealed = sealed.map_err(|error| DbError::Statement(error.to_string()))?;
    let (made_at, expires_at) = (made.made_at, made.expires_at);
    let kept = app.db().write(move |tx| {
        Box::pin(async move {
            let sql = "UPDATE push_credentials SET sealed = $2, made_at = $3, expires_at = $4, leased_until = 0 \
                       WHERE name = $1";
            tx.execute(sql, params![name, sealed, made_at, expires_at]).await.map(drop)
        })
    });
    kept.await
}

/// The service says that the token is no longer good: another one is made, unless this one is so new that the service would
/// take offence.
pub(super) async fn doubt(app: &AppState, name: &'static str, used: &Credential) -> Result<(), CallFailure> {
    app.push().known.forget(name);
    let (made_at, now) = (used.made_at, app.now());
    if now - made_at < MIN_AGE_MS {
        return Ok(());
    }
    let doubted = app.db().write(move |tx| {
        Box::pin(async move {
            let sql = "UPDATE push_credentials SET sealed = NULL WHERE name = $1 AND made_at = $2";
            tx.execute(sql, params![name, made_at]).await.map(drop)
        })
    });
    let doubted: Result<(), DbError> = doubted.await;
    doubted.map_err(unusable)
}

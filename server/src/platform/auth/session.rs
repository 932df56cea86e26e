//! Sessions of people: how long they last, and whose a token is.

use super::store;
use super::token::{Kind, Token};
use crate::app::AppState;
use crate::params;
use crate::platform::db::DbError;
use crate::platform::ids::{SessionId, UserId};
use crate::platform::telemetry::context;

/// How long a session lasts at most, and unused, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLife {
    /// From signing in.
    pub absolute_ms: i64,
    /// From the last request.
    pub idle_ms: i64,
}

impl SessionLife {
    /// A working day at somebody's desk; a month where "stay signed in" was asked for.
    #[must_use]
    pub const fn of(remembered: bool) -> Self {
        const HOUR: i64 = 3_600_000;
        if remembered {
            Self { absolute_ms: 30 * 24 * HOUR, idle_ms: 7 * 24 * HOUR }
        } else {
            Self { absolute_ms: 12 * HOUR, idle_ms: 2 * HOUR }
        }
    }
}

/// How long somebody who came by a link may set a password without the one so far: that is why most came so.
const PASSWORD_MS: i64 = 15 * 60_000;
/// Uses are noted to this many milliseconds, so that not every request writes.
const SEEN_STEP_MS: i64 = 60_000;

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user_id: UserId,
    /// By which session.
    pub session_id: SessionId,
    /// What people call them.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Whether they run this installation.
    pub is_operator: bool,
    /// Until when they may set a password without the one so far (UTC milliseconds); none: they signed in with it.
    pub password_until: Option<i64>,
    seen_at: i64,
}

/// Whose session a token is of, if it is one that is alive. Notes that it was used.
///
/// # Errors
/// When the database fails.
pub async fn signed_in(app: &AppState, token: Token) -> Result<Option<SignedIn>, DbError> {
    if token.kind != Kind::Session {
        return Ok(None);
    }
    let now = app.now();
    let Some(row) = store::session(app.db(), token.id).await? else { return Ok(None) };
    let idle_ms = SessionLife::of(row.remembered).idle_ms;
    let alive = row.ended_at.is_none() && now < row.expires_at && now < row.seen_at.saturating_add(idle_ms);
    if !alive || !token.fits(&row.secret_hash) {
        return Ok(None);
    }
    let signed_in = SignedIn {
        user_id: row.user_id,
        session_id: SessionId::from_bytes(token.id),
        name: row.name,
        email: row.email,
        is_operator: row.is_operator,
        password_until: row.by_link.then_some(row.created_at.saturating_add(PASSWORD_MS)),
        seen_at: row.seen_at,
    };
    context::identify(None, Some(&signed_in.user_id), None);
    note_use(app, &signed_in).await?;
    Ok(Some(signed_in))
}

/// Notes that a session was used, at most once a minute.
async fn note_use(app: &AppState, signed_in: &SignedIn) -> Result<(), DbError> {
    let (now, id) = (app.now(), signed_in.session_id);
    if now < signed_in.seen_at.saturating_add(SEEN_STEP_MS) {
        return Ok(());
    }
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE sessions SET seen_at = $2 \
                           WHERE session_id = $1 AND ended_at IS NULL AND seen_at < $2";
                tx.execute(sql, params![id, now]).await.map(drop)
            })
        })
        .await
}

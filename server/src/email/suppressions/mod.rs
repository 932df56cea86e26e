//! Addresses that no mail goes to for a while: it came back from there, or somebody there called it spam. Whoever
//! sends on is soon believed by no mail server.
//!
//! An operator can lift it: then what was withheld goes, and Resend is asked to forget it as well.

mod lift;
pub(in crate::email) mod routes;
mod store;
mod types;

pub(crate) use lift::lift;
pub(super) use lift::{ASK, ask};
pub use types::{Reason, SuppressionView};

use crate::app::AppState;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::SuppressionId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::ApiResult;

/// How long what is over is kept, for whoever asks why a mail did not go.
const KEEP_MS: i64 = 365 * 86_400_000;

/// What a mail server says of an address that there will never be a mailbox for (RFC 3463, 3.2; RFC 7505, 4.2): no such
/// mailbox, no such domain, not an address, moved away, a domain that takes no mail.
const NOBODY: [&str; 5] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"];

/// Whether a refusal with this code says that nobody is there. A full mailbox, a policy, or a sender that is not liked says
/// nothing of the kind.
pub(super) fn is_nobody_there(enhanced_code: &str) -> bool {
    NOBODY.contains(&enhanced_code)
}

/// As it is kept: mail servers may tell capitals apart, and none does.
fn key(address: &str) -> String {
    address.to_lowercase()
}

/// No more mail goes there, because of what happened at `made_at`. What happened before it was lifted says nothing.
///
/// # Errors
/// When the database fails.
pub(super) async fn suppress(
    tx: &mut Tx,
    app: &AppState,
    address: &str,
    (reason, detail): (Reason, Option<&str>),
    made_at: i64,
) -> Result<(), DbError> {
    let since = made_at.min(app.now());
    let id = SuppressionId::generate(app.now(), app.entropy().as_ref());
    store::put(tx, (id, &key(address)), (reason, detail), (since, since + reason.lasts_ms())).await
}

/// Why no mail goes there now, if none does.
///
/// # Errors
/// When the database fails.
pub(super) async fn active(conn: &mut Conn, address: &str, now: i64) -> Result<Option<Reason>, DbError> {
    store::active(conn, &key(address), now).await
}

/// Which addresses take no mail, or took none; the newest first.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`.
pub(crate) async fn list(app: &AppState, page: &PageQuery) -> ApiResult<Page<SuppressionView>> {
    let (before, limit, now) = (page.before()?, page.limit()?, app.now());
    let read =
        app.db().read(move |conn| Box::pin(async move { store::list(conn, now, before, limit + 1).await }));
    let rows: Result<_, DbError> = read.await;
    let key = |row: &SuppressionView| Key { at: row.since, id: *row.suppression_id.as_bytes() };
    Ok(Page::of(rows?, limit, key))
}

/// Forgets what is over for long.
///
/// # Errors
/// When the database fails.
pub(super) async fn forget(tx: &mut Tx, now: i64) -> Result<(), DbError> {
    store::forget(tx, now - KEEP_MS).await
}

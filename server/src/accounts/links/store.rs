//! Rows of sign-in links.

use super::super::store::{UserRow, user_by_id};
use crate::params;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::{SignInLinkId, UserId};

/// A link with whom it signs in.
pub(super) struct LinkRow {
    pub(super) link_id: SignInLinkId,
    pub(super) user: UserRow,
    /// None: its mail was not composed yet.
    pub(super) secret_hash: Option<[u8; 32]>,
    pub(super) expires_at: i64,
    pub(super) ended: bool,
}

pub(super) async fn by_id(conn: &mut Conn, link_id: SignInLinkId) -> Result<Option<LinkRow>, DbError> {
    let sql = "SELECT user_id, secret_hash, expires_at, ended_at FROM sign_in_links WHERE link_id = $1";
    let Some(row) = conn.first(sql, params![link_id]).await? else { return Ok(None) };
    let Some(user) = user_by_id(conn, row.get(0)?).await? else { return Ok(None) };
    let ended = row.get::<Option<i64>>(3)?.is_some();
    Ok(Some(LinkRow { link_id, user, secret_hash: row.get(1)?, expires_at: row.get(2)?, ended }))
}

/// One without a secret yet, from its first moment to its last.
pub(super) async fn insert(
    tx: &mut Tx,
    id: SignInLinkId,
    user: UserId,
    (now, expires_at): (i64, i64),
) -> Result<(), DbError> {
    let sql = "INSERT INTO sign_in_links (link_id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, params![id, user, now, expires_at]).await.map(drop)
}

/// Gives a link a new secret. Says whether it is open.
pub(super) async fn set_secret(
    tx: &mut Tx,
    id: SignInLinkId,
    secret_hash: [u8; 32],
    now: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE sign_in_links SET secret_hash = $2 \
               WHERE link_id = $1 AND ended_at IS NULL AND expires_at > $3";
    Ok(tx.execute(sql, params![id, secret_hash, now]).await? > 0)
}

/// Ends an open link. Says whether it was open.
pub(super) async fn end(tx: &mut Tx, id: SignInLinkId, now: i64) -> Result<bool, DbError> {
    let sql = "UPDATE sign_in_links SET ended_at = $2 \
               WHERE link_id = $1 AND ended_at IS NULL AND expires_at > $2";
    Ok(tx.execute(sql, params![id, now]).await? > 0)
}

/// Ends every open link of a person.
pub(in super::super) async fn end_all(tx: &mut Tx, user: UserId, now: i64) -> Result<(), DbError> {
    let sql = "UPDATE sign_in_links SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL";
    tx.execute(sql, params![user, now]).await.map(drop)
}

/// Deletes a person's links that are over since `before`.
pub(super) async fn forget(tx: &mut Tx, user: UserId, before: i64) -> Result<(), DbError> {
    let sql = "DELETE FROM sign_in_links WHERE user_id = $1 AND expires_at < $2";
    tx.execute(sql, params![user, before]).await.map(drop)
}

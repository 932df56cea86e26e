//! Rows of wallets, claims and links.

use liventix_core::ids::{EventId, OrganiserId, TicketId};

use super::types::ClaimView;
use crate::params;
use crate::platform::auth::{NewWallet, WalletId};
use crate::platform::db::{Conn, DbError, Row, Tx};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkKind {
    /// The ticket's holder, as often as the policy allows.
    Ticket,
    /// Somebody else, once.
    Transfer,
}

impl LinkKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Transfer => "transfer",
        }
    }

    fn of(row: &Row, column: usize) -> Result<Self, DbError> {
        match row.get::<String>(column)?.as_str() {
            "ticket" => Ok(Self::Ticket),
            "transfer" => Ok(Self::Transfer),
            _ => Err(DbError::Column { column, expected: "a kind of link" }),
        }
    }
}

/// A link.
#[derive(Debug, Clone)]
pub(super) struct LinkRow {
    pub(super) link_id: [u8; 16],
    pub(super) kind: LinkKind,
    pub(super) secret_hash: [u8; 32],
    pub(super) sealed_secret: Vec<u8>,
    pub(super) expires_at: Option<i64>,
    pub(super) ended: bool,
    pub(super) used_by: Option<WalletId>,
}

/// Whose ticket it is, and of which event.
pub(super) async fn locate(
    conn: &mut Conn,
    ticket: TicketId,
) -> Result<Option<(OrganiserId, EventId)>, DbError> {
    let sql = "SELECT e.organiser_id, e.event_id FROM tickets t JOIN events e ON e.event_id = t.event_id \
               WHERE t.ticket_id = $1";
    conn.first(sql, params![ticket]).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Every link of a ticket, dead ones too.
pub(super) async fn links(conn: &mut Conn, ticket: TicketId) -> Result<Vec<LinkRow>, DbError> {
    let sql = "SELECT link_id, kind, secret_hash, sealed_secret, expires_at, ended_at, used_by FROM ticket_links \
               WHERE ticket_id = $1";
    let link = |row: &Row| {
        Ok(LinkRow {
            link_id: row.get(0)?,
            kind: LinkKind::of(row, 1)?,
            secret_hash: row.get(2)?,
            sealed_secret: row.get(3)?,
            expires_at: row.get(4)?,
            ended: row.get::<Option<i64>>(5)?.is_some(),
            used_by: row.get::<Option<[u8; 16]>>(6)?.map(WalletId::from_bytes),
        })
    };
    conn.query(sql, params![ticket]).await?.iter().map(link).collect()
}

/// The link of that kind that is alive.
pub(super) async fn alive(
    conn: &mut Conn,
    ticket: TicketId,
    kind: LinkKind,
) -> Result<Option<LinkRow>, DbError> {
    Ok(links(conn, ticket).await?.into_iter().find(|link| link.kind == kind && !link.ended))
}

pub(super) async fn insert_link(
    tx: &mut Tx,
    ticket: TicketId,
    link: &LinkRow,
    now: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO ticket_links (link_id, ticket_id, kind, secret_hash, sealed_secret, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = params![
        link.link_id,
        ticket,
        link.kind.name(),
        link.secret_hash,
        link.sealed_secret.clone(),
        now,
        link.expires_at,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Ends the ticket's links of one kind.
pub(super) async fn end_links(
    tx: &mut Tx,
    ticket: TicketId,
    kind: LinkKind,
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE ticket_links SET ended_at = $3 WHERE ticket_id = $1 AND kind = $2 AND ended_at IS NULL";
    tx.execute(sql, params![ticket, kind.name(), now]).await.map(drop)
}

/// Ends a transfer, used by `wallet`. False: it was not alive any more.
pub(super) async fn use_link(
    tx: &mut Tx,
    link: &LinkRow,
    wallet: WalletId,
    now: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE ticket_links SET ended_at = $2, used_by = $3 WHERE link_id = $1 AND ended_at IS NULL";
    Ok(tx.execute(sql, params![link.link_id, now, wallet.to_bytes()]).await? > 0)
}

/// Registers a wallet, or says whether it is the one that is registered under its id.
pub(super) async fn register(tx: &mut Tx, wallet: &NewWallet, now: i64) -> Result<bool, DbError> {
    use subtle::ConstantTimeEq as _;
    let sql = "INSERT INTO wallets (wallet_id, secret_hash, created_at) VALUES ($1, $2, $3) \
               ON CONFLICT (wallet_id) DO NOTHING";
    tx.execute(sql, params![wallet.wallet_id.to_bytes(), wallet.secret_hash, now]).await?;
    let sql = "SELECT secret_hash FROM wallets WHERE wallet_id = $1";
    let row = tx.first(sql, params![wallet.wallet_id.to_bytes()]).await?;
    let held: Option<[u8; 32]> = row.map(|row| row.get(0)).transpose()?;
    Ok(held.is_some_and(|held| held.ct_eq(&wallet.secret_hash).into()))
}

/// The phones that hold a ticket, the first first.
pub(super) async fn holders(
    conn: &mut Conn,
    ticket: TicketId,
) -> Result<Vec<(WalletId, ClaimView)>, DbError> {
    let sql = "SELECT wallet_id, phone_name, claimed_at FROM claims WHERE ticket_id = $1 \
               ORDER BY claimed_at, wallet_id";
    let holder = |row: &Row| {
        let view = ClaimView { phone_name: row.get(1)?, claimed_at: row.get(2)? };
        Ok((WalletId::from_bytes(row.get(0)?), view))
    };
    conn.query(sql, params![ticket]).await?.iter().map(holder).collect()
}

pub(super) async fn holds(conn: &mut Conn, ticket: TicketId, wallet: WalletId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM claims WHERE ticket_id = $1 AND wallet_id = $2";
    Ok(conn.first(sql, params![ticket, wallet.to_bytes()]).await?.is_some())
}

/// The tickets a phone holds, the first claimed first.
pub(super) async fn held(conn: &mut Conn, wallet: WalletId) -> Result<Vec<TicketId>, DbError> {
    let sql = "SELECT ticket_id FROM claims WHERE wallet_id = $1 ORDER BY claimed_at, ticket_id";
    conn.query(sql, params![wallet.to_bytes()]).await?.iter().map(|row| row.get(0)).collect()
}

pub(super) async fn put_claim(
    tx: &mut Tx,
    ticket: TicketId,
    wallet: WalletId,
    phone_name: &str,
    now: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO claims (ticket_id, wallet_id, phone_name, claimed_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (ticket_id, wallet_id) DO UPDATE SET phone_name = excluded.phone_name";
    tx.execute(sql, params![ticket, wallet.to_bytes(), phone_name, now]).await.map(drop)
}

pub(super) async fn delete_claim(tx: &mut Tx, ticket: TicketId, wallet: WalletId) -> Result<(), DbError> {
    let sql = "DELETE FROM claims WHERE ticket_id = $1 AND wallet_id = $2";
    tx.execute(sql, params![ticket, wallet.to_bytes()]).await.map(drop)
}

pub(super) async fn delete_claims(tx: &mut Tx, ticket: TicketId) -> Result<(), DbError> {
    tx.execute("DELETE FROM claims WHERE ticket_id = $1", params![ticket]).await.map(drop)
}

//! Rows of mails and their tries.

use liventix_core::ids::EventId;

use super::types::{Class, Delivery, Email, EmailStatus, NewEmail};
use crate::params;
use crate::platform::call::Outcome;
use crate::platform::db::{Conn, DbError, Row, Tx};
use crate::platform::ids::{EmailId, OrderId};
use crate::platform::page::Key;

const COLUMNS: &str = "email_id, kind, payload, to_name, to_address, status, subject, sealed_content, tries, provider, \
    provider_id, failure, may_have_come_twice, created_at, sent_at, delivery, delivery_at, delivery_detail, organiser_id, \
    class, order_id, template, event_id";

fn read(row: &Row) -> Result<Email, DbError> {
    Ok(Email {
        email_id: row.get(0)?,
        kind: row.get(1)?,
        payload: row.json(2)?,
        to_name: row.get(3)?,
        to_address: row.get(4)?,
        status: row.coded(5, EmailStatus::from_code)?,
        subject: row.get(6)?,
        sealed_content: row.get(7)?,
        tries: row.get(8)?,
        provider: row.get(9)?,
        provider_id: row.get(10)?,
        failure: row.get(11)?,
        may_have_come_twice: row.get(12)?,
        created_at: row.get(13)?,
        sent_at: row.get(14)?,
        delivery: row.maybe_coded(15, Delivery::from_code)?,
        delivery_at: row.get(16)?,
        delivery_detail: row.get(17)?,
        organiser_id: row.get(18)?,
        class: row.coded(19, Class::from_code)?,
        order_id: row.get(20)?,
        template: row.get(21)?,
        event_id: row.get(22)?,
    })
}

/// Writes a mail, unless there is one with its key. Says whether it did.
pub(super) async fn insert(tx: &mut Tx, id: EmailId, email: &NewEmail, now: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO emails (email_id, organiser_id, kind, payload, dedupe_key, to_name, to_address, status, \
               tries, may_have_come_twice, created_at, class, event_id, order_id, cause_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, 0, $8, $9, $10, $11, $12) \
               ON CONFLICT (dedupe_key) DO NOTHING";
    let values = params![
        id,
        email.organiser_id,
        email.kind,
        email.payload.to_string(),
        &email.dedupe_key,
        &email.to_name,
        &email.to_address,
        now,
        email.class.code(),
        email.event_id,
        email.order_id,
        email.cause_id,
    ];
    Ok(tx.execute(sql, values).await? == 1)
}

pub(super) async fn by_id(conn: &mut Conn, id: EmailId) -> Result<Option<Email>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM emails WHERE email_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

/// Holds a mail until the transaction ends: what is read of it from now on stays true.
pub(super) async fn lock(tx: &mut Tx, id: EmailId) -> Result<(), DbError> {
    tx.lock("email", id.as_bytes()).await
}

/// Writes back what can change of a mail.
pub(super) async fn update(tx: &mut Tx, email: &Email) -> Result<(), DbError> {
    let sql = "UPDATE emails SET status = $2, subject = $3, sealed_content = $4, tries = $5, provider = $6, \
               provider_id = $7, failure = $8, may_have_come_twice = $9, sent_at = $10, template = $11 WHERE email_id = $1";
    let values = params![
        email.email_id,
        email.status.code(),
        email.subject.clone(),
        email.sealed_content.clone(),
        email.tries,
        email.provider.clone(),
        email.provider_id.clone(),
        email.failure.clone(),
        email.may_have_come_twice,
        email.sent_at,
        email.template.clone(),
    ];
    tx.execute(sql, values).await.map(drop)
}

/// A try of a mail begins, the one after those it had: unless somebody else has begun it, or it is sent. Says whether
/// it is ours.
pub(super) async fn take(tx: &mut Tx, email: &Email) -> Result<bool, DbError> {
    let sql = "UPDATE emails SET tries = $2 WHERE email_id = $1 AND tries = $3 AND status <> 'sent'";
    if tx.execute(sql, params![email.email_id, email.tries, email.tries - 1]).await? == 0 {
        return Ok(false);
    }
    update(tx, email).await.map(|()| true)
}

/// Mails, newest first; those of one status, if that is asked for.
pub(super) async fn list(
    conn: &mut Conn,
    status: Option<EmailStatus>,
    before: Key,
    limit: u32,
) -> Result<Vec<Email>, DbError> {
    let mut values = params![before.at, before.id, limit].to_vec();
    let narrowed = status.map_or("", |_| "AND status = $4");
    values.extend(status.map(|status| status.code().into()));
    let sql = format!(
        "SELECT {COLUMNS} FROM emails WHERE (created_at, email_id) < ($1, $2) {narrowed} \
         ORDER BY created_at DESC, email_id DESC LIMIT $3"
    );
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

/// Mails about an event, newest first; those about one order, if that is asked for.
pub(super) async fn about(
    conn: &mut Conn,
    (event, order): (EventId, Option<OrderId>),
    before: Key,
    limit: u32,
) -> Result<Vec<Email>, DbError> {
    let mut values = params![before.at, before.id, limit, event].to_vec();
    let narrowed = order.map_or("", |_| "AND order_id = $5");
    values.extend(order.map(Into::into));
    let sql = format!(
        "SELECT {COLUMNS} FROM emails WHERE (created_at, email_id) < ($1, $2) AND event_id = $4 {narrowed} \
         ORDER BY created_at DESC, email_id DESC LIMIT $3"
    );
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

/// The last try: who was asked, and what came of it, if that is known.
pub(super) async fn last_attempt(
    conn: &mut Conn,
    id: EmailId,
) -> Result<Option<(String, Option<Outcome>)>, DbError> {
    let sql =
        "SELECT provider, outcome FROM email_attempts WHERE email_id = $1 ORDER BY attempt DESC LIMIT 1";
    let row = conn.first(sql, params![id]).await?;
    row.map(|row| Ok((row.get(0)?, row.maybe_coded(1, Outcome::from_code)?))).transpose()
}

/// A try is about to be made.
pub(super) async fn begin(
    tx: &mut Tx,
    id: EmailId,
    (attempt, provider): (i64, &str),
    now: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO email_attempts (email_id, attempt, provider, started_at) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, params![id, attempt, provider, now]).await.map(drop)
}

/// How a try ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) detail: Option<String>,
}

pub(super) async fn end(
    tx: &mut Tx,
    id: EmailId,
    attempt: i64,
    ended: &Ended,
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE email_attempts SET ended_at = $3, outcome = $4, status = $5, code = $6, detail = $7 \
               WHERE email_id = $1 AND attempt = $2";
    let values = params![
        id,
        attempt,
        now,
        ended.outcome.code(),
        ended.status,
        ended.code.clone(),
        ended.detail.clone(),
    ];
    tx.execute(sql, values).await.map(drop)
}

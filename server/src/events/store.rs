//! Rows of events, gates, ticket types and keys, and the change feed's numbers.

use liventix_core::ids::{EventId, GateId, OrganiserId, TicketTypeId};
use liventix_core::rules::{EventInfo, Gate, TicketType};
use liventix_core::ticket::keys::{Algorithm, KeyId, KeyState};

use liventix_core::wallet::wire::WalletPolicy;

use super::types::{EventSummary, EventView};
use crate::anomalies::AnomalySettings;
use crate::params;
use crate::platform::authorize::Granted;
use crate::platform::db::{Conn, DbError, Row, Tx, Value};
use crate::platform::locale::Locale;
use crate::platform::page::Key;

pub(super) async fn insert(tx: &mut Tx, organiser: OrganiserId, event: &EventView) -> Result<(), DbError> {
    let sql = "INSERT INTO events (event_id, organiser_id, name, starts_at, ends_at, time_zone, algorithm, policy, \
               key_version, change_seq, config_seq, created_at, wallet, anomaly, venue, locale, gates_open_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 1, $10, $11, $12, $13, $14, $15)";
    let info = &event.info;
    let values = params![
        info.event_id,
        organiser,
        &info.name,
        info.starts_at,
        info.ends_at,
        &info.time_zone,
        algorithm_name(event.algorithm),
        json(&info.policy)?,
        info.key_version,
        event.created_at,
        json(&event.wallet)?,
        json(&event.anomaly)?,
        event.venue.clone(),
        event.locale.code(),
        event.gates_open_at,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Where it takes place, when its doors open, and the language of its mails.
pub(super) async fn set_place(
    tx: &mut Tx,
    event: EventId,
    (venue, gates_open_at, locale): (Option<&str>, Option<i64>, Locale),
) -> Result<(), DbError> {
    let sql = "UPDATE events SET venue = $2, gates_open_at = $3, locale = $4 WHERE event_id = $1";
    tx.execute(sql, params![event, venue, gates_open_at, locale.code()]).await.map(drop)
}

/// An event whose doors are open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    pub(crate) event_id: EventId,
    pub(crate) organiser_id: OrganiserId,
    /// Since when (UTC milliseconds).
    pub(crate) at: i64,
}

/// Events whose doors have opened since `since`, and whose attendees were not told; those of before never are.
pub(crate) async fn opened(conn: &mut Conn, since: i64, now: i64) -> Result<Vec<Opened>, DbError> {
    let sql = "SELECT event_id, organiser_id, COALESCE(gates_open_at, starts_at) FROM events \
               WHERE gates_told_at IS NULL AND cancelled_at IS NULL \
               AND COALESCE(gates_open_at, starts_at) > $1 AND COALESCE(gates_open_at, starts_at) <= $2 LIMIT 100";
    let read = |row: &Row| Ok(Opened { event_id: row.get(0)?, organiser_id: row.get(1)?, at: row.get(2)? });
    conn.query(sql, params![since, now]).await?.iter().map(read).collect()
}

/// Doors that open at another time, which is still to come, are told of again.
pub(super) async fn forget_gates_told(tx: &mut Tx, event: EventId, now: i64) -> Result<(), DbError> {
    let sql = "UPDATE events SET gates_told_at = NULL WHERE event_id = $1 AND gates_told_at IS NOT NULL \
               AND COALESCE(gates_open_at, starts_at) > $2";
    tx.execute(sql, params![event, now]).await.map(drop)
}

/// Its attendees are told that the doors are open, once. Says whether they were not before.
pub(crate) async fn set_gates_told(tx: &mut Tx, event: EventId, now: i64) -> Result<bool, DbError> {
    let sql = "UPDATE events SET gates_told_at = $2 WHERE event_id = $1 AND gates_told_at IS NULL";
    Ok(tx.execute(sql, params![event, now]).await? == 1)
}

/// It is called off, once. Says whether it is now for the first time.
pub(super) async fn cancel(tx: &mut Tx, event: EventId, reason: &str, now: i64) -> Result<bool, DbError> {
    let sql = "UPDATE events SET cancelled_at = $2, cancel_reason = $3 WHERE event_id = $1 AND cancelled_at IS NULL";
    if tx.execute(sql, params![event, now, reason]).await? == 0 {
        return Ok(false);
    }
    touch_config(tx, event).await.map(|()| true)
}

pub(super) async fn update(tx: &mut Tx, info: &EventInfo) -> Result<(), DbError> {
    let sql = "UPDATE events SET name = $2, starts_at = $3, ends_at = $4, time_zone = $5, policy = $6 \
               WHERE event_id = $1";
    let values = params![
        info.event_id,
        &info.name,
        info.starts_at,
        info.ends_at,
        &info.time_zone,
        json(&info.policy)?
    ];
    tx.execute(sql, values).await?;
    touch_config(tx, info.event_id).await
}

/// Gives the event's settings the next change number.
pub(super) async fn touch_config(tx: &mut Tx, event: EventId) -> Result<(), DbError> {
    let sql =
        "UPDATE events SET change_seq = change_seq + 1, config_seq = change_seq + 1 WHERE event_id = $1";
    tx.execute(sql, params![event]).await.map(drop)
}

/// Takes the next `count` change numbers and returns the first. The event's row stays locked until the
/// commit, so that numbers become visible in order: a reader who has seen one has seen all before it.
pub(crate) async fn take_seqs(tx: &mut Tx, event: EventId, count: i64) -> Result<i64, DbError> {
    let sql = "UPDATE events SET change_seq = change_seq + $2 WHERE event_id = $1 RETURNING change_seq";
    let row = tx.first(sql, params![event, count]).await?;
    let last: i64 = row.ok_or_else(|| DbError::Constraint("no such event".into()))?.get(0)?;
    Ok(last - count + 1)
}

pub(super) async fn owner_and_seq(
    conn: &mut Conn,
    event: EventId,
) -> Result<Option<(OrganiserId, i64)>, DbError> {
    let sql = "SELECT organiser_id, config_seq FROM events WHERE event_id = $1";
    conn.first(sql, params![event]).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// The event's latest change number, and that of its settings.
pub(crate) async fn change_seqs(conn: &mut Conn, event: EventId) -> Result<(i64, i64), DbError> {
    let sql = "SELECT change_seq, config_seq FROM events WHERE event_id = $1";
    let row = conn.first(sql, params![event]).await?;
    let row = row.ok_or_else(|| DbError::Constraint("no such event".into()))?;
    Ok((row.get(0)?, row.get(1)?))
}

pub(super) async fn info(conn: &mut Conn, event: EventId) -> Result<Option<EventInfo>, DbError> {
    let sql =
        "SELECT name, starts_at, ends_at, time_zone, policy, key_version FROM events WHERE event_id = $1";
    let Some(row) = conn.first(sql, params![event]).await? else { return Ok(None) };
    Ok(Some(EventInfo {
        event_id: event,
        name: row.get(0)?,
        starts_at: row.get(1)?,
        ends_at: row.get(2)?,
        time_zone: row.get(3)?,
        policy: row.json(4)?,
        gates: gates(conn, event).await?,
        ticket_types: ticket_types(conn, event).await?,
        key_version: row.get(5)?,
    }))
}

/// The event as its organiser sees it.
pub(super) async fn view(conn: &mut Conn, info: EventInfo) -> Result<EventView, DbError> {
    let sql = "SELECT algorithm, created_at, wallet, anomaly, venue, locale, cancelled_at, cancel_reason, \
               gates_open_at FROM events WHERE event_id = $1";
    let row = conn.first(sql, params![info.event_id]).await?;
    let row = row.ok_or_else(|| DbError::Constraint("no such event".into()))?;
    Ok(EventView {
        info,
        algorithm: algorithm(&row, 0)?,
        created_at: row.get(1)?,
        wallet: row.json(2)?,
        anomaly: row.json(3)?,
        venue: row.get(4)?,
        locale: row.coded(5, Locale::from_code)?,
        cancelled_at: row.get(6)?,
        cancel_reason: row.get(7)?,
        gates_open_at: row.get(8)?,
    })
}

/// The event with this id, as its organiser sees it.
pub(crate) async fn view_of(conn: &mut Conn, event: EventId) -> Result<Option<EventView>, DbError> {
    match info(conn, event).await? {
        Some(info) => view(conn, info).await.map(Some),
        None => Ok(None),
    }
}

/// What attendees may do on their phones.
pub(crate) async fn wallet_policy(conn: &mut Conn, event: EventId) -> Result<WalletPolicy, DbError> {
    let sql = "SELECT wallet FROM events WHERE event_id = $1";
    conn.first(sql, params![event]).await?.map_or_else(|| Ok(WalletPolicy::default()), |row| row.json(0))
}

/// Whose event it is, and when its scans are worth a look. Settings of a newer version count as none: they
/// must not hold up scans.
pub(crate) async fn anomaly_settings(
    conn: &mut Conn,
    event: EventId,
) -> Result<(OrganiserId, AnomalySettings), DbError> {
    let sql = "SELECT organiser_id, anomaly FROM events WHERE event_id = $1";
    let row = conn.first(sql, params![event]).await?;
    let row = row.ok_or_else(|| DbError::Constraint("no such event".into()))?;
    Ok((row.get(0)?, row.json(1).unwrap_or_default()))
}

pub(super) async fn set_anomaly_settings(
    tx: &mut Tx,
    event: EventId,
    settings: &AnomalySettings,
) -> Result<(), DbError> {
    let sql = "UPDATE events SET anomaly = $2 WHERE event_id = $1";
    tx.execute(sql, params![event, json(settings)?]).await.map(drop)
}

pub(super) async fn set_wallet_policy(
    tx: &mut Tx,
    event: EventId,
    policy: &WalletPolicy,
) -> Result<(), DbError> {
    let sql = "UPDATE events SET wallet = $2 WHERE event_id = $1";
    tx.execute(sql, params![event, json(policy)?]).await.map(drop)
}

const SUMMARY: &str =
    "SELECT event_id, name, starts_at, ends_at, time_zone, created_at, cancelled_at FROM events";

pub(super) async fn list(
    conn: &mut Conn,
    granted: &Granted,
    after: Key,
    limit: u32,
) -> Result<Vec<EventSummary>, DbError> {
    let mut values: Vec<Value> = vec![granted.organiser_id.into(), after.id.into(), limit.into()];
    let among = granted.events.condition("event_id", &mut values);
    let sql = format!(
        "{SUMMARY} \
         WHERE organiser_id = $1 AND event_id > $2{among} ORDER BY event_id LIMIT $3"
    );
    conn.query(&sql, &values).await?.iter().map(summary_of).collect()
}

fn summary_of(row: &Row) -> Result<EventSummary, DbError> {
    Ok(EventSummary {
        event_id: row.get(0)?,
        name: row.get(1)?,
        starts_at: row.get(2)?,
        ends_at: row.get(3)?,
        time_zone: row.get(4)?,
        created_at: row.get(5)?,
        cancelled_at: row.get(6)?,
    })
}

/// An event as it stands in a list.
pub(crate) async fn summary(conn: &mut Conn, event: EventId) -> Result<Option<EventSummary>, DbError> {
    let row = conn.first(&format!("{SUMMARY} WHERE event_id = $1"), params![event]).await?;
    row.as_ref().map(summary_of).transpose()
}

async fn gates(conn: &mut Conn, event: EventId) -> Result<Vec<Gate>, DbError> {
    let sql = "SELECT gate_id, name FROM gates WHERE event_id = $1 ORDER BY gate_id";
    let rows = conn.query(sql, params![event]).await?;
    rows.iter().map(|row| Ok(Gate { gate_id: row.get(0)?, name: row.get(1)? })).collect()
}

pub(super) async fn put_gate(tx: &mut Tx, event: EventId, gate: &Gate) -> Result<(), DbError> {
    let sql = "INSERT INTO gates (gate_id, event_id, name) VALUES ($1, $2, $3) \
               ON CONFLICT (gate_id) DO UPDATE SET name = excluded.name";
    tx.execute(sql, params![gate.gate_id, event, &gate.name]).await?;
    touch_config(tx, event).await
}

/// Whether anything was ever scanned at the gate.
pub(super) async fn gate_has_scans(conn: &mut Conn, event: EventId, gate: GateId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM scans WHERE event_id = $1 AND gate_id = $2 LIMIT 1";
    Ok(conn.first(sql, params![event, gate]).await?.is_some())
}

pub(super) async fn delete_gate(tx: &mut Tx, event: EventId, gate: GateId) -> Result<(), DbError> {
    tx.execute("DELETE FROM gates WHERE event_id = $1 AND gate_id = $2", params![event, gate]).await?;
    touch_config(tx, event).await
}

async fn ticket_types(conn: &mut Conn, event: EventId) -> Result<Vec<TicketType>, DbError> {
    let sql = "SELECT ticket_type_id, name, gate_ids, admits, entry, valid_from, valid_until FROM ticket_types \
               WHERE event_id = $1 ORDER BY ticket_type_id";
    let ticket_type = |row: &Row| {
        Ok(TicketType {
            ticket_type_id: row.get(0)?,
            name: row.get(1)?,
            gate_ids: row.json(2)?,
            admits: row.get(3)?,
            entry: row.json(4)?,
            valid_from: row.get(5)?,
            valid_until: row.get(6)?,
        })
    };
    conn.query(sql, params![event]).await?.iter().map(ticket_type).collect()
}

pub(super) async fn put_ticket_type(tx: &mut Tx, event: EventId, kind: &TicketType) -> Result<(), DbError> {
    let sql = "INSERT INTO ticket_types \
               (ticket_type_id, event_id, name, gate_ids, admits, entry, valid_from, valid_until) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (ticket_type_id) DO UPDATE SET \
               name = excluded.name, gate_ids = excluded.gate_ids, admits = excluded.admits, \
               entry = excluded.entry, valid_from = excluded.valid_from, valid_until = excluded.valid_until";
    let values = params![
        kind.ticket_type_id,
        event,
        &kind.name,
        json(&kind.gate_ids)?,
        kind.admits,
        json(&kind.entry)?,
        kind.valid_from,
        kind.valid_until,
    ];
    tx.execute(sql, values).await?;
    touch_config(tx, event).await
}

pub(super) async fn ticket_type_has_tickets(conn: &mut Conn, id: TicketTypeId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM tickets WHERE ticket_type_id = $1 LIMIT 1";
    Ok(conn.first(sql, params![id]).await?.is_some())
}

pub(super) async fn delete_ticket_type(tx: &mut Tx, event: EventId, id: TicketTypeId) -> Result<(), DbError> {
    let sql = "DELETE FROM ticket_types WHERE event_id = $1 AND ticket_type_id = $2";
    tx.execute(sql, params![event, id]).await?;
    touch_config(tx, event).await
}

pub(super) async fn keys(conn: &mut Conn, event: EventId) -> Result<Vec<KeyState>, DbError> {
    let sql = "SELECT key_id, algorithm, accept_until FROM event_keys WHERE event_id = $1 ORDER BY key_id";
    let state = |row: &Row| {
        Ok(KeyState { key_id: KeyId(row.get(0)?), algorithm: algorithm(row, 1)?, accept_until: row.get(2)? })
    };
    conn.query(sql, params![event]).await?.iter().map(state).collect()
}

pub(super) async fn insert_key(tx: &mut Tx, event: EventId, key: &KeyState, now: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO event_keys (event_id, key_id, algorithm, created_at, accept_until) \
               VALUES ($1, $2, $3, $4, $5)";
    let values = params![event, key.key_id.0, algorithm_name(key.algorithm), now, key.accept_until];
    tx.execute(sql, values).await.map(drop)
}

/// Ends the keys still accepted, at `until` or earlier if they end earlier already.
pub(super) async fn end_keys(tx: &mut Tx, event: EventId, until: i64) -> Result<(), DbError> {
    let sql = "UPDATE event_keys SET accept_until = $2 \
               WHERE event_id = $1 AND (accept_until IS NULL OR accept_until > $2)";
    tx.execute(sql, params![event, until]).await.map(drop)
}

pub(super) async fn next_key_version(tx: &mut Tx, event: EventId) -> Result<i64, DbError> {
    let sql = "UPDATE events SET key_version = key_version + 1 WHERE event_id = $1 RETURNING key_version";
    let row = tx.first(sql, params![event]).await?;
    let version = row.ok_or_else(|| DbError::Constraint("no such event".into()))?.get(0)?;
    touch_config(tx, event).await?;
    Ok(version)
}

/// How many good tickets carry a code under one of `keys`.
pub(super) async fn codes_under(conn: &mut Conn, event: EventId, keys: &[KeyState]) -> Result<i64, DbError> {
    let mut total = 0;
    for key in keys {
        let sql = "SELECT COUNT(*) FROM tickets WHERE event_id = $1 AND code_key_id = $2 AND status IN ('valid', 'unpaid')";
        let row = conn.first(sql, params![event, key.key_id.0]).await?;
        total += row.map_or(Ok(0), |row| row.get::<i64>(0))?;
    }
    Ok(total)
}

pub(super) async fn sealed_master_key(
    conn: &mut Conn,
    organiser: OrganiserId,
) -> Result<Option<Vec<u8>>, DbError> {
    let sql = "SELECT sealed_master_key FROM organisers WHERE organiser_id = $1";
    conn.first(sql, params![organiser]).await?.map(|row| row.get(0)).transpose()
}

const fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HmacSha256 => "hmac_sha256",
        Algorithm::Ed25519 => "ed25519",
    }
}

fn algorithm(row: &Row, column: usize) -> Result<Algorithm, DbError> {
    match row.get::<String>(column)?.as_str() {
        "hmac_sha256" => Ok(Algorithm::HmacSha256),
        "ed25519" => Ok(Algorithm::Ed25519),
        _ => Err(DbError::Column { column, expected: "an algorithm" }),
    }
}

/// A JSON column's text.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<Value, DbError> {
    serde_json::to_string(value).map(Value::Text).map_err(|error| DbError::Statement(error.to_string()))
}

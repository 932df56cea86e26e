//! Rows of anomalies: opened, kept up to date, closed.

use std::collections::HashMap;

use liventix_core::ids::{EventId, OrganiserId, TicketId};
use sha2::{Digest as _, Sha256};

use super::finding::{self, Finding};
use super::kinds::{Kind, SubjectKind};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list, padded, values_rows};
use crate::platform::remark::Remark;
use crate::platform::severity::Severity;

/// Ids in one statement.
const CHUNK: usize = 128;

/// Whose anomalies are kept, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// The tenant.
    pub(crate) organiser_id: OrganiserId,
    /// The time (UTC milliseconds).
    pub(crate) now: i64,
}

/// What an anomaly is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    pub(super) event_id: EventId,
    pub(super) kind: Kind,
    pub(super) subject_kind: SubjectKind,
    pub(super) id: [u8; 16],
}

/// An anomaly that is not resolved.
#[derive(Debug, Clone)]
pub(super) struct Alive {
    pub(super) anomaly_id: [u8; 16],
    pub(super) subject: Subject,
    severity: Severity,
    occurrences: i64,
    first_seen: i64,
    pub(super) last_seen: i64,
    digest: [u8; 32],
}

fn coded<T>(row: &Row, column: usize, from: impl Fn(&str) -> Option<T>) -> Result<T, DbError> {
    from(&row.get::<String>(column)?).ok_or(DbError::Column { column, expected: std::any::type_name::<T>() })
}

/// The anomalies about `ids` that are not resolved, of any event.
pub(super) async fn alive(conn: &mut Conn, kinds: &[Kind], ids: &[[u8; 16]]) -> Result<Vec<Alive>, DbError> {
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("'{}'", kind.code())).collect();
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let values = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!(
            "SELECT anomaly_id, event_id, kind, subject_kind, subject, severity, occurrences, first_seen, \
             last_seen, digest FROM anomalies \
             WHERE state <> 'resolved' AND kind IN ({}) AND subject IN ({})",
            kinds.join(","),
            in_list(1, values.len())
        );
        for row in conn.query(&sql, &values).await? {
            found.push(read_alive(&row)?);
        }
    }
    Ok(found)
}

fn read_alive(row: &Row) -> Result<Alive, DbError> {
    Ok(Alive {
        anomaly_id: row.get(0)?,
        subject: Subject {
            event_id: row.get(1)?,
            kind: coded(row, 2, Kind::from_code)?,
            subject_kind: coded(row, 3, SubjectKind::from_code)?,
            id: row.get(4)?,
        },
        severity: coded(row, 5, Severity::from_code)?,
        occurrences: row.get(6)?,
        first_seen: row.get(7)?,
        last_seen: row.get(8)?,
        digest: row.get(9)?,
    })
}

/// What was resolved about a subject before.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// How often.
    times: i64,
    /// When last (UTC milliseconds).
    pub(super) resolved_at: Option<i64>,
    /// What somebody found to be settled.
    settled: Option<[u8; 32]>,
}

pub(super) async fn past(conn: &mut Conn, subject: &Subject) -> Result<Past, DbError> {
    let values = params![subject.id, subject.kind.code(), subject.event_id];
    let sql = "SELECT COUNT(*), MAX(resolved_at) FROM anomalies \
               WHERE subject = $1 AND kind = $2 AND event_id = $3";
    let Some(row) = conn.first(sql, values).await? else { return Ok(Past::default()) };
    let (times, resolved_at) = (row.get(0)?, row.get(1)?);
    if times == 0 {
        return Ok(Past::default());
    }
    let sql = "SELECT digest FROM anomalies \
               WHERE subject = $1 AND kind = $2 AND event_id = $3 AND settled = 1 \
               ORDER BY resolved_at DESC, opened_at DESC LIMIT 1";
    let settled = conn.first(sql, values).await?.map(|row| row.get(0)).transpose()?;
    Ok(Past { times, resolved_at, settled })
}

/// Brings a subject to what a rule finds now, whatever it found before: opens, changes or closes. What somebody
/// resolved stays so until something else is found.
pub(super) async fn settle(
    tx: &mut Tx,
    context: Context,
    subject: Subject,
    alive: Option<&Alive>,
    mut findings: Vec<Finding>,
) -> Result<(), DbError> {
    finding::sort(&mut findings);
    let digest = finding::digest(&findings);
    match alive {
        None if findings.is_empty() => Ok(()),
        None => {
            let past = past(tx, &subject).await?;
            if past.settled == Some(digest) {
                return Ok(());
            }
            open(tx, context, subject, &past, span(&findings), findings).await
        }
        Some(alive) if findings.is_empty() => close(tx, context, alive).await,
        Some(alive) if alive.digest == digest => Ok(()),
        Some(alive) => {
            let severity = severity(subject.kind, &findings);
            update(tx, context, alive, severity, span(&findings), digest).await?;
            replace_evidence(tx, alive.anomaly_id, finding::ends(findings)).await
        }
    }
}

/// Adds what happened to the anomaly that is alive, or opens one. `occurrences`: how often, if not once per
/// finding.
pub(super) async fn grow(
    tx: &mut Tx,
    context: Context,
    subject: Subject,
    mut findings: Vec<Finding>,
    occurrences: Option<i64>,
) -> Result<(), DbError> {
    finding::sort(&mut findings);
    if findings.is_empty() {
        return Ok(());
    }
    let mut grown = Span { occurrences: occurrences.unwrap_or_else(|| count(&findings)), ..span(&findings) };
    let alive = alive(tx, &[subject.kind], &[subject.id]).await?;
    let Some(alive) = alive.into_iter().find(|alive| alive.subject == subject) else {
        let past = past(tx, &subject).await?;
        return open(tx, context, subject, &past, grown, findings).await;
    };
    grown.occurrences = grown.occurrences.saturating_add(alive.occurrences);
    grown.first_seen = grown.first_seen.min(alive.first_seen);
    grown.last_seen = grown.last_seen.max(alive.last_seen);
    let severity = severity(subject.kind, &findings).max(alive.severity);
    findings.extend(evidence(tx, alive.anomaly_id).await?);
    finding::sort(&mut findings);
    let findings = finding::ends(findings);
    update(tx, context, &alive, severity, grown, finding::digest(&findings)).await?;
    replace_evidence(tx, alive.anomaly_id, findings).await
}

#[derive(Debug, Clone, Copy)]
struct Span {
    occurrences: i64,
    first_seen: i64,
    last_seen: i64,
}

fn count(findings: &[Finding]) -> i64 {
    i64::try_from(findings.len()).unwrap_or(i64::MAX)
}

/// Of sorted findings.
fn span(findings: &[Finding]) -> Span {
    let at = |finding: Option<&Finding>| finding.map_or(0, |finding| finding.at);
    Span { occurrences: count(findings), first_seen: at(findings.first()), last_seen: at(findings.last()) }
}

fn severity(kind: Kind, findings: &[Finding]) -> Severity {
    findings.iter().map(|finding| finding.severity(kind)).max().unwrap_or(Severity::Notice)
}

/// The same for the same subject and number: a repeated transaction makes no other one.
fn new_id(subject: &Subject, times: i64) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(b"liventix anomaly v1");
    hasher.update(subject.event_id.as_bytes());
    hasher.update(subject.kind.code());
    hasher.update(subject.id);
    hasher.update(times.to_be_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    // UUID version 8: ours to fill.
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    id
}

async fn open(
    tx: &mut Tx,
    context: Context,
    subject: Subject,
    past: &Past,
    span: Span,
    findings: Vec<Finding>,
) -> Result<(), DbError> {
    let id = new_id(&subject, past.times);
    let Span { occurrences, first_seen, last_seen } = span;
    let sql = "INSERT INTO anomalies (anomaly_id, organiser_id, event_id, kind, subject_kind, subject, severity, \
               state, occurrences, first_seen, last_seen, digest, opened_at, changed_at, settled, alert_due, \
               alerted) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10, $11, $12, $12, 0, 1, 0)";
    let values = params![
        id,
        context.organiser_id,
        subject.event_id,
        subject.kind.code(),
        subject.subject_kind.code(),
        subject.id,
        severity(subject.kind, &findings).code(),
        occurrences,
        first_seen,
        last_seen,
        finding::digest(&findings),
        context.now,
    ];
    tx.execute(sql, values).await?;
    replace_evidence(tx, id, finding::ends(findings)).await
}

async fn update(
    tx: &mut Tx,
    context: Context,
    alive: &Alive,
    severity: Severity,
    span: Span,
    digest: [u8; 32],
) -> Result<(), DbError> {
    // Worse than what was told: told again.
    let worse = severity > alive.severity;
    let sql = "UPDATE anomalies SET occurrences = $2, first_seen = $3, last_seen = $4, severity = $5, digest = $6, \
               changed_at = $7, alert_due = CASE WHEN CAST($8 AS BIGINT) = 1 THEN 1 ELSE alert_due END WHERE anomaly_id = $1";
    let values = params![
        alive.anomaly_id,
        span.occurrences,
        span.first_seen,
        span.last_seen,
        severity.code(),
        digest,
        context.now,
        worse,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// The cause is gone.
async fn close(tx: &mut Tx, context: Context, alive: &Alive) -> Result<(), DbError> {
    resolve(tx, alive.anomaly_id, &Remark::over(context.now)).await.map(drop)
}

/// Resolves an anomaly that is not; says whether it did. Whoever was told of it is told of its end.
pub(super) async fn resolve(tx: &mut Tx, anomaly: [u8; 16], remark: &Remark) -> Result<bool, DbError> {
    let sql = "UPDATE anomalies SET state = 'resolved', resolved = $2, resolved_at = $3, changed_at = $3, \
               settled = $4, alert_due = alerted WHERE anomaly_id = $1 AND state <> 'resolved'";
    Ok(tx.execute(sql, params![anomaly, json(remark)?, remark.at, remark.is_of_a_person()]).await? > 0)
}

/// Notes that somebody looks after an anomaly that is not resolved, perhaps instead of somebody else; says
/// whether it was so.
pub(super) async fn acknowledge(tx: &mut Tx, anomaly: [u8; 16], remark: &Remark) -> Result<bool, DbError> {
    let sql = "UPDATE anomalies SET state = 'acknowledged', acknowledged = $2, changed_at = $3 \
               WHERE anomaly_id = $1 AND state <> 'resolved'";
    Ok(tx.execute(sql, params![anomaly, json(remark)?, remark.at]).await? > 0)
}

/// Once every conflict of a ticket is resolved, so is the anomaly about them.
pub(crate) async fn resolve_conflicts(tx: &mut Tx, ticket: TicketId, remark: &Remark) -> Result<(), DbError> {
    let sql = "SELECT 1 FROM conflicts c LEFT JOIN conflict_resolutions r ON r.excess_scan_id = c.excess_scan_id \
               WHERE c.ticket_id = $1 AND r.excess_scan_id IS NULL LIMIT 1";
    if tx.first(sql, params![ticket]).await?.is_some() {
        return Ok(());
    }
    for alive in alive(tx, &[Kind::ConflictingAdmissions], &[*ticket.as_bytes()]).await? {
        resolve(tx, alive.anomaly_id, remark).await?;
    }
    Ok(())
}

/// The findings kept, as they happened.
pub(super) async fn evidence(conn: &mut Conn, anomaly: [u8; 16]) -> Result<Vec<Finding>, DbError> {
    let sql = "SELECT finding FROM anomaly_evidence WHERE anomaly_id = $1 LIMIT 100";
    let rows = conn.query(sql, params![anomaly]).await?;
    // One that a newer version wrote is left out: it must not hold up the scans that bring others.
    let mut findings: Vec<Finding> = rows.iter().filter_map(|row| row.json(0).ok()).collect();
    finding::sort(&mut findings);
    Ok(findings)
}

async fn replace_evidence(tx: &mut Tx, anomaly: [u8; 16], findings: Vec<Finding>) -> Result<(), DbError> {
    tx.execute("DELETE FROM anomaly_evidence WHERE anomaly_id = $1", params![anomaly]).await?;
    let mut values = Vec::with_capacity(findings.len() * 4);
    for finding in &findings {
        values.extend([anomaly.into(), finding.at.into(), finding.id().into(), json(finding)?]);
    }
    let rows = values_rows(4, findings.len());
    let sql = format!("INSERT INTO anomaly_evidence (anomaly_id, at, finding_id, finding) VALUES {rows}");
    tx.execute(&sql, &values).await.map(drop)
}

/// A JSON column's text.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<Value, DbError> {
    serde_json::to_string(value).map(Value::Text).map_err(|error| DbError::Statement(error.to_string()))
}

/// By subject.
pub(super) fn by_subject(alive: Vec<Alive>) -> HashMap<Subject, Alive> {
    alive.into_iter().map(|alive| (alive.subject, alive)).collect()
}

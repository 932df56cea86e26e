//! Counting: facts become sums, and are numbered through in the order in which they do.
//!
//! **Invariant:** a fact leaves the inbox, gets its number and is added to the sums in one transaction. So each is
//! counted once, whenever its transaction was committed, and readers see all of a transaction's facts or none.

use liventix_core::ids::EventId;
use serde::Deserialize;

use super::rollups::{Counted, NONE, Sums};
use super::state::State;
use crate::params;
use crate::platform::db::{DbError, Row, Tx, Value, batches, in_list, padded, values_rows};
use crate::platform::ids::{InboxId, SubjectId};

/// Rows of the inbox in one transaction at most, and facts after which no more are taken: on SQLite nobody else writes
/// meanwhile.
const ROWS: usize = 256;
const ENOUGH: usize = 500;
/// Rows that are read first.
const FIRST: usize = 8;
const COLUMNS: usize = 8;
const TOGETHER: usize = 128;

/// What came of counting some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) facts: i64,
    /// Nothing that was committed before is left.
    pub(super) is_all: bool,
}

/// A fact as it was written down, perhaps by a newer version.
#[derive(Debug, Deserialize)]
struct Written {
    measure: String,
    at: i64,
    event: Option<EventId>,
    subject: Option<SubjectId>,
    currency: Option<String>,
    value: i64,
}

/// Counts some of what is in the inbox.
pub(super) async fn some(tx: &mut Tx) -> Result<Progress, DbError> {
    let mut state = State::hold(tx).await?;
    let (taken, facts, is_all) = take(tx).await?;
    if taken.is_empty() {
        return Ok(Progress { facts: 0, is_all: true });
    }
    let mut sums = Sums::default();
    facts.iter().for_each(|fact| sums.add(fact));
    number(tx, state.counted_to, &facts).await?;
    sums.write(tx, state.generation).await?;
    let ids = padded(taken.iter().map(|id| Value::from(*id)).collect());
    let sql = format!("DELETE FROM fact_inbox WHERE inbox_id IN ({})", in_list(1, ids.len()));
    tx.execute(&sql, &ids).await?;
    let counted = i64::try_from(facts.len()).unwrap_or(i64::MAX);
    state.counted_to += counted;
    state.save(tx).await?;
    Ok(Progress { facts: counted, is_all })
}

/// What is next in the inbox, and whether that is all of it.
async fn take(tx: &mut Tx) -> Result<(Vec<InboxId>, Vec<Counted>, bool), DbError> {
    let (mut taken, mut facts): (Vec<InboxId>, Vec<Counted>) = (Vec::new(), Vec::new());
    // Few at first, then more and more: one row may have as many facts as hundreds of others.
    let mut more = FIRST;
    loop {
        let after = taken.last().map_or(NONE.to_vec(), |id| id.as_bytes().to_vec());
        let sql = "SELECT inbox_id, organiser_id, facts FROM fact_inbox WHERE inbox_id > $1 ORDER BY inbox_id LIMIT $2";
        let rows = tx.query(sql, params![after, i64::try_from(more).unwrap_or(i64::MAX)]).await?;
        for row in &rows {
            if facts.len() >= ENOUGH {
                return Ok((taken, facts, false));
            }
            facts.extend(read(row)?);
            taken.push(row.get::<InboxId>(0)?);
        }
        if rows.len() < more {
            return Ok((taken, facts, true));
        }
        if facts.len() >= ENOUGH || taken.len() >= ROWS {
            return Ok((taken, facts, false));
        }
        more *= 2;
    }
}

fn read(row: &Row) -> Result<Vec<Counted>, DbError> {
    let organiser = row.get(1)?;
    let written: Vec<Written> = row.json(2)?;
    let counted = written.into_iter().map(|fact| Counted {
        organiser,
        event: fact.event.map_or(NONE.to_vec(), |id| id.as_bytes().to_vec()),
        measure: fact.measure,
        subject: fact.subject.map_or(NONE.to_vec(), |id| id.as_bytes().to_vec()),
        currency: fact.currency.unwrap_or_default(),
        at: fact.at,
        value: fact.value,
    });
    Ok(counted.collect())
}

/// Keeps facts, with the numbers after `last`.
async fn number(tx: &mut Tx, last: i64, facts: &[Counted]) -> Result<(), DbError> {
    let mut seq = last;
    for chunk in batches(facts, TOGETHER) {
        let sql = format!(
            "INSERT INTO facts (seq, organiser_id, event_id, measure, subject, currency, at, value) VALUES {}",
            values_rows(COLUMNS, chunk.len())
        );
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * COLUMNS);
        for fact in chunk {
            seq += 1;
            values.extend_from_slice(params![
                seq,
                fact.organiser,
                fact.event.as_slice(),
                &fact.measure,
                fact.subject.as_slice(),
                &fact.currency,
                fact.at,
                fact.value,
            ]);
        }
        tx.execute(&sql, &values).await?;
    }
    Ok(())
}

/// Facts that were counted, after a number, in their order.
pub(super) async fn counted_after(
    tx: &mut Tx,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, Counted)>, DbError> {
    let sql = "SELECT seq, organiser_id, event_id, measure, subject, currency, at, value FROM facts \
               WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows = tx.query(sql, params![after, limit]).await?;
    let read = |row: &Row| {
        let fact = Counted {
            organiser: row.get(1)?,
            event: row.get(2)?,
            measure: row.get(3)?,
            subject: row.get(4)?,
            currency: row.get(5)?,
            at: row.get(6)?,
            value: row.get(7)?,
        };
        Ok((row.get(0)?, fact))
    };
    rows.iter().map(read).collect()
}

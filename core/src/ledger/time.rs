//! The ledger's clock: trusted time that survives a restart.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::device::{read_meta, write_meta};
use super::rows::scan_key;
use super::{Ledger, LedgerError, Own};
use crate::clock::{Clock, RoundTrip, TimeReading, TimeState, TrustedTime};

const TIME: &str = "time";

/// A wall clock that was set while this device watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockEvent {
    /// What the wall clock showed afterwards (UTC milliseconds).
    pub wall_ms: i64,
    /// The monotonic clock at that moment (milliseconds).
    pub mono_ms: i64,
    /// Wall clock plus this was server time, afterwards (milliseconds).
    pub offset_ms: i64,
    /// By how much it was set: forwards is positive (milliseconds).
    pub jumped_ms: i64,
}

/// What `meta` holds of the time.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct StoredTime {
    state: TimeState,
    /// The last scan by then: only later ones raise the floor, because the server may have
    /// corrected a clock that earlier ones believed.
    seq: i64,
}

/// Trusted time, and what of it is not yet in the file.
pub(super) struct LedgerTime {
    clock: Arc<dyn Clock>,
    trusted: TrustedTime,
    stored: TimeState,
    jumps: Vec<ClockEvent>,
}

impl LedgerTime {
    /// Continues where the last process stopped.
    pub(super) fn restore(
        connection: &Connection,
        own: Own,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let stored: StoredTime = read_meta(connection, TIME)?.unwrap_or_default();
        let trusted = restored(connection, own, stored)?;
        Ok(Self { clock, trusted, stored: stored.state, jumps: Vec::new() })
    }

    /// Takes over what another process stored since.
    fn catch_up(&mut self, connection: &Connection, own: Own) -> Result<(), LedgerError> {
        let stored: StoredTime = read_meta(connection, TIME)?.unwrap_or_default();
        if stored.state.differs(&self.stored) {
            self.trusted = restored(connection, own, stored)?;
            self.stored = stored.state;
        }
        Ok(())
    }

    /// Reads the clocks. A jump is kept in memory until the next [`LedgerTime::store`].
    pub(super) fn now(&mut self) -> TimeReading {
        let reading = self.trusted.read(self.clock.sample());
        if let Some(jumped_ms) = reading.jumped_ms {
            let TimeReading { wall_ms, mono_ms, offset_ms, .. } = reading;
            tracing::warn!(jumped_ms, offset_ms, "the wall clock was set");
            self.jumps.push(ClockEvent { wall_ms, mono_ms, offset_ms, jumped_ms });
        }
        reading
    }

    /// Writes what changed, except the floor alone: the last scan carries that.
    pub(super) fn store(&self, connection: &Connection, last_seq: i64) -> Result<(), LedgerError> {
        let state = self.trusted.state();
        if state.differs(&self.stored) {
            write_meta(connection, TIME, &StoredTime { state, seq: last_seq })?;
        }
        for event in &self.jumps {
            connection
                .prepare_cached(
                    "INSERT INTO clock_events (wall_ms, mono_ms, offset_ms, jumped_ms) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((event.wall_ms, event.mono_ms, event.offset_ms, event.jumped_ms))?;
        }
        Ok(())
    }

    /// To be called once the transaction of [`LedgerTime::store`] is committed.
    pub(super) fn stored(&mut self) {
        self.stored = self.trusted.state();
        self.jumps.clear();
    }
}

/// Takes what a damaged ledger knew of the time over into the one that replaces it, as far as it can be
/// read. `old` is the ledger that its scans went to; they are in `target` already.
pub(super) fn carry_over(target: &Connection, source: &Connection, old: Own) -> Result<(), LedgerError> {
    let Ok(Some(stored)) = read_meta::<StoredTime>(source, TIME) else { return Ok(()) };
    let state = restored(target, old, stored)?.state();
    write_meta(target, TIME, &StoredTime { state, seq: 0 })
}

/// What was stored, and what the scans made since tell.
fn restored(connection: &Connection, own: Own, stored: StoredTime) -> Result<TrustedTime, LedgerError> {
    let mut state = stored.state;
    let mut passed_ms = 0;
    if let Some((earliest_ms, error_ms)) = last_moment_after(connection, own, stored.seq)? {
        state.raise_floor(earliest_ms, error_ms);
        passed_ms = earliest_ms;
    }
    Ok(TrustedTime::restore(state, passed_ms))
}

/// The earliest the true time can have been at the last scan, if that scan came after `seq` and knew
/// the time, and the error it knew it with.
fn last_moment_after(connection: &Connection, own: Own, seq: i64) -> Result<Option<(i64, i64)>, LedgerError> {
    let mut select = connection.prepare_cached(
        "SELECT wall_ms + offset_ms - error_ms, error_ms FROM scans WHERE id > ?1 ORDER BY id DESC LIMIT 1",
    )?;
    let moment: Option<(Option<i64>, Option<i64>)> =
        select.query_row([scan_key(own.number, seq)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(moment.and_then(|(earliest_ms, error_ms)| earliest_ms.zip(error_ms)))
}

impl Ledger {
    /// Learns the server's time from one round trip. Returns whether it was better than what was known.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn observe_time(&mut self, trip: &RoundTrip) -> Result<bool, LedgerError> {
        self.cache.get_mut().renew(&self.connection)?;
        // First the clocks as they are: a clock set since the last reading must not go unnoticed.
        self.now();
        let learnt = self.time.trusted.observe(trip);
        self.write(|transaction| {
            let last_seq = self.last_seq(transaction)?;
            self.time.store(transaction, last_seq)
        })?;
        self.time.stored();
        Ok(learnt)
    }

    /// The time now, as a scan would record it.
    pub fn now(&mut self) -> TimeReading {
        if std::mem::take(&mut self.cache.get_mut().time_outdated)
            && let Err(error) = self.time.catch_up(&self.connection, self.own)
        {
            // What this process knows itself is still true.
            tracing::warn!(code = error.code(), "what another process knows of the time cannot be read");
        }
        self.time.now()
    }

    /// Every time the wall clock was seen to be set, oldest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn clock_events(&self) -> Result<Vec<ClockEvent>, LedgerError> {
        let mut select = self.connection.prepare_cached(
            "SELECT wall_ms, mono_ms, offset_ms, jumped_ms FROM clock_events ORDER BY number",
        )?;
        let events = select.query_map([], |row| {
            Ok(ClockEvent {
                wall_ms: row.get(0)?,
                mono_ms: row.get(1)?,
                offset_ms: row.get(2)?,
                jumped_ms: row.get(3)?,
            })
        })?;
        Ok(events.collect::<Result<_, _>>()?)
    }
}

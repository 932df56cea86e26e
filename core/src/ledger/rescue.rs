//! A damaged ledger: everything readable goes into a new file, the old one is set aside whole.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::carve::carve;
use super::device::{DEVICE, DeviceState, read_meta, write_meta};
use super::error::LedgerError;
use super::files::{beside, copy_all, move_all, remove_all, sync_folder};
use super::harvest::{self, Harvest};
use super::open::{Sources, build, close, replacement_of, set_aside_name};
use super::outbox::{LedgerRow, ledgers};
use super::record::ScanRecord;
use super::rows::{INSERT_SCAN, insert_scan, ledger_of};
use super::{Own, schema, time};
use crate::ids::{EventId, LedgerId};
use crate::rules::{EventInfo, EventPolicy};

/// What was saved from a damaged ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescue {
    /// Where the damaged file lies now, with its log beside it. Keep it if anything is missing.
    pub set_aside: PathBuf,
    /// The ledger the scans belong to; they are uploaded under this id.
    pub ledger_id: Option<LedgerId>,
    /// Scans saved, hashes and all.
    pub scans: u64,
    /// Scans known to be missing: gaps between those saved, and rows whose content no longer fits
    /// their hash. What was lost after the last saved scan cannot be counted.
    pub missing: u64,
    /// Whether the whole manifest was saved too. If not, the next sync loads it again.
    pub manifest: bool,
}

/// The row of `meta` that says a replacement is complete and why it was made.
const RESCUE: &str = "rescue";

/// Builds a new ledger from what can be read of the one at `path`, and puts it in its place.
pub(super) fn rescue(
    path: &Path,
    witness: Option<LedgerId>,
    sources: &Sources,
) -> Result<Rescue, LedgerError> {
    let set_aside = set_aside_name(path, sources.clock.wall_ms());
    let source = Source::open(path, sources)?;
    let mut found = source.as_ref().map(|source| harvest::scans(&source.connection)).unwrap_or_default();
    if !found.complete {
        found.complement(harvest::scans(&carve(path)?));
    }
    let known = Known::read(source.as_ref(), witness, &found);
    let numbers: Vec<i64> = known.ledgers.keys().copied().collect();
    let target = build(path, sources, &numbers)?;
    let report = fill(&target, source.as_ref(), found, known, set_aside)?;
    close(target)?;
    drop(source);
    remove_all(&Source::copy_of(path))?;
    swap_in(path, &report.set_aside)?;
    Ok(report)
}

/// Completes a rescue that was interrupted after its new file was complete; deletes one that was not.
pub(super) fn finish_interrupted(path: &Path) -> Result<Option<Rescue>, LedgerError> {
    let replacement = replacement_of(path);
    remove_all(&Source::copy_of(path))?;
    if !replacement.exists() {
        return Ok(None);
    }
    let Some(report) = complete_rescue(&replacement) else {
        remove_all(&replacement)?;
        return Ok(None);
    };
    swap_in(path, &report.set_aside)?;
    Ok(Some(report))
}

fn complete_rescue(replacement: &Path) -> Option<Rescue> {
    let connection = schema::connect(replacement, false).ok()?;
    let report = read_meta(&connection, RESCUE).ok()??;
    close(connection).ok()?;
    Some(report)
}

fn swap_in(path: &Path, set_aside: &Path) -> Result<(), LedgerError> {
    move_all(path, set_aside)?;
    fs::rename(replacement_of(path), path)?;
    Ok(sync_folder(path)?)
}

/// The damaged file, as far as SQLite can open it.
struct Source {
    connection: Connection,
}

impl Source {
    /// Opens it in place, without writing to it. If SQLite refuses, because its first page is destroyed
    /// or its end is cut off: a copy with the first page of an empty ledger, which has the same tables
    /// at the same places.
    fn open(path: &Path, sources: &Sources) -> Result<Option<Self>, LedgerError> {
        if let Some(source) = Self::try_open(path) {
            return Ok(Some(source));
        }
        let copy = Self::copy_of(path);
        remove_all(&copy)?;
        copy_all(path, &copy)?;
        close(build(path, sources, &[])?)?;
        replace_first_page(&copy, &replacement_of(path))?;
        Ok(Self::try_open(&copy))
    }

    fn try_open(path: &Path) -> Option<Self> {
        let connection = schema::connect(path, false).ok()?;
        schema::leave_untouched(&connection, true).ok()?;
        // One damaged page must not keep the others from being read.
        connection.pragma_update(None, "cell_size_check", true).ok()?;
        connection.prepare("SELECT id FROM scans").ok()?;
        Some(Self { connection })
    }

    fn copy_of(path: &Path) -> PathBuf {
        beside(path, ".salvage")
    }
}

/// SQLite's default page size, which the ledger does not change.
const PAGE_BYTES: usize = 4_096;
/// Where the header says how many pages the file has.
const PAGE_COUNT: std::ops::Range<usize> = 28..32;

/// Puts the first page of `template` into `damaged`, with the number of pages that are really there.
fn replace_first_page(damaged: &Path, template: &Path) -> Result<(), LedgerError> {
    let mut first_page = vec![0; PAGE_BYTES];
    fs::File::open(template)?.read_exact(&mut first_page)?;
    let mut file = OpenOptions::new().write(true).open(damaged)?;
    let pages = file.metadata()?.len().div_ceil(PAGE_BYTES as u64).max(1);
    // Rounded up to whole pages, or SQLite would not read the last one.
    file.set_len(pages * PAGE_BYTES as u64)?;
    let count = u32::try_from(pages).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = first_page.get_mut(PAGE_COUNT) {
        place.copy_from_slice(&count);
    }
    file.write_all(&first_page)?;
    Ok(())
}

/// What the scans refer to.
struct Known {
    ledgers: BTreeMap<i64, LedgerRow>,
    events: BTreeMap<i64, EventInfo>,
    device: Option<DeviceState>,
}

impl Known {
    fn read(source: Option<&Source>, witness: Option<LedgerId>, found: &Harvest) -> Self {
        let connection = source.map(|source| &source.connection);
        let rows = connection.and_then(|connection| ledgers(connection).ok()).unwrap_or_default();
        let mut known: BTreeMap<i64, LedgerRow> = rows.into_iter().map(|row| (row.number, row)).collect();
        // Its own row is gone, but the lock file remembers the id. Nothing confirmed: sending a scan
        // twice is harmless.
        if let (Some(ledger_id), Some(number)) = (witness, found.rows.keys().map(|key| ledger_of(*key)).max())
        {
            known.entry(number).or_insert(LedgerRow { number, ledger_id, acknowledged: 0 });
        }
        Self {
            ledgers: known,
            events: connection.map(events).unwrap_or_default(),
            device: connection.and_then(|connection| read_meta(connection, DEVICE).ok().flatten()),
        }
    }

    /// The record of a row, if its hash holds.
    fn record(&mut self, row: &harvest::Row) -> Option<ScanRecord> {
        let ledger_id = self.ledgers.get(&ledger_of(row.key))?.ledger_id;
        let intact = |event_id: EventId| {
            let scan = row.clone().into_record(ledger_id, event_id);
            scan.is_intact().then_some(scan)
        };
        if let Some(event) = self.events.get(&row.event) {
            return intact(event.event_id);
        }
        // The event's row is gone. The device knows which events it scans, and the hash tells which.
        let assignments = self.device.as_ref().map_or(&[][..], |device| &device.assignments);
        let (assignment, scan) =
            assignments.iter().find_map(|assignment| Some((assignment, intact(assignment.event_id)?)))?;
        let info = nameless_event(assignment.event_id, &assignment.event_name);
        self.events.insert(row.event, info);
        Some(scan)
    }
}

/// Holds the place of an event until the next sync describes it again.
fn nameless_event(event_id: EventId, name: &str) -> EventInfo {
    EventInfo {
        event_id,
        name: name.to_owned(),
        starts_at: 0,
        ends_at: 0,
        time_zone: "UTC".to_owned(),
        policy: EventPolicy::default(),
        gates: Vec::new(),
        ticket_types: Vec::new(),
        key_version: 0,
    }
}

fn events(source: &Connection) -> BTreeMap<i64, EventInfo> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
    let (rows, _) = harvest::both_ways(source, "SELECT number, info FROM events", "number", read);
    rows.into_iter().filter_map(|(number, info)| Some((number, serde_json::from_str(&info).ok()?))).collect()
}

/// Writes everything saved into the new ledger, in one transaction.
fn fill(
    target: &Connection,
    source: Option<&Source>,
    found: Harvest,
    mut known: Known,
    set_aside: PathBuf,
) -> Result<Rescue, LedgerError> {
    let transaction = target.unchecked_transaction()?;
    let ledger_id = known.ledgers.values().next_back().map(|row| row.ledger_id);
    for row in known.ledgers.values() {
        transaction.execute(
            "INSERT INTO ledgers (number, ledger_id, acknowledged) VALUES (?1, ?2, ?3)",
            (row.number, row.ledger_id, row.acknowledged),
        )?;
    }
    let (scans, missing) = write_scans(&transaction, &found, &mut known)?;
    let manifest = match source {
        Some(source) => copy_rest(&transaction, &source.connection)?,
        None => false,
    };
    write_events(&transaction, source, &known, manifest)?;
    drop_nameless(&transaction)?;
    if let (Some(source), Some(old)) = (source, known.ledgers.values().next_back()) {
        let old = Own { number: old.number, ledger_id: old.ledger_id };
        time::carry_over(&transaction, &source.connection, old)?;
    }
    if let Some(device) = &known.device {
        write_meta(&transaction, DEVICE, device)?;
    }
    let report = Rescue { set_aside, ledger_id, scans, missing, manifest };
    write_meta(&transaction, RESCUE, &report)?;
    transaction.commit()?;
    Ok(report)
}

/// Returns how many scans were written and how many are known to be missing.
fn write_scans(target: &Connection, found: &Harvest, known: &mut Known) -> Result<(u64, u64), LedgerError> {
    let mut insert = target.prepare(INSERT_SCAN)?;
    let mut last: HashMap<i64, i64> = HashMap::new();
    let (mut saved, mut missing) = (0, 0);
    for row in found.rows.values() {
        let Some(scan) = known.record(row) else { continue };
        let ledger = ledger_of(row.key);
        insert_scan(&mut insert, ledger, row.event, &scan)?;
        let before = last.insert(ledger, scan.seq).unwrap_or(0);
        missing += u64::try_from(scan.seq - before - 1).unwrap_or(0);
        saved += 1;
    }
    // Damaged rows after the last one saved.
    let tail = found
        .rows
        .keys()
        .filter(|key| last.get(&ledger_of(**key)).is_none_or(|seq| super::rows::seq_of(**key) > *seq));
    Ok((saved, missing + tail.count() as u64))
}

/// Copies the tables that make the door work until the next sync. Returns whether tickets and
/// passages are complete.
fn copy_rest(target: &Connection, source: &Connection) -> Result<bool, LedgerError> {
    let tickets = copy_table(target, source, "tickets", "event, ticket_id")?;
    let passages = copy_table(target, source, "passages", "event, ticket_id, scan_id")?;
    copy_table(target, source, "clock_events", "number")?;
    copy_quarantine(target, source)?;
    Ok(tickets && passages)
}

fn copy_table(target: &Connection, source: &Connection, table: &str, key: &str) -> Result<bool, LedgerError> {
    let select = format!("SELECT * FROM {table}");
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<Value>> {
        (0..row.as_ref().column_count()).map(|column| row.get(column)).collect()
    };
    let (rows, complete) = harvest::both_ways(source, &select, key, read);
    let Some(found) = rows.first().map(Vec::len) else { return Ok(complete) };
    // A file of an older version has fewer columns: new ones come at the end.
    let newest = target.prepare(&select)?;
    let names: Vec<&str> = newest.column_names().into_iter().take(found).collect();
    let places = vec!["?"; found].join(", ");
    let mut insert =
        target.prepare(&format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({places})", names.join(", ")))?;
    for row in rows {
        insert.execute(rusqlite::params_from_iter(row))?;
    }
    Ok(complete)
}

fn copy_quarantine(target: &Connection, source: &Connection) -> Result<(), LedgerError> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
    let (rows, _) = harvest::both_ways(source, "SELECT id, code FROM quarantine", "id", read);
    let mut insert = target.prepare(
        "INSERT OR IGNORE INTO quarantine (id, code) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM scans WHERE id = ?1)",
    )?;
    for row in rows {
        insert.execute(row)?;
    }
    Ok(())
}

/// Tickets of an event whose row is lost would belong to whichever event gets its number next.
fn drop_nameless(target: &Connection) -> Result<(), LedgerError> {
    for table in ["tickets", "passages"] {
        target.execute(&format!("DELETE FROM {table} WHERE event NOT IN (SELECT number FROM events)"), [])?;
    }
    Ok(())
}

/// Events start over at cursor 0, so that the next sync loads everything; an incomplete list also
/// counts as never loaded, which turns verdicts amber until then.
fn write_events(
    target: &Connection,
    source: Option<&Source>,
    known: &Known,
    manifest: bool,
) -> Result<(), LedgerError> {
    let fresh_at = |number: i64| -> Option<i64> {
        let connection = &source.filter(|_| manifest)?.connection;
        let mut select = connection.prepare("SELECT fresh_at FROM events WHERE number = ?1").ok()?;
        select.query_row([number], |row| row.get(0)).optional().ok().flatten()?
    };
    for (number, info) in &known.events {
        let text = serde_json::to_string(info)?;
        target.execute(
            "INSERT OR IGNORE INTO events (number, event_id, info, fresh_at) VALUES (?1, ?2, ?3, ?4)",
            (number, info.event_id, text, fresh_at(*number)),
        )?;
    }
    Ok(())
}

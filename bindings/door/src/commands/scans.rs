//! `scans`: the latest scans of this device.

use std::collections::VecDeque;

use chrono::Local;
use liventix_core::ledger::record::ScanRecord;
use liventix_core::rules::Direction;

use crate::cli::ScansArgs;
use crate::door::Door;
use crate::error::DoorError;
use crate::look::{Look, Signal};
use crate::render;

/// Scans read at once.
const BATCH: usize = 1_000;

/// Runs the command.
pub(crate) fn run(door: &Door, args: &ScansArgs) -> Result<u8, DoorError> {
    let now = door.now();
    let scans = latest(door, args.number as usize)?;
    if scans.is_empty() {
        door.output.tell("No scans on this device yet.\n")?;
    }
    for scan in &scans {
        door.output.say("scan", scan, |scan, look| line(scan, look, now))?;
    }
    Ok(0)
}

/// The last `number` scans, oldest first.
pub(super) fn latest(door: &Door, number: usize) -> Result<VecDeque<ScanRecord>, DoorError> {
    let ledger = door.ledger();
    let mut kept = VecDeque::new();
    let mut after = 0;
    loop {
        let scans = ledger.scans(after, BATCH)?;
        let Some(last) = scans.last() else { return Ok(kept) };
        after = last.seq;
        kept.extend(scans);
        kept.drain(..kept.len().saturating_sub(number));
    }
}

fn line(scan: &ScanRecord, look: Look, now: i64) -> String {
    let signal = Signal::of(scan.outcome, scan.confidence);
    let word = look
        .paint(signal.style(), &format!(" {} {:<5} ", look.pick(signal.symbol, signal.ascii), signal.word));
    let way = if scan.direction == Direction::Exit { "out" } else { "in" };
    let ticket = scan.ticket_id.map_or_else(String::new, |id| id.to_string());
    let note = scan.note.as_deref().map_or_else(String::new, |note| format!("  {}", render::printable(note)));
    format!(
        "{:>6}  {}  {word}  {way:<3}  {:<32}  {}{note}\n",
        scan.seq,
        render::moment(scan.at(), now, &Local),
        scan.reason.line(),
        look.dim(&ticket)
    )
}

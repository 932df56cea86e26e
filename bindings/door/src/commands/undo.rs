//! `undo`: a scan taken back.

use liventix_core::ids::ScanId;
use liventix_core::rules::Outcome;
use liventix_core::scan::{UndoError, undo};

use super::scans::latest;
use crate::cli::UndoArgs;
use crate::door::Door;
use crate::error::DoorError;
use crate::render;
use crate::views::UndoneView;

/// How far back the last passage is looked for. What may be taken back is minutes old.
const RECENT: usize = 1_000;

/// Runs the command.
pub(crate) fn run(door: &Door, args: &UndoArgs) -> Result<u8, DoorError> {
    let scan_id = match args.scan_id {
        Some(scan_id) => scan_id,
        None => last_passage(door)?.ok_or(UndoError::NotAPassage)?,
    };
    let undone = undo(&mut door.ledger(), scan_id, &args.why)?;
    door.output.say("undone", &UndoneView::from(undone), render::undone)?;
    Ok(0)
}

/// The last scan of this device that let people pass and was not taken back.
fn last_passage(door: &Door) -> Result<Option<ScanId>, DoorError> {
    let scans = latest(door, RECENT)?;
    let is_undone = |id: ScanId| scans.iter().any(|scan| scan.undoes == Some(id));
    let mut passages =
        scans.iter().rev().filter(|scan| scan.outcome == Outcome::Admit && scan.undoes.is_none());
    Ok(passages.find(|scan| !is_undone(scan.scan_id)).map(|scan| scan.scan_id))
}

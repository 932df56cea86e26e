//! `admit`: a ticket that was found by name.

use liventix_core::rules::Outcome;

use crate::cli::{AdmitArgs, PassingArgs};
use crate::door::Door;
use crate::error::{DoorError, NOT_ADMITTED};
use crate::render;
use crate::scanning::{Passing, Shown, pass};

/// Runs the command.
pub(crate) fn run(door: &Door, args: &AdmitArgs) -> Result<u8, DoorError> {
    let_in(door, &args.passing, &Shown::Listed(args.ticket_id), args.force.as_deref())
}

/// Scans what one guest shows, and says what came of it.
pub(super) fn let_in(
    door: &Door,
    args: &PassingArgs,
    shown: &Shown,
    why: Option<&str>,
) -> Result<u8, DoorError> {
    let place = door.place(&args.event, args.gate.as_deref())?;
    let keys = door.engine(&door.device()?.server_url)?.load_keys()?;
    let view = pass(&mut door.ledger(), &keys, &place, Passing::of(args), shown, why)?;
    door.output.say("verdict", &view, |view, look| render::verdict(view, look, &chrono::Local))?;
    Ok(if view.outcome == Outcome::Admit { 0 } else { NOT_ADMITTED })
}

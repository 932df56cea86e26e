//! `find`: tickets by the name of who holds them.

use crate::cli::FindArgs;
use crate::door::Door;
use crate::error::DoorError;
use crate::render;
use crate::views::FoundView;

/// Runs the command.
pub(crate) fn run(door: &Door, args: &FindArgs) -> Result<u8, DoorError> {
    let event = door.event(&args.event)?;
    let names = args.names.join(" ");
    let found = FoundView::all(door.ledger().search(event.event_id, &names, usize::from(args.number))?);
    if found.is_empty() {
        door.output.tell("Nobody of that name is on the list.\n")?;
    }
    let now = door.now();
    for view in &found {
        door.output.say("found", view, |view, look| render::found(view, look, now, &chrono::Local))?;
    }
    if !found.is_empty() {
        door.output.tell("Let one of them in: liventix-door admit TICKET_ID\n")?;
    }
    Ok(0)
}

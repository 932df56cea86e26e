//! `conflicts`: tickets that more people entered on than they admit.

use chrono::Local;
use liventix_core::rules::{EventInfo, Passage};

use crate::cli::EventArgs;
use crate::door::Door;
use crate::error::DoorError;
use crate::views::{ConflictView, PassageView};
use crate::{place, render};

/// Runs the command.
pub(crate) fn run(door: &Door, args: &EventArgs) -> Result<u8, DoorError> {
    let device = door.device()?;
    let now = door.now();
    let mut events = door.ledger().events()?;
    if let Some(named) = args.event.as_deref() {
        events = vec![place::choose_event(events, Some(named), None, now)?];
    }
    let mut found = 0_u64;
    for event in &events {
        let conflicts = door.ledger().conflicts(event.event_id)?;
        for conflict in conflicts {
            found += 1;
            let side = |passage: &Passage| PassageView {
                scan_id: passage.scan_id,
                at: passage.at,
                people: passage.people,
                gate_id: passage.gate_id,
                gate: gate_name(event, passage),
                device_id: passage.device_id,
                this_device: passage.device_id == device.device_id,
            };
            let view = ConflictView {
                event: event.name.clone(),
                ticket_id: conflict.ticket_id,
                attendee_name: conflict.attendee_name,
                people: conflict.conflict.people,
                standing: side(&conflict.conflict.standing),
                excess: side(&conflict.conflict.excess),
            };
            door.output.say("conflict", &view, |view, look| render::conflict(view, look, now, &Local))?;
        }
    }
    door.output.tell(&match found {
        0 => "No conflicts known here.\n".to_owned(),
        found => format!(
            "{}. The organiser's Conflicts page has the same evidence.\n",
            render::count(found, "conflict")
        ),
    })?;
    Ok(0)
}

fn gate_name(event: &EventInfo, passage: &Passage) -> Option<String> {
    event.gate(passage.gate_id).map(|gate| gate.name.clone())
}

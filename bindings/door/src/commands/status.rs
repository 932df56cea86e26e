//! `status`: what this door is and knows.

use liventix_core::ledger::DeviceState;
use liventix_core::rules::EventInfo;
use liventix_core::ticket::verify::KeyRing;

use crate::door::Door;
use crate::error::DoorError;
use crate::views::{EventView, Link, StatusView};
use crate::{place, render};

/// Runs the command.
pub(crate) fn run(door: &Door) -> Result<u8, DoorError> {
    let device = door.device()?;
    let keys = door.engine(&device.server_url)?.load_keys()?;
    let known = door.ledger().events()?;
    let mut events = Vec::new();
    for event in &known {
        events.push(event_view(door, &device, &keys, event, Link::Unasked)?);
    }
    let view = StatusView {
        device_id: device.device_id,
        device_name: device.device_name,
        organiser_name: device.organiser_name,
        server_url: device.server_url,
        revoked: device.revoked,
        quarantined: door.ledger().quarantined()?.len() as u64,
        folder: door.folder.display().to_string(),
        events,
    };
    door.output.say("status", &view, render::status)?;
    Ok(0)
}

fn event_view(
    door: &Door,
    device: &DeviceState,
    keys: &KeyRing,
    event: &EventInfo,
    link: Link,
) -> Result<EventView, DoorError> {
    let standing = door.standing(event, link)?;
    let ledger = door.ledger();
    let counts = ledger.counts(event.event_id)?;
    let gates = place::allowed_gates(event, &device.assignments);
    Ok(EventView {
        event_id: event.event_id,
        name: event.name.clone(),
        gates: gates.into_iter().map(|gate| gate.name).collect(),
        tickets: counts.tickets,
        keys: keys.contains(event.event_id),
        cursor: ledger.cursor(event.event_id)?,
        standing,
        conflicts: counts.conflicts,
    })
}

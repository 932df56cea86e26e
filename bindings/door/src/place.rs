//! Which event and gate a door stands at, from names people type.

use liventix_core::ids::{EventId, GateId};
use liventix_core::rules::{EventInfo, Gate};
use liventix_core::sync::wire::Assignment;

use crate::error::DoorError;

/// Picks the event: the one named; else the only one, the one used last, or the one on now.
pub(crate) fn choose_event(
    events: Vec<EventInfo>,
    named: Option<&str>,
    last: Option<EventId>,
    now: i64,
) -> Result<EventInfo, DoorError> {
    if events.is_empty() {
        return Err(DoorError::NoEvent);
    }
    if let Some(named) = named {
        return by_name("event", events, named, |event| (event.event_id.to_string(), event.name.as_str()));
    }
    let preferred = |event: &&EventInfo| Some(event.event_id) == last;
    let on_now = |event: &&EventInfo| (event.starts_at..event.ends_at).contains(&now);
    let mut running = events.iter().filter(on_now);
    let choice = match (events.as_slice(), running.next(), running.next()) {
        ([only], _, _) => Some(only),
        (_, Some(one), None) => Some(one),
        _ => events.iter().find(preferred),
    };
    choice.cloned().ok_or_else(|| {
        unclear("event", "it is not clear which".to_owned(), events.iter().map(|event| event.name.as_str()))
    })
}

/// The gates of an event that this device may use.
pub(crate) fn allowed_gates(event: &EventInfo, assignments: &[Assignment]) -> Vec<Gate> {
    let allowed = assignments
        .iter()
        .find(|assignment| assignment.event_id == event.event_id)
        .map_or(&[][..], |assignment| assignment.gate_ids.as_slice());
    event.gates.iter().filter(|gate| allowed.is_empty() || allowed.contains(&gate.gate_id)).cloned().collect()
}

/// Picks the gate: the one named; else the only one, or the one used last.
pub(crate) fn choose_gate(
    gates: Vec<Gate>,
    named: Option<&str>,
    last: Option<GateId>,
) -> Result<Gate, DoorError> {
    if let Some(named) = named {
        return by_name("gate", gates, named, |gate| (gate.gate_id.to_string(), gate.name.as_str()));
    }
    let choice = match gates.as_slice() {
        [only] => Some(only),
        gates => gates.iter().find(|gate| Some(gate.gate_id) == last),
    };
    choice.cloned().ok_or_else(|| {
        unclear("gate", "it is not clear which".to_owned(), gates.iter().map(|gate| gate.name.as_str()))
    })
}

fn by_name<T: Clone>(
    what: &'static str,
    things: Vec<T>,
    named: &str,
    names: impl Fn(&T) -> (String, &str),
) -> Result<T, DoorError> {
    let wanted = named.trim().to_lowercase();
    let exact: Vec<&T> = things
        .iter()
        .filter(|thing| {
            let (id, name) = names(thing);
            id == wanted || name.to_lowercase() == wanted
        })
        .collect();
    let part = || things.iter().filter(|thing| names(thing).1.to_lowercase().contains(&wanted)).collect();
    let found: Vec<&T> = if exact.is_empty() { part() } else { exact };
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(unclear(what, format!("{named:?} fits no"), things.iter().map(|thing| names(thing).1))),
        several => Err(unclear(
            what,
            format!("{named:?} fits more than one"),
            several.iter().map(|thing| names(thing).1),
        )),
    }
}

fn unclear<'a>(what: &'static str, problem: String, known: impl Iterator<Item = &'a str>) -> DoorError {
    let known: Vec<&str> = known.collect();
    DoorError::Choose { what, problem, known: known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(id: u8, name: &str) -> Gate {
        Gate { gate_id: GateId::from_bytes([id; 16]), name: name.to_owned() }
    }

    #[test]
    fn a_gate_is_found_by_what_people_call_it() {
        let gates = vec![gate(1, "North gate"), gate(2, "South gate"), gate(3, "North")];
        let choose = |named: &str| choose_gate(gates.clone(), Some(named), None).map(|gate| gate.name);
        assert_eq!(choose(" south ").unwrap(), "South gate");
        assert_eq!(choose("north").unwrap(), "North", "an exact name wins over a part");
        assert_eq!(choose(&gates[0].gate_id.to_string()).unwrap(), "North gate");
        assert!(choose("gate").unwrap_err().to_string().contains("more than one gate: choose"));
        assert!(choose("west").unwrap_err().to_string().contains("North gate, South gate"));
    }

    #[test]
    fn without_a_name_the_last_gate_or_the_only_one() {
        let gates = vec![gate(1, "North"), gate(2, "South")];
        let last = Some(gates[1].gate_id);
        assert_eq!(choose_gate(gates.clone(), None, last).unwrap().name, "South");
        assert_eq!(choose_gate(gates, None, None).unwrap_err().code(), "choose_gate");
        assert_eq!(choose_gate(vec![gate(1, "North")], None, None).unwrap().name, "North");
    }
}

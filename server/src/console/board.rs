//! The live view of an event's doors, as its page shows it.

use serde::Serialize;

use super::layout::{Moment, count};
use crate::doors::presence::DoorPresence;
use crate::events::types::EventSummary;
use crate::scanning::live::{GateLive, LiveView};

/// A door asks every half minute when nothing happens: one that did not for this long has no network.
const SILENT_MS: i64 = 120_000;
/// The height of a chart and the width of one minute in it.
const CHART_HEIGHT: i64 = 32;
const MINUTE_WIDTH: usize = 5;
/// A chart is filled by this many scans a minute at least, so that one scan does not look like a crowd.
const FULL_SCANS: i64 = 12;

/// The whole view.
#[derive(Debug, Serialize)]
pub(super) struct Board {
    /// The clock where the event is.
    at: Moment,
    inside: String,
    people_in: String,
    people_out: String,
    tickets: String,
    refused: String,
    conflicts_open: i64,
    anomalies_open: i64,
    quarantined: i64,
    /// Scans that doors have yet to hand in, as far as they said.
    unsent: i64,
    silent: usize,
    gates: Vec<Gate>,
    doors: Vec<Door>,
}

#[derive(Debug, Serialize)]
struct Gate {
    name: String,
    /// Scans in the last minute.
    now: i64,
    peak: i64,
    refused: i64,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: usize,
    y: i64,
    height: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Touch {
    Silent,
    Unsent,
    Never,
    Good,
}

#[derive(Debug, Serialize)]
struct Door {
    name: String,
    gates: String,
    touch: Touch,
    seen: String,
    unsent: i64,
}

impl Board {
    pub(super) fn new(view: &LiveView, event: &EventSummary) -> Self {
        let counts = &view.counts;
        let most = view.gates.iter().flat_map(|gate| gate.scans_per_minute.iter().copied()).max();
        let full = most.unwrap_or(0).max(FULL_SCANS);
        let mut doors: Vec<Door> = view.doors.iter().map(|each| door(each, view)).collect();
        // What needs somebody comes first.
        doors.sort_by_key(|door| door.touch);
        Self {
            at: Moment::clock(view.server_ms, &event.time_zone),
            inside: count(counts.inside),
            people_in: count(counts.people_in),
            people_out: count(counts.people_out),
            tickets: count(counts.tickets.valid),
            refused: count(counts.refused),
            conflicts_open: counts.conflicts_open,
            anomalies_open: view.anomalies_open,
            quarantined: counts.quarantined,
            unsent: view.doors.iter().map(|door| door.unsent).sum(),
            silent: doors.iter().filter(|door| door.touch == Touch::Silent).count(),
            gates: view.gates.iter().map(|each| gate(each, full)).collect(),
            doors,
        }
    }
}

fn gate(gate: &GateLive, full: i64) -> Gate {
    let bar = |(minute, scans): (usize, &i64)| {
        // Rounded up: a single scan shows.
        let height = (scans * CHART_HEIGHT + full - 1) / full;
        Bar { x: minute * MINUTE_WIDTH, y: CHART_HEIGHT - height, height }
    };
    Gate {
        name: gate.name.clone(),
        now: gate.scans_per_minute.last().copied().unwrap_or(0),
        peak: gate.scans_per_minute.iter().copied().max().unwrap_or(0),
        refused: gate.refused,
        bars: gate.scans_per_minute.iter().enumerate().filter(|(_, scans)| **scans > 0).map(bar).collect(),
    }
}

fn door(door: &DoorPresence, view: &LiveView) -> Door {
    let name_of = |id| view.gates.iter().find(|gate| gate.gate_id == id).map(|gate| gate.name.as_str());
    let gates: Vec<&str> = door.gate_ids.iter().copied().filter_map(name_of).collect();
    let ago = door.last_seen_at.map(|seen| view.server_ms.saturating_sub(seen).max(0));
    let touch = match ago {
        None => Touch::Never,
        Some(ago) if ago >= SILENT_MS => Touch::Silent,
        Some(_) if door.unsent > 0 => Touch::Unsent,
        Some(_) => Touch::Good,
    };
    Door {
        name: door.name.clone(),
        gates: if gates.is_empty() { "Every gate".to_owned() } else { gates.join(", ") },
        touch,
        seen: ago.map_or_else(|| "not heard of yet".to_owned(), since),
        unsent: door.unsent,
    }
}

/// How long ago, as people say it.
fn since(ago_ms: i64) -> String {
    let minutes = ago_ms / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..2_880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(last_seen_at: Option<i64>, unsent: i64) -> DoorPresence {
        let device_id = liventix_core::ids::DeviceId::from_bytes([1; 16]);
        DoorPresence { device_id, name: "Phone".into(), gate_ids: vec![], last_seen_at, unsent }
    }

    #[test]
    fn doors_that_need_somebody_come_first() {
        let doors = vec![
            presence(Some(990_000), 0),
            presence(None, 0),
            presence(Some(990_000), 3),
            presence(Some(1), 0),
        ];
        let view = LiveView {
            server_ms: 1_000_000,
            counts: crate::scanning::types::CountsView::default(),
            anomalies_open: 0,
            gates: vec![],
            doors,
        };
        let event = EventSummary {
            event_id: liventix_core::ids::EventId::from_bytes([2; 16]),
            name: "Night".into(),
            starts_at: 0,
            ends_at: 1,
            time_zone: "Europe/Berlin".into(),
            cancelled_at: None,
            created_at: 0,
        };
        let board = Board::new(&view, &event);
        let touches: Vec<Touch> = board.doors.iter().map(|door| door.touch).collect();
        assert_eq!(touches, [Touch::Silent, Touch::Unsent, Touch::Never, Touch::Good]);
        assert_eq!((board.silent, board.unsent), (1, 3));
    }

    #[test]
    fn the_busiest_minute_fills_the_chart_and_one_scan_shows() {
        let gate_id = liventix_core::ids::GateId::from_bytes([3; 16]);
        let mut scans_per_minute = vec![0; 30];
        (scans_per_minute[0], scans_per_minute[29]) = (1, 48);
        let shown = gate(&GateLive { gate_id, name: "North".into(), scans_per_minute, refused: 2 }, 48);
        let bars: Vec<_> = shown.bars.iter().map(|bar| (bar.x, bar.y, bar.height)).collect();
        assert_eq!(bars, [(0, 31, 1), (145, 0, 32)]);
        assert_eq!((shown.now, shown.peak), (48, 48));
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (ago, said) in
            [(59_000, "just now"), (60_000, "1 min ago"), (3_600_000, "1 h ago"), (172_800_000, "2 days ago")]
        {
            assert_eq!(since(ago), said);
        }
    }
}

//! The verdict in one line, for the door to read at a glance.
//!
//! Times are given as "12 min ago": the core knows no time zones, and at a door the distance says
//! more than the hour.

use crate::ledger::Recorded;
use crate::rules::{Direction, Evidence, Flag, Outcome, Reason};

/// Longer names are cut, so that the line stays one.
const MAX_NAME_CHARS: usize = 40;

/// The line for a recorded scan.
pub(super) fn line(recorded: &Recorded) -> String {
    let decision = &recorded.decision;
    let mut parts = vec![opening(recorded)];
    match decision.outcome {
        Outcome::Admit => {
            parts.extend(type_name(recorded));
            parts.extend(share(recorded));
            parts.extend(decision.overruled.map(|reason| overruled(recorded, reason)));
            parts.extend(decision.flags.iter().filter_map(|flag| doubt(*flag)).map(str::to_owned));
        }
        Outcome::Ask => parts.push("ask a supervisor".to_owned()),
        Outcome::Refuse => parts.extend(why(recorded)),
    }
    parts.join(" · ")
}

/// The reason, with the guest's name where they are greeted.
fn opening(recorded: &Recorded) -> String {
    let reason = recorded.decision.reason;
    let name = recorded.ticket.as_ref().and_then(|ticket| ticket.attendee_name.as_deref()).map(printable);
    match (recorded.decision.outcome, name) {
        (Outcome::Admit, Some(name)) if !name.is_empty() => format!("{}, {name}", reason.line()),
        _ => reason.line().to_owned(),
    }
}

fn type_name(recorded: &Recorded) -> Option<String> {
    recorded.ticket.as_ref().map(|ticket| printable(&ticket.type_name)).filter(|name| !name.is_empty())
}

/// `2 of 5 · 3 left`, on tickets for more than one entry.
fn share(recorded: &Recorded) -> Option<String> {
    let decision = &recorded.decision;
    let entries = recorded.ticket.as_ref()?.entries.filter(|entries| *entries > 1)?;
    let left = decision.remaining?;
    Some(format!("{} of {entries} · {left} left", decision.people))
}

/// What the supervisor overruled, and what it ran into.
fn overruled(recorded: &Recorded, reason: Reason) -> String {
    match &recorded.decision.first_admission {
        Some(first) => format!("{} {}", reason.line(), evidence(recorded, first)),
        None => reason.line().to_owned(),
    }
}

/// What helps to send a refused guest the right way.
fn why(recorded: &Recorded) -> Vec<String> {
    let decision = &recorded.decision;
    let mut parts = Vec::new();
    match decision.reason {
        Reason::WrongGate => parts.extend(right_gates(recorded)),
        Reason::GroupExceeded => parts.extend(decision.remaining.map(|left| format!("{left} left"))),
        _ => {}
    }
    parts.extend(decision.first_admission.as_ref().map(|first| evidence(recorded, first)));
    parts
}

fn right_gates(recorded: &Recorded) -> Option<String> {
    let gates = &recorded.ticket.as_ref()?.gates;
    (!gates.is_empty()).then(|| {
        let names: Vec<String> = gates.iter().map(|gate| printable(gate)).collect();
        format!("go to {}", names.join(", "))
    })
}

/// `12 min ago at North gate`, and whether it was this very scanner.
fn evidence(recorded: &Recorded, first: &Evidence) -> String {
    let scan = &recorded.scan;
    let mut text = ago(scan.at().saturating_sub(first.at));
    if let Some(gate) = &recorded.first_gate {
        text.push_str(" at ");
        text.push_str(&printable(gate));
    }
    if first.device_id == scan.device_id {
        text.push_str(", this scanner");
    }
    if scan.direction == Direction::Entry && scan.error_ms.is_none() {
        text.push_str(", clock uncertain");
    }
    text
}

/// How long ago, in the largest unit that says enough.
fn ago(ms: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match ms / 1_000 {
        ..=0 => "just now".to_owned(),
        seconds @ 1..MINUTE => format!("{seconds} s ago"),
        seconds @ MINUTE..HOUR => format!("{} min ago", seconds / MINUTE),
        seconds @ HOUR..DAY => format!("{} h {} min ago", seconds / HOUR, seconds % HOUR / MINUTE),
        seconds if seconds < 2 * DAY => "1 day ago".to_owned(),
        seconds => format!("{} days ago", seconds / DAY),
    }
}

const fn doubt(flag: Flag) -> Option<&'static str> {
    Some(match flag {
        Flag::Unlisted => "not on the list yet",
        Flag::ListStale => "list out of date",
        Flag::ClockUncertain => "clock uncertain",
        Flag::LegacyCode => "old code type",
        Flag::LiveStale => "live code too old",
        Flag::ExitWithoutEntry => "entry not seen",
        // The line begins with it.
        Flag::Forced => return None,
    })
}

/// A name as it may stand in the line: no line breaks, no control or direction characters that could
/// make the line read as another verdict, not too long.
fn printable(name: &str) -> String {
    let is_direction = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // Phones break lines at these too, though they count as spaces and not as control characters.
    let is_break = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
    let spoils = |c: char| c.is_control() || is_direction(c) || is_break(c) || c == '·';
    let clean: String = name.chars().filter(|c| !spoils(*c)).collect();
    let clean = clean.trim();
    if clean.chars().count() <= MAX_NAME_CHARS {
        return clean.to_owned();
    }
    let cut: String = clean.chars().take(MAX_NAME_CHARS - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_in_time_read_well() {
        for (ms, text) in [
            (-5, "just now"),
            (999, "just now"),
            (1_000, "1 s ago"),
            (59_999, "59 s ago"),
            (60_000, "1 min ago"),
            (3_599_999, "59 min ago"),
            (3_600_000, "1 h 0 min ago"),
            (5_400_000, "1 h 30 min ago"),
            (86_400_000, "1 day ago"),
            (2 * 86_400_000, "2 days ago"),
            (i64::MAX, "106751991167 days ago"),
        ] {
            assert_eq!(ago(ms), text);
        }
    }

    #[test]
    fn names_cannot_disturb_the_line() {
        assert_eq!(printable(" Ada\nLove\u{202e}lace\u{7} "), "AdaLovelace");
        assert_eq!(printable("A · Welcome"), "A  Welcome");
        assert_eq!(printable("Ada\u{2028}Welcome\u{2029}\u{61c}"), "AdaWelcome");
        assert_eq!(printable(&"é".repeat(60)).chars().count(), MAX_NAME_CHARS);
    }
}

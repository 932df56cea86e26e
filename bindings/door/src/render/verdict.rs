//! A verdict as a block that nobody can overlook or misread.

use chrono::TimeZone;
use liventix_core::rules::{Confidence, Direction, Flag, Outcome};

use super::{banner, moment};
use crate::look::{Look, Signal};
use crate::views::{FirstView, VerdictView};

/// From this width on, the big letters stand beside the words; below it, above them.
const SIDE_BY_SIDE: usize = 76;

/// The block for one verdict.
pub(crate) fn verdict<Z: TimeZone>(view: &VerdictView, look: Look, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    let signal = Signal::of(view.outcome, view.confidence);
    let inner = look.width - 4;
    let mut words = words(view, look);
    let letters = banner::big(
        &format!("{}{}", signal.symbol, signal.word),
        look.pick("█", "#").chars().next().unwrap_or('#'),
    );
    let mut lines = vec![String::new()];
    if look.width >= SIDE_BY_SIDE {
        let gap = letters.first().map_or(0, |row| console::measure_text_width(row)) + 4;
        words.resize(words.len().max(banner::ROWS), String::new());
        for (place, text) in words.iter().enumerate() {
            let letter = letters.get(place).map_or("", String::as_str);
            lines.push(format!("{}{}", fit(letter, gap), fit(text, inner - gap)));
        }
    } else {
        lines.extend(letters);
        lines.push(String::new());
        lines.append(&mut words);
    }
    lines.push(String::new());
    let mut out = block(&lines, signal, look);
    for note in notes(view, look, zone) {
        out.push_str(&format!("  {note}\n"));
    }
    out
}

/// What stands beside the big word, most important first.
fn words(view: &VerdictView, look: Look) -> Vec<String> {
    let signal = Signal::of(view.outcome, view.confidence);
    let doubt =
        if view.outcome == Outcome::Admit && view.confidence == Confidence::Amber { " (check)" } else { "" };
    let symbol = look.pick(signal.symbol, signal.ascii);
    let mut words = vec![format!("{symbol} {}{doubt}: {}", signal.word, view.reason.line())];
    words.extend(view.attendee_name.as_deref().map(printable));
    words.extend(view.ticket_type.as_deref().map(printable));
    words.extend(people(view));
    let way = match view.direction {
        Direction::Entry => "in",
        Direction::Exit => "out",
    };
    words.push(format!("{}{}{way}", printable(&view.gate), look.dot()));
    words
}

fn people(view: &VerdictView) -> Option<String> {
    let left = view.remaining.filter(|_| view.direction == Direction::Entry);
    let people = |number: u32| if number == 1 { "1 person".to_owned() } else { format!("{number} people") };
    match (view.people, left) {
        (0, Some(0)) | (0, None) | (1, None | Some(0)) => None,
        (0, Some(left)) => Some(format!("{} left on this ticket", people(left))),
        (passed, None) => Some(people(u32::from(passed))),
        (passed, Some(left)) => Some(format!("{}, {left} left", people(u32::from(passed)))),
    }
}

/// What stands under the block: evidence, and what could not be checked.
fn notes<Z: TimeZone>(view: &VerdictView, look: Look, zone: &Z) -> Vec<String>
where
    Z::Offset: std::fmt::Display,
{
    let mut notes = Vec::new();
    if let Some(first) = &view.first_admission {
        notes.push(format!("{} {}", look.pick("↳", ">"), evidence(first, view.at, zone)));
    }
    if let Some(reason) = view.overruled {
        notes.push(format!("{} A supervisor overruled: {}", look.pick("⚠", "!"), reason.line()));
    }
    for flag in view.flags.iter().filter(|flag| **flag != Flag::Forced) {
        notes.push(format!("{} {}", look.pick("⚠", "!"), doubt(*flag)));
    }
    notes
}

fn evidence<Z: TimeZone>(first: &FirstView, now: i64, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    let gate = first.gate.as_deref().map_or_else(|| format!("gate {}", first.gate_id), printable);
    let device = if first.this_device {
        "this device".to_owned()
    } else {
        // The end of an id is its random part: enough to tell a handful of devices apart.
        let id = first.device_id.to_string();
        format!("device {}", id.get(id.len().saturating_sub(6)..).unwrap_or_default())
    };
    let ago = now.saturating_sub(first.at);
    let ago = if ago >= 0 {
        format!("{} before", super::duration(ago))
    } else {
        format!("{} after", super::duration(-ago))
    };
    format!("first scanned {} at {gate} by {device} ({ago})", moment(first.at, now, zone))
}

/// What a flag means and what to do about it.
pub(crate) const fn doubt(flag: Flag) -> &'static str {
    match flag {
        Flag::Unlisted => {
            "Good code, but not on this device's list: bought late, perhaps. Sync when you can."
        }
        Flag::ListStale => "This device's list is old: sync when you can.",
        Flag::ClockUncertain => "This device's clock was not checked against the server: sync when you can.",
        Flag::LegacyCode => "Unsigned code of the old system: look at the guest's name.",
        Flag::LiveStale => {
            "The live code is old: it may be a screenshot. Let the guest open the ticket again."
        }
        Flag::ExitWithoutEntry => "No entry of this guest is known here.",
        Flag::Forced => "A supervisor overruled the refusal.",
    }
}

/// Names come from strangers: no control characters reach the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

/// `text` cut or padded to exactly `width` columns.
fn fit(text: &str, width: usize) -> String {
    console::pad_str(text, width, console::Alignment::Left, Some("…")).into_owned()
}

/// Lines on a coloured ground; without colours, in a frame whose line is the signal's own.
fn block(lines: &[String], signal: Signal, look: Look) -> String {
    let inner = look.width - 4;
    let mut out = String::new();
    if look.colour {
        for line in lines {
            out.push_str(&look.paint(signal.style(), &format!("  {}  ", fit(line, inner))));
            out.push('\n');
        }
        return out;
    }
    let (corners, flat, side) = match (look.unicode, signal.word) {
        (true, "ADMIT") => (["╭", "╮", "╰", "╯"], "─", "│"),
        (true, "STOP") => (["┏", "┓", "┗", "┛"], "━", "┃"),
        (true, _) => (["┌", "┐", "└", "┘"], "╌", "╎"),
        (false, "ADMIT") => (["+", "+", "+", "+"], "-", "|"),
        (false, "STOP") => (["#", "#", "#", "#"], "#", "#"),
        (false, _) => ([".", ".", "'", "'"], ".", ":"),
    };
    let bar = flat.repeat(look.width - 2);
    out.push_str(&format!("{}{bar}{}\n", corners[0], corners[1]));
    for line in lines {
        out.push_str(&format!("{side} {} {side}\n", fit(line, inner)));
    }
    out.push_str(&format!("{}{bar}{}\n", corners[2], corners[3]));
    out
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use liventix_core::ids::{DeviceId, GateId, ScanId};
    use liventix_core::rules::Reason;

    use super::*;

    fn view(outcome: Outcome, confidence: Confidence, reason: Reason) -> VerdictView {
        VerdictView {
            scan_id: ScanId::from_bytes([1; 16]),
            seq: 1,
            at: 1_790_000_000_000,
            outcome,
            confidence,
            reason,
            line: String::new(),
            flags: Vec::new(),
            overruled: None,
            direction: Direction::Entry,
            people: u16::from(outcome == Outcome::Admit),
            remaining: None,
            ticket_id: None,
            ticket_type: Some("Standard".to_owned()),
            attendee_name: Some("Zoë \u{1b}[31mQ".to_owned()),
            gate: "North gate".to_owned(),
            first_admission: None,
            file: None,
        }
    }

    const PLAIN: Look = Look { width: 80, colour: false, unicode: true };

    #[test]
    fn word_symbol_and_frame_each_tell_the_outcomes_apart() {
        let admit = verdict(&view(Outcome::Admit, Confidence::Green, Reason::Entered), PLAIN, &Utc);
        let stop = verdict(&view(Outcome::Refuse, Confidence::Red, Reason::Revoked), PLAIN, &Utc);
        let ask = verdict(&view(Outcome::Ask, Confidence::Amber, Reason::Unlisted), PLAIN, &Utc);
        assert!(admit.contains("✔ ADMIT: Welcome") && admit.starts_with('╭'), "{admit}");
        assert!(stop.contains("✖ STOP: Blocked by the organiser") && stop.starts_with('┏'), "{stop}");
        assert!(ask.contains("? ASK: Not on the list") && ask.starts_with('┌'), "{ask}");
        for text in [admit, stop, ask] {
            assert!(text.lines().all(|line| console::measure_text_width(line) == 80), "{text}");
            assert!(text.contains("Zoë [31mQ") && !text.contains('\x1b'), "a name draws nothing: {text}");
        }
    }

    #[test]
    fn colours_and_narrow_or_plain_terminals() {
        let stop = view(Outcome::Refuse, Confidence::Red, Reason::Revoked);
        let colour = verdict(&stop, Look { width: 80, colour: true, unicode: true }, &Utc);
        assert!(colour.contains("48;5;160"), "{colour:?}");
        let narrow = verdict(&stop, Look { width: 40, colour: false, unicode: false }, &Utc);
        assert!(narrow.contains("X STOP: Blocked by the organiser"), "{narrow}");
        assert!(narrow.lines().all(|line| console::measure_text_width(line) == 40), "{narrow}");
    }

    #[test]
    fn a_duplicate_shows_its_evidence_and_doubts_their_meaning() {
        let mut used = view(Outcome::Refuse, Confidence::Red, Reason::AlreadyUsed);
        used.flags = vec![Flag::ListStale];
        used.first_admission = Some(FirstView {
            scan_id: ScanId::from_bytes([2; 16]),
            at: used.at - 300_000,
            gate_id: GateId::from_bytes([3; 16]),
            gate: Some("South gate".to_owned()),
            device_id: DeviceId::from_bytes([0xab; 16]),
            this_device: false,
        });
        let text = verdict(&used, PLAIN, &Utc);
        assert!(
            text.contains("↳ first scanned 14:08:20 at South gate by device ababab (5 min before)"),
            "{text}"
        );
        assert!(text.contains("⚠ This device's list is old"), "{text}");
    }

    #[test]
    fn what_a_supervisor_overruled_is_said_once() {
        let mut forced = view(Outcome::Admit, Confidence::Amber, Reason::Forced);
        forced.flags = vec![Flag::Forced];
        forced.overruled = Some(Reason::Unpaid);
        let text = verdict(&forced, PLAIN, &Utc);
        assert!(text.contains("(check): Let in by supervisor"), "{text}");
        assert!(text.contains("⚠ A supervisor overruled: Not paid"), "{text}");
        assert_eq!(text.matches("⚠").count(), 1, "{text}");
    }
}

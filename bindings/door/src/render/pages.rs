//! Everything but verdicts: what `enrol`, `sync`, `status`, `conflicts` and `check` print.

use chrono::TimeZone;
use console::{Color, Style};
use liventix_core::readiness::{CheckItem, CheckState};
use liventix_core::rules::{Direction, TicketStatus};
use liventix_core::sync::SyncReport;

use super::verdict::printable;
use super::{clock_offset, count, duration, grouped, moment, standing};
use crate::look::Look;
use crate::views::{
    ConflictView, EnrolledView, ErrorView, FoundView, PassageView, StatusView, SyncedView, UndoneView,
};

/// The answer to `enrol`.
pub(crate) fn enrolled(view: &EnrolledView, look: Look) -> String {
    let mut out = format!(
        "{} Enrolled as {} for {}.\n",
        look.pick("✔", "OK"),
        look.bold(&printable(&view.device_name)),
        look.bold(&printable(&view.organiser_name))
    );
    for event in &view.events {
        out.push_str(&format!("  event   {}\n", printable(event)));
    }
    out.push_str(&format!("  server  {}\n", printable(&view.server_url)));
    out.push_str("Next: liventix-door sync\n");
    out
}

/// The answer to `sync`.
pub(crate) fn synced(view: &SyncedView, look: Look) -> String {
    let SyncReport { pushed, duplicates, quarantined, tickets, passages, bytes, .. } = view.report;
    let mut parts = Vec::new();
    if pushed + duplicates + quarantined > 0 {
        parts.push(format!("{} up", count(pushed + duplicates + quarantined, "scan")));
    }
    if tickets + passages > 0 {
        parts.push(format!("{} and {} down", count(tickets, "ticket change"), count(passages, "passage")));
    }
    if parts.is_empty() {
        parts.push("nothing new".to_owned());
    }
    let clock = view.report.error_ms.map_or_else(
        || "clock unchecked".to_owned(),
        |error| {
            let offset = clock_offset(view.report.offset_ms, error);
            format!("clock {offset}, {}{}", look.pick("±", "+/-"), duration(error))
        },
    );
    let mut out = format!(
        "{} Synced in {}: {}; {}; {} kB\n",
        look.pick("✔", "OK"),
        duration(view.report.duration_ms),
        parts.join(", "),
        clock,
        grouped(bytes.div_ceil(1_000)),
    );
    if quarantined > 0 {
        out.push_str(&format!(
            "  {} {} set aside by the server; the organiser sees them\n",
            look.pick("⚠", "!"),
            count(quarantined, "scan")
        ));
    }
    if view.conflicts > 0 {
        out.push_str(&format!(
            "  {} {}: see liventix-door conflicts\n",
            look.pick("⚠", "!"),
            count(view.conflicts, "conflict")
        ));
    }
    plain(out, look)
}

/// The answer to `status`.
pub(crate) fn status(view: &StatusView, look: Look) -> String {
    let mut out = format!(
        "{}  {}{}{}\n",
        look.bold(&printable(&view.device_name)),
        printable(&view.organiser_name),
        look.dot(),
        printable(&view.server_url)
    );
    if view.revoked {
        out.push_str("  REVOKED by the organiser: it can scan no more. Sync to hand in its scans.\n");
    }
    if view.events.is_empty() {
        out.push_str("  No event yet: liventix-door sync\n");
    }
    for event in &view.events {
        out.push_str(&format!("\n{}\n", look.bold(&printable(&event.name))));
        let gates: Vec<String> = event.gates.iter().map(|gate| printable(gate)).collect();
        out.push_str(&format!("  gates    {}\n", gates.join(", ")));
        let keys = if event.keys { "keys held" } else { "NO KEYS: sync" };
        out.push_str(&format!("  list     {}, {keys}\n", count(event.tickets, "ticket")));
        out.push_str(&format!(
            "  here     {}, {} refused\n",
            count(event.standing.scans_here, "scan"),
            grouped(event.standing.refused_here)
        ));
        out.push_str(&format!("  now      {}\n", standing(&event.standing, look)));
        if event.conflicts > 0 {
            out.push_str(&format!(
                "  look at  {}: liventix-door conflicts\n",
                count(event.conflicts, "conflict")
            ));
        }
    }
    if view.quarantined > 0 {
        out.push_str(&format!("\n{} set aside by the server\n", count(view.quarantined, "scan")));
    }
    out.push_str(&look.dim(&format!("\ndata in {}", view.folder)));
    out.push('\n');
    plain(out, look)
}

/// One conflict with its evidence.
pub(crate) fn conflict<Z: TimeZone>(view: &ConflictView, look: Look, now: i64, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    let name = view.attendee_name.as_deref().map_or("(no name)".to_owned(), printable);
    let side = |title: &str, side: &PassageView| {
        let gate = side.gate.as_deref().map_or_else(|| side.gate_id.to_string(), printable);
        let device =
            if side.this_device { "this device".to_owned() } else { format!("device {}", side.device_id) };
        format!("  {title}  {}  {gate}, {device}\n", moment(side.at, now, zone))
    };
    format!(
        "{} {} ({}): {} too many\n{}{}",
        look.pick("⚠", "!"),
        look.bold(&name),
        view.ticket_id,
        if view.people == 1 { "1 person".to_owned() } else { format!("{} people", view.people) },
        side("stands", &view.standing),
        side("excess", &view.excess),
    )
}

/// A ticket found by name: a line to choose by, and its id below.
pub(crate) fn found<Z: TimeZone>(view: &FoundView, look: Look, now: i64, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    let mut parts = vec![printable(&view.ticket_type)];
    parts.extend(match view.status {
        TicketStatus::Valid => None,
        TicketStatus::Unpaid => Some("not paid".to_owned()),
        TicketStatus::Cancelled => Some("cancelled".to_owned()),
        TicketStatus::Revoked => Some("blocked".to_owned()),
    });
    parts.extend(view.remaining.map(|left| format!("{left} left")));
    if view.inside > 0 {
        parts.push(format!("{} inside", view.inside));
    }
    parts.extend(view.last_passage_at.map(|at| format!("last passed {}", moment(at, now, zone))));
    format!(
        "{:>3}  {}  {}\n     {}\n",
        view.number,
        look.bold(&printable(&view.attendee_name)),
        parts.join(look.dot()),
        look.dim(&view.ticket_id.to_string())
    )
}

/// A scan that was taken back.
pub(crate) fn undone(view: &UndoneView, look: Look) -> String {
    let people = if view.people == 1 { "1 person".to_owned() } else { format!("{} people", view.people) };
    let way = match view.direction {
        Direction::Entry => "in",
        Direction::Exit => "out",
    };
    let left = view.remaining.map_or_else(String::new, |left| format!(", {left} left on the ticket"));
    format!("{} Taken back: {people} {way}{left}.\n", look.pick("↶", "OK"))
}

/// The readiness check.
pub(crate) fn check(items: &[CheckItem], look: Look) -> String {
    let mut out = String::new();
    for item in items {
        let (symbol, ascii, colour) = match item.state {
            CheckState::Ready => ("✔", "ok  ", Color::Color256(28)),
            CheckState::Warning => ("⚠", "warn", Color::Color256(172)),
            CheckState::NotReady => ("✖", "FAIL", Color::Color256(160)),
        };
        let mark = look.paint(Style::new().fg(colour).bold(), look.pick(symbol, ascii));
        out.push_str(&format!(
            "{mark} {:<12} {}\n",
            item.check.code().replace('_', " "),
            printable(&item.detail)
        ));
        if let Some(next) = &item.next {
            out.push_str(&format!("  {:<12} {} {next}\n", "", look.pick("→", "->")));
        }
    }
    let failed = items.iter().filter(|item| item.state == CheckState::NotReady).count();
    let warned = items.iter().filter(|item| item.state == CheckState::Warning).count();
    out.push_str(&match (failed, warned) {
        (0, 0) => look.bold("\nReady: doors may open.\n"),
        (0, _) => look.bold("\nReady, with warnings.\n"),
        (failed, _) => look.bold(&format!("\nNOT READY: {failed} to fix before doors open.\n")),
    });
    plain(out, look)
}

/// An error: what happened and what to do.
pub(crate) fn error(view: &ErrorView, look: Look) -> String {
    let mark = look.paint(Style::new().fg(Color::Color256(160)).bold(), look.pick("✖", "error:"));
    format!("{mark} {} {}\n", printable(&view.detail), look.dim(&format!("[{}]", view.code)))
}

fn plain(text: String, look: Look) -> String {
    if look.unicode { text } else { text.replace('\u{202f}', " ") }
}

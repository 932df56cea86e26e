//! What the demo prints.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::ensure;
use chrono::DateTime;
use liventix_core::ids::EventId;
use liventix_core::ledger::TicketConflict;
use liventix_core::rules::{Confidence, Outcome, Passage};
use liventix_core::scan::Verdict;
use liventix_core::sync::SyncReport;

use super::api::{Owner, Truth};
use super::door::Door;
use super::evening::Act;
use super::festival::Festival;
use super::presale::Sold;
use super::shop::Bought;

/// What the scans of the evening came to.
#[derive(Default)]
pub(super) struct Tally {
    scans: u64,
    green: u64,
    amber: u64,
    refused: u64,
}

impl Tally {
    pub(super) fn count(&mut self, verdict: &Verdict) {
        self.scans += 1;
        match (verdict.decision.outcome, verdict.decision.confidence) {
            (Outcome::Admit, Confidence::Green) => self.green += 1,
            (Outcome::Admit, _) => self.amber += 1,
            _ => self.refused += 1,
        }
    }
}

/// The terminal, with colours if it is one and nobody minds them.
pub(super) struct Screen {
    colours: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { colours }
    }

    fn paint(&self, style: &str, text: impl Display) -> String {
        if self.colours { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    pub(super) fn title(&self, title: &str, subtitle: &str) {
        println!("\n{}\n{subtitle}\n", self.paint("1", format!("Liventix · {title}")));
    }

    pub(super) fn step(&self, name: &str, text: &str) {
        println!("  {} {text}", self.paint("1", format!("{name:<13}")));
    }

    pub(super) fn offline(&self, url: &str) {
        println!(
            "\n{}",
            self.paint("1", format!("The network goes down: nothing answers at {url} any more."))
        );
        println!("Both doors scan on, each knowing only what it had.\n");
    }

    /// One line for a scan with a story; the crowd goes by.
    pub(super) fn scan(&self, door: &str, act: &Act, verdict: &Verdict) {
        let Some(story) = act.story else { return };
        let (style, word) = match (verdict.decision.outcome, verdict.decision.confidence) {
            (Outcome::Admit, Confidence::Green) => ("30;42", " ADMIT "),
            (Outcome::Admit, _) => ("30;43", " ADMIT?"),
            (Outcome::Ask, _) => ("30;43", " ASK   "),
            (Outcome::Refuse, Confidence::Amber) => ("30;43", " WAIT  "),
            (Outcome::Refuse, _) => ("97;41", " STOP  "),
        };
        println!("  {} {door:<13} {}", self.paint(style, word), verdict.line);
        println!("          {:<13} {}", "", self.paint("2", story));
    }

    pub(super) fn more(&self, tally: &Tally) {
        let Tally { scans, green, amber, refused, .. } = tally;
        println!(
            "\n  {scans} scans in all: {} green, {} amber, {} refused.",
            self.paint("32", green),
            self.paint("33", amber),
            self.paint("31", refused)
        );
    }

    pub(super) fn online(&self, url: &str, north: &Door, harbour: &Door) -> anyhow::Result<()> {
        println!("\n{}", self.paint("1", format!("The network is back: {url}")));
        for door in [north, harbour] {
            self.step(door.name(), &format!("{} waiting", counted(door.unsent()?, "scan")));
        }
        Ok(())
    }

    pub(super) fn summary(
        &self,
        truth: &Truth,
        north: &Door,
        festival: &Festival,
        folder: &Path,
    ) -> anyhow::Result<()> {
        println!("\n{}\n", self.paint("1", "Server and doors agree"));
        let counts = &truth.counts;
        println!("  {} people admitted, {} inside now.", counts["admitted"], counts["inside"]);
        println!("  Nothing unsent, nothing lost; the hash chains of both ledgers are whole.\n");
        let conflicts = north.conflicts(festival.event_id)?;
        println!("{}\n", self.paint("1", format!("{} tickets came in at two doors", conflicts.len())));
        for conflict in &conflicts {
            self.conflict(north, festival.event_id, conflict)?;
        }
        println!("  Everything made here is in {}", folder.display());
        Ok(())
    }

    fn conflict(&self, door: &Door, event: EventId, found: &TicketConflict) -> anyhow::Result<()> {
        let who = found.attendee_name.as_deref().unwrap_or("somebody");
        println!("  {} · ticket {}", self.paint("1", who), found.ticket_id);
        for (what, passage) in
            [("stands", &found.conflict.standing), ("one too many", &found.conflict.excess)]
        {
            let Passage { at, gate_id, device_id, scan_id, .. } = passage;
            let gate = door.gate_name(event, *gate_id)?;
            println!("    {what:<13} {} {gate:<13} device {device_id}", time_of_day(*at));
            println!("    {:<13} {}", "", self.paint("2", format!("scan {scan_id}")));
        }
        println!();
        Ok(())
    }

    /// What it all came to.
    pub(super) fn figures(&self, lines: &[String]) {
        println!("\n{}\n", self.paint("1", "What it came to, as the organiser sees it"));
        for line in lines {
            println!("  {line}");
        }
    }

    pub(super) fn next_steps(&self, data_dir: &Path, event: EventId, (token, owner): (&str, &Owner)) {
        println!("\n{}\n", self.paint("1", "Where to look next"));
        for (command, what) in [
            (
                format!(
                    "LIVENTIX_PAYMENTS_TEST=true cargo run --release -- serve --data-dir {}",
                    data_dir.display()
                ),
                "the same server again; its API is described at http://127.0.0.1:8080/docs",
            ),
            (
                format!("http://127.0.0.1:8080/console   as {}, with {}", owner.email, owner.password),
                "the organiser's pages: doors, tickets, orders, money, and under Figures what it all came to",
            ),
            (
                format!("http://127.0.0.1:8080/shop/{event}"),
                "its ticket shop, in a browser: order, pay with nobody's money, open the tickets",
            ),
            (
                format!(
                    "curl -H 'Authorization: Bearer {token}' http://127.0.0.1:8080/v1/events/{event}/conflicts"
                ),
                "the conflicts with their evidence, as the organiser's programs see them",
            ),
            (
                "cargo run --release -p liventix-door -- --help".to_owned(),
                "the scanner in a terminal, to try with the pictures above",
            ),
            ("ARCHITECTURE.md, docs/ticket-code.md".to_owned(), "how it works"),
        ] {
            println!("  {command}\n      {}", self.paint("2", what));
        }
        println!();
    }
}

/// What was sold before the evening.
pub(super) fn presale(sold: &Sold) -> String {
    let Sold { orders, tickets, given_up } = sold;
    format!("in two weeks: {orders} orders of {tickets} tickets, {given_up} more begun and not paid")
}

/// What was sold in the shop.
pub(super) fn sale(bought: &Bought) -> String {
    let Bought { tickets, reference, total } = bought;
    let (whole, cents) = (total / 100, total % 100);
    format!(
        "order {reference}: {tickets} tickets for {whole}.{cents:02} EUR, paid after the bank refused once"
    )
}

fn time_of_day(at: i64) -> String {
    DateTime::from_timestamp_millis(at)
        .map_or_else(|| at.to_string(), |time| time.format("%H:%M:%S UTC").to_string())
}

fn clock(report: &SyncReport) -> String {
    let error = report.error_ms.unwrap_or_default();
    // The offset is what to add to the phone's clock: a fast phone has a negative one.
    match report.offset_ms / 1_000 {
        0 => format!("clock right to ±{error} ms"),
        seconds if seconds < 0 => format!("clock {} s fast, corrected to ±{error} ms", -seconds),
        seconds => format!("clock {seconds} s slow, corrected to ±{error} ms"),
    }
}

/// The first sync of a door in a line.
pub(super) fn first_sync(report: &SyncReport) -> String {
    let SyncReport { tickets, duration_ms, .. } = report;
    format!("enrolled; {tickets} tickets in {duration_ms} ms; {}", clock(report))
}

/// `1 ticket`, `2 tickets`.
fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A later sync of a door in a line.
pub(super) fn later_sync(report: &SyncReport) -> String {
    let SyncReport { pushed, quarantined, passages, tickets, .. } = report;
    let aside = if *quarantined == 0 { String::new() } else { format!(", {quarantined} set aside") };
    format!(
        "{} sent{aside}; from elsewhere: {}, {}",
        counted(*pushed, "scan"),
        counted(*passages, "passage"),
        counted(*tickets, "ticket")
    )
}

/// Fails unless server and doors have come to the same numbers and the same conflicts.
pub(super) fn check_agreement(
    truth: &Truth,
    doors: [&Door; 2],
    event: EventId,
    tally: &Tally,
) -> anyhow::Result<()> {
    let server_admitted = truth.counts["admitted"].as_u64();
    let server_inside = truth.counts["inside"].as_u64();
    ensure!(truth.counts["scans"].as_u64() == Some(tally.scans), "the server misses scans: {}", truth.counts);
    for door in doors {
        let counts = door.counts(event)?;
        let name = door.name();
        ensure!(
            Some(counts.admitted_people) == server_admitted,
            "{name} counted {counts:?}, not {}",
            truth.counts
        );
        ensure!(Some(counts.inside) == server_inside, "{name} has {counts:?} inside, not {}", truth.counts);
        ensure!(
            counts.conflicts == truth.conflicts.len() as u64,
            "{name} knows other conflicts than the server"
        );
        ensure!(door.unsent()? == 0, "{name} still has unsent scans");
        ensure!(door.chain_is_whole()?, "the ledger of {name} was altered");
    }
    Ok(())
}

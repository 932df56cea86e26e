//! Writes the scan-conformance cases, and tests that those on disk are current.
//!
//! Each table states facts, scans and the verdict that they must come to. No verdict is computed
//! here: `tests/scan_conformance` asks the core and the server for theirs.
//!
//! `LIVENTIX_WRITE_VECTORS=1 cargo test -p liventix-tests --test scan_vectors` writes them anew.

mod clock;
mod codes;
mod draft;
mod entries;
mod force;
mod gates;
mod groups;
mod history;
mod legacy;
mod listed;
mod live;
mod manual;
mod repeats;
mod status;
mod undo;
mod unlisted;
mod validity;
mod venue;
mod verdicts;

use std::collections::BTreeSet;

use liventix_tests::conformance::files;
use liventix_tests::conformance::format::{Action, Document, WrittenCase};

/// File name, what it is about, cases.
fn themes() -> Vec<(&'static str, &'static str, Vec<WrittenCase>)> {
    vec![
        ("clock", "Lists and clocks that cannot be trusted for ever.", clock::cases()),
        ("codes", "Texts, signatures and keys.", codes::cases()),
        ("entries", "How often a ticket for one person may enter, leave and come back.", entries::cases()),
        ("force", "What a supervisor may overrule.", force::cases()),
        ("gates", "Where a ticket and a scanner may be used.", gates::cases()),
        ("groups", "Tickets for several people.", groups::cases()),
        ("history", "What other doors let through, in whatever order it is learnt.", history::cases()),
        ("legacy", "Unsigned codes of an older system.", legacy::cases()),
        ("listed", "Tickets picked from the list by name.", listed::cases()),
        ("live", "Live codes, their time to live, and printed codes beside them.", live::cases()),
        ("manual", "Codes that are typed.", manual::cases()),
        ("repeats", "The same scan id twice.", repeats::cases()),
        ("status", "Where a ticket stands with the organiser.", status::cases()),
        ("undo", "Passages taken back.", undo::cases()),
        ("unlisted", "Good signatures of tickets that are not on the list.", unlisted::cases()),
        ("validity", "When a ticket and its code are valid.", validity::cases()),
    ]
}

fn document(about: &str, cases: Vec<WrittenCase>) -> String {
    let document = Document { about: about.to_owned(), setup: venue::setup(), cases };
    serde_json::to_string_pretty(&document).expect("plain values") + "\n"
}

#[test]
fn the_cases_on_disk_are_current() {
    let write = std::env::var_os("LIVENTIX_WRITE_VECTORS").is_some();
    for (name, about, cases) in themes() {
        let path = files::folder().join(name).with_extension("json");
        let expected = document(about, cases);
        if write {
            std::fs::write(&path, &expected).expect("a writable folder");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == expected, "{name}.json is out of date: run again with LIVENTIX_WRITE_VECTORS=1");
    }
    let known: Vec<&str> = themes().iter().map(|theme| theme.0).collect();
    for file in files::load_all() {
        assert!(known.contains(&file.name.as_str()), "{}.json belongs to no table", file.name);
    }
}

#[test]
fn the_cases_keep_to_their_format() {
    let mut names = BTreeSet::new();
    for case in themes().into_iter().flat_map(|(_, _, cases)| cases) {
        assert!(names.insert(case.name.clone()), "{} is there twice", case.name);
        let mut before = case.clock.map_or(venue::NOW, |clock| clock.starts_at);
        for (number, step) in case.steps.iter().enumerate() {
            let place = format!("{} step {number}", case.name);
            assert!(step.at >= before, "{place} goes back in time");
            before = step.at;
            let answers = !matches!(step.action, Action::Sync(_) | Action::Clock(_));
            assert_eq!(step.expect.is_some(), answers, "{place}: only what has an outcome expects one");
        }
    }
    assert!(names.len() >= 80, "only {} cases", names.len());
}

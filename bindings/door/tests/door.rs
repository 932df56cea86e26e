//! The real binary against the real server, which is stopped and started in between.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

mod support;

use std::fs;

use liventix_core::qr::{QrOptions, render};
use serde_json::Value;
use support::{Door, Venue};

/// The verdicts among the answers.
fn verdicts(lines: &[Value]) -> Vec<(&str, &str)> {
    lines
        .iter()
        .filter(|line| line["kind"] == "verdict")
        .map(|line| (line["outcome"].as_str().unwrap(), line["reason"].as_str().unwrap()))
        .collect()
}

#[test]
fn an_evening_at_the_door() {
    let mut venue = Venue::open();
    let ada = venue.ticket("Ada Lovelace");
    let grace = venue.ticket("Grace Hopper");
    let door = Door::new();

    // Nothing works before enrolment, and it says what to do.
    let (code, lines) = door.run(&["scan", &ada.code]);
    assert_eq!((code, lines[0]["code"].as_str()), (3, Some("not_enrolled")));
    assert_eq!(door.run(&["check", "--offline"]).0, 3);

    let (code, lines) = door.run(&["enrol", &venue.enrolment(), "--name", "North 1"]);
    assert_eq!(code, 0, "{lines:?}");
    assert_eq!(
        (lines[0]["kind"].as_str(), lines[0]["device_name"].as_str()),
        (Some("enrolled"), Some("North 1"))
    );

    let (code, lines) = door.run(&["sync"]);
    assert_eq!(code, 0, "{lines:?}");
    assert_eq!((lines[0]["tickets"].as_i64(), lines[0]["key_rings"].as_i64()), (Some(2), Some(1)));

    let (code, lines) = door.run(&["check"]);
    assert_eq!(code, 0, "{lines:#?}");
    for check in ["storage", "chain", "device", "keys", "list", "clock", "unsent", "server", "sample_code"] {
        assert!(
            lines.iter().any(|line| line["check"] == check && line["state"] == "ready"),
            "{check}: {lines:#?}"
        );
    }

    // The server goes away; the door works on.
    venue.stop();
    let (code, lines) = door.run(&["scan", &ada.code, "--gate", "north"]);
    assert_eq!((code, verdicts(&lines)), (0, vec![("admit", "entered")]), "{lines:?}");
    assert_eq!(
        (lines[0]["attendee_name"].as_str(), lines[0]["confidence"].as_str()),
        (Some("Ada Lovelace"), Some("green"))
    );

    // The same again, at the gate that this door moves to: refused, with evidence.
    let (code, lines) = door.run(&["scan", &ada.code, "--gate", "South gate"]);
    assert_eq!((code, verdicts(&lines)), (10, vec![("refuse", "already_used")]));
    let first = &lines[0]["first_admission"];
    assert_eq!(
        (first["gate"].as_str(), first["this_device"].as_bool()),
        (Some("North gate"), Some(true)),
        "{lines:?}"
    );

    let (code, lines) = door.run(&["scan", &support::forge(&grace.code), "LX1:%%%", "hello"]);
    assert_eq!(code, 10);
    assert!(verdicts(&lines).iter().all(|(outcome, _)| *outcome == "refuse"), "{lines:?}");
    assert_eq!(verdicts(&lines)[0].1, "bad_signature");

    // From a picture, and from one that is none.
    let picture = door.folder().join("grace.png");
    fs::write(&picture, render(&grace.code, &QrOptions::default()).unwrap().png().unwrap()).unwrap();
    let (code, lines) = door.run(&["scan", "--image", picture.to_str().unwrap()]);
    assert_eq!((code, verdicts(&lines)), (0, vec![("admit", "entered")]), "{lines:?}");
    assert_eq!(lines[0]["file"].as_str(), picture.to_str());
    let not_a_picture = door.folder().join("notes.png");
    fs::write(&not_a_picture, "not a picture").unwrap();
    let (code, lines) = door.run(&["scan", "--image", not_a_picture.to_str().unwrap()]);
    assert_eq!((code, lines[0]["code"].as_str()), (1, Some("not_a_picture")));

    // What waits can be taken away as a file, and stays where it is.
    let (_, status) = door.run(&["status"]);
    assert_eq!(status[0]["events"][0]["standing"]["unsent"], 6, "{status:#?}");
    let (_, exported) = door.run(&["export"]);
    assert_eq!(exported.len(), 6);
    assert!(exported.iter().all(|scan| scan["hash"].is_string()));
    assert_eq!(door.run(&["scans", "-n", "4"]).1.len(), 4);

    let (code, lines) = door.run(&["sync"]);
    assert_eq!((code, lines[0]["code"].as_str()), (4, Some("offline")), "{lines:?}");

    // Back again: everything goes up once.
    venue.start();
    let (code, lines) = door.run(&["sync"]);
    assert_eq!(
        (code, lines[0]["pushed"].as_i64(), lines[0]["unsent"].as_i64()),
        (0, Some(6), Some(0)),
        "{lines:?}"
    );
    let (_, lines) = door.run(&["sync"]);
    assert_eq!((lines[0]["pushed"].as_i64(), lines[0]["duplicates"].as_i64()), (Some(0), Some(0)));
    assert!(door.run(&["export"]).1.is_empty());
}

#[test]
fn two_doors_offline_admit_one_ticket_and_both_learn_of_it() {
    let mut venue = Venue::open();
    let ticket = venue.ticket("Alan Turing");
    let (north, south) = (Door::new(), Door::new());
    for door in [&north, &south] {
        assert_eq!(door.run(&["enrol", &venue.enrolment()]).0, 0);
        assert_eq!(door.run(&["sync"]).0, 0);
    }
    venue.stop();
    assert_eq!(north.run(&["scan", &ticket.code, "--gate", "North"]).0, 0);
    assert_eq!(south.run(&["scan", &ticket.code, "--gate", "South"]).0, 0, "it cannot know");
    venue.start();
    for door in [&north, &south, &north] {
        assert_eq!(door.run(&["sync"]).0, 0);
    }
    for door in [&north, &south] {
        let (_, lines) = door.run(&["conflicts"]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["attendee_name"], "Alan Turing");
        let gates = (lines[0]["standing"]["gate"].as_str(), lines[0]["excess"]["gate"].as_str());
        assert_eq!(gates, (Some("North gate"), Some("South gate")));
        let text = door.text(&["conflicts"]);
        assert!(text.contains("stands") && text.contains("1 person too many"), "{text}");
    }
}

#[test]
fn a_hand_scanner_types_line_by_line() {
    let mut venue = Venue::open();
    let (first, second) = (venue.ticket("Ada Lovelace"), venue.ticket("Grace Hopper"));
    let door = Door::new();
    assert_eq!(door.run(&["enrol", &venue.enrolment()]).0, 0);
    assert_eq!(door.run(&["sync"]).0, 0);
    venue.stop();
    let input = format!(
        "{}\r\n\n:gate south\n:exit\n{}\n:in\n{}\n:status\n:dance\n:quit\nnever read\n",
        first.code,
        first.code,
        second.manual.to_lowercase()
    );
    let (code, lines) = door.type_in(&["scan", "--gate", "north", "--offline"], &input);
    assert_eq!(code, 0, "{lines:#?}");
    assert_eq!(
        verdicts(&lines),
        [("admit", "entered"), ("admit", "exited"), ("admit", "entered")],
        "{lines:#?}"
    );
    let gates: Vec<&str> = lines.iter().filter_map(|line| line["gate"].as_str()).collect();
    assert_eq!(gates, ["North gate", "South gate", "South gate"]);
    assert!(
        lines.iter().any(|line| line["kind"] == "standing" && line["inside"] == 1 && line["unsent"] == 3)
    );
    assert!(lines.iter().any(|line| line["kind"] == "error" && line["code"] == "usage"));
}

#[test]
fn a_supervisor_takes_back_overrules_and_finds_by_name() {
    let mut venue = Venue::open();
    let (ada, grace) = (venue.ticket("Ada Lovelace"), venue.unpaid_ticket("Gráce Hopper"));
    let door = Door::new();
    assert_eq!(door.run(&["enrol", &venue.supervisor_enrolment()]).0, 0);
    assert_eq!(door.run(&["sync"]).0, 0);
    venue.stop();

    let (code, lines) = door.run(&["undo", "--why", "nobody yet"]);
    assert_eq!((code, lines[0]["code"].as_str()), (1, Some("undo_not_a_passage")));
    let (_, lines) = door.run(&["scan", &ada.code, "--gate", "north"]);
    let entered = lines[0]["scan_id"].clone();
    let (code, lines) = door.run(&["undo", "--why", "wrong guest"]);
    assert_eq!((code, &lines[0]["undoes"], lines[0]["remaining"].as_i64()), (0, &entered, Some(1)));
    let (code, lines) = door.run(&["undo", entered.as_str().unwrap(), "--why", "again"]);
    assert_eq!((code, lines[0]["code"].as_str()), (1, Some("undo_already")));

    assert_eq!(verdicts(&door.run(&["scan", &grace.code]).1), [("refuse", "unpaid")]);
    let (code, lines) = door.run(&["force", &grace.code, "--why", " "]);
    assert_eq!((code, lines[0]["code"].as_str()), (1, Some("note_invalid")));
    let (code, lines) = door.run(&["force", &grace.code, "--why", "paid at the desk"]);
    assert_eq!((code, verdicts(&lines)), (0, vec![("admit", "forced")]), "{lines:?}");
    assert_eq!(lines[0]["overruled"], "unpaid");

    let (code, found) = door.run(&["find", "grace"]);
    assert_eq!((code, found.len()), (0, 1));
    assert_eq!((&found[0]["status"], &found[0]["inside"]), (&Value::from("unpaid"), &Value::from(1)));
    let (_, found) = door.run(&["find", "lov", "ada"]);
    let ticket = found[0]["ticket_id"].as_str().unwrap();
    let (code, lines) = door.run(&["admit", ticket]);
    assert_eq!((code, verdicts(&lines)), (0, vec![("admit", "entered")]));
    assert_eq!(door.run(&["admit", ticket]).0, 10);
    let (code, lines) = door.run(&["admit", ticket, "--force", "a friend of the band"]);
    assert_eq!((code, lines[0]["overruled"].as_str()), (0, Some("already_used")));

    let text = door.text(&["find", "ada"]);
    assert!(text.contains("Ada Lovelace") && text.contains("2 inside"), "{text}");
    assert!(door.text(&["find", "nobody"]).contains("Nobody of that name"));
    let text = door.text(&["scans"]);
    assert!(text.contains("Taken back") && text.contains("wrong guest"), "{text}");
    let text = door.text(&["undo", "--why", "left again"]);
    assert!(text.contains("Taken back: 1 person in"), "{text}");

    // The server takes all of it in.
    venue.start();
    let (_, lines) = door.run(&["sync"]);
    let aside = (lines[0]["quarantined"].as_i64(), lines[0]["conflicts"].as_i64());
    assert_eq!(aside, (Some(0), Some(0)), "{lines:?}");
}

#[test]
fn a_door_that_is_no_supervisors_overrules_nothing() {
    let mut venue = Venue::open();
    let ticket = venue.unpaid_ticket("Ada Lovelace");
    let door = Door::new();
    assert_eq!(door.run(&["enrol", &venue.enrolment()]).0, 0);
    assert_eq!(door.run(&["sync"]).0, 0);
    let (code, lines) = door.run(&["force", &ticket.code, "--why", "I say so", "--gate", "north"]);
    assert_eq!((code, lines[0]["code"].as_str()), (1, Some("not_supervisor")));
    assert!(door.run(&["scans"]).1.is_empty());
}

#[test]
fn what_is_typed_between_codes_takes_back_overrules_and_finds() {
    let mut venue = Venue::open();
    let (ada, grace) = (venue.ticket("Ada Lovelace"), venue.unpaid_ticket("Grace Hopper"));
    let door = Door::new();
    assert_eq!(door.run(&["enrol", &venue.supervisor_enrolment()]).0, 0);
    assert_eq!(door.run(&["sync"]).0, 0);
    venue.stop();
    let input = format!(
        ":undo nothing yet\n:force nothing yet\n:admit 1\n{}\n:force already inside\n:undo wrong guest\n\
         :undo twice\n{}\n:force paid at the desk\n:find ada\n:admit 2\n:admit 1\n:status\n",
        ada.code, grace.code
    );
    let (code, lines) = door.type_in(&["scan", "--gate", "north", "--offline"], &input);
    assert_eq!(code, 0, "{lines:#?}");
    assert_eq!(
        verdicts(&lines),
        [("admit", "entered"), ("refuse", "unpaid"), ("admit", "forced"), ("admit", "entered")],
        "{lines:#?}"
    );
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(
        kinds,
        [
            "error", "error", "error", "verdict", "error", "undone", "error", "verdict", "verdict", "found",
            "error", "verdict", "standing"
        ]
    );
    assert_eq!(lines[12]["inside"], 2);
}

#[test]
fn people_can_read_it_without_colours() {
    let mut venue = Venue::open();
    let ticket = venue.ticket("Ada Lovelace");
    let door = Door::new();
    assert!(door.text(&["status"]).contains("not enrolled"));
    let wrong = door.text(&["enrol", "LX1:SOMETHING"]);
    assert!(wrong.contains("not an enrolment code"), "{wrong}");
    assert!(door.text(&["enrol", &venue.enrolment()]).contains("Next: liventix-door sync"));
    assert!(door.text(&["sync"]).contains("1 ticket change"));
    let admit = door.text(&["scan", &ticket.code, "--gate", "north"]);
    assert!(admit.contains("✔ ADMIT: Welcome") && admit.contains("Ada Lovelace"), "{admit}");
    let again = door.text(&["scan", &ticket.code]);
    assert!(again.contains("✖ STOP") && again.contains("first scanned"), "{again}");
    assert!(!again.contains('\x1b'), "{again}");
    let check = door.text(&["check"]);
    assert!(check.contains("Ready"), "{check}");
    let gate = door.text(&["scan", "x", "--gate", "west"]);
    assert!(gate.contains("North gate, South gate"), "{gate}");
}

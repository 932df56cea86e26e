//! The published vectors in `tests/vectors`: generated here, checked against the library here, and by
//! `tests/vectors/check.py`, which shares no code with it.
//!
//! `LIVENTIX_WRITE_VECTORS=1 cargo test -p liventix-core --test ticket_vectors` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod codes;
mod derivation;
mod forged;
mod refused;
mod setup;
mod texts;

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use liventix_core::clock::TimeBounds;
use liventix_core::rules::{Presented, Reason};
use liventix_core::ticket::{Algorithm, CodeError, KeyRing, Scanned, Verified, legacy, read};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

/// File name, what it is about, cases.
fn files() -> Vec<(&'static str, &'static str, Vec<Value>)> {
    vec![
        ("derivation.json", "Keys derived from a master key.", derivation::cases()),
        ("printed.json", "Printed codes: made from the claims, read and verified.", codes::printed()),
        ("live.json", "Live codes: made from the claims and a moment, read and verified.", codes::live()),
        ("refused.json", "Texts that are no good, each with the one error it must give.", refused::cases()),
        ("manual.json", "Manual codes as people type them.", texts::manual()),
        ("legacy.json", "Unsigned codes of older systems.", texts::legacy()),
        ("noise.json", "What scanners add to a code and how they change it.", texts::noise()),
    ]
}

fn document(about: &str, cases: Vec<Value>) -> String {
    let value = json!({ "about": about, "setup": setup::describe(), "cases": cases });
    serde_json::to_string_pretty(&value).unwrap() + "\n"
}

#[test]
fn the_vectors_on_disk_are_current() {
    let write = std::env::var_os("LIVENTIX_WRITE_VECTORS").is_some();
    for (name, about, cases) in files() {
        let (path, expected) = (folder().join(name), document(about, cases));
        if write {
            std::fs::write(&path, &expected).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == expected, "{name} is out of date: run again with LIVENTIX_WRITE_VECTORS=1");
    }
}

#[test]
fn the_library_passes_every_vector() {
    let mut names = std::collections::BTreeSet::new();
    for (file, _, _) in files() {
        let text = std::fs::read_to_string(folder().join(file)).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        for case in document["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            check(file, name, case);
        }
    }
    assert!(names.len() >= 90, "only {} cases", names.len());
}

#[test]
fn an_independent_implementation_agrees() {
    let output = std::process::Command::new("python3")
        .arg(folder().join("check.py"))
        .output()
        .expect("python3 is needed for the independent check: `apt-get install python3`, then test again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn check(file: &str, name: &str, case: &Value) {
    match file {
        "derivation.json" => {
            assert_eq!(derivation::derive(case), case["expected"], "{name}");
        }
        "legacy.json" => {
            let code = legacy::parse(case["input"].as_str().unwrap());
            let found = json!({
                "ticket_id": code.ticket_id,
                "event_id": code.event_id,
                "text": code.text,
                "legacy_tag": setup::lookup().legacy_tag(case["input"].as_str().unwrap()),
            });
            assert_eq!(found, case["expected"], "{name}");
        }
        _ => assert_eq!(outcome(&setup::ring(), case), case["expected"], "{name}"),
    }
}

/// What the library says to a case's `input`.
fn outcome(ring: &KeyRing, case: &Value) -> Value {
    let scanned = match read(case["input"].as_str().unwrap()) {
        Ok(scanned) => scanned,
        Err(error) => return refusal(error),
    };
    match scanned {
        Scanned::Signed(code) => {
            let event = case["event_id"].as_str().unwrap().parse().unwrap();
            let time = &case["time"];
            let time = TimeBounds {
                earliest: time["earliest"].as_i64().unwrap(),
                latest: time["latest"].as_i64().unwrap(),
            };
            match ring.verify(event, &code, time) {
                Ok(verified) => verified_value(&verified),
                Err(error) => refusal(error),
            }
        }
        Scanned::Manual(code) => json!({
            "result": "manual",
            "manual_code": code,
            "manual_tag": setup::lookup().manual_tag(&code),
        }),
        Scanned::Other(text) => json!({ "result": "other", "text": text }),
    }
}

fn refusal(error: CodeError) -> Value {
    refused_value(error.code(), error.reason())
}

fn refused_value(code: &str, reason: Reason) -> Value {
    json!({ "result": "refused", "code": code, "reason": reason })
}

fn verified_value(verified: &Verified) -> Value {
    let (kind, issued_at, expires_at, minted_at) = match verified.presented {
        Presented::Printed { issued_at, expires_at } => ("printed", issued_at, expires_at, None),
        Presented::Live { issued_at, expires_at, minted_at } => {
            ("live", issued_at, expires_at, Some(minted_at))
        }
        other => panic!("a signed code cannot be {other:?}"),
    };
    expected_value(
        verified.ticket_id,
        kind,
        verified.algorithm,
        verified.key_id.0,
        (issued_at, expires_at, minted_at),
    )
}

type Times = (i64, Option<i64>, Option<i64>);

fn expected_value(
    ticket_id: liventix_core::ids::TicketId,
    kind: &str,
    algorithm: Algorithm,
    key_id: u8,
    (issued_at, expires_at, minted_at): Times,
) -> Value {
    json!({
        "result": "verified",
        "kind": kind,
        "algorithm": algorithm,
        "key_id": key_id,
        "ticket_id": ticket_id,
        "issued_at": issued_at,
        "expires_at": expires_at,
        "minted_at": minted_at,
    })
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

//! A phone whose ledger file was damaged: what it scanned still reaches the server, and what it had
//! admitted comes back.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use liventix_core::ledger::OpenReport;
use liventix_core::rules::{Outcome, Reason};
use liventix_tests::{Door, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn scans_of_a_damaged_ledger_are_uploaded_and_its_admissions_known_again() {
    let stage = Stage::new().await;
    let (before, after) = (stage.issue().await, stage.issue().await);
    let code = stage.enrolment(&format!("http://{}", stage.address())).await;
    let path = stage.folder().join("door.ledger");
    let door = Door::enrol(&code, &path, Arc::clone(&stage.clock), stage.event_id, stage.gates[0]).await;
    door.sync().await.expect("a first sync");
    assert_eq!(door.scan(&before).decision.outcome, Outcome::Admit);
    door.sync().await.expect("one scan goes up");
    assert_eq!(door.scan(&after).decision.outcome, Outcome::Admit);

    let (door, report) = damage_and_restart(door, &path);
    let OpenReport::Rescued(rescue) = report else { panic!("{report:?}") };
    assert_eq!(rescue.scans, 2);
    assert!(rescue.set_aside.exists());

    door.sync().await.expect("the rescued scan goes up");
    let counts = stage.get(&stage.of_event("counts")).await;
    assert_eq!((&counts["scans"], &counts["admitted"]), (&2.into(), &2.into()), "{counts}");
    stage.clock.advance(10 * 60_000);
    for text in [&before, &after] {
        assert_eq!(door.scan(text).decision.reason, Reason::AlreadyUsed);
    }
}

/// Overwrites the head of the closed file: the first page, with the schema, is gone.
fn damage_and_restart(door: Door, path: &Path) -> (Door, OpenReport) {
    let closed = door.close();
    let mut file = OpenOptions::new().write(true).open(path).expect("the ledger file");
    file.write_all(&[0xa5; 2_048]).expect("a writable file");
    drop(file);
    closed.open(path)
}

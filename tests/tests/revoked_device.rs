//! A device that the organiser revokes: its keys and list go, what it had scanned still counts.

use std::sync::Arc;

use liventix_core::rules::Outcome;
use liventix_core::scan::{DoorContext, ScanError, scan};
use liventix_core::sync::SyncError;
use liventix_core::ticket::KeyRing;
use liventix_tests::{Door, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_loses_its_keys_but_no_scan() {
    let stage = Stage::new().await;
    let code = stage.issue().await;
    let enrolment = stage.enrolment(&format!("http://{}", stage.address())).await;
    let path = stage.folder().join("door.ledger");
    let door = Door::enrol(&enrolment, &path, Arc::clone(&stage.clock), stage.event_id, stage.gates[0]).await;
    door.sync().await.expect("a first sync");
    assert_eq!(door.scan(&code).decision.outcome, Outcome::Admit);
    stage.clock.advance(60_000);
    stage.delete(&format!("/v1/devices/{}", door.device_id)).await;

    // Offline, the door cannot know; it goes on until it hears of it.
    stage.clock.advance(60_000);
    let late = stage.issue().await;
    assert_eq!(door.scan(&late).decision.outcome, Outcome::Admit);
    let error = door.sync().await.expect_err("the device is revoked");
    assert!(matches!(error, SyncError::Revoked { unsent: 0 }), "{error:?}");

    let counts = stage.get(&stage.of_event("counts")).await;
    assert_eq!((&counts["admitted"], &counts["quarantined"]), (&1.into(), &1.into()), "{counts}");
    let aside = stage.get("/v1/quarantine").await;
    assert_eq!(aside["items"][0]["code"], "device_revoked", "{aside}");

    let mut ledger = door.ledger();
    assert_eq!(ledger.counts(stage.event_id).map_or(0, |counts| counts.tickets), 0, "the list is still here");
    assert!(ledger.verify_chain().unwrap().first_break().is_none());
    let (event_id, gate_id, device_id) = (door.event_id, door.gate_id, door.device_id);
    let context = DoorContext { event_id, gate_id, device_id, direction: Default::default(), people: 1 };
    let refused = scan(&mut ledger, &KeyRing::new(), &context, &code);
    assert!(matches!(refused, Err(ScanError::Revoked)), "{refused:?}");
}

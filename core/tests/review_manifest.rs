//! Lists that change while they are on their way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;
mod sync_support;

use harness::Venue;
use liventix_core::rules::{Outcome, Reason};
use sync_support::{Fault, Plan};

#[test]
fn an_answer_to_an_older_question_leaves_no_gap_in_a_list_started_over() {
    let venue = Venue::new();
    let tickets: Vec<_> = (0..3).map(|_| venue.ticket(venue.single)).collect();
    let mut door = venue.door(&tickets);
    let event_id = venue.event.event_id;
    let asked = door.ledger.cursor(event_id).unwrap();
    let mut answer = venue.page(&[venue.ticket(venue.single)]);
    answer.next_cursor = 9;
    door.ledger.forget_manifest(event_id).unwrap();
    let applied = door.ledger.apply_page_after(asked, &answer).unwrap();
    assert!(applied.outdated);
    assert_eq!(door.ledger.cursor(event_id).unwrap(), 0);
    assert_eq!(door.ledger.list_age_ms(event_id).unwrap(), None, "not complete, so not fresh");
}

#[tokio::test]
async fn a_list_is_kept_until_its_replacement_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let door = sync_support::Door::enrolled(folder.path()).await;
    door.network.server().foreign_entry(3);
    door.engine.sync(|_| {}).await.unwrap();
    door.network.server().unknown_cursors = true;
    // The network goes just after the server said that it does not know the cursor.
    let event_id = door.network.server().event.event_id;
    door.network.plan(Some(Plan { from: 1, until: usize::MAX, fault: Fault::CutBeforeSend }));
    door.engine.pull(event_id, |_| {}).await.unwrap_err();
    assert_eq!(door.scan(3).decision.reason, Reason::AlreadyUsed, "the other door's entry is known");
    let verdict = door.scan(1);
    assert_eq!((verdict.decision.outcome, verdict.decision.flags), (Outcome::Admit, vec![]));
    door.network.plan(None);
    door.engine.sync(|_| {}).await.unwrap();
    assert_eq!(door.ledger.lock().unwrap().counts(event_id).unwrap().tickets, 7);
}

#[test]
fn a_newer_server_s_settings_do_not_cost_an_older_door_its_list() {
    let venue = Venue::new();
    let page = venue.page(&[venue.ticket(venue.single)]);
    let mut json = serde_json::to_value(&page).unwrap();
    json["colour"] = "blue".into();
    json["event"]["policy"]["dress_code"] = "black tie".into();
    json["event"]["ticket_types"][0]["entry"]["only_on"] = "friday".into();
    let text = json.to_string();
    let read: liventix_core::sync::wire::ManifestPage = serde_json::from_str(&text).unwrap();
    assert_eq!(read, page);
}

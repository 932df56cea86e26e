//! Passages taken back and refusals overruled: online and in uploads.

use liventix_core::ledger::record::ScanRecord;
use liventix_core::rules::{Outcome, Reason};
use serde_json::{Value, json};

use crate::support::{Event, NOW, Organiser, Reply, Server, new_id, text, verdicts};

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
}

async fn world() -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    World { server, organiser, event }
}

impl World {
    async fn ticket(&self, more: Value) -> Value {
        self.organiser.ticket_with(&self.server, &self.event, more).await
    }

    async fn force(&self, token: &str, code: &Value) -> Reply {
        let mut body = self.event.redeem_body(&text(code));
        body["force"] = json!(" paid at the desk ");
        self.server.post(&format!("{}/redeem", self.event.path), token, &body).await
    }

    async fn undo(&self, token: &str, scan_id: &Value) -> Reply {
        let path = format!("{}/scans/{}/undo", self.event.path, text(scan_id));
        let body = json!({"scan_id": new_id(), "note": "wrong guest"});
        self.server.post(&path, token, &body).await
    }

    async fn counts(&self) -> Value {
        self.event.counts(&self.server, &self.organiser).await
    }

    async fn scans(&self) -> Vec<Value> {
        let page = self.server.get(&format!("{}/scans", self.event.path), &self.organiser.key).await;
        page.expect(200)["items"].as_array().unwrap().clone()
    }

    async fn conflicts(&self) -> usize {
        let page = self.server.get(&format!("{}/conflicts", self.event.path), &self.organiser.key).await;
        page.expect(200)["items"].as_array().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_overrules_online_what_may_be_overruled() {
    let w = world().await;
    let key = w.organiser.key_with_all(&w.server, &["redeem", "supervise"]).await;
    let unpaid = w.ticket(json!({"status": "unpaid"})).await;
    let forced = w.force(&key, &unpaid["code"]).await.expect(200);
    assert_eq!((&forced["outcome"], &forced["reason"]), (&json!("admit"), &json!("forced")));
    assert_eq!((&forced["overruled"], &forced["confidence"]), (&json!("unpaid"), &json!("amber")));
    assert_eq!(
        (&forced["flags"], &forced["people"], &forced["remaining"]),
        (&json!(["forced"]), &json!(1), &json!(0))
    );
    assert_eq!(forced["line"], "Let in by supervisor");

    let again = w.force(&key, &unpaid["code"]).await.expect(200);
    assert_eq!(again["overruled"], "unpaid");
    let good = w.ticket(json!({})).await;
    let plain = w.force(&key, &good["code"]).await.expect(200);
    assert_eq!((&plain["reason"], &plain["overruled"]), (&json!("entered"), &json!(null)));
    let gone = w.ticket(json!({})).await;
    let path = format!("{}/tickets/{}/cancel", w.event.path, text(&gone["ticket_id"]));
    w.server.post(&path, &w.organiser.key, &json!(null)).await.expect(200);
    let refused = w.force(&key, &gone["code"]).await.expect(200);
    assert_eq!((&refused["outcome"], &refused["reason"]), (&json!("refuse"), &json!("cancelled")));

    let scans = w.scans().await;
    let seen: Vec<_> = scans.iter().map(|scan| (&scan["overruled"], &scan["note"])).collect();
    let paid = json!("paid at the desk");
    let nothing = &Value::Null;
    let overruled = (&json!("unpaid"), &paid);
    assert_eq!(seen.iter().filter(|found| **found == overruled).count(), 2);
    assert_eq!(seen.iter().filter(|found| **found == (nothing, nothing)).count(), 2);
    let counts = w.counts().await;
    assert_eq!(
        (&counts["forced"], &counts["people_in"], &counts["conflicts"]),
        (&json!(2), &json!(3), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_supervisor_overrules_and_only_for_a_reason() {
    let w = world().await;
    let unpaid = w.ticket(json!({"status": "unpaid"})).await;
    let redeems = w.organiser.key_with(&w.server, "redeem").await;
    w.force(&redeems, &unpaid["code"]).await.expect_problem(403, "scope_missing");
    let supervises = w.organiser.key_with(&w.server, "supervise").await;
    w.force(&supervises, &unpaid["code"]).await.expect_problem(403, "scope_missing");
    let door = w.organiser.door(&w.server, &w.event).await;
    w.force(&door.token, &unpaid["code"]).await.expect_problem(403, "not_supervisor");
    assert!(w.scans().await.is_empty());
    let path = format!("{}/redeem", w.event.path);
    for note in ["", "  ", "two\nlines", &"x".repeat(201)] {
        let mut body = w.event.redeem_body(&text(&unpaid["code"]));
        body["force"] = json!(note);
        w.server.post(&path, &w.organiser.key, &body).await.expect_problem(422, "invalid_field");
    }
    let supervisor = w.organiser.supervisor_door(&w.server, &w.event).await;
    let assigned = w.server.get("/v1/door/assignments", &supervisor.token).await.expect(200);
    assert_eq!(assigned["assignments"][0]["supervisor"], true);
    let devices = w.server.get("/v1/devices", &w.organiser.key).await.expect(200);
    for device in devices["items"].as_array().unwrap() {
        let is_supervisors = device["device_id"] == supervisor.device_id.to_string();
        assert_eq!(device["events"][0]["supervisor"], is_supervisors, "{device}");
    }
    assert_eq!(devices["items"].as_array().unwrap().len(), 2);
    let mut body = w.event.redeem_body(&text(&unpaid["code"]));
    body["force"] = json!("paid at the desk");
    let forced = w.server.post(&path, &supervisor.token, &body).await.expect(200);
    assert_eq!(forced["reason"], "forced");
    assert_eq!(w.server.post(&path, &supervisor.token, &body).await.expect(200), forced);
    body["force"] = json!("another reason");
    w.server.post(&path, &supervisor.token, &body).await.expect_problem(409, "scan_id_conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_is_taken_back_online_once_and_counts_no_more() {
    let w = world().await;
    let group = w.ticket(json!({"ticket_type_id": w.event.family})).await;
    let mut body = w.event.redeem_body(&text(&group["code"]));
    body["people"] = json!(3);
    let path = format!("{}/redeem", w.event.path);
    let entered = w.server.post(&path, &w.organiser.key, &body).await.expect(200);
    assert_eq!(w.counts().await["inside"], 3);
    w.server.clock.advance(30_000);
    let undo = format!("{}/scans/{}/undo", w.event.path, text(&entered["scan_id"]));
    let body = json!({"scan_id": new_id(), "note": "wrong guest"});
    let undone = w.server.post(&undo, &w.organiser.key, &body).await.expect(200);
    assert_eq!((&undone["undoes"], &undone["people"]), (&entered["scan_id"], &json!(3)));
    assert_eq!((&undone["remaining"], &undone["ticket_id"]), (&json!(4), &group["ticket_id"]));
    assert_eq!((&undone["at"], &undone["direction"]), (&json!(NOW + 30_000), &json!("entry")));
    // The answer was lost: it comes again, though the time is up by now.
    w.server.clock.advance(600_000);
    assert_eq!(w.server.post(&undo, &w.organiser.key, &body).await.expect(200), undone);
    let other = json!({"scan_id": body["scan_id"], "note": "another reason"});
    w.server.post(&undo, &w.organiser.key, &other).await.expect_problem(409, "scan_id_conflict");
    w.undo(&w.organiser.key, &entered["scan_id"]).await.expect_problem(409, "undo_already");
    w.undo(&w.organiser.key, &undone["scan_id"]).await.expect_problem(409, "undo_not_a_passage");

    let counts = w.counts().await;
    assert_eq!((&counts["scans"], &counts["admitted"], &counts["undone"]), (&json!(1), &json!(0), &json!(1)));
    assert_eq!((&counts["people_in"], &counts["inside"]), (&json!(0), &json!(0)));
    let scans = w.scans().await;
    assert_eq!((&scans[1]["reason"], &scans[1]["undoes"]), (&json!("undone"), &entered["scan_id"]));
    assert_eq!(scans[1]["note"], "wrong guest");
    // All four may come.
    let mut body = w.event.redeem_body(&text(&group["code"]));
    body["people"] = json!(4);
    assert_eq!(w.server.post(&path, &w.organiser.key, &body).await.expect(200)["reason"], "entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_online_is_refused_for_a_reason() {
    let w = world().await;
    let key = w.organiser.key_with(&w.server, "redeem").await;
    let reads = w.organiser.key_with(&w.server, "read").await;
    let code = text(&w.ticket(json!({})).await["code"]);
    let entered = w.event.redeem(&w.server, &key, &code).await;
    let refused = w.event.redeem(&w.server, &key, &code).await;
    w.undo(&w.organiser.key, &entered["scan_id"]).await.expect_problem(404, "undo_unknown");
    w.undo(&reads, &entered["scan_id"]).await.expect_problem(403, "scope_missing");
    w.undo(&key, &json!(new_id())).await.expect_problem(404, "undo_unknown");
    w.undo(&key, &refused["scan_id"]).await.expect_problem(409, "undo_not_a_passage");
    let path = format!("{}/scans/{}/undo", w.event.path, text(&entered["scan_id"]));
    let bad = json!({"scan_id": new_id(), "note": " "});
    w.server.post(&path, &key, &bad).await.expect_problem(422, "invalid_field");
    w.server.clock.advance(120_001);
    w.undo(&key, &entered["scan_id"]).await.expect_problem(409, "undo_too_late");
    let policy = json!({"policy": {"undo_seconds": 0}});
    let off = w.organiser.event_with(&w.server, policy).await;
    let ticket = w.organiser.ticket(&w.server, &off).await;
    let entered = off.redeem(&w.server, &key, &text(&ticket["code"])).await;
    let path = format!("{}/scans/{}/undo", off.path, text(&entered["scan_id"]));
    let body = json!({"scan_id": new_id(), "note": "wrong guest"});
    w.server.post(&path, &key, &body).await.expect_problem(409, "undo_off");
    // Another event's address does not reach it.
    let path = format!("{}/scans/{}/undo", w.event.path, text(&entered["scan_id"]));
    w.server.post(&path, &key, &body).await.expect_problem(404, "undo_unknown");
    let policy = json!({"name": "X", "starts_at": 0, "ends_at": 1, "time_zone": "UTC", "policy": {"undo_seconds": 3_601}});
    w.server.post("/v1/events", &w.organiser.key, &policy).await.expect_problem(422, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_brings_undos_and_forced_scans_and_other_doors_learn_of_them() {
    let w = world().await;
    let ticket = text(&w.ticket(json!({})).await["ticket_id"]);
    let mut north = w.organiser.supervisor_door(&w.server, &w.event).await;
    let mut south = w.organiser.door(&w.server, &w.event).await;
    let first = north.admit(&ticket, NOW);
    let second = south.admit(&ticket, NOW + 1_000);
    north.upload(&w.server, std::slice::from_ref(&first)).await.expect(200);
    south.upload(&w.server, std::slice::from_ref(&second)).await.expect(200);
    assert_eq!(w.conflicts().await, 1);
    // In the batch after its target, and in one batch with it.
    let undone = south.undo(&second, NOW + 2_000);
    let third = north.admit(&ticket, NOW + 3_000);
    let both = [north.undo(&third, NOW + 4_000), north.force(&ticket, NOW + 5_000, Reason::AlreadyUsed)];
    let sent = south.upload(&w.server, std::slice::from_ref(&undone)).await.expect(200);
    assert_eq!(verdicts(&sent), ["accepted"]);
    assert_eq!(w.conflicts().await, 0);
    let batch: Vec<ScanRecord> = [third].into_iter().chain(both).collect();
    let sent = north.upload(&w.server, &batch).await.expect(200);
    assert_eq!(verdicts(&sent), ["accepted"; 3]);
    let again = north.upload(&w.server, &batch).await.expect(200);
    assert_eq!(verdicts(&again), ["duplicate"; 3]);
    assert_eq!(w.conflicts().await, 0, "a forced admission is no conflict");
    let counts = w.counts().await;
    assert_eq!(
        (&counts["people_in"], &counts["undone"], &counts["forced"]),
        (&json!(2), &json!(2), &json!(1))
    );
    assert_eq!((&counts["scans"], &counts["admitted"]), (&json!(4), &json!(2)));

    let page = south.page(&w.server, &format!("ledger={}", south.ledger_id)).await;
    let passages = page["passages"].as_array().unwrap();
    assert_eq!(passages.len(), 4);
    assert_eq!(passages[2]["undoes"], batch[0].scan_id.to_string());
    assert_eq!(passages[3]["forced"], true);
    assert!(passages[0]["undoes"].is_null() && passages[0]["forced"].is_null());
    // And the server's own verdict knows it all.
    let code =
        w.server.get(&format!("{}/tickets/{ticket}", w.event.path), &w.organiser.key).await.expect(200);
    let verdict = w.event.redeem(&w.server, &w.organiser.key, &text(&code["code"])).await;
    assert_eq!(verdict["first_admission"]["scan_id"], first.scan_id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_overrules_or_takes_back_what_it_may_not_is_set_aside() {
    let w = world().await;
    let ticket = text(&w.ticket(json!({})).await["ticket_id"]);
    let other_ticket = text(&w.ticket(json!({})).await["ticket_id"]);
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let mut elsewhere = w.organiser.supervisor_door(&w.server, &w.event).await;
    let theirs = elsewhere.admit(&ticket, NOW);
    elsewhere.upload(&w.server, std::slice::from_ref(&theirs)).await.expect(200);
    let admitted = door.admit(&other_ticket, NOW + 1);
    let refused = door.scan(&ticket, NOW + 2, |scan| {
        scan.outcome = Outcome::Refuse;
        scan.reason = Reason::AlreadyUsed;
        scan.people = 0;
    });
    let aside = door.force(&ticket, NOW + 3, Reason::AlreadyUsed);
    let mut wrong_ticket = admitted.clone();
    wrong_ticket.ticket_id = Some(ticket.parse().unwrap());
    let mut batch = vec![admitted.clone(), refused.clone(), aside.clone()];
    batch.push(door.undo(&theirs, NOW + 4));
    batch.push(door.undo(&refused, NOW + 5));
    batch.push(door.undo(&aside, NOW + 6));
    batch.push(door.undo(&wrong_ticket, NOW + 7));
    let unmade = ScanRecord { scan_id: new_id().parse().unwrap(), ..admitted.clone() };
    batch.push(door.undo(&unmade, NOW + 8));
    // What says that it overruled, but not what; and what takes back without saying why.
    batch.push(door.scan(&other_ticket, NOW + 9, |scan| scan.reason = Reason::Forced));
    batch.push(door.scan(&other_ticket, NOW + 10, |scan| {
        scan.reason = Reason::Undone;
        scan.undoes = Some(admitted.scan_id);
    }));
    batch.push(door.undo(&admitted, NOW + 11));
    let again = door.undo(batch.last().unwrap(), NOW + 12);
    batch.push(again);
    let cancelled = elsewhere.force(&ticket, NOW + 13, Reason::Cancelled);
    let sent = elsewhere.upload(&w.server, &[cancelled]).await.expect(200);
    assert_eq!(verdicts(&sent), ["quarantined:malformed_scan"], "nobody overrules that");
    let sent = door.upload(&w.server, &batch).await.expect(200);
    assert_eq!(
        verdicts(&sent),
        [
            "accepted",
            "accepted",
            "quarantined:force_not_allowed",
            "quarantined:undo_unknown",
            "quarantined:undo_unknown",
            "quarantined:undo_unknown",
            "quarantined:undo_unknown",
            "quarantined:undo_unknown",
            "quarantined:malformed_scan",
            "quarantined:malformed_scan",
            "accepted",
            "quarantined:undo_unknown",
        ]
    );
    assert_eq!(w.counts().await["people_in"], 1, "only the other door's guest is left");
    let devices = w.server.get("/v1/devices", &w.organiser.key).await.expect(200);
    assert!(
        devices["items"].as_array().unwrap().iter().all(|device| device["ledgers"][0]["chain_ok"] == true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_takes_back_online_what_it_scanned_offline() {
    let w = world().await;
    let ticket = text(&w.ticket(json!({})).await["ticket_id"]);
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let admitted = door.admit(&ticket, NOW);
    door.upload(&w.server, std::slice::from_ref(&admitted)).await.expect(200);
    let undone = w.undo(&door.token, &json!(admitted.scan_id)).await.expect(200);
    assert_eq!(undone["remaining"], 1);
    // Its own ledger learns of it.
    let page = door.page(&w.server, &format!("ledger={}", door.ledger_id)).await;
    assert_eq!(page["passages"][0]["undoes"], admitted.scan_id.to_string());
    let path = format!("/v1/devices/{}", door.device_id);
    w.server.call("DELETE", &path, &w.organiser.key, &json!(null)).await.expect(204);
    w.undo(&door.token, &json!(admitted.scan_id)).await.expect_problem(403, "device_revoked");
}

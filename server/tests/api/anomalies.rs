//! Anomalies: found on ingest, kept, shown, resolved.

use liventix_core::ledger::record::{Fingerprint, ScanRecord};
use liventix_core::rules::{Confidence, Direction, Outcome, Reason};
use liventix_server::params;
use liventix_server::platform::config::Limits;
use liventix_server::platform::db::DbError;
use liventix_server::platform::rate_limit::Limit;
use serde_json::{Value, json};

use crate::support::{Door, Event, NOW, Organiser, Server, new_id, text, verdicts};

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
}

async fn world() -> World {
    world_with(json!({})).await
}

async fn world_with(settings: Value) -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event_with(&server, json!({ "anomaly": settings })).await;
    World { server, organiser, event }
}

impl World {
    async fn ticket(&self) -> String {
        text(&self.organiser.ticket(&self.server, &self.event).await["ticket_id"])
    }

    async fn door(&self) -> Door {
        self.organiser.door(&self.server, &self.event).await
    }

    async fn list(&self, query: &str) -> Vec<Value> {
        let path = format!("{}/anomalies?{query}", self.event.path);
        let page = self.server.get(&path, &self.organiser.key).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Those that are open, as `kind occurrences`.
    async fn open(&self) -> Vec<String> {
        let line = |it: &Value| format!("{} {}", it["kind"].as_str().unwrap(), it["occurrences"]);
        let mut open: Vec<String> = self.list("state=open").await.iter().map(line).collect();
        open.sort();
        open
    }

    /// The only one of a kind that is open, with its evidence.
    async fn only(&self, kind: &str) -> Value {
        let found = self.list(&format!("kind={kind}&state=open")).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let path = format!("{}/anomalies/{}", self.event.path, text(&found[0]["anomaly_id"]));
        self.server.get(&path, &self.organiser.key).await.expect(200)
    }

    async fn say(&self, anomaly: &Value, action: &str) -> Value {
        let path = format!("{}/anomalies/{}/{action}", self.event.path, text(&anomaly["anomaly_id"]));
        self.server.post(&path, &self.organiser.key, &json!({"note": "seen"})).await.expect(200)
    }

    async fn upload(&self, door: &Door, scans: &[ScanRecord]) {
        let sent = door.upload(&self.server, scans).await.expect(200);
        assert!(verdicts(&sent).iter().all(|verdict| verdict != "quarantined"), "{sent}");
    }

    /// A scan at the other gate.
    fn south(&self, door: &mut Door, ticket: &str, at: i64) -> ScanRecord {
        let gate = self.event.other_gate.parse().unwrap();
        door.scan(ticket, at, |scan| scan.gate_id = gate)
    }
}

/// A code whose signature does not fit.
fn forged(door: &mut Door, code: &str, at: i64) -> ScanRecord {
    door.scan(&new_id(), at, |scan| {
        scan.ticket_id = None;
        scan.fingerprint = Fingerprint::of(code);
        scan.outcome = Outcome::Refuse;
        scan.reason = Reason::BadSignature;
        scan.confidence = Confidence::Red;
        scan.people = 0;
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_evening_has_none() {
    let w = world().await;
    let mut door = w.door().await;
    let (one, two) = (w.ticket().await, w.ticket().await);
    let scans = [door.admit(&one, NOW), door.admit(&two, NOW + 5), forged(&mut door, "torn", NOW + 10)];
    w.upload(&door, &scans).await;
    assert!(w.list("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_forged_codes_is_one_anomaly_that_grows() {
    let w = world().await;
    let mut door = w.door().await;
    let first: Vec<_> =
        (0..4).map(|place| forged(&mut door, &format!("code {place}"), NOW + place * 1_000)).collect();
    w.upload(&door, &first).await;
    // One code again and again is a torn print.
    let torn: Vec<_> = (0..9).map(|place| forged(&mut door, "code 0", NOW + 5_000 + place)).collect();
    w.upload(&door, &torn).await;
    assert!(w.open().await.is_empty());
    let fifth = [forged(&mut door, "code 5", NOW + 6_000)];
    w.upload(&door, &fifth).await;
    assert_eq!(w.open().await, ["forged_code_burst 14"]);
    let more: Vec<_> =
        (0..20).map(|place| forged(&mut door, &format!("more {place}"), NOW + 7_000 + place)).collect();
    w.upload(&door, &more).await;
    door.upload(&w.server, &more).await.expect(200);
    let burst = w.only("forged_code_burst").await;
    assert_eq!((&burst["occurrences"], &burst["severity"]), (&json!(34), &json!("critical")));
    assert_eq!((&burst["first_seen"], &burst["last_seen"]), (&json!(NOW), &json!(NOW + 7_019)));
    assert_eq!(burst["subject"]["name"], "North gate 1");
    assert_eq!(burst["subject"]["id"], door.device_id.to_string());
    assert_eq!(burst["sentence"], "34 codes that are not authentic were shown at North gate 1.");
    // The first ten and the latest ten, with the names of where they were shown.
    let evidence = burst["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), 20);
    assert_eq!(evidence[0]["scans"][0]["scan_id"], first[0].scan_id.to_string());
    assert_eq!(evidence[19]["scans"][0]["scan_id"], more[19].scan_id.to_string());
    assert_eq!(burst["names"][&w.event.gate], "North gate");
    // A torn code an hour later does not belong to it.
    let later = [forged(&mut door, "later", NOW + 3_600_000)];
    w.upload(&door, &later).await;
    assert_eq!(w.only("forged_code_burst").await["occurrences"], 34);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_over_several_devices_is_the_gates_and_online_scanners_count() {
    let w = world_with(json!({"forged": {"per_gate": 4}})).await;
    let (mut one, mut two) = (w.door().await, w.door().await);
    let scans = [forged(&mut one, "a", NOW), forged(&mut one, "b", NOW + 1)];
    w.upload(&one, &scans).await;
    let third = [forged(&mut two, "c", NOW + 2)];
    w.upload(&two, &third).await;
    let code = text(&w.organiser.ticket(&w.server, &w.event).await["code"]);
    // Another letter in the signature: well formed, not authentic.
    let (head, last) = code.split_at(code.len() - 4);
    let altered = format!("{head}{}", last.chars().rev().collect::<String>());
    let refused = w.event.redeem(&w.server, &w.organiser.key, &altered).await;
    assert_eq!(refused["reason"], "bad_signature", "{refused}");
    let burst = w.only("forged_code_burst").await;
    assert_eq!((&burst["occurrences"], &burst["subject"]["name"]), (&json!(4), &json!("North gate")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_opens_an_anomaly_that_closes_when_the_merge_finds_none() {
    let w = world().await;
    let ticket = w.ticket().await;
    let (mut one, mut two) = (w.door().await, w.door().await);
    let first = one.admit(&ticket, NOW);
    let second = two.admit(&ticket, NOW + 60_000);
    w.upload(&two, std::slice::from_ref(&second)).await;
    w.upload(&one, std::slice::from_ref(&first)).await;
    let found = w.only("conflicting_admissions").await;
    assert_eq!(
        found["sentence"],
        "1 admission too many with the ticket of Mateo Vasquez: doors did not know of each other."
    );
    assert_eq!((&found["subject"]["kind"], &found["subject"]["id"]), (&json!("ticket"), &json!(ticket)));
    let sides = &found["evidence"][0]["scans"];
    assert_eq!(sides[0]["scan_id"], first.scan_id.to_string());
    assert_eq!(sides[1]["scan_id"], second.scan_id.to_string());
    assert_eq!((&sides[1]["at"], &sides[1]["error_ms"]), (&json!(NOW + 60_000), &json!(20)));
    let undo = two.undo(&second, NOW + 90_000);
    w.upload(&two, &[undo]).await;
    assert!(w.open().await.is_empty());
    let closed = &w.list("state=resolved").await[0];
    assert_eq!(closed["anomaly_id"], found["anomaly_id"]);
    assert_eq!(closed["resolved"]["by"]["kind"], "liventix");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_resolved_stays_so_until_something_else_is_found() {
    let w = world().await;
    let ticket = w.ticket().await;
    let mut door = w.door().await;
    let scans = [door.admit(&ticket, NOW), door.admit(&ticket, NOW + 1_000)];
    w.upload(&door, &scans).await;
    let found = w.only("conflicting_admissions").await;
    let seen = w.say(&found, "acknowledge").await;
    assert_eq!((&seen["state"], &seen["acknowledged"]["note"]), (&json!("acknowledged"), &json!("seen")));
    assert_eq!(seen["acknowledged"]["by"]["kind"], "api_key");
    let path = format!("{}/anomalies/{}", w.event.path, text(&found["anomaly_id"]));
    let note = json!({"note": "again"});
    // Somebody else takes over.
    let again = w.server.post(&format!("{path}/acknowledge"), &w.organiser.key, &note).await.expect(200);
    assert_eq!(again["acknowledged"]["note"], "again");
    let done = w.say(&found, "resolve").await;
    assert_eq!((&done["state"], &done["resolved"]["note"]), (&json!("resolved"), &json!("seen")));
    for action in ["acknowledge", "resolve"] {
        let again = w.server.post(&format!("{path}/{action}"), &w.organiser.key, &note).await;
        again.expect_problem(409, "already_resolved");
    }
    // The rules of the type are written again: the merge finds the same.
    let types = format!("{}/ticket-types/{}", w.event.path, w.event.day);
    for entries in [2, 1] {
        let body = json!({"name": "Day", "entry": {"max_entries": entries}});
        w.server.call("PUT", &types, &w.organiser.key, &body).await.expect(200);
    }
    assert!(w.open().await.is_empty());
    let third = door.admit(&ticket, NOW + 2_000);
    w.upload(&door, &[third]).await;
    assert_eq!(w.open().await, ["conflicting_admissions 2"]);
    assert_ne!(w.only("conflicting_admissions").await["anomaly_id"], found["anomaly_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_settled_with_a_note_that_outlives_the_merge() {
    let w = world().await;
    let ticket = w.ticket().await;
    let mut door = w.door().await;
    let scans = [door.admit(&ticket, NOW), door.admit(&ticket, NOW + 1_000)];
    w.upload(&door, &scans).await;
    let conflicts = format!("{}/conflicts", w.event.path);
    let path = format!("{conflicts}/{}/resolve", scans[1].scan_id);
    let note = json!({"note": "twins, let in by mistake"});
    let read = w.organiser.key_with(&w.server, "read").await;
    w.server.post(&path, &read, &note).await.expect_problem(403, "scope_missing");
    w.server.post(&path, &w.organiser.key, &json!({"note": ""})).await.expect_problem(422, "invalid_field");
    let standing = format!("{conflicts}/{}/resolve", scans[0].scan_id);
    w.server.post(&standing, &w.organiser.key, &note).await.expect_problem(404, "conflict_not_found");
    let settled = w.server.post(&path, &w.organiser.key, &note).await.expect(200);
    assert_eq!(settled["resolution"]["note"], "twins, let in by mistake");
    w.server.post(&path, &w.organiser.key, &note).await.expect_problem(409, "already_resolved");
    // So is the anomaly about it.
    assert!(w.open().await.is_empty());
    assert_eq!(w.list("state=resolved").await[0]["resolved"]["note"], "twins, let in by mistake");
    // The merge rewrites its conflicts; the note stays.
    let third = door.admit(&ticket, NOW + 2_000);
    w.upload(&door, std::slice::from_ref(&third)).await;
    for (state, scan) in [("resolved", &scans[1].scan_id), ("open", &third.scan_id)] {
        let page = w.server.get(&format!("{conflicts}?state={state}"), &w.organiser.key).await.expect(200);
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{state}");
        assert_eq!(page["items"][0]["excess"]["scan_id"], scan.to_string(), "{state}");
        assert_eq!(page["items"][0]["resolution"].is_object(), state == "resolved");
    }
    let counts = w.event.counts(&w.server, &w.organiser).await;
    assert_eq!((&counts["conflicts"], &counts["conflicts_open"]), (&json!(2), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ticket_at_two_gates_faster_than_walking() {
    let w = world().await;
    let types = format!("{}/ticket-types/{}", w.event.path, w.event.day);
    let pass = json!({"name": "Day", "entry": {"max_entries": null, "reentry": "after_exit"}});
    w.server.call("PUT", &types, &w.organiser.key, &pass).await.expect(200);
    let (mut one, mut two) = (w.door().await, w.door().await);
    let (fast, slow, unsure) = (w.ticket().await, w.ticket().await, w.ticket().await);
    // Out at one gate, in at the other: too fast, slow enough, and perhaps slow enough.
    let mut north = Vec::new();
    for ticket in [&fast, &slow, &unsure] {
        north.push(one.scan(ticket, NOW, |scan| scan.direction = Direction::Exit));
    }
    w.upload(&one, &north).await;
    let gate = w.event.other_gate.parse().unwrap();
    let unsure_scan = two.scan(&unsure, NOW + 10_000, |scan| {
        scan.gate_id = gate;
        scan.error_ms = Some(9_980);
    });
    let south = [w.south(&mut two, &fast, NOW + 10_000), w.south(&mut two, &slow, NOW + 20_000), unsure_scan];
    w.upload(&two, &south).await;
    assert_eq!(w.open().await, ["impossible_travel 1"]);
    let found = w.only("impossible_travel").await;
    assert_eq!(found["subject"]["id"], fast);
    let evidence = &found["evidence"][0];
    assert_eq!((&evidence["found"], &evidence["apart_ms"]), (&json!("too_fast"), &json!(10_040)));
    assert_eq!(evidence["scans"][0]["gate_id"], w.event.gate);
    assert_eq!(evidence["scans"][1]["gate_id"], w.event.other_gate);
    assert_eq!(evidence["scans"][0]["device_id"], one.device_id.to_string());
    assert_eq!(found["names"][&w.event.other_gate], "South gate");
    assert_eq!(found["names"][two.device_id.to_string()], "North gate 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_ticket_shown_online_at_another_gate_was_copied() {
    let w = world().await;
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    w.event.redeem(&w.server, &w.organiser.key, &text(&ticket["code"])).await;
    w.server.clock.advance(5_000);
    let mut body = w.event.redeem_body(&text(&ticket["code"]));
    body["gate_id"] = json!(w.event.other_gate);
    let path = format!("{}/redeem", w.event.path);
    let south = w.organiser.key_with(&w.server, "redeem").await;
    let refused = w.server.post(&path, &south, &body).await.expect(200);
    assert_eq!(refused["reason"], "already_used");
    assert_eq!(w.open().await, ["impossible_travel 1"]);
    // Gates side by side: nothing is impossible there.
    let walks = json!([{"gate_ids": [w.event.other_gate, w.event.gate], "seconds": 0}]);
    let settings = json!({"anomaly": {"travel": {"walks": walks}}});
    w.server.call("PATCH", &w.event.path, &w.organiser.key, &settings).await.expect(200);
    let other = w.organiser.ticket(&w.server, &w.event).await;
    w.event.redeem(&w.server, &w.organiser.key, &text(&other["code"])).await;
    let mut body = w.event.redeem_body(&text(&other["code"]));
    body["gate_id"] = json!(w.event.other_gate);
    w.server.post(&path, &south, &body).await.expect(200);
    assert_eq!(w.open().await, ["impossible_travel 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_is_told_and_a_reboot_is_not() {
    let w = world().await;
    let mut door = w.door().await;
    let tickets = [w.ticket().await, w.ticket().await, w.ticket().await];
    let scans = [
        door.admit(&tickets[0], NOW),
        // Switched off and on: the monotonic clock starts again, the server's time is known less well.
        door.scan(&tickets[1], NOW + 600_000, |scan| {
            scan.mono_ms = 1_000;
            scan.error_ms = Some(5_020);
        }),
        // Set back an hour: the device knows, and corrects it.
        door.scan(&tickets[2], NOW + 630_000, |scan| {
            scan.wall_ms -= 3_600_000;
            scan.offset_ms = 3_600_000;
            scan.mono_ms = 31_000;
        }),
    ];
    w.server.clock.advance(700_000);
    w.upload(&door, &scans[..2]).await;
    assert!(w.open().await.is_empty());
    w.upload(&door, &scans[2..]).await;
    let found = w.only("device_clock_jump").await;
    assert_eq!((&found["severity"], &found["subject"]["kind"]), (&json!("warning"), &json!("ledger")));
    assert_eq!(found["sentence"], "The clock of North gate 1 was set, 1 time.");
    assert_eq!(found["evidence"][0]["moved_ms"], -3_600_000);
    assert_eq!(found["evidence"][0]["scans"][0]["scan_id"], scans[1].scan_id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_closes_when_it_is_filled_and_a_fork_never_does() {
    let w = world().await;
    let mut door = w.door().await;
    let mut scans = Vec::new();
    for place in 0..4 {
        scans.push(door.admit(&w.ticket().await, NOW + place));
    }
    w.upload(&door, &[scans[0].clone(), scans[3].clone()]).await;
    let gap = w.only("chain_broken").await;
    assert_eq!((&gap["severity"], &gap["occurrences"]), (&json!("notice"), &json!(1)));
    let evidence = &gap["evidence"][0];
    assert_eq!(
        (&evidence["broken"], &evidence["missing_from"], &evidence["seq"]),
        (&json!("gap"), &json!(2), &json!(4))
    );
    let ledger = |devices: Value| devices["items"][0]["ledgers"][0].clone();
    let before = ledger(w.server.get("/v1/devices", &w.organiser.key).await.expect(200));
    assert_eq!((&before["chain_ok"], &before["first_break_seq"]), (&json!(false), &json!(4)));
    w.upload(&door, &scans[1..3]).await;
    assert!(w.open().await.is_empty());
    assert_eq!(w.list("state=resolved").await[0]["anomaly_id"], gap["anomaly_id"]);
    let after = ledger(w.server.get("/v1/devices", &w.organiser.key).await.expect(200));
    assert_eq!((&after["chain_ok"], &after["last_seq"]), (&json!(true), &json!(4)));
    // Another scan at the third place: the ledger was copied, or set back.
    let (seq, prev) = (scans[2].seq, scans[2].prev_hash);
    let fork = door.scan(&w.ticket().await, NOW + 9, |scan| {
        scan.seq = seq;
        scan.prev_hash = prev;
    });
    w.upload(&door, &[fork]).await;
    let found = w.only("chain_broken").await;
    assert_eq!((&found["severity"], &found["evidence"][0]["broken"]), (&json!("critical"), &json!("fork")));
    assert_eq!(found["evidence"][0]["scans"].as_array().unwrap().len(), 3);
}

/// As a database has it that moved up from an earlier version.
#[tokio::test(flavor = "multi_thread")]
async fn ledgers_from_before_go_on_as_they_were_noted() {
    let w = world().await;
    let (mut whole, mut broken) = (w.door().await, w.door().await);
    let first = [whole.admit(&w.ticket().await, NOW), whole.admit(&w.ticket().await, NOW + 1)];
    let other = [broken.admit(&w.ticket().await, NOW), broken.admit(&w.ticket().await, NOW + 1)];
    w.upload(&whole, &first).await;
    w.upload(&broken, &other).await;
    let ledger = broken.ledger_id;
    let moved: Result<u64, DbError> = w
        .server
        .place
        .open()
        .await
        .write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE ledgers SET chain_ok = 0, first_break_seq = 2 WHERE ledger_id = $1";
                tx.execute(sql, params![ledger]).await?;
                tx.execute("UPDATE ledgers SET runs = ''", &[]).await
            })
        })
        .await;
    assert_eq!(moved.unwrap(), 2);
    let third = [whole.admit(&w.ticket().await, NOW + 2)];
    w.upload(&whole, &third).await;
    let third = [broken.admit(&w.ticket().await, NOW + 2)];
    w.upload(&broken, &third).await;
    assert!(w.open().await.is_empty());
    let devices = w.server.get("/v1/devices", &w.organiser.key).await.expect(200);
    let chains: Vec<(&Value, &Value)> = devices["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| (&device["ledgers"][0]["chain_ok"], &device["ledgers"][0]["first_break_seq"]))
        .collect();
    assert!(chains.contains(&(&json!(true), &json!(null))) && chains.contains(&(&json!(false), &json!(2))));
    // What follows the whole one is still told.
    whole.admit(&w.ticket().await, NOW + 3);
    let fifth = [whole.admit(&w.ticket().await, NOW + 4)];
    w.upload(&whole, &fifth).await;
    assert_eq!(w.open().await, ["chain_broken 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_over_its_limit_is_one_growing_anomaly() {
    let limits = Limits { redeem: Limit::per_minute(2), ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let w = World { server, organiser, event };
    let path = format!("{}/redeem", w.event.path);
    for place in 0..12 {
        let reply = w.server.post(&path, &w.organiser.key, &w.event.redeem_body("hello")).await;
        assert_eq!(reply.status, if place < 2 { 200 } else { 429 });
    }
    assert_eq!(w.open().await, ["scanner_over_limit 1"]);
    w.server.clock.advance(10_000);
    w.server
        .post(&path, &w.organiser.key, &w.event.redeem_body("hello"))
        .await
        .expect_problem(429, "rate_limited");
    // One note, and all that came since.
    let found = w.only("scanner_over_limit").await;
    assert_eq!((&found["occurrences"], &found["severity"]), (&json!(11), &json!("notice")));
    assert_eq!(found["evidence"].as_array().unwrap().len(), 2);
    // An event of nobody's, or of somebody else: the same 429, and no trace.
    let stranger = Organiser::create(&w.server, "B").await;
    for _ in 0..3 {
        w.server.post(&path, &stranger.key, &w.event.redeem_body("hello")).await;
    }
    assert_eq!(w.open().await, ["scanner_over_limit 11"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_that_goes_on_and_scans_from_the_future() {
    let w = world().await;
    let (mut stolen, mut wrong) = (w.door().await, w.door().await);
    let path = format!("/v1/devices/{}", stolen.device_id);
    w.server.call("DELETE", &path, &w.organiser.key, &json!(null)).await.expect(204);
    let scans = [stolen.admit(&w.ticket().await, NOW + 1), stolen.admit(&w.ticket().await, NOW + 2)];
    for _ in 0..2 {
        let sent = stolen.upload(&w.server, &scans).await.expect(200);
        assert_eq!(verdicts(&sent), ["quarantined:device_revoked", "quarantined:device_revoked"]);
    }
    let found = w.only("revoked_device_scans").await;
    assert_eq!((&found["occurrences"], &found["severity"]), (&json!(2), &json!("critical")));
    assert_eq!(found["evidence"][0]["revoked_at"], NOW);
    let hour = 3_600_000;
    let dated = [
        wrong.admit(&w.ticket().await, NOW + 4 * 60_000),
        wrong.scan(&w.ticket().await, NOW + hour, |scan| scan.error_ms = Some(hour)),
        wrong.admit(&w.ticket().await, NOW + hour),
    ];
    w.upload(&wrong, &dated).await;
    let found = w.only("scan_time_implausible").await;
    assert_eq!(found["occurrences"], 1);
    assert_eq!(found["evidence"][0]["scans"][0]["scan_id"], dated[2].scan_id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_changed_whole_and_checked() {
    let w = world_with(json!({"clock_jump_seconds": 60})).await;
    let shown = w.server.get(&w.event.path, &w.organiser.key).await.expect(200);
    let default = json!({
        "forged": {"window_seconds": 300, "per_device": 5, "per_gate": 10, "per_event": 20},
        "travel": {"min_seconds": 20, "walks": []}, "clock_jump_seconds": 60,
    });
    assert_eq!(shown["anomaly"], default);
    let (gate, other) = (&w.event.gate, &w.event.other_gate);
    let walk = |from: &str, to: &str| json!({"gate_ids": [from, to], "seconds": 60});
    for (settings, code) in [
        (json!({"forged": {"window_seconds": 9}}), "invalid_field"),
        (json!({"forged": {"per_device": 1}}), "invalid_field"),
        (json!({"travel": {"min_seconds": 3_601}}), "invalid_field"),
        (json!({"clock_jump_seconds": 1}), "invalid_field"),
        (json!({"travel": {"walks": [walk(gate, gate)]}}), "invalid_field"),
        (json!({"travel": {"walks": [walk(gate, &new_id())]}}), "invalid_field"),
        (json!({"travel": {"walks": [walk(gate, other), walk(other, gate)]}}), "invalid_field"),
        (json!({"typo": 1}), "invalid_body"),
    ] {
        let body = json!({ "anomaly": settings });
        let reply = w.server.call("PATCH", &w.event.path, &w.organiser.key, &body).await;
        reply.expect_problem(422, code);
    }
    let settings = json!({"anomaly": {"travel": {"walks": [walk(gate, other)]}}});
    let changed = w.server.call("PATCH", &w.event.path, &w.organiser.key, &settings).await.expect(200);
    assert_eq!(changed["anomaly"]["travel"]["walks"][0]["seconds"], 60);
    assert_eq!(changed["anomaly"]["clock_jump_seconds"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_and_filtered() {
    let w = world().await;
    let mut door = w.door().await;
    for place in 0..3 {
        let ticket = w.ticket().await;
        let scans = [door.admit(&ticket, NOW + place), door.admit(&ticket, NOW + place + 100)];
        w.upload(&door, &scans).await;
    }
    let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let path = format!("{}/anomalies?{query}", w.event.path);
        let page = w.server.get(&path, &w.organiser.key).await.expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|it| text(&it["anomaly_id"])));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
    assert!(w.list("kind=forged_code_burst").await.is_empty());
    let path = format!("{}/anomalies?kind=odd", w.event.path);
    w.server.get(&path, &w.organiser.key).await.expect_problem(400, "invalid_query");
    let path = format!("{}/anomalies/{}", w.event.path, new_id());
    w.server.get(&path, &w.organiser.key).await.expect_problem(404, "anomaly_not_found");
}

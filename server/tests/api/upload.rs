//! What devices hand in: receipts, quarantine, merge.

use liventix_core::rules::Outcome;
use liventix_server::platform::config::Limits;
use liventix_server::platform::rate_limit::Limit;
use serde_json::{Value, json};

use crate::support::{Event, NOW, Organiser, Server, new_id, text, verdicts};

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
    async fn ticket(&self) -> String {
        text(&self.organiser.ticket(&self.server, &self.event).await["ticket_id"])
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let page = self.server.get(path, &self.organiser.key).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    async fn conflicts(&self) -> Vec<Value> {
        self.list(&format!("{}/conflicts", self.event.path)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_repeated_whole_or_in_part_counts_once() {
    let w = world().await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let mut scans = Vec::new();
    for place in 0..5 {
        scans.push(door.admit(&w.ticket().await, NOW + place));
    }
    let first = door.upload(&w.server, &scans[..3]).await.expect(200);
    assert_eq!(verdicts(&first), ["accepted", "accepted", "accepted"]);
    let again = door.upload(&w.server, &scans[1..]).await.expect(200);
    assert_eq!(verdicts(&again), ["duplicate", "duplicate", "accepted", "accepted"]);
    assert_eq!(again["receipts"][0]["scan_id"], scans[1].scan_id.to_string());
    let counts = w.event.counts(&w.server, &w.organiser).await;
    assert_eq!((counts["scans"].as_i64(), counts["people_in"].as_i64()), (Some(5), Some(5)));
    let devices = w.list("/v1/devices").await;
    let ledger = &devices[0]["ledgers"][0];
    assert_eq!((&ledger["chain_ok"], &ledger["last_seq"]), (&json!(true), &json!(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_scan_is_set_aside_under_its_code_and_none_holds_up_the_rest() {
    let w = world().await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let mut other_door = w.organiser.door(&w.server, &w.event).await;
    let other_event = w.organiser.event(&w.server).await;
    let ticket = w.ticket().await;
    let elsewhere = text(&w.organiser.ticket(&w.server, &other_event).await["ticket_id"]);
    let good = door.admit(&ticket, NOW);
    let mut altered = door.admit(&ticket, NOW + 1);
    altered.people = 9;
    let foreign = other_door.admit(&ticket, NOW + 2);
    let other = other_event.id.parse().unwrap();
    let unassigned = door.scan(&ticket, NOW + 3, |scan| scan.event_id = other);
    let nowhere = other_event.gate.parse().unwrap();
    let no_gate = door.scan(&ticket, NOW + 4, |scan| scan.gate_id = nowhere);
    let unknown = door.admit(&new_id(), NOW + 5);
    let foreign_ticket = door.admit(&elsewhere, NOW + 6);
    let refused = door.scan(&new_id(), NOW + 7, |scan| {
        scan.outcome = Outcome::Refuse;
        scan.people = 0;
    });
    let clash = door.scan(&ticket, NOW + 8, |scan| scan.scan_id = good.scan_id);
    let value = |scan| serde_json::to_value(scan).unwrap();
    let malformed = json!({"scan_id": new_id(), "seq": "nine", "from_the_future": [1, 2]});
    let batch: Vec<Value> =
        [&good, &altered, &foreign, &unassigned, &no_gate, &unknown, &foreign_ticket, &refused, &clash]
            .into_iter()
            .map(value)
            .chain([malformed])
            .collect();
    let wanted = [
        "accepted",
        "quarantined:hash_mismatch",
        "quarantined:foreign_device",
        "quarantined:event_not_assigned",
        "quarantined:unknown_gate",
        "quarantined:unknown_ticket",
        "quarantined:unknown_ticket",
        "accepted",
        "quarantined:scan_id_conflict",
        "quarantined:malformed_scan",
    ];
    assert_eq!(verdicts(&door.upload_values(&w.server, batch.clone()).await.expect(200)), wanted);
    // Again: the same receipts, and not one row more.
    let again = verdicts(&door.upload_values(&w.server, batch).await.expect(200));
    assert_eq!(again[1..7], wanted[1..7]);
    assert_eq!((again[0].as_str(), again[7].as_str()), ("duplicate", "duplicate"));
    let aside = w.list("/v1/quarantine").await;
    assert_eq!(aside.len(), 8);
    assert!(aside.iter().all(|row| row["record"].is_object() && row["code"].is_string()));
    assert_eq!(w.event.counts(&w.server, &w.organiser).await["people_in"], 1);
    let no_id = door.upload_values(&w.server, vec![json!({"seq": 1})]).await;
    no_id.expect_problem(422, "invalid_field");
    door.upload_values(&w.server, vec![]).await.expect_problem(422, "invalid_field");
    door.upload_values(&w.server, vec![json!({}); 1_001]).await.expect_problem(422, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_uploads_never_changes_which_admission_stands() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let w = world().await;
        let ticket = w.ticket().await;
        let mut doors = Vec::new();
        let mut scans = Vec::new();
        for place in 0..3 {
            let mut door = w.organiser.door(&w.server, &w.event).await;
            scans.push(door.admit(&ticket, NOW + place * 1_000));
            doors.push(door);
        }
        for place in order {
            doors[place].upload(&w.server, &scans[place..=place]).await.expect(200);
        }
        let conflicts = w.conflicts().await;
        assert_eq!(conflicts.len(), 2, "{order:?}");
        for conflict in &conflicts {
            assert_eq!(conflict["standing"]["scan_id"], scans[0].scan_id.to_string(), "{order:?}");
            assert_eq!(conflict["standing"]["gate_name"], "North gate");
            assert_eq!(conflict["excess"]["device_name"], "North gate 1");
            assert_eq!(conflict["attendee_name"], "Mateo Vasquez");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_follow_the_rules_of_the_ticket_type() {
    let w = world().await;
    let ticket = w.ticket().await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let scans = [door.admit(&ticket, NOW), door.admit(&ticket, NOW + 1)];
    door.upload(&w.server, &scans).await.expect(200);
    assert_eq!(w.conflicts().await.len(), 1);
    let path = format!("{}/ticket-types/{}", w.event.path, w.event.day);
    let pass = json!({"name": "Day", "entry": {"max_entries": 2}});
    w.server.call("PUT", &path, &w.organiser.key, &pass).await.expect(200);
    assert_eq!(w.conflicts().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_or_a_fork_in_the_chain_is_noted_and_nothing_refused() {
    let w = world().await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let scans = [
        door.admit(&w.ticket().await, NOW),
        door.admit(&w.ticket().await, NOW),
        door.admit(&w.ticket().await, NOW),
    ];
    let sent = door.upload(&w.server, &[scans[0].clone(), scans[2].clone()]).await.expect(200);
    assert_eq!(verdicts(&sent), ["accepted", "accepted"]);
    let ledger = w.list("/v1/devices").await[0]["ledgers"][0].clone();
    assert_eq!((&ledger["chain_ok"], &ledger["first_break_seq"]), (&json!(false), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_may_hand_in_what_it_scanned_before_and_nothing_else() {
    let w = world().await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let before = door.admit(&w.ticket().await, NOW - 1_000);
    let after = door.admit(&w.ticket().await, NOW + 1_000);
    let path = format!("/v1/devices/{}", door.device_id);
    w.server.call("DELETE", &path, &w.organiser.key, &json!(null)).await.expect(204);
    w.server.call("DELETE", &path, &w.organiser.key, &json!(null)).await.expect(204);
    let sent = door.upload(&w.server, &[before, after]).await.expect(200);
    assert_eq!(verdicts(&sent), ["accepted", "quarantined:device_revoked"]);
    for path in [
        "assignments".to_owned(),
        format!("events/{}/keys", w.event.id),
        format!("events/{}/manifest", w.event.id),
    ] {
        let reply = w.server.get(&format!("/v1/door/{path}"), &door.token).await;
        reply.expect_problem(403, "device_revoked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_scans_go_up_in_one_request() {
    let w = world().await;
    w.organiser.import(&w.server, &w.event, 1_000).await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let page = door.page(&w.server, "").await;
    let scans: Vec<_> = page["tickets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| door.admit(&text(&ticket["ticket_id"]), NOW))
        .collect();
    assert_eq!(scans.len(), 1_000);
    let started = std::time::Instant::now();
    let sent = door.upload(&w.server, &scans).await.expect(200);
    println!("1 000 scans took {:?}", started.elapsed());
    assert!(verdicts(&sent).iter().all(|verdict| verdict == "accepted"));
    assert_eq!(w.event.counts(&w.server, &w.organiser).await["people_in"], 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_names_another_organisers_event_does_not_show_there() {
    let w = world().await;
    let stranger = Organiser::create(&w.server, "B").await;
    let own = stranger.event(&w.server).await;
    let door = stranger.door(&w.server, &own).await;
    let scan = json!({"scan_id": new_id(), "event_id": w.event.id});
    let receipts = door.upload_values(&w.server, vec![scan]).await.expect(200);
    assert_eq!(verdicts(&receipts), ["quarantined:malformed_scan"]);
    assert_eq!(w.event.counts(&w.server, &w.organiser).await["quarantined"], 0);
    assert!(w.list("/v1/quarantine").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_fills_neither_disk_nor_time() {
    let limits = Limits { upload: Limit::per_minute(22), ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let door = organiser.door(&server, &event).await;
    let junk = |count| (0..count).map(|_| json!({"scan_id": new_id()})).collect::<Vec<Value>>();
    let long = json!({"scan_id": new_id(), "noise": "x".repeat(100_000)});
    door.upload_values(&server, vec![long.clone()]).await.expect(200);
    let again = door.upload_values(&server, vec![long]).await.expect(200);
    assert_eq!(verdicts(&again), ["quarantined:malformed_scan"]);
    let aside = server.get("/v1/quarantine", &organiser.key).await.expect(200);
    assert_eq!(aside["items"].as_array().unwrap().len(), 1);
    assert!(aside.to_string().len() < 1_000);
    for _ in 0..19 {
        door.upload_values(&server, junk(1_000)).await.expect(200);
    }
    door.upload_values(&server, junk(1_000)).await.expect_problem(409, "too_many");
    door.upload_values(&server, junk(1)).await.expect_problem(429, "rate_limited");
    server.clock.advance(60_001);
    door.upload_values(&server, junk(999)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_revoked_while_it_uploads_is_revoked() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let w = world().await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let scan = door.admit(&w.ticket().await, NOW + 1);
    let body = json!({"ledger_id": door.ledger_id, "scans": [scan]}).to_string();
    let head = format!(
        "POST /v1/door/scans HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        door.token,
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(w.server.addr).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body once it knows who sends it.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 Continue"));
    let path = format!("/v1/devices/{}", door.device_id);
    w.server.call("DELETE", &path, &w.organiser.key, &json!(null)).await.expect(204);
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("device_revoked"), "{answer}");
}

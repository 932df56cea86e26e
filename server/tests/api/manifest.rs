//! What devices download.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{NOW, Organiser, Server, client, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gets_its_event_page_by_page_and_then_only_what_changes() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    organiser.import(&server, &event, 25).await;
    let mut door = organiser.door(&server, &event).await;
    let assigned = server.get("/v1/door/assignments", &door.token).await.expect(200);
    assert_eq!(assigned["assignments"][0]["event_name"], "Harbour Lights");
    let keys = server.get(&format!("/v1/door/events/{}/keys", event.id), &door.token).await.expect(200);
    assert_eq!((&keys["version"], keys["keys"].as_array().unwrap().len()), (&json!(1), 1));
    let (mut cursor, mut seen, mut pages) = (json!(0), BTreeSet::new(), 0);
    loop {
        let page = door.page(&server, &format!("cursor={cursor}&limit=10")).await;
        assert_eq!(page["pending_rows"], 25 - seen.len());
        pages += 1;
        seen.extend(page["tickets"].as_array().unwrap().iter().map(|ticket| text(&ticket["ticket_id"])));
        cursor = page["next_cursor"].clone();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!((pages, seen.len()), (3, 25));
    let nothing = door.page(&server, &format!("cursor={cursor}")).await;
    assert!(nothing["event"].is_null() && nothing["tickets"] == json!([]));
    // One ticket blocked, one passage of our own, one of another door: one ticket and one passage come.
    let ticket = seen.first().unwrap();
    let path = format!("{}/tickets/{ticket}/revoke", event.path);
    server.post(&path, &organiser.key, &json!(null)).await.expect(200);
    let own = door.admit(ticket, NOW);
    door.upload(&server, &[own]).await.expect(200);
    let mut other = organiser.door(&server, &event).await;
    let foreign = other.admit(ticket, NOW);
    other.upload(&server, std::slice::from_ref(&foreign)).await.expect(200);
    let delta = door.page(&server, &format!("cursor={cursor}&ledger={}", door.ledger_id)).await;
    assert_eq!(
        (delta["tickets"][0]["status"].as_str(), delta["tickets"].as_array().unwrap().len()),
        (Some("revoked"), 1)
    );
    assert_eq!(delta["passages"].as_array().unwrap().len(), 1);
    assert_eq!(delta["passages"][0]["scan_id"], foreign.scan_id.to_string());
    // A ledger that starts anew on the same device needs the device's own passages as well.
    let anew = door.page(&server, &format!("cursor={cursor}&ledger={}", event.id)).await;
    assert_eq!(anew["passages"].as_array().unwrap().len(), 2);
    let whole = door.page(&server, &format!("cursor={cursor}")).await;
    assert_eq!(whole["passages"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_from_nowhere_are_refused() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let door = organiser.door(&server, &event).await;
    for cursor in ["-1", "999999", "abc", "1.5", "99999999999999999999", ""] {
        door.try_page(&server, &format!("cursor={cursor}")).await.expect_problem(422, "unknown_cursor");
    }
    for query in ["limit=0", "limit=5001", "wait=31", "limit=x"] {
        door.try_page(&server, query).await.expect_problem(400, "invalid_query");
    }
    let other = organiser.event(&server).await;
    let path = format!("/v1/door/events/{}/manifest", other.id);
    server.get(&path, &door.token).await.expect_problem(403, "event_not_assigned");
}

/// A device that pages while tickets are issued, blocked and scanned ends up with the server's state,
/// whatever the page size and wherever the changes fall.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn paging_under_change_misses_nothing() {
    for limit in [1, 3, 7] {
        let server = Server::start().await;
        let organiser = Organiser::create(&server, "A").await;
        let event = organiser.event(&server).await;
        organiser.import(&server, &event, 12).await;
        let reader = organiser.door(&server, &event).await;
        let mut scanner = organiser.door(&server, &event).await;
        let (mut cursor, mut tickets, mut passages) = (json!(0), BTreeMap::new(), BTreeSet::new());
        let mut made = 0;
        for round in 0..80 {
            let page = reader.page(&server, &format!("cursor={cursor}&limit={limit}")).await;
            for ticket in page["tickets"].as_array().unwrap() {
                tickets.insert(text(&ticket["ticket_id"]), text(&ticket["status"]));
            }
            for passage in page["passages"].as_array().unwrap() {
                assert!(passages.insert(text(&passage["scan_id"])), "a passage came twice");
            }
            cursor = page["next_cursor"].clone();
            if round < 20 {
                let new = text(&organiser.ticket(&server, &event).await["ticket_id"]);
                let scan = scanner.admit(&new, NOW + round);
                scanner.upload(&server, &[scan]).await.expect(200);
                let known: Option<&String> = tickets.keys().nth(usize::try_from(round).unwrap() % 5);
                if let Some(ticket) = known {
                    let path = format!("{}/tickets/{ticket}/revoke", event.path);
                    server.post(&path, &organiser.key, &json!(null)).await.expect(200);
                }
                made += 1;
            } else if page["has_more"] == false {
                break;
            }
        }
        let all = server.get(&format!("{}/tickets?limit=200", event.path), &organiser.key).await.expect(200);
        let truth: BTreeMap<String, String> = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|ticket| (text(&ticket["ticket_id"]), text(&ticket["status"])))
            .collect();
        assert_eq!(tickets, truth, "limit {limit}");
        assert_eq!(passages.len(), made, "limit {limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_wakes_when_something_changes() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let door = organiser.door(&server, &event).await;
    let cursor = door.page(&server, "").await["next_cursor"].clone();
    let url = server.url(&format!("/v1/door/events/{}/manifest?cursor={cursor}&wait=30", event.id));
    let poll = tokio::spawn(client().get(url).bearer_auth(&door.token).send());
    for _ in 0..10 {
        server.get("/healthz", "").await.expect(200);
    }
    organiser.ticket(&server, &event).await;
    let answer = tokio::time::timeout(Duration::from_secs(10), poll).await.unwrap().unwrap().unwrap();
    let page: Value = answer.json().await.unwrap();
    assert_eq!(page["tickets"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_event_stays_small_on_the_wire() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    organiser.import(&server, &event, 10_000).await;
    let door = organiser.door(&server, &event).await;
    let (mut cursor, mut bytes) = (0, 0);
    let started = std::time::Instant::now();
    loop {
        let path = format!("/v1/door/events/{}/manifest?cursor={cursor}", event.id);
        let url = server.url(&path);
        // Without the client's own unpacking: the bytes as they travel.
        let raw = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
        let response =
            raw.get(url).bearer_auth(&door.token).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        bytes += response.bytes().await.unwrap().len();
        let page = door.page(&server, &format!("cursor={cursor}")).await;
        cursor = page["next_cursor"].as_i64().unwrap();
        if page["has_more"] == false {
            break;
        }
    }
    println!("10 000 tickets: {bytes} bytes, twice in {:?}", started.elapsed());
    // A tenth of the 10 MB that 100 000 tickets may take.
    assert!(bytes < 1_000_000, "{bytes}");
}

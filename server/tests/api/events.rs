//! Events and their keys.

use serde_json::json;

use crate::support::{NOW, Organiser, Server, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_can_be_changed_and_doors_hear_of_it() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let door = organiser.door(&server, &event).await;
    let cursor = door.page(&server, "").await["next_cursor"].clone();
    let change = json!({"name": "Harbour Nights", "policy": {"legacy": "flag"}});
    let changed = server.call("PATCH", &event.path, &organiser.key, &change).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["policy"]["live_ttl_seconds"]),
        (&json!("Harbour Nights"), &json!(300))
    );
    assert_eq!(server.get(&event.path, &organiser.key).await.expect(200), changed);
    let delta = door.page(&server, &format!("cursor={cursor}")).await;
    assert_eq!(delta["event"]["policy"]["legacy"], "flag");
    let gate = format!("{}/gates/{}", event.path, event.other_gate);
    let renamed = server.call("PUT", &gate, &organiser.key, &json!({"name": "East gate"})).await.expect(200);
    assert_eq!(renamed["name"], "East gate");
    server.call("DELETE", &gate, &organiser.key, &json!(null)).await.expect(204);
    let event = server.get(&event.path, &organiser.key).await.expect(200);
    assert_eq!(event["gates"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_they_ended() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let mut made = Vec::new();
    for _ in 0..5 {
        server.clock.advance(1);
        made.push(organiser.event(&server).await.id);
    }
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = server.get(&format!("/v1/events{query}"), &organiser.key).await.expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|event| text(&event["event_id"])));
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_key_kills_its_codes_and_an_overlap_lets_them_live() {
    for algorithm in ["hmac_sha256", "ed25519"] {
        let server = Server::start().await;
        let organiser = Organiser::create(&server, "A").await;
        let event = organiser.event_with(&server, json!({"algorithm": algorithm})).await;
        let first = organiser.ticket(&server, &event).await;
        let rotate = format!("{}/keys/rotate", event.path);
        let overlap = json!({"mode": "overlap", "accept_until": NOW + 60_000});
        let rotated = server.post(&rotate, &organiser.key, &overlap).await.expect(200);
        assert_eq!(rotated, json!({"key_id": 1, "key_version": 2, "killed_codes": 1}));
        let second = organiser.ticket(&server, &event).await;
        assert_eq!(second["code_key_id"], 1);
        assert_eq!(event.redeem(&server, &organiser.key, &text(&first["code"])).await["reason"], "entered");
        let third = organiser.ticket(&server, &event).await;
        let rotated = server.post(&rotate, &organiser.key, &json!({"mode": "withdraw"})).await.expect(200);
        assert_eq!(rotated["killed_codes"], 3);
        assert_eq!(
            event.redeem(&server, &organiser.key, &text(&second["code"])).await["reason"],
            "retired_key"
        );
        let path = format!("{}/tickets/{}/reissue", event.path, text(&third["ticket_id"]));
        // Codes hold whole seconds: one issued twice within a second is good from the next second on.
        server.clock.advance(1_000);
        let third = server.post(&path, &organiser.key, &json!({})).await.expect(200);
        assert_eq!(event.redeem(&server, &organiser.key, &text(&third["code"])).await["reason"], "entered");
        let keys = server.get(&format!("{}/keys", event.path), &organiser.key).await.expect(200);
        assert_eq!((keys.as_array().unwrap().len(), &keys[2]["signs"]), (3, &json!(true)));
    }
}

//! Tickets from issue to reissue.

use serde_json::json;

use crate::support::{Organiser, Server, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_checked_first_and_imported_whole() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let table = "\u{feff}order_ref;attendee_name;email;ticket_type;status;legacy_code;valid_from\r\n\
                 HL-1;Zoë Müller;zoe@example.org;day;valid;OLD-1;2026-07-31T18:00:00Z\r\n\
                 HL-2;\"Vasquez; Mateo\";;FAMILY;unpaid;;\r\n";
    let path = format!("{}/tickets/import", event.path);
    let dry = server.post_csv(&format!("{path}?dry_run=true"), &organiser.key, table).await.expect(200);
    assert_eq!(
        (&dry["tickets"], &dry["dry_run"], &dry["by_type"][1]["tickets"]),
        (&json!(2), &json!(true), &json!(1))
    );
    assert_eq!(event.counts(&server, &organiser).await["tickets"]["valid"], 0);
    server.post_csv(&path, &organiser.key, table).await.expect(201);
    let found =
        server.get(&format!("{}/tickets?search=zo%C3%AB", event.path), &organiser.key).await.expect(200);
    let ticket = &found["items"][0];
    assert_eq!((&ticket["reference"], &ticket["valid_from"]), (&json!("HL-1"), &json!(crate::support::NOW)));
    assert!(!found.to_string().contains("LX1:") && found["items"].as_array().unwrap().len() == 1);
    let none = server.get(&format!("{}/tickets?search=%25%25", event.path), &organiser.key).await.expect(200);
    assert_eq!(none["items"], json!([]));
    let again = server.post_csv(&path, &organiser.key, table).await;
    again.expect_problem(422, "invalid_csv");
    assert_eq!(again.json["issues"][0]["field"], "legacy_code");
    let codes = server.get(&format!("{}/ticket-codes", event.path), &organiser.key).await.expect(200);
    assert!(text(&codes["items"][1]["code"]).starts_with("LX1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reissued_ticket_enters_with_its_new_codes_only() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event_with(&server, json!({"policy": {"legacy": "accept"}})).await;
    let old = organiser.ticket_with(&server, &event, json!({"legacy_code": "OLD-1"})).await;
    let path = format!("{}/tickets/{}/reissue", event.path, text(&old["ticket_id"]));
    let mut issued = old["code_issued_at"].as_i64().unwrap();
    let mut new = old.clone();
    for _ in 0..3 {
        new = server.post(&path, &organiser.key, &json!({})).await.expect(200);
        assert!(new["code_issued_at"].as_i64().unwrap() > issued);
        issued = new["code_issued_at"].as_i64().unwrap();
    }
    server.clock.advance(5_000);
    let redeem = async |code: &str| text(&event.redeem(&server, &organiser.key, code).await["reason"]);
    assert_eq!(redeem(&text(&old["code"])).await, "replaced");
    assert_eq!(redeem(&text(&old["manual_code"])).await, "manual_unknown");
    assert_eq!(redeem("OLD-1").await, "not_a_ticket");
    assert_eq!(redeem(&text(&new["code"])).await, "entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_goes_through_its_states() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket_with(&server, &event, json!({"status": "unpaid"})).await;
    let path = format!("{}/tickets/{}", event.path, text(&ticket["ticket_id"]));
    for (action, status) in [
        ("unblock", "unpaid"),
        ("revoke", "revoked"),
        ("revoke", "revoked"),
        ("unblock", "unpaid"),
        ("revoke", "revoked"),
        ("mark-paid", "revoked"),
        ("unblock", "valid"),
        ("cancel", "cancelled"),
        ("cancel", "cancelled"),
    ] {
        let reply = server.post(&format!("{path}/{action}"), &organiser.key, &json!(null)).await.expect(200);
        assert_eq!(reply["status"], status, "{action}");
    }
    for action in ["revoke", "unblock", "mark-paid"] {
        let reply = server.post(&format!("{path}/{action}"), &organiser.key, &json!(null)).await;
        reply.expect_problem(409, "status_conflict");
    }
    let reply = server.post(&format!("{path}/reissue"), &organiser.key, &json!({})).await;
    reply.expect_problem(409, "status_conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_qr_code_reads_back_as_its_code() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket(&server, &event).await;
    let path = format!("{}/tickets/{}/qr", event.path, text(&ticket["ticket_id"]));
    let png = server.get(&format!("{path}.png?scale=6&ecc=Q"), &organiser.key).await;
    assert_eq!((png.status, &png.headers["content-type"]), (200, &"image/png".parse().unwrap()));
    let image = image::load_from_memory(&png.bytes).unwrap().to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(image);
    let (_, read) = prepared.detect_grids()[0].decode().unwrap();
    assert_eq!(read, text(&ticket["code"]));
    let svg = server.get(&format!("{path}.svg"), &organiser.key).await;
    assert!(String::from_utf8(svg.bytes).unwrap().contains("<svg"));
    server.get(&format!("{path}.png?scale=0"), &organiser.key).await.expect_problem(400, "invalid_query");
    server.get(&format!("{path}.png?ecc=Z"), &organiser.key).await.expect_problem(400, "invalid_query");
}

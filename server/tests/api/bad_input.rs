//! Bad input: a 4xx with a stable code, and nothing changed.

use serde_json::{Value, json};

use crate::support::{Event, NOW, Organiser, Server, new_id, text};

async fn world() -> (Server, Organiser, Event) {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    (server, organiser, event)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_not_allowed() {
    let (server, organiser, event) = world().await;
    let path = &event.path;
    let good = json!({"name": "E", "starts_at": NOW, "ends_at": NOW + 1, "time_zone": "UTC"});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let before = server.get(path, &organiser.key).await.expect(200);
    let cases: Vec<(&str, String, Value, u16, &str)> = vec![
        ("POST", "/v1/events".into(), with("name", json!(" ")), 422, "invalid_field"),
        ("POST", "/v1/events".into(), with("name", json!("x".repeat(161))), 422, "invalid_field"),
        ("POST", "/v1/events".into(), with("name", json!("a\nb")), 422, "invalid_field"),
        ("POST", "/v1/events".into(), with("ends_at", json!(NOW)), 422, "invalid_field"),
        ("POST", "/v1/events".into(), with("time_zone", json!("Mars/Olympus")), 422, "invalid_field"),
        ("POST", "/v1/events".into(), with("algorithm", json!("rsa")), 422, "invalid_body"),
        ("POST", "/v1/events".into(), with("policy", json!({"live_ttl_seconds": 0})), 422, "invalid_field"),
        ("POST", "/v1/events".into(), with("policy", json!({"typo": 1})), 422, "invalid_body"),
        ("POST", "/v1/events".into(), with("unknown", json!(1)), 422, "invalid_body"),
        ("PATCH", path.clone(), json!({"ends_at": 1}), 422, "invalid_field"),
        ("POST", format!("{path}/gates"), json!({"name": "North gate"}), 409, "name_taken"),
        ("PUT", format!("{path}/gates/{}", new_id()), json!({"name": "x"}), 404, "gate_not_found"),
        ("POST", format!("{path}/ticket-types"), json!({"name": "Day"}), 409, "name_taken"),
        ("POST", format!("{path}/ticket-types"), json!({"name": "x", "admits": 0}), 422, "invalid_field"),
        (
            "POST",
            format!("{path}/ticket-types"),
            json!({"name": "x", "entry": {"max_entries": 0}}),
            422,
            "invalid_field",
        ),
        (
            "POST",
            format!("{path}/ticket-types"),
            json!({"name": "x", "gate_ids": [new_id()]}),
            422,
            "invalid_field",
        ),
        ("DELETE", format!("{path}/gates/{}", event.gate), json!(null), 409, "in_use"),
        (
            "POST",
            format!("{path}/keys/rotate"),
            json!({"mode": "overlap", "accept_until": 1}),
            422,
            "invalid_field",
        ),
        (
            "POST",
            format!("{path}/keys/rotate"),
            json!({"mode": "withdraw", "accept_until": NOW + 1}),
            422,
            "invalid_field",
        ),
        (
            "POST",
            format!("{path}/tickets"),
            json!({"ticket_type_id": new_id()}),
            404,
            "ticket_type_not_found",
        ),
        (
            "POST",
            format!("{path}/tickets"),
            json!({"ticket_type_id": event.day, "admits": 0}),
            422,
            "invalid_field",
        ),
        (
            "POST",
            format!("{path}/tickets"),
            json!({"ticket_type_id": event.day, "email": "nobody"}),
            422,
            "invalid_field",
        ),
        (
            "POST",
            format!("{path}/tickets"),
            json!({"ticket_type_id": event.day, "code_expires_at": NOW}),
            422,
            "invalid_field",
        ),
        ("GET", format!("{path}/tickets?search=x"), json!(null), 400, "invalid_query"),
        ("GET", format!("{path}/tickets?limit=201"), json!(null), 400, "invalid_query"),
        ("GET", format!("{path}/tickets?cursor=zzz"), json!(null), 422, "unknown_cursor"),
        ("GET", format!("{path}/tickets/{}", new_id()), json!(null), 404, "ticket_not_found"),
        ("POST", "/v1/enrolments".into(), json!({"events": []}), 422, "invalid_field"),
        (
            "POST",
            "/v1/enrolments".into(),
            json!({"events": [{"event_id": new_id()}]}),
            404,
            "event_not_found",
        ),
        ("POST", "/v1/api-keys".into(), json!({"name": "x", "scopes": []}), 422, "invalid_field"),
        (
            "POST",
            format!("{path}/redeem"),
            json!({"scan_id": new_id(), "code": "x", "gate_id": new_id()}),
            404,
            "gate_not_found",
        ),
        (
            "POST",
            format!("{path}/redeem"),
            json!({"scan_id": new_id(), "code": "x".repeat(4_097), "gate_id": event.gate}),
            422,
            "invalid_field",
        ),
        (
            "POST",
            format!("{path}/redeem"),
            json!({"scan_id": new_id(), "code": "x", "gate_id": event.gate, "people": 0}),
            422,
            "invalid_field",
        ),
        ("DELETE", format!("/v1/devices/{}", new_id()), json!(null), 404, "device_not_found"),
    ];
    for (method, path, body, status, code) in &cases {
        println!("{method} {path} {body}");
        server.call(method, path, &organiser.key, body).await.expect_problem(*status, code);
    }
    assert_eq!(server.get(path, &organiser.key).await.expect(200), before);
    let counts = event.counts(&server, &organiser).await;
    assert_eq!((&counts["scans"], &counts["tickets"]["valid"]), (&json!(0), &json!(0)));
}

/// What it is, the bytes, and where the first complaint points: row and column.
type BadTable = (&'static str, Vec<u8>, Option<u64>, Option<&'static str>);

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_be_imported() {
    let (server, organiser, event) = world().await;
    let path = format!("{}/tickets/import", event.path);
    let utf16: Vec<u8> = "ticket_type\nDay\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [BadTable; 16] = [
        ("empty", vec![], None, None),
        ("no rows", b"ticket_type\n".to_vec(), Some(1), None),
        ("unknown column", b"ticket_type,colour\nDay,red\n".to_vec(), Some(1), Some("colour")),
        ("column missing", b"attendee_name\nZo\n".to_vec(), Some(1), None),
        ("unknown type", b"ticket_type\nDay\nNight\n".to_vec(), Some(3), Some("ticket_type")),
        ("latin-1", b"ticket_type,attendee_name\nDay,A\nDay,Zo\xeb\n".to_vec(), Some(3), None),
        ("utf-16", [vec![0xff, 0xfe], utf16.clone()].concat(), Some(1), None),
        ("utf-16 without mark", utf16, Some(1), None),
        ("too few values", b"ticket_type,reference\nDay\n".to_vec(), Some(2), None),
        ("bad number", b"ticket_type,admits\nDay,many\n".to_vec(), Some(2), Some("admits")),
        ("bad time", b"ticket_type,valid_from\nDay,tomorrow\n".to_vec(), Some(2), Some("valid_from")),
        // Not the first seconds of 1970, and not the middle of its January.
        ("a year", b"ticket_type,valid_until\nDay,2026\n".to_vec(), Some(2), Some("valid_until")),
        ("seconds", b"ticket_type,valid_until\nDay,1785520800\n".to_vec(), Some(2), Some("valid_until")),
        ("bad status", b"ticket_type,status\nDay,maybe\n".to_vec(), Some(2), Some("status")),
        ("code twice", b"ticket_type,legacy_code\nDay,X1\nDay,X1\n".to_vec(), Some(3), Some("legacy_code")),
        ("too many", format!("ticket_type\n{}", "Day\n".repeat(100_001)).into_bytes(), Some(100_002), None),
    ];
    for (what, bytes, row, field) in cases {
        println!("{what}");
        let reply = server.post_csv(&path, &organiser.key, bytes).await;
        reply.expect_problem(422, "invalid_csv");
        let issue = &reply.json["issues"][0];
        if row.is_some() {
            assert_eq!(issue["row"].as_u64(), row, "{what}: {issue}");
        }
        if field.is_some() {
            assert_eq!(issue["field"].as_str(), field, "{what}: {issue}");
        }
    }
    let as_json = server.post(&path, &organiser.key, &json!({})).await;
    as_json.expect_problem(415, "unsupported_media_type");
    let huge = server.csv(&path, &organiser.key, vec![b'x'; 33 * 1_024 * 1_024]);
    let huge = server.send_too_much(huge).await;
    huge.expect_problem(413, "body_too_large");
    assert_eq!(event.counts(&server, &organiser).await["tickets"]["valid"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolment_codes_work_once_and_for_15_minutes() {
    let (server, organiser, event) = world().await;
    let enrol = async |code: &str| {
        server.post("/v1/door/enrol", "", &json!({"code": code, "device_name": "North"})).await
    };
    enrol("AAAA-BBBB-CCCC").await.expect_problem(404, "enrolment_code_unknown");
    enrol(&"A".repeat(101)).await.expect_problem(422, "invalid_field");
    let code = organiser.enrolment_code(&server, &event, &[]).await;
    let empty = json!({"code": code, "device_name": ""});
    server.post("/v1/door/enrol", "", &empty).await.expect_problem(422, "invalid_field");
    // However it is typed.
    enrol(&code.to_lowercase().replace('-', " ")).await.expect(201);
    enrol(&code).await.expect_problem(409, "enrolment_code_used");
    let late = organiser.enrolment_code(&server, &event, &[]).await;
    server.clock.advance(15 * 60_000);
    enrol(&late).await.expect_problem(410, "enrolment_code_expired");
    let devices = server.get("/v1/devices", &organiser.key).await.expect(200);
    assert_eq!(devices["items"].as_array().unwrap().len(), 1);
    let made = json!({"events": [{"event_id": event.id}]});
    let made = server.post("/v1/enrolments", &organiser.key, &made).await.expect(201);
    assert_eq!(text(&made["uri"]), format!("LIVENTIX-ENROL:http://{}#{}", server.addr, text(&made["code"])));
    assert!(text(&made["qr_svg"]).contains("<svg"));
}

//! Online redeem.

use liventix_server::platform::config::Limits;
use liventix_server::platform::rate_limit::Limit;
use serde_json::{Value, json};

use crate::support::{NOW, Organiser, Server, new_id, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_simultaneous_redeems_of_one_ticket_exactly_one_is_admitted() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let code = text(&organiser.ticket(&server, &event).await["code"]);
    let mut tasks = Vec::new();
    for _ in 0..64 {
        let body = event.redeem_body(&code);
        let request =
            server.request(reqwest::Method::POST, &format!("{}/redeem", event.path), &organiser.key);
        tasks.push(tokio::spawn(async move {
            request.json(&body).send().await.unwrap().json::<Value>().await.unwrap()
        }));
    }
    let mut reasons = Vec::new();
    for task in tasks {
        let verdict = task.await.unwrap();
        if verdict["outcome"] == "refuse" {
            assert!(verdict["first_admission"].is_object(), "{verdict}");
        }
        reasons.push(text(&verdict["reason"]));
    }
    assert_eq!(reasons.iter().filter(|reason| *reason == "entered").count(), 1);
    let counts = event.counts(&server, &organiser).await;
    assert_eq!(
        (&counts["scans"], &counts["people_in"], &counts["conflicts"]),
        (&json!(64), &json!(1), &json!(0))
    );
}

/// Redeems that come together are written together; what is wrong with one is that one's affair.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bad_redeem_in_the_crowd_spoils_no_other() {
    let server = Server::start().await;
    let (organiser, other) = (Organiser::create(&server, "A").await, Organiser::create(&server, "B").await);
    let (event, elsewhere) = (organiser.event(&server).await, other.event(&server).await);
    let taken = elsewhere.redeem_body("hello");
    server.post(&format!("{}/redeem", elsewhere.path), &other.key, &taken).await.expect(200);
    organiser.import(&server, &event, 40).await;
    let page = server.get(&format!("{}/ticket-codes?limit=40", event.path), &organiser.key).await.expect(200);
    let codes: Vec<String> =
        page["items"].as_array().unwrap().iter().map(|ticket| text(&ticket["code"])).collect();
    let mut twice = event.redeem_body(&codes[0]);
    let mut tasks = Vec::new();
    for (place, code) in codes.iter().enumerate() {
        let mut body = event.redeem_body(code);
        let expected = match place % 4 {
            // The same request again and again, all at once.
            0 => {
                twice["code"] = json!(codes[0]);
                body = twice.clone();
                (200, "entered")
            }
            1 => (200, "entered"),
            2 => {
                body["gate_id"] = json!(new_id());
                (404, "gate_not_found")
            }
            // The id of another organiser's scan, which only the database's constraint knows of.
            _ => {
                body["scan_id"] = taken["scan_id"].clone();
                (409, "scan_id_conflict")
            }
        };
        let path = format!("{}/redeem", event.path);
        let request = server.request(reqwest::Method::POST, &path, &organiser.key).json(&body);
        tasks.push(tokio::spawn(async move {
            let reply = request.send().await.unwrap();
            (expected, reply.status().as_u16(), reply.json::<Value>().await.unwrap())
        }));
    }
    for task in tasks {
        let ((status, code), seen, answer) = task.await.unwrap();
        let field = if status == 200 { "reason" } else { "code" };
        assert_eq!((seen, answer[field].as_str()), (status, Some(code)), "{answer}");
    }
    let counts = event.counts(&server, &organiser).await;
    assert_eq!((&counts["scans"], &counts["people_in"]), (&json!(11), &json!(11)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_scan_id_gets_the_same_answer_and_counts_once() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket(&server, &event).await;
    let path = format!("{}/redeem", event.path);
    let body = event.redeem_body(&text(&ticket["code"]));
    let first = server.post(&path, &organiser.key, &body).await.expect(200);
    assert_eq!((&first["outcome"], &first["line"]), (&json!("admit"), &json!("Welcome")));
    assert_eq!(first["ticket"]["attendee_name"], "Mateo Vasquez");
    server.clock.advance(60_000);
    assert_eq!(server.post(&path, &organiser.key, &body).await.expect(200), first);
    assert_eq!(event.counts(&server, &organiser).await["scans"], 1);
    let mut other = body;
    other["people"] = json!(2);
    server.post(&path, &organiser.key, &other).await.expect_problem(409, "scan_id_conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_code_comes_to_its_verdict() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event_with(&server, json!({"policy": {"legacy": "flag"}})).await;
    let other = organiser.event(&server).await;
    let good = organiser.ticket(&server, &event).await;
    let manual = organiser.ticket(&server, &event).await;
    let legacy = organiser.ticket_with(&server, &event, json!({"legacy_code": "HL25-EF62C1D7"})).await;
    let unpaid = organiser.ticket_with(&server, &event, json!({"status": "unpaid"})).await;
    let group = organiser.ticket_with(&server, &event, json!({"ticket_type_id": event.family})).await;
    let short = json!({"code_expires_at": NOW + 1_000});
    let short = organiser.ticket_with(&server, &event, short).await;
    let foreign = organiser.ticket(&server, &other).await;
    let mut forged = text(&good["code"]);
    let last = if forged.pop() == Some('0') { '1' } else { '0' };
    forged.push(last);
    server.clock.advance(2_000);
    let cases: Vec<(&str, String, &str, &str)> = vec![
        ("printed", text(&good["code"]), "admit", "entered"),
        ("again", text(&good["code"]), "refuse", "rapid_rescan"),
        ("manual", text(&manual["manual_code"]).to_lowercase(), "admit", "entered"),
        ("link form", text(&manual["code_base64url"]), "refuse", "rapid_rescan"),
        ("legacy", "HL25-EF62C1D7".into(), "admit", "entered"),
        ("legacy by id", text(&legacy["ticket_id"]), "refuse", "rapid_rescan"),
        ("unpaid", text(&unpaid["code"]), "refuse", "unpaid"),
        ("expired", text(&short["code"]), "refuse", "expired"),
        ("other event", text(&foreign["code"]), "refuse", "other_event"),
        ("forged", forged, "refuse", "bad_signature"),
        ("nonsense", "hello".into(), "refuse", "not_a_ticket"),
        ("group", text(&group["code"]), "admit", "entered"),
    ];
    for (what, code, outcome, reason) in &cases {
        let verdict = event.redeem(&server, &organiser.key, code).await;
        let found = (text(&verdict["outcome"]), text(&verdict["reason"]));
        assert_eq!(found, ((*outcome).into(), (*reason).into()), "{what}: {verdict}");
    }
    let body = json!({"scan_id": new_id(), "code": group["code"], "gate_id": event.other_gate});
    let path = format!("{}/redeem", event.path);
    assert_eq!(server.post(&path, &organiser.key, &body).await.expect(200)["reason"], "wrong_gate");
    let counts = event.counts(&server, &organiser).await;
    assert_eq!((counts["scans"].as_u64(), counts["legacy"].as_u64()), (Some(13), Some(2)));
    let page = server.get(&format!("{}/scans?limit=5", event.path), &organiser.key).await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 5);
    assert!(page["next_cursor"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_redeems_within_its_scope_only() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let other = organiser.event(&server).await;
    let code = organiser.enrolment_code(&server, &event, &[&event.gate]).await;
    let enrol = json!({"code": code, "device_name": "North"});
    let device = server.post("/v1/door/enrol", "", &enrol).await.expect(201);
    let token = text(&device["token"]);
    let ticket = text(&organiser.ticket(&server, &event).await["code"]);
    assert_eq!(event.redeem(&server, &token, &ticket).await["outcome"], "admit");
    let mut body = event.redeem_body(&ticket);
    body["gate_id"] = json!(event.other_gate);
    let path = format!("{}/redeem", event.path);
    server.post(&path, &token, &body).await.expect_problem(403, "gate_not_assigned");
    let path = format!("{}/redeem", other.path);
    server.post(&path, &token, &other.redeem_body(&ticket)).await.expect_problem(403, "event_not_assigned");
    let device = text(&device["device_id"]);
    server.call("DELETE", &format!("/v1/devices/{device}"), &organiser.key, &json!(null)).await.expect(204);
    let path = format!("{}/redeem", event.path);
    server.post(&path, &token, &event.redeem_body(&ticket)).await.expect_problem(403, "device_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_limited() {
    let limit = Limit::per_minute(3);
    let limits = Limits { manual_code: limit, bad_token: limit, enrol: limit, ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket(&server, &event).await;
    let path = format!("{}/redeem", event.path);
    let enrol = json!({"code": "AAAA-BBBB", "device_name": "x"});
    for _ in 0..3 {
        let manual = event.redeem_body(&text(&ticket["manual_code"]));
        server.post(&path, &organiser.key, &manual).await.expect(200);
        server.get("/v1/events", "lx_bad").await.expect_problem(401, "unauthenticated");
        server.post("/v1/door/enrol", "", &enrol).await.expect_problem(404, "enrolment_code_unknown");
    }
    let manual = event.redeem_body(&text(&ticket["manual_code"]));
    let limited = server.post(&path, &organiser.key, &manual).await;
    limited.expect_problem(429, "rate_limited");
    assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() <= 61);
    server.get("/v1/events", "lx_bad").await.expect_problem(429, "rate_limited");
    server.post("/v1/door/enrol", "", &enrol).await.expect_problem(429, "rate_limited");
    // Good tokens and signed codes go on.
    server.get("/v1/events", &organiser.key).await.expect(200);
    event.redeem(&server, &organiser.key, &text(&ticket["code"])).await;
    server.clock.advance(60_001);
    server.post(&path, &organiser.key, &manual).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_code_that_resembles_one_of_ours_is_still_looked_up() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event_with(&server, json!({"policy": {"legacy": "accept"}})).await;
    let old_codes = [
        // As long as a code in a link, but with spare bits at its end that no code has.
        format!("E{}", "x".repeat(90)),
        // A SHA-256 in upper-case hex that reads as the first byte of a printed code.
        format!("EA{}", "0123456789ABCDEF".repeat(4).split_at(2).1),
    ];
    for code in old_codes {
        organiser.ticket_with(&server, &event, json!({"legacy_code": code})).await;
        assert_eq!(event.redeem(&server, &organiser.key, &code).await["reason"], "entered", "{code}");
    }
    let unknown = [
        (format!("F{}", "x".repeat(90)), "bad_signature"),
        (format!("EB{}", "0".repeat(62)), "other_event"),
        // A ticket id of nobody.
        ("01930f2e-7c1a-7b3c-9d4e-5f60718293a4".to_owned(), "unlisted"),
    ];
    for (code, reason) in unknown {
        assert_eq!(event.redeem(&server, &organiser.key, &code).await["reason"], reason, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_goes_out_with_a_code_whose_key_was_withdrawn_since() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let code = text(&organiser.ticket(&server, &event).await["code"]);
    assert_eq!(event.redeem(&server, &organiser.key, &code).await["reason"], "entered");
    let rotate = format!("{}/keys/rotate", event.path);
    server.post(&rotate, &organiser.key, &json!({"mode": "withdraw"})).await.expect(200);
    server.clock.advance(60_000);
    let path = format!("{}/redeem", event.path);
    let mut body = event.redeem_body(&code);
    body["direction"] = json!("exit");
    let out = server.post(&path, &organiser.key, &body).await.expect(200);
    assert_eq!((&out["outcome"], &out["reason"]), (&json!("admit"), &json!("exited")));
    assert_eq!(event.redeem(&server, &organiser.key, &code).await["reason"], "retired_key");
}

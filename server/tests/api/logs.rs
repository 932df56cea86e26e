//! The log of a real process: who and what each line is about, and that no secret is in it.

use serde_json::{Value, json};

use crate::support::{
    ADMIN, Browser, Hook, NOW, Organiser, PASSWORD, Person, Phone, Place, Process, Server, new_id, text,
    until,
};

/// Waits until the process has logged how it answered the request with this id.
async fn answered(process: &Process, id: &str) -> Value {
    until(async || {
        let lines = process.log();
        let line =
            lines.iter().filter(|line| line.contains(id)).find(|line| line.contains("\"answered\""))?;
        Some(serde_json::from_str(line).unwrap())
    })
    .await
}

async fn get(server: &Server, path: &str, token: &str, id: &str) {
    let request = server.request(reqwest::Method::GET, path, token).header("x-request-id", id);
    server.send(request).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_whose_request_it_is() {
    let place = Place::make().await;
    let process = Process::start(&place);
    let server = Server::at(&process).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let door = organiser.door(&server, &event).await;
    get(&server, "/v1/events", &organiser.key, "by-key").await;
    let span = answered(&process, "by-key").await["span"].clone();
    assert_eq!((&span["feature"], &span["organiser_id"]), (&json!("events"), &json!(organiser.id)));
    assert_eq!((&span["method"], &span["path"]), (&json!("GET"), &json!("/v1/events")));
    get(&server, &format!("/v1/door/events/{}/manifest", event.id), &door.token, "by-door").await;
    let span = answered(&process, "by-door").await["span"].clone();
    assert_eq!(span["device_id"], door.device_id.to_string());
    assert_eq!(span["feature"], "doors");
    let person = Person::member(&server, &organiser, "ann", "owner").await;
    get(&server, "/v1/events", &person.token, "by-person").await;
    let span = answered(&process, "by-person").await["span"].clone();
    assert_eq!((&span["user_id"], &span["organiser_id"]), (&json!(person.id), &json!(organiser.id)));
    let browser = Browser::new(&server);
    browser.sign_in(&person).await;
    let office = format!("/console/organisers/{}", organiser.id);
    let hall = format!("{office}/events/{}", event.id);
    for page in [office, hall] {
        browser.open(&page).await;
        let span = answered(&process, &format!("\"path\":\"{page}\"")).await["span"].clone();
        assert_eq!(
            (&span["user_id"], &span["organiser_id"]),
            (&json!(person.id), &json!(organiser.id)),
            "{page}"
        );
    }
    get(&server, "/v1/events", "", "by-nobody").await;
    let line = answered(&process, "by-nobody").await;
    assert!(line["span"].get("organiser_id").is_none(), "{line}");
    assert_eq!(line["fields"]["status"], 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_followed_through_the_queue_to_whoever_is_called() {
    let (place, mut hook) = (Place::make().await, Hook::start().await);
    let process = Process::start_with(&place, &[("LIVENTIX_ALERT_WEBHOOK_URL", &hook.url)]);
    let server = Server::at(&process).await;
    let request = server.request(reqwest::Method::POST, "/v1/admin/alert-channels/test", ADMIN);
    server.send(request.header("x-request-id", "who-asked-for-it")).await.expect(202);
    hook.next().await;
    let line: Value = until(async || {
        let log = process.log();
        let line = log.iter().find(|line| line.contains("provider answered"))?;
        Some(serde_json::from_str(line).unwrap())
    })
    .await;
    let spans = line["spans"].as_array().unwrap();
    let of = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
    let (job, provider) = (of("job"), of("provider"));
    assert_eq!((&job["request_id"], &job["kind"]), (&json!("who-asked-for-it"), &json!("deliver.1")));
    assert_eq!((&provider["provider"], &provider["operation"]), (&json!("webhook"), &json!("alert")));
    assert!(line["fields"]["took_ms"].is_u64(), "{line}");
    assert!(
        process.log().iter().all(|line| !line.contains("of-the-address")),
        "the hook's address is secret"
    );
}

/// Drives every feature at log level `trace` and looks for what went in and out.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_log() {
    let place = Place::make().await;
    let process = Process::start_with(&place, &[("LIVENTIX_LOG", "trace")]);
    let server = Server::at(&process).await;
    let mut secrets = vec![ADMIN.to_owned(), PASSWORD.to_owned()];
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let person = Person::member(&server, &organiser, "ann", "owner").await;
    let enrolment = organiser.enrolment_code(&server, &event, &[]).await;
    let mut door = organiser.door(&server, &event).await;
    let ticket = organiser.ticket(&server, &event).await;
    let link = organiser.link(&server, &event, &ticket).await;
    let phone = Phone::new("Ann's phone");
    phone.claim(&server, &link).await;
    server.get(link.strip_prefix(&process.base).unwrap_or("/t/lxt_0_0"), "").await;
    let manual = text(&ticket["manual_code"]);
    let code = text(&ticket["code"]);
    for shown in [&manual, &code, &manual.replace('-', " "), &manual.to_lowercase()] {
        let body = json!({"scan_id": new_id(), "gate_id": event.gate, "code": shown, "direction": "entry", "people": 1});
        server.post(&format!("{}/redeem", event.path), &organiser.key, &body).await;
        // Where nobody expects one: in paths, queries, headers, field names, bodies that do not parse.
        let quoted: String = shown.replace(' ', "%20").replace('%', "%25");
        server.get(&format!("/v1/events/{quoted}?q={quoted}"), shown.trim()).await;
        server.post("/v1/events", &organiser.key, &json!({ (shown): shown })).await;
    }
    let scans = [door.admit(&text(&ticket["ticket_id"]), NOW)];
    door.upload(&server, &scans).await;
    let tokens = [&organiser.key, &person.token, &door.token, &phone.token, &person.email, &enrolment];
    for secret in tokens {
        server.get(&format!("/v1/events?cursor={secret}"), secret).await;
        server.get(&format!("/{secret}/{secret}"), "").await;
        server.post("/v1/sessions", "", &json!({"email": secret, "password": secret})).await;
        server.post(secret_path(secret).as_str(), "", &json!(secret)).await;
        let request =
            server.request(reqwest::Method::GET, "/v1/events", "").header("x-request-id", secret.as_str());
        server.send(request).await;
        let request =
            server.request(reqwest::Method::GET, "/console", "").header("cookie", format!("s={secret}"));
        server.send(request).await;
    }
    secrets.extend(tokens.iter().map(|secret| (*secret).clone()));
    secrets.extend([manual.clone(), manual.to_lowercase(), manual.replace('-', ""), code, link]);
    get(&server, "/healthz", "", "the-last-one").await;
    answered(&process, "the-last-one").await;
    let log = process.log();
    // They were on their way there: without the last defence, this test fails.
    for instead in ["[token]", "[manual code]", "[e-mail]"] {
        assert!(log.iter().any(|line| line.contains(instead)), "no {instead}");
    }
    for line in &log {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        for secret in &secrets {
            // Of a token the part that matters is its end.
            let heart =
                if secret.contains('@') { secret } else { &secret[secret.len().saturating_sub(12)..] };
            assert!(!line.contains(heart), "{heart} in {line}");
        }
    }
}

fn secret_path(secret: &str) -> String {
    format!("/t/{}", secret.replace(['#', '/', '?', ' '], "-"))
}

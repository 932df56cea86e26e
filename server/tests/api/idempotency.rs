//! `Idempotency-Key`: done once, answered the same again, whatever crashes when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use liventix_core::ids::OrganiserId;
use liventix_server::AppState;
use liventix_server::params;
use liventix_server::platform::body::Json;
use liventix_server::platform::db::{DbError, Tx};
use liventix_server::platform::idempotency::{Attempt, Idempotent, Operation as _};
use liventix_server::platform::problem::{ApiError, ApiResult, Code};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::database::count;
use crate::support::{Event, NOW, Organiser, Reply, Server, client, new_id, text};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn key(operation: &str) -> String {
    format!("{operation}:order-17:{}", new_id())
}

impl Server {
    async fn post_with(&self, path: &str, token: &str, key: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path, token).header("idempotency-key", key).json(body)).await
    }
}

fn is_replay(reply: &Reply) -> bool {
    reply.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

/// The same answer to its last byte, and marked as given again.
#[track_caller]
fn assert_replays(first: &Reply, again: &Reply) {
    assert!(!is_replay(first) && is_replay(again), "{:?}", again.headers);
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert_eq!(first.headers["content-type"], again.headers["content-type"]);
}

const OPERATIONS: &str = "SELECT COUNT(*) FROM idempotent_operations";
const TICKETS: &str = "SELECT COUNT(*) FROM tickets";

fn ticket(event: &Event) -> Value {
    json!({"ticket_type_id": event.day, "attendee_name": "Mateo Vasquez"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_requests_with_one_key_one_is_done_and_all_get_its_answer() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let (path, key) = (format!("{}/tickets", event.path), key("create_ticket"));
    let mut tasks = Vec::new();
    for _ in 0..32 {
        let request = server.request(Method::POST, &path, &organiser.key);
        let request = request.header("idempotency-key", &key).json(&ticket(&event));
        tasks.push(tokio::spawn(async move {
            loop {
                let response = request.try_clone().unwrap().send().await.unwrap();
                match response.status().as_u16() {
                    409 => assert_eq!(response.headers()["retry-after"], "1"),
                    status => return (status, response.bytes().await.unwrap()),
                }
            }
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert_eq!(answers[0].0, 201);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(count(server.app().db(), TICKETS).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_makes_something_makes_it_once() {
    let mut server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let new_event = json!({"name": "E", "starts_at": NOW, "ends_at": NOW + 1, "time_zone": "UTC"});
    let enrolment = json!({"events": [{"event_id": event.id, "gate_ids": []}]});
    let cases = [
        ("create_event", "/v1/events".to_owned(), new_event),
        ("create_ticket", format!("{}/tickets", event.path), ticket(&event)),
        ("create_enrolment", "/v1/enrolments".to_owned(), enrolment),
        ("create_api_key", "/v1/api-keys".to_owned(), json!({"name": "K", "scopes": ["read"]})),
    ];
    let mut answers = Vec::new();
    for (operation, path, body) in cases {
        let key = key(operation);
        let first = server.post_with(&path, &organiser.key, &key, &body).await;
        assert_eq!(first.status, 201, "{}", first.json);
        answers.push((path, key, body, first));
    }
    let table = "ticket_type,attendee_name\nDay,A\nDay,B\n";
    let import = |server: &Server| {
        let path = format!("{}/tickets/import", event.path);
        let request = server.request(Method::POST, &path, &organiser.key).header("content-type", "text/csv");
        let key = "import_tickets:table-1:01930f2e-7c1a-7b3c-9d4e-5f60718293a4";
        request.header("idempotency-key", key).body(table)
    };
    let imported = server.send(import(&server)).await;
    assert_eq!(imported.status, 201, "{}", imported.json);
    // The answers outlive the process.
    server.restart().await;
    server.http = client();
    for (path, key, body, first) in &answers {
        let again = server.post_with(path, &organiser.key, key, body).await;
        assert_replays(first, &again);
        // As the draft writes it.
        let quoted = server.post_with(path, &organiser.key, &format!("\"{key}\""), body).await;
        assert_replays(first, &quoted);
    }
    assert_replays(&imported, &server.send(import(&server)).await);
    let db = server.app().db();
    assert_eq!(count(db, TICKETS).await, 3);
    assert_eq!(count(db, "SELECT COUNT(*) FROM events").await, 2);
    assert_eq!(count(db, "SELECT COUNT(*) FROM enrolments").await, 1);
    assert_eq!(count(db, "SELECT COUNT(*) FROM api_keys").await, 2);
    // The key that was made works, though its token was only ever sealed.
    let token = text(&answers[3].3.json["token"]);
    server.get("/v1/events", &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_request() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let other = organiser.event(&server).await;
    let (path, key) = (format!("{}/tickets", event.path), key("create_ticket"));
    let first = server.post_with(&path, &organiser.key, &key, &ticket(&event)).await;
    first.clone().expect(201);
    // Written otherwise, it says the same.
    let same = format!("{{\"attendee_name\": \"Mateo Vasquez\",\n \"ticket_type_id\": \"{}\"}}", event.day);
    let request = server.request(Method::POST, &path, &organiser.key).header("idempotency-key", &key);
    let again = server.send(request.header("content-type", "application/json").body(same)).await;
    assert_replays(&first, &again);
    let mut body = ticket(&event);
    body["attendee_name"] = json!("Somebody Else");
    let reused = server.post_with(&path, &organiser.key, &key, &body).await;
    reused.expect_problem(422, "idempotency_key_reused");
    let path = format!("{}/tickets", other.path);
    let reused = server.post_with(&path, &organiser.key, &key, &ticket(&event)).await;
    reused.expect_problem(422, "idempotency_key_reused");
    assert_eq!(count(server.app().db(), TICKETS).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_organiser_has_keys_of_its_own_and_answers_only_whom_it_lets_in() {
    let server = Server::start().await;
    let one = Organiser::create(&server, "A").await;
    let two = Organiser::create(&server, "B").await;
    let key = key("create_api_key");
    let body = json!({"name": "K", "scopes": ["read"]});
    let first = server.post_with("/v1/api-keys", &one.key, &key, &body).await;
    first.clone().expect(201);
    let other = server.post_with("/v1/api-keys", &two.key, &key, &body).await;
    assert!(!is_replay(&other) && other.bytes != first.bytes);
    other.expect(201);
    // Whoever may not make a key is not shown one either.
    let reader = text(&first.json["token"]);
    let refused = server.post_with("/v1/api-keys", &reader, &key, &body).await;
    refused.expect_problem(403, "scope_missing");
    let refused = server.post_with("/v1/api-keys", "lx_bad", &key, &body).await;
    refused.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_an_answer_too_and_what_was_not_tried_is_free_again() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let key = key("create_event");
    let bad = json!({"name": "E", "starts_at": NOW, "ends_at": NOW - 1, "time_zone": "UTC"});
    let first = server.post_with("/v1/events", &organiser.key, &key, &bad).await;
    first.expect_problem(422, "invalid_field");
    let again = server.post_with("/v1/events", &organiser.key, &key, &bad).await;
    assert_replays(&first, &again);
    let good = json!({"name": "E", "starts_at": NOW, "ends_at": NOW + 1, "time_zone": "UTC"});
    let reused = server.post_with("/v1/events", &organiser.key, &key, &good).await;
    reused.expect_problem(422, "idempotency_key_reused");

    let key = format!("create_event:other:{}", new_id());
    let request = server.request(Method::POST, "/v1/events", &organiser.key).header("idempotency-key", &key);
    let unread = server.send(request.header("content-type", "application/json").body("{")).await;
    unread.expect_problem(400, "invalid_json");
    server.post_with("/v1/events", &organiser.key, &key, &good).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_key_is_refused_with_what_to_send() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let body = json!({"name": "K", "scopes": ["read"]});
    let uuid = new_id();
    for bad in ["", "x", &uuid, &format!("create_event:a:{uuid}"), &format!("create_api_key:a b:{uuid}")] {
        let reply = server.post_with("/v1/api-keys", &organiser.key, bad, &body).await;
        reply.expect_problem(400, "idempotency_key_invalid");
        assert!(text(&reply.json["detail"]).contains("create_api_key:<id>:<uuid>"), "{}", reply.json);
    }
    let request = server.request(Method::POST, "/v1/api-keys", &organiser.key).json(&body);
    let twice = request.header("idempotency-key", key("create_api_key"));
    let twice = server.send(twice.header("idempotency-key", key("create_api_key"))).await;
    twice.expect_problem(400, "idempotency_key_invalid");
    assert_eq!(count(server.app().db(), OPERATIONS).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_a_key_is_new_and_its_answer_is_gone() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let (path, key) = (format!("{}/tickets", event.path), key("create_ticket"));
    let first = server.post_with(&path, &organiser.key, &key, &ticket(&event)).await;
    server.clock.advance(DAY_MS - 1);
    assert_replays(&first, &server.post_with(&path, &organiser.key, &key, &ticket(&event)).await);
    assert_eq!(server.app().idempotency().sweep().await.unwrap(), 0);
    server.clock.advance(1);
    // Swept or not.
    let second = server.post_with(&path, &organiser.key, &key, &ticket(&event)).await;
    assert!(!is_replay(&second) && second.bytes != first.bytes);
    assert_eq!(count(server.app().db(), TICKETS).await, 2);
    server.clock.advance(DAY_MS);
    assert_eq!(server.app().idempotency().sweep().await.unwrap(), 1);
    assert_eq!(count(server.app().db(), OPERATIONS).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_sealed() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let body = json!({"name": "K", "scopes": ["read"]});
    let made = server.post_with("/v1/api-keys", &organiser.key, &key("create_api_key"), &body).await;
    let token = text(&made.expect(201)["token"]);
    let secret = token.splitn(3, '_').nth(2).unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    let rows = server.app().db().read(|conn| {
        Box::pin(async move {
            let sql = "SELECT sealed_response FROM idempotent_operations LIMIT 10";
            conn.query(sql, params![]).await
        })
    });
    let rows = rows.await.map_err(|error: DbError| error).unwrap();
    let sealed: Vec<u8> = rows[0].get(0).unwrap();
    assert!(rows.len() == 1 && sealed.len() > secret.len());
    let files = std::fs::read_dir(server.place.dir.path()).unwrap();
    let stored: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    for hidden in [sealed, stored] {
        assert!(!hidden.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
}

/// Work of several steps, each of which leaves a row, and which can be stopped between them.
#[derive(Clone)]
struct Lab {
    app: AppState,
    organiser: OrganiserId,
    /// Whether the next try stops after its first step, until [`Lab::go_on`].
    stops: Arc<AtomicBool>,
    fails: Arc<AtomicBool>,
    stopped: Arc<Notify>,
    go_on: Arc<Notify>,
}

liventix_server::operations! {
    Pay = "pay", required;
}

/// A row whose name says which step it is of.
async fn step(tx: &mut Tx, name: &'static str) -> Result<(), DbError> {
    let sql =
        "INSERT INTO organisers (organiser_id, name, sealed_master_key, created_at) VALUES ($1, $2, $3, $4)";
    let id: OrganiserId = new_id().parse().unwrap();
    tx.execute(sql, params![id, name, vec![0_u8], 0_i64]).await.map(drop)
}

async fn pay(State(lab): State<Lab>, call: Idempotent<Pay, Json<Value>>) -> ApiResult<Response> {
    let app = lab.app.clone();
    call.run(&app, lab.organiser, async |Json(asked): Json<Value>, attempt: Attempt| {
        let reserved: Value = match attempt.resumed("reserved")? {
            Some(reserved) => reserved,
            None => {
                let attempt = attempt.clone();
                let reserved = json!({"seat": asked["seat"], "hold": new_id()});
                lab.app
                    .db()
                    .write(move |tx| {
                        Box::pin(async move {
                            step(tx, "reserved").await?;
                            attempt.reach_in(tx, "reserved", &reserved).await?;
                            Ok::<_, ApiError>(reserved)
                        })
                    })
                    .await?
            }
        };
        if lab.fails.swap(false, Ordering::SeqCst) {
            return Err(ApiError::internal("on purpose"));
        }
        if lab.stops.swap(false, Ordering::SeqCst) {
            lab.stopped.notify_one();
            lab.go_on.notified().await;
        }
        let charge = json!({"charged": reserved["hold"], "seat": reserved["seat"]});
        let charge = lab.app.db().write(move |tx| {
            Box::pin(async move {
                step(tx, "charged").await?;
                attempt.finish_in(tx, StatusCode::CREATED, &charge).await?;
                Ok::<_, ApiError>(charge)
            })
        });
        Ok((StatusCode::CREATED, axum::Json(charge.await?)))
    })
    .await
}

impl Lab {
    async fn new(server: &Server) -> Self {
        let made =
            server.post("/v1/organisers", crate::support::ADMIN, &json!({"name": "A"})).await.expect(201);
        Self {
            app: server.app().clone(),
            organiser: text(&made["organiser_id"]).parse().unwrap(),
            stops: Arc::default(),
            fails: Arc::default(),
            stopped: Arc::default(),
            go_on: Arc::default(),
        }
    }

    /// Serves the real extractor with the handler above.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/pay", listener.local_addr().unwrap());
        let router = Router::new().route("/pay", post(pay)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    async fn steps(&self) -> (i64, i64) {
        let db = self.app.db();
        (
            count(db, "SELECT COUNT(*) FROM organisers WHERE name = 'reserved'").await,
            count(db, "SELECT COUNT(*) FROM organisers WHERE name = 'charged'").await,
        )
    }
}

async fn send(url: &str, key: &str) -> reqwest::Result<(u16, Value)> {
    let request = client().post(url).header("idempotency-key", key).json(&json!({"seat": "A7"}));
    let response = request.send().await?;
    Ok((response.status().as_u16(), response.json().await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_crash_between_two_steps_the_next_try_goes_on_with_the_second() {
    let server = Server::start().await;
    let lab = Lab::new(&server).await;
    let key = key("pay");
    // A process of its own, as far as tasks go: when its runtime dies, nothing of it is tidied up.
    let process = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let url = process
        .spawn({
            let lab = lab.clone();
            async move { lab.serve().await }
        })
        .await
        .unwrap();
    lab.stops.store(true, Ordering::SeqCst);
    let lost = tokio::spawn({
        let key = key.clone();
        async move { send(&url, &key).await }
    });
    lab.stopped.notified().await;
    process.shutdown_background();
    lost.await.unwrap().unwrap_err();
    assert_eq!(lab.steps().await, (1, 0));

    let url = lab.serve().await;
    let (status, problem) = send(&url, &key).await.unwrap();
    assert_eq!((status, &problem["code"]), (409, &json!("idempotency_in_progress")));
    // Until no request can still be at it.
    server.clock.advance(60_000);
    let (status, answer) = send(&url, &key).await.unwrap();
    assert_eq!((status, &answer["seat"]), (201, &json!("A7")));
    assert!(answer["charged"].is_string(), "what the first step left is still there: {answer}");
    assert_eq!(lab.steps().await, (1, 1));
    assert_eq!(send(&url, &key).await.unwrap(), (status, answer));
    assert_eq!(lab.steps().await, (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_try_that_took_too_long_can_commit_nothing_once_another_has_taken_over() {
    let server = Server::start().await;
    let lab = Lab::new(&server).await;
    let (url, key) = (lab.serve().await, key("pay"));
    lab.stops.store(true, Ordering::SeqCst);
    let slow = tokio::spawn({
        let (url, key) = (url.clone(), key.clone());
        async move { send(&url, &key).await }
    });
    lab.stopped.notified().await;
    server.clock.advance(60_000);
    let (status, answer) = send(&url, &key).await.unwrap();
    assert_eq!(status, 201);
    lab.go_on.notify_one();
    let (status, problem) = slow.await.unwrap().unwrap();
    assert_eq!((status, &problem["code"]), (409, &json!("idempotency_in_progress")));
    assert_eq!(lab.steps().await, (1, 1));
    assert_eq!(send(&url, &key).await.unwrap(), (201, answer));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_who_hangs_up_may_come_back_at_once() {
    let server = Server::start().await;
    let lab = Lab::new(&server).await;
    let (url, key) = (lab.serve().await, key("pay"));
    lab.stops.store(true, Ordering::SeqCst);
    let gone = tokio::spawn({
        let (url, key) = (url.clone(), key.clone());
        async move { send(&url, &key).await }
    });
    lab.stopped.notified().await;
    gone.abort();
    // The server notices when it does; nothing but that is waited for.
    let answer = loop {
        match send(&url, &key).await.unwrap() {
            (409, problem) => assert_eq!(problem["code"], "idempotency_in_progress"),
            answer => break answer,
        }
    };
    assert_eq!(answer.0, 201);
    assert_eq!(lab.steps().await, (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_the_server_is_not_kept_and_the_next_try_goes_on() {
    let server = Server::start().await;
    let lab = Lab::new(&server).await;
    let (url, key) = (lab.serve().await, key("pay"));
    lab.fails.store(true, Ordering::SeqCst);
    assert_eq!(send(&url, &key).await.unwrap().0, 500);
    assert_eq!(lab.steps().await, (1, 0));
    // It is still the same operation: half of it is done.
    let other = client()
        .post(&url)
        .header("idempotency-key", &key)
        .json(&json!({"seat": "B1"}))
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 422);
    assert_eq!(send(&url, &key).await.unwrap().0, 201);
    assert_eq!(lab.steps().await, (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_which_calls_take_a_key_and_which_need_one() {
    let server = Server::start().await;
    let document = server.get("/openapi.json", "").await.expect(200);
    let call = &document["paths"]["/v1/events"]["post"];
    let parameters = call["parameters"].as_array().unwrap();
    let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key").unwrap();
    assert_eq!((&key["in"], &key["required"]), (&json!("header"), &json!(false)));
    assert!(text(&key["example"]).starts_with("create_event:"));
    assert!(text(&call["responses"]["409"]["description"]).contains("`idempotency_in_progress`"));
    assert!(text(&call["responses"]["422"]["description"]).contains("`idempotency_key_reused`"));
    let replayed = "#/components/headers/Idempotent-Replayed";
    assert_eq!(call["responses"]["201"]["headers"]["Idempotent-Replayed"]["$ref"], replayed);
    assert_eq!(Pay::document(), json!({"operation": "pay", "required": true}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_costs_money_needs_a_key() {
    let server = Server::start().await;
    let lab = Lab::new(&server).await;
    let url = lab.serve().await;
    let reply = client().post(&url).json(&json!({"seat": "A7"})).send().await.unwrap();
    assert_eq!(reply.status(), 400);
    let problem: Value = reply.json().await.unwrap();
    assert_eq!(problem["code"], Code::IdempotencyKeyMissing.as_str());
    assert_eq!(lab.steps().await, (0, 0));
}

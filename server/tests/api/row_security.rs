//! Row-level security: raw SQL in one organiser's name finds nothing of another's.

use liventix_core::ids::OrganiserId;
use liventix_server::params;
use liventix_server::platform::db::{Db, DbError, Value};
use serde_json::json;

use crate::support::{NOW, Organiser, Server, text};

/// Every table that is watched, with a scan, a device and all that hangs on them for one organiser.
const TABLES: [&str; 10] = [
    "scans",
    "quarantine",
    "devices",
    "enrolments",
    "device_events",
    "ledgers",
    "idempotent_operations",
    "anomalies",
    "anomaly_evidence",
    "conflict_resolutions",
];

async fn count(db: &Db, table: &'static str) -> i64 {
    let counted: Result<i64, DbError> = db
        .read(move |conn| {
            Box::pin(async move {
                let row = conn.first(&format!("SELECT COUNT(*) FROM {table}"), params![]).await?;
                row.map_or(Ok(-1), |row| row.get(0))
            })
        })
        .await;
    counted.unwrap()
}

async fn run(db: &Db, sql: String, values: Vec<Value>) -> Result<u64, DbError> {
    db.write(move |tx| Box::pin(async move { tx.execute(&sql, &values).await })).await
}

/// A server with an organiser whose door has scanned, and another organiser.
async fn two() -> (Server, OrganiserId, OrganiserId) {
    let server = Server::start().await;
    let (ours, theirs) = (Organiser::create(&server, "A").await, Organiser::create(&server, "B").await);
    let event = ours.event(&server).await;
    let mut door = ours.door(&server, &event).await;
    let ticket = ours.ticket(&server, &event).await;
    let known = door.admit(&text(&ticket["ticket_id"]), NOW);
    let unknown = door.admit("01930f2e-7c1a-7b3c-9d4e-5f60718293a4", NOW);
    let again = door.admit(&text(&ticket["ticket_id"]), NOW + 1);
    let excess = again.scan_id;
    door.upload(&server, &[known, unknown, again]).await.expect(200);
    let path = format!("{}/conflicts/{excess}/resolve", event.path);
    server.post(&path, &ours.key, &json!({"note": "a twin"})).await.expect(200);
    let key = server
        .request(reqwest::Method::POST, "/v1/api-keys", &ours.key)
        .header("idempotency-key", "create_api_key:reader:01930f2e-7c1a-7b3c-9d4e-5f60718293a4");
    server.send(key.json(&json!({"name": "Reader", "scopes": ["read"]}))).await.expect(201);
    let mut ids = Vec::new();
    for organiser in [&ours, &theirs] {
        let me = server.get("/v1/organiser", &organiser.key).await.expect(200);
        ids.push(text(&me["organiser_id"]).parse().unwrap());
    }
    (server, ids[0], ids[1])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_its_own_rows_and_the_other_none() {
    let (server, ours, theirs) = two().await;
    let db = server.place.open().await;
    for table in TABLES {
        let all = count(&db, table).await;
        assert!(all > 0, "{table} is empty: the test would prove nothing");
        assert_eq!(count(&db.of(ours), table).await, all, "{table}");
        assert_eq!(count(&db.of(theirs), table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_changes_and_deletes_nothing_of_the_other_and_writes_nothing_in_its_name() {
    let (server, ours, theirs) = two().await;
    let db = server.place.open().await;
    for sql in [
        "DELETE FROM quarantine",
        "DELETE FROM device_events",
        "DELETE FROM ledgers",
        "DELETE FROM idempotent_operations",
        "DELETE FROM anomaly_evidence",
        "DELETE FROM conflict_resolutions",
        "UPDATE anomalies SET state = 'resolved'",
        "UPDATE devices SET revoked_at = 1",
        "UPDATE enrolments SET used_at = 1",
    ] {
        assert_eq!(run(&db.of(theirs), sql.to_owned(), Vec::new()).await.unwrap(), 0, "{sql}");
    }
    let forged = "INSERT INTO devices (device_id, organiser_id, name, token_hash, created_at) \
                  VALUES ($1, $2, 'Forged', $3, 0)";
    let values = params![[9_u8; 16], ours, [9_u8; 32]].to_vec();
    assert!(run(&db.of(theirs), forged.to_owned(), values.clone()).await.is_err());
    // The same statement in its own name works: it is the name that was refused.
    assert_eq!(run(&db.of(ours), forged.to_owned(), values).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_a_scan_in_an_organisers_name() {
    let (server, ours, _) = two().await;
    for sql in ["UPDATE scans SET outcome = 'admit'", "DELETE FROM scans"] {
        assert!(run(&server.place.open().await.of(ours), sql.to_owned(), Vec::new()).await.is_err(), "{sql}");
    }
}

/// The confinement ends with the transaction: the next one on the connection is free of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_forgets_whose_it_was() {
    let (server, _, theirs) = two().await;
    let db = server.place.open().await;
    for _ in 0..30 {
        assert_eq!(count(&db.of(theirs), "devices").await, 0);
        assert!(count(&db, "devices").await > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_id_of_another_organiser_is_a_conflict_and_tells_nothing() {
    let server = Server::start().await;
    let (ours, theirs) = (Organiser::create(&server, "A").await, Organiser::create(&server, "B").await);
    let (event, other) = (ours.event(&server).await, theirs.event(&server).await);
    let body = event.redeem_body("hello");
    server.post(&format!("{}/redeem", event.path), &ours.key, &body).await.expect(200);
    let mut again = other.redeem_body("hello");
    again["scan_id"] = body["scan_id"].clone();
    let reply = server.post(&format!("{}/redeem", other.path), &theirs.key, &again).await;
    reply.expect_problem(409, "scan_id_conflict");
    let ticket = theirs.ticket(&server, &other).await;
    let passed = other.redeem_body(&text(&ticket["code"]));
    server.post(&format!("{}/redeem", other.path), &theirs.key, &passed).await.expect(200);
    let undo = json!({"scan_id": body["scan_id"], "note": "wrong guest"});
    let path = format!("{}/scans/{}/undo", other.path, text(&passed["scan_id"]));
    server.post(&path, &theirs.key, &undo).await.expect_problem(409, "scan_id_conflict");
    let mut door = theirs.door(&server, &other).await;
    let ticket = theirs.ticket(&server, &other).await;
    let clash = door.scan(&text(&ticket["ticket_id"]), NOW, |record| {
        record.scan_id = text(&body["scan_id"]).parse().unwrap();
    });
    let receipts = door.upload(&server, &[clash]).await.expect(200);
    assert_eq!(receipts["receipts"][0]["code"], "scan_id_conflict", "{receipts}");
}

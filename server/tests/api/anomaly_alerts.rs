//! Alerts about anomalies: each handed over once, by whichever process comes first.

use liventix_server::anomalies::alerts::hand_over;
use liventix_server::params;
use liventix_server::platform::db::{Db, DbError, Tx};
use serde_json::{Value, json};

use crate::support::{NOW, Server, until};

async fn event(db: &Db) {
    let made: Result<(), DbError> = db
        .write(|tx| {
            Box::pin(async move {
                let sql = "INSERT INTO organisers (organiser_id, name, sealed_master_key, created_at) VALUES ($1, 'A', $2, 0)";
                tx.execute(sql, params![[1_u8; 16], [0_u8; 32]]).await?;
                let sql = "INSERT INTO events (event_id, organiser_id, name, starts_at, ends_at, time_zone, algorithm, \
                           policy, key_version, change_seq, config_seq, created_at) \
                           VALUES ($1, $2, 'E', 0, 1, 'UTC', 'ed25519', '{}', 1, 1, 1, 0)";
                tx.execute(sql, params![[2_u8; 16], [1_u8; 16]]).await.map(drop)
            })
        })
        .await;
    made.unwrap();
}

const RESOLVE: &str = "UPDATE anomalies SET state = 'resolved', alert_due = alerted WHERE anomaly_id = $1";

async fn insert(tx: &mut Tx, number: u8) -> Result<u64, DbError> {
    let sql = "INSERT INTO anomalies (anomaly_id, organiser_id, event_id, kind, subject_kind, subject, \
                           severity, state, occurrences, first_seen, last_seen, digest, opened_at, changed_at, \
                           settled, alert_due, alerted) VALUES ($1, $2, $3, 'chain_broken', 'ledger', $1, 'critical', 'open', \
                           2, 0, 0, $4, $5, $5, 0, 1, 0)";
    let values = params![[number; 16], [1_u8; 16], [2_u8; 16], [0_u8; 32], NOW];
    tx.execute(sql, values).await
}

async fn anomaly(db: &Db, number: u8) {
    let made: Result<u64, DbError> =
        db.write(move |tx| Box::pin(async move { insert(tx, number).await })).await;
    made.unwrap();
}

/// One whose cause is gone before anybody was told.
async fn resolve_at_once(db: &Db, number: u8) {
    let made: Result<u64, DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                insert(tx, number).await?;
                tx.execute(RESOLVE, params![[number; 16]]).await
            })
        })
        .await;
    made.unwrap();
}

/// As the end of a cause does.
async fn resolve(db: &Db, number: u8) {
    let done: Result<u64, DbError> =
        db.write(move |tx| Box::pin(async move { tx.execute(RESOLVE, params![[number; 16]]).await })).await;
    done.unwrap();
}

/// What the log was told, or is to be told, of the anomaly with this number. The server hands over as well, so
/// whoever looks waits for what it has in its hands.
async fn told(server: &Server, number: u8, count: usize) -> Vec<Value> {
    until(async || {
        let read: Result<Vec<String>, DbError> = server
            .app()
            .db()
            .read(move |conn| {
                Box::pin(async move {
                    let sql = "SELECT message FROM notices WHERE about = $1 AND channel = 'log' ORDER BY created_at";
                    conn.query(sql, params![[number; 16]]).await?.iter().map(|row| row.get(0)).collect()
                })
            })
            .await;
        let messages = read.unwrap();
        assert!(messages.len() <= count, "{messages:?}");
        let read = || messages.iter().map(|message| serde_json::from_str(message).unwrap()).collect();
        (messages.len() == count).then(read)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_and_its_end_are_told_once_each() {
    let server = Server::start().await;
    let db = server.app().db();
    event(db).await;
    anomaly(db, 7).await;
    hand_over(server.app()).await.unwrap();
    hand_over(server.app()).await.unwrap();
    let message = told(&server, 7, 1).await.remove(0);
    assert_eq!((&message["rule"], &message["severity"]), (&json!("chain_broken"), &json!("critical")));
    assert_eq!((&message["turn"], &message["is_anomaly"]), (&json!("opened"), &json!(true)));
    assert_eq!(message["sentence"], "The scans of a device do not follow each other in 2 places.");
    server.clock.advance(1_000);
    resolve(db, 7).await;
    hand_over(server.app()).await.unwrap();
    assert_eq!(told(&server, 7, 2).await[1]["turn"], "resolved");
    // Over before anybody was told: nobody is.
    resolve_at_once(db, 8).await;
    hand_over(server.app()).await.unwrap();
    told(&server, 8, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_that_hand_over_tell_each_once() {
    let server = Server::start().await;
    let db = server.app().db();
    event(db).await;
    for number in 0..40 {
        anomaly(db, number).await;
    }
    let app = server.app();
    let (one, two, three) = tokio::join!(hand_over(app), hand_over(app), hand_over(app));
    assert!(one.unwrap() + two.unwrap() + three.unwrap() <= 40);
    hand_over(app).await.unwrap();
    for number in 0..40 {
        told(&server, number, 1).await;
    }
}

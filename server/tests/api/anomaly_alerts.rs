//! Alerts about anomalies: each handed over once, by whichever process comes first.

use std::sync::{Mutex, PoisonError};

use liventix_server::anomalies::alerts::{Alert, AlertSink, hand_over};
use liventix_server::anomalies::{Kind, Severity};
use liventix_server::params;
use liventix_server::platform::db::{Db, DbError};

use crate::support::{NOW, TestDatabase};

#[derive(Default)]
struct Collected(Mutex<Vec<Alert>>);

impl AlertSink for Collected {
    fn raise(&self, alert: &Alert) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(alert.clone());
    }
}

impl Collected {
    fn take(&self) -> Vec<Alert> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

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

async fn anomaly(db: &Db, number: u8) {
    let made: Result<u64, DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO anomalies (anomaly_id, organiser_id, event_id, kind, subject_kind, subject, \
                           severity, state, occurrences, first_seen, last_seen, digest, opened_at, changed_at, \
                           settled, alert_due, alerted) VALUES ($1, $2, $3, 'chain_broken', 'ledger', $1, 'critical', 'open', \
                           2, 0, 0, $4, $5, $5, 0, 1, 0)";
                let values = params![[number; 16], [1_u8; 16], [2_u8; 16], [0_u8; 32], NOW];
                tx.execute(sql, values).await
            })
        })
        .await;
    made.unwrap();
}

/// As the end of a cause does.
async fn resolve(db: &Db, number: u8) {
    let done: Result<u64, DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                let sql =
                    "UPDATE anomalies SET state = 'resolved', alert_due = alerted WHERE anomaly_id = $1";
                tx.execute(sql, params![[number; 16]]).await
            })
        })
        .await;
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_and_its_end_are_told_once_each() {
    let TestDatabase { db, place: _place } = TestDatabase::open().await;
    event(&db).await;
    anomaly(&db, 7).await;
    let sink = Collected::default();
    assert_eq!(hand_over(&db, &sink).await.unwrap(), 1);
    assert_eq!(hand_over(&db, &sink).await.unwrap(), 0);
    let told = sink.take();
    let Alert { kind, severity, over, sentence, .. } = told[0].clone();
    assert_eq!((kind, severity, over), (Kind::ChainBroken, Severity::Critical, false));
    assert_eq!(sentence, "The scans of a device do not follow each other in 2 places.");
    resolve(&db, 7).await;
    assert_eq!(hand_over(&db, &sink).await.unwrap(), 1);
    assert!(sink.take()[0].over);
    // Over before anybody was told: nobody is.
    anomaly(&db, 8).await;
    resolve(&db, 8).await;
    assert_eq!(hand_over(&db, &sink).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_tell_each_once() {
    let TestDatabase { db, place } = TestDatabase::open().await;
    event(&db).await;
    for number in 0..40 {
        anomaly(&db, number).await;
    }
    let other = match crate::ENGINE {
        liventix_server::platform::db::Engine::Sqlite => db.clone(),
        liventix_server::platform::db::Engine::Postgres => place.open().await,
    };
    let sink = Collected::default();
    let (one, two) = tokio::join!(hand_over(&db, &sink), hand_over(&other, &sink));
    let mut handed = one.unwrap() + two.unwrap();
    // What one held while the other looked.
    handed += hand_over(&db, &sink).await.unwrap();
    assert_eq!(handed, 40);
    let mut told: Vec<_> = sink.take().iter().map(|alert| *alert.anomaly_id.as_bytes()).collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 40);
}

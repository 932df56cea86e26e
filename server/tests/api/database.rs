//! The storage engine: isolation of errors, crashes.

use liventix_server::params;
use liventix_server::platform::db::{Db, DbError};

use crate::support::database::count;
use crate::support::{Place, Process, Remote, TestDatabase, client, new_id};

async fn insert(db: &Db, id: u8, fail: bool) -> Result<(), DbError> {
    db.write(move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO organisers (organiser_id, name, sealed_master_key, created_at) VALUES ($1, $2, $3, $4)";
            tx.execute(sql, params![[id; 16], "x", vec![1_u8], 0_i64]).await?;
            if fail { Err(DbError::Statement("on purpose".into())) } else { Ok(()) }
        })
    })
    .await
}

async fn ids(db: &Db) -> Vec<u8> {
    db.read(|conn| {
        Box::pin(async move {
            let rows =
                conn.query("SELECT organiser_id FROM organisers ORDER BY organiser_id", params![]).await?;
            rows.iter().map(|row| Ok(row.get::<[u8; 16]>(0)?[0])).collect::<Result<Vec<u8>, DbError>>()
        })
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_error_or_panic_in_one_write_of_a_group_touches_no_other() {
    let TestDatabase { db, place: _place } = TestDatabase::open().await;
    // The first write holds the writer until all the others wait, so that they make one group.
    let (release, hold) = std::sync::mpsc::channel::<()>();
    let holder = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(move |_| {
                Box::pin(async move {
                    let _ = hold.recv();
                    Ok::<_, DbError>(())
                })
            })
            .await
        }
    });
    let mut tasks = Vec::new();
    for id in 1..=40_u8 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            match id % 4 {
                0 => insert(&db, id, true).await,
                1 => {
                    db.write(move |tx| {
                        Box::pin(async move {
                            tx.execute("DELETE FROM organisers", params![]).await?;
                            if id > 0 {
                                panic!("on purpose")
                            }
                            Ok::<_, DbError>(())
                        })
                    })
                    .await
                }
                2 => insert(&db, id, false).await,
                _ => insert(&db, id - 1, false).await,
            }
        }));
    }
    tokio::task::yield_now().await;
    drop(release);
    holder.await.unwrap().unwrap();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    let even: Vec<u8> = (1..=40).filter(|id| id % 4 == 2).collect();
    assert_eq!(ids(&db).await, even);
    for (place, result) in results.iter().enumerate() {
        match (place + 1) % 4 {
            0 => assert!(matches!(result, Err(DbError::Statement(text)) if text == "on purpose")),
            1 => assert!(matches!(result, Err(DbError::Panicked))),
            // Of two writes with one id, whichever came second broke the constraint.
            2 => assert!(result.is_ok() != results[place + 1].is_ok()),
            _ => assert!(result.is_ok() || result.as_ref().is_err_and(DbError::is_constraint)),
        }
    }
    db.close().await;
    assert!(matches!(insert(&db, 99, false).await, Err(DbError::Closed)));
}

#[tokio::test]
async fn readers_cannot_write() {
    let TestDatabase { db, place: _place } = TestDatabase::open().await;
    let result = db
        .read(|conn| {
            Box::pin(async move { conn.query("DELETE FROM organisers RETURNING 1", params![]).await })
        })
        .await;
    assert!(result.is_err());
}

/// Whatever a store makes of an error: a write that fails leaves nothing behind, not even what came after a
/// statement that the engine could not read, as the first of the transaction.
#[tokio::test]
async fn a_write_that_fails_leaves_nothing_though_it_went_on_after_an_error() {
    let TestDatabase { db, place: _place } = TestDatabase::open().await;
    for broken_first in [true, false] {
        let result: Result<(), DbError> = db
            .write(move |tx| {
                Box::pin(async move {
                    let insert =
                        "INSERT INTO wallets (wallet_id, secret_hash, created_at) VALUES ($1, $2, 0)";
                    if broken_first {
                        assert!(tx.execute("INSERT INTO nowhere VALUES (1)", params![]).await.is_err());
                    }
                    // Perhaps refused by now, perhaps not.
                    let _ = tx.execute(insert, params![[1_u8; 16], [2_u8; 32]]).await;
                    Err(DbError::Statement("on purpose".into()))
                })
            })
            .await;
        assert!(matches!(result, Err(DbError::Statement(text)) if text == "on purpose"));
        assert_eq!(count(&db, "SELECT COUNT(*) FROM wallets").await, 0, "broken first: {broken_first}");
    }
}

/// Every redeem that was answered before a SIGKILL is there after it, and none was admitted twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_kill_is_there_after_it() {
    let place = Place::make().await;
    let http = client();
    let mut event = None;
    let mut answered = 0;
    for round in 0..4 {
        let mut process = Process::start(&place);
        let base = process.base.clone();
        let world = match &event {
            Some(world) => world,
            None => event.insert(Remote::create(&http, &base).await),
        };
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let (http, url, key, gate) =
                (http.clone(), format!("{base}{}/redeem", world.path), world.key.clone(), world.gate.clone());
            tasks.push(tokio::spawn(async move {
                let mut answered = 0;
                loop {
                    let body = serde_json::json!({"scan_id": new_id(), "code": "hello", "gate_id": gate});
                    match http.post(&url).bearer_auth(&key).json(&body).send().await {
                        Ok(reply) if reply.status() == 200 => answered += 1,
                        _ => return answered,
                    }
                    if answered > 10_000 {
                        return answered;
                    }
                }
            }));
        }
        // Enough work for the kill to fall into the middle of some.
        for _ in 0..(10 + round * 7) {
            http.get(format!("{base}/readyz")).send().await.unwrap();
        }
        process.kill();
        for task in tasks {
            answered += task.await.unwrap();
        }
    }
    let db = place.open().await;
    let stored = count(&db, "SELECT COUNT(*) FROM scans").await;
    assert!(answered > 0);
    assert!((answered..=answered + 32).contains(&stored), "{answered} answered, {stored} stored");
}

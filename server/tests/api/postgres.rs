//! What only PostgreSQL has: a server of its own, other processes beside ours, and tools for backups.

use std::process::Command;

use liventix_server::params;
use liventix_server::platform::db::{Db, DbError, PostgresOptions, Storage};
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::database::{connect, count};
use crate::support::{Organiser, Place, Server, text};

fn options(url: &str) -> Storage {
    Storage::Postgres(PostgresOptions { url: SecretString::from(url), connections: 2 })
}

/// How many organisers there are, by a transaction rather than a single look.
async fn in_transaction(db: &Db) -> i64 {
    let counted: Result<i64, DbError> = db
        .read(|conn| {
            Box::pin(async move {
                let row = conn.first("SELECT COUNT(*) FROM organisers", params![]).await?;
                row.map_or(Ok(-1), |row| row.get(0))
            })
        })
        .await;
    counted.unwrap()
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_what_to_do() {
    let place = Place::make().await;
    let url = place.url.clone().unwrap();
    let raw = connect(url.expose_secret()).await;
    raw.batch_execute("INSERT INTO refinery_schema_history SELECT 999, 'later', applied_on, '1' FROM refinery_schema_history LIMIT 1")
        .await
        .unwrap();
    let error = Db::open(&place.storage()).await.unwrap_err();
    assert!(matches!(error, DbError::NewerSchema { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_its_password_is_not() {
    let error = Db::open(&options("postgres://u:hunter2@127.0.0.1:1/db")).await.unwrap_err();
    assert!(matches!(error, DbError::Unreachable { .. }), "{error}");
    let text = format!("{error} {error:?} {:?}", options("postgres://u:hunter2@127.0.0.1:1/db"));
    assert!(text.contains("DATABASE_URL") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_restart_of_the_database_costs_no_more_than_what_was_under_way() {
    let place = Place::make().await;
    let db = place.open().await;
    assert_eq!(in_transaction(&db).await, 0);
    let url = place.url.clone().unwrap();
    let raw = connect(url.expose_secret()).await;
    let others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(!raw.query(others, &[]).await.unwrap().is_empty());
    assert_eq!(
        in_transaction(&db).await,
        0,
        "a connection that died in the pool is not the caller's problem"
    );
}

/// What a store does alone, it does side by side with itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_lets_one_transaction_through_at_a_time() {
    let place = Place::make().await;
    let (one, two) = (place.open().await, place.open().await);
    raw_counter(&one).await;
    let mut tasks = Vec::new();
    for place in 0..40 {
        let db = if place % 2 == 0 { one.clone() } else { two.clone() };
        tasks.push(tokio::spawn(async move {
            db.write(|tx| {
                Box::pin(async move {
                    tx.lock("counter", b"k").await?;
                    let row = tx.first("SELECT created_at FROM wallets", params![]).await?;
                    let seen: i64 = row.map_or(Ok(-1), |row| row.get(0))?;
                    tx.execute("UPDATE wallets SET created_at = $1", params![seen + 1]).await
                })
            })
            .await
        }));
    }
    for task in tasks {
        let changed: Result<u64, DbError> = task.await.unwrap();
        assert_eq!(changed.unwrap(), 1);
    }
    assert_eq!(count(&one, "SELECT created_at FROM wallets").await, 40);
}

async fn raw_counter(db: &Db) {
    db.write(|tx| {
        Box::pin(async move {
            let sql = "INSERT INTO wallets (wallet_id, secret_hash, created_at) VALUES ($1, $2, 0)";
            tx.execute(sql, params![[1_u8; 16], [2_u8; 32]]).await
        })
    })
    .await
    .map(drop)
    .map_err(|error: DbError| error)
    .unwrap();
}

/// PostgreSQL answers COMMIT in a transaction that an error has spoilt with a quiet ROLLBACK: whoever goes on
/// after an error is told that nothing was kept.
#[tokio::test]
async fn a_transaction_that_an_error_spoilt_is_not_called_committed() {
    let place = Place::make().await;
    let db = place.open().await;
    let insert = "INSERT INTO wallets (wallet_id, secret_hash, created_at) VALUES ($1, $2, 0)";
    let result: Result<(), DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                tx.execute(insert, params![[1_u8; 16], [2_u8; 32]]).await?;
                let again = tx.execute(insert, params![[1_u8; 16], [2_u8; 32]]).await;
                assert!(again.is_err_and(|error| error.is_constraint()));
                Ok(())
            })
        })
        .await;
    assert!(matches!(result, Err(DbError::RolledBack(_))), "{result:?}");
    assert_eq!(count(&db, "SELECT COUNT(*) FROM wallets").await, 0);
}

/// A caller that hangs up leaves no transaction half done in the pool.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ends_though_its_caller_hung_up() {
    let place = Place::make().await;
    let db = place.open().await;
    let (entered, wait) = tokio::sync::oneshot::channel();
    let (release, hold) = tokio::sync::oneshot::channel::<()>();
    let caller = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(move |tx| {
                Box::pin(async move {
                    let sql = "INSERT INTO wallets (wallet_id, secret_hash, created_at) VALUES ($1, $2, 0)";
                    tx.execute(sql, params![[1_u8; 16], [2_u8; 32]]).await?;
                    let _ = entered.send(());
                    let _ = hold.await;
                    Ok::<_, DbError>(())
                })
            })
            .await
        }
    });
    wait.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();
    while count(&db, "SELECT COUNT(*) FROM wallets").await == 0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_documented_commands_dump_and_restore_is_a_whole_server_again() {
    let mut server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let event = organiser.event(&server).await;
    let used = organiser.ticket(&server, &event).await;
    let fresh = organiser.ticket(&server, &event).await;
    event.redeem(&server, &organiser.key, &text(&used["code"])).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("liventix.dump");
    let url = |place: &Place| place.url.as_ref().unwrap().expose_secret().to_owned();
    let mut dump = Command::new("pg_dump");
    let dumped =
        dump.arg("--format=custom").arg("--file").arg(&file).arg(url(&server.place)).output().unwrap();
    assert!(dumped.status.success(), "{dumped:?}");
    server.shutdown().await;
    // Another database, where servers have been.
    server.place = Place::make().await;
    let flags = ["--clean", "--if-exists", "--exit-on-error", "--dbname"];
    let mut restore = Command::new("pg_restore");
    let restored = restore.args(flags).arg(url(&server.place)).arg(&file).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    server.start_again().await;
    server.clock.advance(60_000);
    let again = event.redeem(&server, &organiser.key, &text(&used["code"])).await;
    assert_eq!(again["reason"], "already_used");
    assert_eq!(event.redeem(&server, &organiser.key, &text(&fresh["code"])).await["outcome"], "admit");
}

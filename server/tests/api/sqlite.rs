//! What only SQLite has: a file.

use liventix_server::params;
use liventix_server::platform::db::{Db, DbError, SqliteOptions, Storage};

async fn open(dir: &std::path::Path) -> Result<Db, DbError> {
    Db::open(&Storage::Sqlite(SqliteOptions { path: dir.join("liventix.db"), readers: 2 })).await
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.unwrap().close().await;
    let raw = rusqlite::Connection::open(dir.path().join("liventix.db")).unwrap();
    raw.pragma_update(None, "user_version", 999).unwrap();
    let error = open(dir.path()).await.unwrap_err();
    assert!(matches!(error, DbError::NewerSchema { .. }));
    assert!(error.to_string().contains("start the newer version"));
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let raw = rusqlite::Connection::open(dir.path().join("liventix.db")).unwrap();
    raw.execute_batch(include_str!("../../migrations/0001_first.sql")).unwrap();
    raw.execute_batch(
        "INSERT INTO organisers VALUES (x'01', 'A', x'00', 0);
         INSERT INTO events VALUES (x'02', x'01', 'E', 0, 1, 'UTC', 'hmac_sha256', '{}', 1, 1, 1, 0);
         INSERT INTO devices VALUES (x'03', x'01', 'D', x'00', 0, NULL, NULL);
         INSERT INTO device_events VALUES (x'03', x'02', '[]');
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(raw);
    let db = open(dir.path()).await.unwrap();
    let supervisor: bool = db
        .read(|conn| {
            Box::pin(async move {
                let row = conn.first("SELECT supervisor FROM device_events", params![]).await?;
                row.map_or(Ok(true), |row| row.get(0))
            })
        })
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    assert!(!supervisor, "nobody becomes a supervisor by an update");
}

#[tokio::test]
async fn a_directory_that_cannot_be_opened_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = open(&dir.path().join("missing")).await.unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_reads_the_files_though_the_folder_is_open_to_all() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let db = open(dir.path()).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
    }
    drop(db);
}

#[test]
fn a_first_start_makes_the_secret_and_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_liventix"));
    let output = command.arg("migrate").env("LIVENTIX_DATA_DIR", dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(dir.path().join("liventix.db").exists() && dir.path().join("root.secret").exists());
}

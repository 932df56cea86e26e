//! A database of its own for a test, without a server.

use liventix_server::platform::db::{Db, Sqlite, SqliteOptions};
use tempfile::TempDir;

/// Gone with this value.
pub(crate) struct TestDatabase {
    pub(crate) db: Db,
    _dir: TempDir,
}

impl TestDatabase {
    /// Empty, its schema up to date.
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = SqliteOptions { path: dir.path().join("liventix.db"), readers: 2 };
        Self { db: Db::Sqlite(Sqlite::open(&options).unwrap()), _dir: dir }
    }
}

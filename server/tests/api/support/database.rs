//! A database of its own for a test, on the engine that [`crate::ENGINE`] names.

use std::sync::{Mutex, PoisonError};

use liventix_server::platform::db::{Db, Engine, PostgresOptions, SqliteOptions, Storage};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

/// Where a private PostgreSQL can be reached, and databases made.
const VARIABLE: &str = "LIVENTIX_TEST_POSTGRES";
/// Has the schema already, so that a test's database is a copy of files.
const TEMPLATE: &str = "liventix_template";

/// An empty database; its files are gone with this value.
pub(crate) struct TestDatabase {
    pub(crate) db: Db,
    pub(crate) place: Place,
}

/// Databases of tests that have ended. They are dropped, for hundreds side by side fill a disk, and many at once: before
/// the first, PostgreSQL writes everything to the disk that any test has changed, which takes longer than most tests.
static DONE_WITH: Mutex<Vec<String>> = Mutex::new(Vec::new());

const DROPPED_AT_ONCE: usize = 50;

/// Where a database is, or will be.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    /// `None`: SQLite, in the directory.
    pub(crate) url: Option<SecretString>,
}

impl TestDatabase {
    /// Its schema up to date.
    pub(crate) async fn open() -> Self {
        let place = Place::make().await;
        Self { db: place.open().await, place }
    }
}

impl Place {
    /// Room for a database that nothing else uses.
    pub(crate) async fn make() -> Self {
        let url = match crate::ENGINE {
            Engine::Sqlite => None,
            Engine::Postgres => Some(create().await),
        };
        Self { dir: tempfile::tempdir().unwrap(), url }
    }

    pub(crate) async fn open(&self) -> Db {
        Db::open(&self.storage()).await.unwrap()
    }

    /// What a process that uses it is started with.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("LIVENTIX_DATA_DIR", self.dir.path().display().to_string()),
            ("LIVENTIX_ROOT_SECRET", crate::support::ROOT_SECRET.to_owned()),
        ];
        variables.extend(self.url.as_ref().map(|url| ("DATABASE_URL", url.expose_secret().to_owned())));
        variables
    }

    pub(crate) fn storage(&self) -> Storage {
        match &self.url {
            None => Storage::Sqlite(SqliteOptions { path: self.dir.path().join("liventix.db"), readers: 2 }),
            Some(url) => Storage::Postgres(PostgresOptions { url: url.clone(), connections: 8 }),
        }
    }
}

/// The number that a query of one row and column gives.
pub(crate) async fn count(db: &Db, sql: &'static str) -> i64 {
    db.first(sql, &[]).await.unwrap().map_or(0, |row| row.get(0).unwrap())
}

fn server() -> String {
    let hint = "no PostgreSQL to test on: run `tests/toolchains/postgres cargo test …`";
    std::env::var(VARIABLE).unwrap_or_else(|_| panic!("{hint}"))
}

/// A connection for making databases.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Drop for Place {
    fn drop(&mut self) {
        let url = self.url.as_ref().map(|url| url.expose_secret());
        let name = url.and_then(|url| url.rsplit('/').next());
        DONE_WITH.lock().unwrap_or_else(PoisonError::into_inner).extend(name.map(str::to_owned));
    }
}

/// The databases that nobody needs, once they are many.
fn dispensable() -> Vec<String> {
    let mut done_with = DONE_WITH.lock().unwrap_or_else(PoisonError::into_inner);
    if done_with.len() < DROPPED_AT_ONCE { Vec::new() } else { std::mem::take(&mut *done_with) }
}

async fn create() -> SecretString {
    let server = server();
    let name = format!("test_{}", crate::support::new_id().replace('-', ""));
    let client = connect(&format!("{server}/postgres")).await;
    // One at a time: a template is copied only while nobody is connected to it.
    client.batch_execute("SELECT pg_advisory_lock(1)").await.unwrap();
    let known = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&TEMPLATE]).await.unwrap();
    if known.is_none() {
        client.batch_execute(&format!("CREATE DATABASE {TEMPLATE}")).await.unwrap();
        let url = SecretString::from(format!("{server}/{TEMPLATE}"));
        let db = Db::open(&Storage::Postgres(PostgresOptions { url, connections: 2 })).await.unwrap();
        db.close().await;
        let gone = "SELECT 1 FROM pg_stat_activity WHERE datname = $1";
        while client.query_opt(gone, &[&TEMPLATE]).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    }
    for name in dispensable() {
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        if client.batch_execute(&drop).await.is_err() {
            // A worker of the server's own is in it: next time.
            DONE_WITH.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
    }
    client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await.unwrap();
    format!("{server}/{name}").into()
}

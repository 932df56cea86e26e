//! Bringing the schema up to date, by one process at a time.

use deadpool_postgres::Object;
use refinery::error::Kind;
use refinery::{Migration, Runner};

use crate::platform::db::DbError;
use crate::platform::db::migrations::MIGRATIONS;

/// Any number, as long as nothing else of ours takes it: "liventix" as bytes.
const LOCK: i64 = i64::from_be_bytes(*b"liventix");

/// Applies what is missing. Others that start meanwhile wait, and find it done.
///
/// # Errors
/// When a migration fails (nothing of it stays), or the schema is newer than this version.
pub(super) async fn migrate(connection: &mut Object) -> Result<(), DbError> {
    // A migration may take longer than any request.
    connection.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0").await?;
    connection.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await?;
    // The connection is thrown away afterwards, and the lock and the settings with it.
    apply(connection).await
}

async fn apply(connection: &mut Object) -> Result<(), DbError> {
    let mut steps = Vec::with_capacity(MIGRATIONS.len());
    for migration in MIGRATIONS {
        let name = migration.name.trim_start_matches('0').replacen('_', "__", 1);
        let step = Migration::unapplied(&format!("V{name}"), &migration.for_postgres());
        steps.push(step.map_err(|error| DbError::Migration(error.to_string()))?);
    }
    let client: &mut tokio_postgres::Client = connection;
    let done = Runner::new(&steps).run_async(client).await;
    done.map(drop).map_err(|error| match error.kind() {
        Kind::MissingVersion(_) => DbError::NewerSchema { known: MIGRATIONS.len() },
        _ => DbError::Migration(describe(&error)),
    })
}

/// The engine's own words as well: the library only says which migration it was.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

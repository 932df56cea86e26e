//! `liventix admin backup` and `restore`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use liventix_core::entropy::OsEntropy;

use crate::app::App;
use crate::platform::config::{Config, ConfigArgs};
use crate::platform::db::{Storage, backup};

/// The file of the embedded database.
fn file(config: &Config) -> anyhow::Result<std::path::PathBuf> {
    match config.storage()? {
        Storage::Sqlite(options) => Ok(options.path),
        Storage::Postgres(_) => bail!(
            "this copies the embedded database. For PostgreSQL, `pg_dump --format=custom` and `pg_restore` do it, also \
             while servers run: docs/operations.md has the commands"
        ),
    }
}

pub(super) fn back_up(args: ConfigArgs, target: &Path) -> anyhow::Result<()> {
    let copied = backup::back_up(&file(&args.load()?)?, target)?;
    println!("backup     {} ({} bytes, schema {})", target.display(), copied.bytes, copied.schema);
    eprintln!(
        "The root secret is not in it. Keep that too, and somewhere else: without it no ticket can be checked."
    );
    Ok(())
}

pub(super) async fn restore(args: ConfigArgs, from: &Path) -> anyhow::Result<()> {
    let config = args.load()?;
    let database = file(&config)?;
    App::make_data_dir(&config)?;
    let copied = backup::restore(from, &database)?;
    println!("restored   {} ({} bytes, schema {})", database.display(), copied.bytes, copied.schema);
    let opened = App::open(&config, Arc::new(OsEntropy)).await;
    let (db, _) = opened.context("the database is in its place, but does not open yet")?;
    db.close().await;
    eprintln!("Let every door sync before much is changed: they send again what this backup does not have.");
    Ok(())
}

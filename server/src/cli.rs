//! The command line: `serve`, `migrate`, `openapi`, `admin`, `demo`; without arguments, the demo.

mod admin;
mod backup;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use liventix_core::clock::SystemClock;
use liventix_core::entropy::OsEntropy;

use crate::app::App;
use crate::platform::config::ConfigArgs;
use crate::platform::{openapi, telemetry};

/// Liventix: tickets with signed codes, doors that scan without a network.
#[derive(Debug, Parser)]
#[command(name = "liventix", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(ConfigArgs),
    /// Bring the database up to date and stop
    Migrate(ConfigArgs),
    /// Print the OpenAPI document
    Openapi,
    /// Work of the administrator, on the server's own data directory
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Show the main job from end to end (also without any argument)
    Demo,
}

/// Runs the command line; errors go to standard error with what to do.
#[must_use]
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("liventix: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None | Some(Command::Demo) => block_on(crate::demo::run()),
        Some(Command::Serve(config)) => block_on(serve(config)),
        Some(Command::Migrate(config)) => block_on(migrate(config)),
        Some(Command::Openapi) => print_openapi(),
        Some(Command::Admin(admin)) => block_on(admin::run(admin)),
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

async fn serve(args: ConfigArgs) -> anyhow::Result<()> {
    let config = args.load()?;
    telemetry::init(&config.log_filter, config.log_json).context("cannot start the log")?;
    let drain = config.drain;
    let running = App::start(config, Arc::new(SystemClock::new()), Arc::new(OsEntropy)).await?;
    tracing::info!(address = %running.addr, "listening; the API is described at /docs");
    stop_asked().await?;
    if !drain.is_zero() {
        tracing::info!(seconds = drain.as_secs(), "not ready any more; stopping later, or when asked again");
        running.drain();
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            asked = stop_asked() => asked?,
        }
    }
    tracing::info!("shutting down");
    running.shutdown().await;
    Ok(())
}

/// Returns at SIGINT or SIGTERM.
async fn stop_asked() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

async fn migrate(args: ConfigArgs) -> anyhow::Result<()> {
    let config = args.load()?;
    let (db, _) = App::open(&config, Arc::new(OsEntropy)).await?;
    db.close().await;
    println!("the database is up to date");
    Ok(())
}

fn print_openapi() -> anyhow::Result<()> {
    let (_, document) = App::routes().split_for_parts();
    println!("{}", serde_json::to_string_pretty(&openapi::finish(&document))?);
    Ok(())
}

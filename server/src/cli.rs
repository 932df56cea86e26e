//! The command line: `serve`, `migrate`, `openapi`, `admin`, `demo`; without arguments, the demo.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use liventix_core::clock::SystemClock;
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::OrganiserId;

use crate::app::App;
use crate::organisers::service::{NewApiKey, NewOrganiser, Organisers};
use crate::platform::auth::Scope;
use crate::platform::config::ConfigArgs;
use crate::platform::idempotency::Attempt;
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
    Admin(Admin),
    /// Show the main job from end to end (also without any argument)
    Demo,
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Create an organiser and print its first API key
    CreateOrganiser {
        /// Its name, as doors show it
        #[arg(long)]
        name: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Create an API key for an organiser and print it
    CreateApiKey {
        /// Whose key
        #[arg(long)]
        organiser: OrganiserId,
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do; may be given more than once
        #[arg(long = "scope", required = true)]
        scopes: Vec<ScopeArg>,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeArg {
    Manage,
    Read,
    Redeem,
    Supervise,
}

impl From<ScopeArg> for Scope {
    fn from(arg: ScopeArg) -> Self {
        match arg {
            ScopeArg::Manage => Self::Manage,
            ScopeArg::Read => Self::Read,
            ScopeArg::Redeem => Self::Redeem,
            ScopeArg::Supervise => Self::Supervise,
        }
    }
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
        Some(Command::Admin(admin)) => block_on(administer(admin)),
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

async fn serve(args: ConfigArgs) -> anyhow::Result<()> {
    let config = args.load()?;
    telemetry::init(&config.log_filter, config.log_json).context("cannot start the log")?;
    let running = App::start(config, Arc::new(SystemClock::new()), Arc::new(OsEntropy)).await?;
    tracing::info!(address = %running.addr, "listening; the API is described at /docs");
    stop_asked().await?;
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

async fn administer(admin: Admin) -> anyhow::Result<()> {
    match admin {
        Admin::CreateOrganiser { name, config } => {
            let (db, vault) = App::open(&config.load()?, Arc::new(OsEntropy)).await?;
            let (clock, entropy) = (SystemClock::new(), OsEntropy);
            let organisers = Organisers { db: &db, vault: &vault, clock: &clock, entropy: &entropy };
            let made = organisers.create(&NewOrganiser { name }).await?;
            db.close().await;
            println!("organiser  {}\napi key    {}", made.organiser.organiser_id, made.api_key.token);
        }
        Admin::CreateApiKey { organiser, name, scopes, config } => {
            let (db, vault) = App::open(&config.load()?, Arc::new(OsEntropy)).await?;
            let (clock, entropy) = (SystemClock::new(), OsEntropy);
            let organisers = Organisers { db: &db, vault: &vault, clock: &clock, entropy: &entropy };
            let request = NewApiKey { name, scopes: scopes.into_iter().map(Scope::from).collect() };
            let made = organisers.create_api_key(organiser, request, Attempt::without_key()).await?;
            db.close().await;
            println!("api key    {}", made.token);
        }
    }
    eprintln!("Keep the API key safe: it is not shown again.");
    Ok(())
}

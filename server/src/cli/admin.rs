//! `liventix admin`: work on the server's own data directory, beside a running server or without one.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use liventix_core::clock::{Clock as _, SystemClock};
use liventix_core::entropy::{Entropy, OsEntropy};
use liventix_core::ids::{EventId, OrganiserId};
use secrecy::SecretString;

use super::backup;
use crate::accounts::{Accounts, NewMember, NewUser, Passwords};
use crate::app::App;
use crate::organisers::service::{NewApiKey, NewOrganiser, Organisers};
use crate::platform::auth::Scope;
use crate::platform::authorize::{Action, By, Role, Who};
use crate::platform::config::ConfigArgs;
use crate::platform::db::Db;
use crate::platform::idempotency::Attempt;
use crate::platform::vault::Vault;

#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Copy the embedded database to a file, also while the server runs
    Backup {
        /// The file to write; it must not be there yet
        #[arg(long)]
        to: PathBuf,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Put a backup where there is no database yet; the server must not run
    Restore {
        /// The backup
        #[arg(long)]
        from: PathBuf,
        #[command(flatten)]
        config: ConfigArgs,
    },
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
        /// Only this event; may be given more than once
        #[arg(long = "event")]
        events: Vec<EventId>,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Create an account for a person; the password is read from standard input
    CreateUser {
        /// Their address, which they sign in with
        #[arg(long)]
        email: String,
        /// Their name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Give a person a new password, read from standard input; ends their sessions
    SetPassword {
        /// Their address
        #[arg(long)]
        email: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Let a person see the operator's pages of the console: queues, dead letters, alerts
    NameOperator {
        /// Their address
        #[arg(long)]
        email: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Keep a person from the operator's pages again
    DismissOperator {
        /// Their address
        #[arg(long)]
        email: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make a person a member of an organiser
    AddMember {
        /// The organiser
        #[arg(long)]
        organiser: OrganiserId,
        /// The person's address
        #[arg(long)]
        email: String,
        /// What they are to the organiser
        #[arg(long)]
        role: RoleArg,
        /// Only this event (event_manager and event_scanner); may be given more than once
        #[arg(long = "event")]
        events: Vec<EventId>,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ScopeArg {
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

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum RoleArg {
    Owner,
    EventManager,
    EventScanner,
    Finance,
    Support,
}

impl From<RoleArg> for Role {
    fn from(arg: RoleArg) -> Self {
        match arg {
            RoleArg::Owner => Self::Owner,
            RoleArg::EventManager => Self::EventManager,
            RoleArg::EventScanner => Self::EventScanner,
            RoleArg::Finance => Self::Finance,
            RoleArg::Support => Self::Support,
        }
    }
}

/// The opened data directory, without a server.
struct Office {
    db: Db,
    vault: Vault,
    clock: SystemClock,
    entropy: Arc<dyn Entropy>,
}

impl Office {
    async fn open(config: ConfigArgs) -> anyhow::Result<Self> {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let (db, vault) = App::open(&config.load()?, Arc::clone(&entropy)).await?;
        Ok(Self { db, vault, clock: SystemClock::new(), entropy })
    }

    fn organisers(&self) -> Organisers<'_> {
        Organisers { db: &self.db, vault: &self.vault, clock: &self.clock, entropy: &self.entropy }
    }

    fn accounts<'a>(&'a self, passwords: &'a Passwords) -> Accounts<'a> {
        Accounts { db: &self.db, now: self.clock.wall_ms(), entropy: &self.entropy, passwords }
    }
}

pub(super) async fn run(admin: Admin) -> anyhow::Result<()> {
    match admin {
        Admin::Backup { to, config } => backup::back_up(config, &to)?,
        Admin::Restore { from, config } => backup::restore(config, &from).await?,
        Admin::CreateOrganiser { name, config } => {
            let office = Office::open(config).await?;
            let made = office.organisers().create(By::command_line(), &NewOrganiser { name }).await?;
            office.db.close().await;
            println!("organiser  {}\napi key    {}", made.organiser.organiser_id, made.api_key.token);
            keep_it_safe();
        }
        Admin::CreateApiKey { organiser, name, scopes, events, config } => {
            let office = Office::open(config).await?;
            let who = asking(organiser, Action::ManageApiKeys);
            let scopes = scopes.into_iter().map(Scope::from).collect();
            let request = NewApiKey { name, scopes, event_ids: some(events) };
            let made = office.organisers().create_api_key(who, request, Attempt::without_key()).await?;
            office.db.close().await;
            println!("api key    {}", made.token);
            keep_it_safe();
        }
        Admin::CreateUser { email, name, config } => {
            let office = Office::open(config).await?;
            let new = NewUser { email, name, password: read_password()? };
            let passwords = Passwords::default();
            let made = office.accounts(&passwords).create_user(By::command_line(), new).await?;
            office.db.close().await;
            println!("user       {made}");
        }
        Admin::SetPassword { email, config } => {
            let office = Office::open(config).await?;
            let passwords = Passwords::default();
            let accounts = office.accounts(&passwords);
            accounts.set_password(By::command_line(), &email, read_password()?).await?;
            office.db.close().await;
            println!("done: their sessions have ended");
        }
        Admin::NameOperator { email, config } => set_operator(config, &email, true).await?,
        Admin::DismissOperator { email, config } => set_operator(config, &email, false).await?,
        Admin::AddMember { organiser, email, role, events, config } => {
            let office = Office::open(config).await?;
            let passwords = Passwords::default();
            let new = NewMember { email, role: role.into(), event_ids: some(events) };
            let who = asking(organiser, Action::ManageMembers);
            let made = office.accounts(&passwords).add_member(who, new).await?;
            office.db.close().await;
            println!("member     {made}");
        }
    }
    Ok(())
}

async fn set_operator(config: ConfigArgs, email: &str, operator: bool) -> anyhow::Result<()> {
    let office = Office::open(config).await?;
    let passwords = Passwords::default();
    let changed = office.accounts(&passwords).set_operator(By::command_line(), email, operator).await?;
    office.db.close().await;
    println!("{}", if changed { "done" } else { "nothing to change" });
    Ok(())
}

fn asking(organiser_id: OrganiserId, action: Action) -> Who {
    Who { organiser_id, action, by: By::command_line() }
}

/// Without `--event`, every event is meant.
fn some(events: Vec<EventId>) -> Option<Vec<EventId>> {
    if events.is_empty() { None } else { Some(events) }
}

fn keep_it_safe() {
    eprintln!("Keep the API key safe: it is not shown again.");
}

/// One line of standard input: a flag would stand in the shell's history and in the list of processes.
fn read_password() -> anyhow::Result<SecretString> {
    let mut input = std::io::stdin().lock();
    if std::io::stdin().is_terminal() {
        eprintln!("Password (it is shown as you type; or pipe it in):");
    }
    let mut line = String::new();
    input.read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned().into())
}

//! # liventix-door
//!
//! The Liventix scanner in a terminal: for a laptop with a hand scanner at the gate, for scripts, and
//! for finding out what a door does without a phone at hand.
//!
//! It translates between people and [`liventix_core`]: arguments and lines in, verdicts drawn or as
//! JSON out. It decides nothing itself, keeps its ledger where the core keeps it, and adds only what
//! a phone would bring: a place for secrets, a reader for pictures, a screen.

mod cli;
mod commands;
mod door;
mod error;
mod live;
mod look;
mod output;
mod picture;
mod place;
mod render;
mod scanning;
mod secrets;
mod settings;
mod views;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::door::Door;
use crate::error::DoorError;
use crate::output::Output;
use crate::views::ErrorView;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let output = Output::new(cli.json);
    let done = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(DoorError::from)
        .and_then(|runtime| {
            let done = runtime.block_on(run(cli, output));
            // A line reader may wait for a key for ever.
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(code) => ExitCode::from(code),
        // Whoever read us has what they wanted (`| head`).
        Err(DoorError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let view = ErrorView { code: error.code().to_owned(), detail: error.to_string(), file: None };
            let _ = output.fail(&view);
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(cli: Cli, output: Output) -> Result<u8, DoorError> {
    let door = Door::open(cli.dir, output)?;
    match cli.command {
        Command::Enrol(args) => commands::enrol::run(&door, args).await,
        Command::Sync => commands::sync::run(&door).await,
        Command::Scan(args) => commands::scan::run(door, args).await,
        Command::Force(args) => commands::force::run(&door, args),
        Command::Undo(args) => commands::undo::run(&door, &args),
        Command::Find(args) => commands::find::run(&door, &args),
        Command::Admit(args) => commands::admit::run(&door, &args),
        Command::Status => commands::status::run(&door),
        Command::Conflicts(args) => commands::conflicts::run(&door, &args),
        Command::Scans(args) => commands::scans::run(&door, &args),
        Command::Export(args) => commands::export::run(&door, &args),
        Command::Check(args) => commands::check::run(&door, &args).await,
    }
}

/// The log goes to standard error and is off unless asked for: `RUST_LOG=liventix_core=info`.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use liventix_core::ids::{ScanId, TicketId};

/// The Liventix ticket scanner in a terminal. Works without a network; syncs when there is one.
#[derive(Debug, Parser)]
#[command(name = "liventix-door", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Where the ledger, the settings and the secrets live [default: the user's data folder]
    #[arg(long, global = true, env = "LIVENTIX_DOOR_DIR", value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,

    /// Print JSON, one object per line, each with its `kind`
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done; with scan, force and admit: everyone may pass
  1   failed: the message says why and what to do
  2   wrong usage
  3   not ready (check), or not enrolled
  4   the server was not reached or failed; nothing is lost, try again
  5   the organiser revoked this device
  10  at least one scan was refused or needs a supervisor

First steps: liventix-door enrol <QR>, then sync, then check, then scan.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make this machine a door: trade a one-time enrolment code for access
    Enrol(EnrolArgs),
    /// Upload scans, download tickets, keys and what other doors saw
    Sync,
    /// Scan codes: as arguments, from pictures, or typed by a hand scanner
    Scan(ScanArgs),
    /// Let people pass in spite of a refusal (a supervisor's device only)
    Force(ForceArgs),
    /// Take a scan back: the guest went away again, or it was the wrong ticket
    Undo(UndoArgs),
    /// Find tickets by the name of who holds them
    Find(FindArgs),
    /// Admit a ticket that was found by name
    Admit(AdmitArgs),
    /// Show the device, its events and its counts
    Status,
    /// Show tickets that more people entered on than they admit, with the evidence
    Conflicts(EventArgs),
    /// Show the latest scans of this device
    Scans(ScansArgs),
    /// Write scans as JSON lines, for the organiser to import when a device cannot sync
    Export(ExportArgs),
    /// Check that this door is ready to open
    Check(CheckArgs),
}

/// Which event.
#[derive(Debug, Clone, Args)]
pub(crate) struct EventArgs {
    /// Event, by id or by part of its name [default: the only one, or the one that is on now]
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,
}

/// Arguments of `enrol`.
#[derive(Debug, Args)]
pub(crate) struct EnrolArgs {
    /// The text of the enrolment QR (LIVENTIX-ENROL:…), or a picture of it
    #[arg(value_name = "CODE_OR_PICTURE")]
    pub(crate) code: String,

    /// What people call this door [default: the machine's name]
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Accept a server without TLS outside the local network
    #[arg(long)]
    pub(crate) allow_http: bool,
}

/// Where people pass, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct PassingArgs {
    /// Which event
    #[command(flatten)]
    pub(crate) event: EventArgs,

    /// Gate, by id or by part of its name [default: the only one, or the last one used]
    #[arg(long, value_name = "NAME")]
    pub(crate) gate: Option<String>,

    /// People are leaving
    #[arg(long)]
    pub(crate) exit: bool,

    /// How many people pass with one code
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) people: u16,
}

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Codes to scan; without any (and without --image), codes are read line by line
    #[arg(value_name = "CODE")]
    pub(crate) codes: Vec<String>,

    /// Pictures to read codes from (PNG, JPEG); a picture may hold several
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) image: Vec<PathBuf>,

    /// Where, and how people pass
    #[command(flatten)]
    pub(crate) passing: PassingArgs,

    /// Do not talk to the server while scanning
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Arguments of `force`.
#[derive(Debug, Args)]
pub(crate) struct ForceArgs {
    /// The code that was refused
    #[arg(value_name = "CODE")]
    pub(crate) code: String,

    /// Why, in one line; the organiser reads it
    #[arg(long, value_name = "REASON")]
    pub(crate) why: String,

    /// Where, and how people pass
    #[command(flatten)]
    pub(crate) passing: PassingArgs,
}

/// Arguments of `undo`.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The scan, by its id [default: the last one of this device that let people pass]
    #[arg(value_name = "SCAN_ID")]
    pub(crate) scan_id: Option<ScanId>,

    /// Why, in one line; the organiser reads it
    #[arg(long, value_name = "REASON")]
    pub(crate) why: String,
}

/// Arguments of `find`.
#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// Names or parts of them; all of them must fit
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// How many at most
    #[arg(long, short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub(crate) number: u16,

    /// Which event
    #[command(flatten)]
    pub(crate) event: EventArgs,
}

/// Arguments of `admit`.
#[derive(Debug, Args)]
pub(crate) struct AdmitArgs {
    /// The ticket, by its id (see find)
    #[arg(value_name = "TICKET_ID")]
    pub(crate) ticket_id: TicketId,

    /// Let them pass in spite of a refusal, for this reason (a supervisor's device only)
    #[arg(long, value_name = "REASON")]
    pub(crate) force: Option<String>,

    /// Where, and how people pass
    #[command(flatten)]
    pub(crate) passing: PassingArgs,
}

/// Arguments of `scans`.
#[derive(Debug, Args)]
pub(crate) struct ScansArgs {
    /// How many, newest last
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) number: u32,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Every scan of this ledger, not only the unsent ones
    #[arg(long)]
    pub(crate) all: bool,

    /// Write to this file instead of standard output; it must not exist yet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Do not ask the server anything
    #[arg(long)]
    pub(crate) offline: bool,
}

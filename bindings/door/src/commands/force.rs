//! `force`: a supervisor lets people pass in spite of a refusal.

use crate::cli::ForceArgs;
use crate::commands::admit;
use crate::door::Door;
use crate::error::DoorError;
use crate::scanning::Shown;

/// Runs the command.
pub(crate) fn run(door: &Door, args: ForceArgs) -> Result<u8, DoorError> {
    admit::let_in(door, &args.passing, &Shown::Text(args.code), Some(&args.why))
}

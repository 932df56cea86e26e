//! `scan`: codes from the command line, from pictures, or line by line.

use liventix_core::rules::Outcome;
use liventix_core::ticket::{Scanned, read};

use crate::cli::ScanArgs;
use crate::door::{Door, Place};
use crate::error::{DoorError, NOT_ADMITTED};
use crate::live;
use crate::scanning::{Passing, Shown, pass};
use crate::views::{ErrorView, Link};
use crate::{picture, render};

/// Runs the command.
pub(crate) async fn run(door: Door, args: ScanArgs) -> Result<u8, DoorError> {
    let place = door.place(&args.passing.event, args.passing.gate.as_deref())?;
    let passing = Passing::of(&args.passing);
    if args.codes.is_empty() && args.image.is_empty() {
        return live::run(door, place, passing, args.offline).await;
    }
    scan_all(&door, &place, passing, &args)
}

/// Scans what the arguments name. A picture without a code does not hold up the others.
fn scan_all(door: &Door, place: &Place, passing: Passing, args: &ScanArgs) -> Result<u8, DoorError> {
    let keys = door.engine(&door.device()?.server_url)?.load_keys()?;
    let mut all_admitted = true;
    let mut scan = |text: &str, file: Option<String>| -> Result<(), DoorError> {
        let shown = Shown::Text(text.to_owned());
        let mut view = pass(&mut door.ledger(), &keys, place, passing, &shown, None)?;
        view.file = file;
        all_admitted &= view.outcome == Outcome::Admit;
        door.output.say("verdict", &view, |view, look| render::verdict(view, look, &chrono::Local))?;
        Ok(())
    };
    for code in &args.codes {
        scan(code, None)?;
    }
    let mut failed = None;
    for path in &args.image {
        let file = path.display().to_string();
        match picture::read_codes(path) {
            Ok(texts) => {
                for text in tickets_first(texts) {
                    scan(&text, Some(file.clone()))?;
                }
            }
            Err(error) => {
                let view =
                    ErrorView { code: error.code().to_owned(), detail: error.to_string(), file: Some(file) };
                door.output.fail(&view)?;
                failed = Some(error);
            }
        }
    }
    let standing = door.standing(&place.event, Link::Unasked)?;
    door.output
        .tell(&format!("{}\n", door.output.look.dim(&render::standing(&standing, door.output.look))))?;
    Ok(match failed {
        Some(_) => 1,
        None if all_admitted => 0,
        None => NOT_ADMITTED,
    })
}

/// Posters and sponsors have QR codes too: where a picture shows a ticket, the rest is left alone.
fn tickets_first(texts: Vec<String>) -> Vec<String> {
    let is_ticket = |text: &String| matches!(read(text), Ok(Scanned::Signed(_)));
    if texts.iter().any(is_ticket) { texts.into_iter().filter(is_ticket).collect() } else { texts }
}

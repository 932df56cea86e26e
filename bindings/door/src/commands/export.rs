//! `export`: scans as JSON lines, for a device that cannot reach its server any more.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::cli::ExportArgs;
use crate::door::Door;
use crate::error::DoorError;
use crate::render;

/// Scans read at once.
const BATCH: usize = 1_000;

#[derive(Serialize)]
struct ExportedView {
    scans: u64,
    file: String,
}

/// Runs the command.
pub(crate) fn run(door: &Door, args: &ExportArgs) -> Result<u8, DoorError> {
    let Some(path) = &args.out else {
        write_scans(door, args.all, &mut BufWriter::new(io::stdout().lock()))?;
        return Ok(0);
    };
    let failed = |action| move |source| DoorError::File { path: path.clone(), action, source };
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed("cannot be made: choose a name that does not exist yet"))?;
    let mut out = BufWriter::new(file);
    let scans = write_scans(door, args.all, &mut out)?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .map_err(failed("cannot be written"))?;
    let view = ExportedView { scans, file: path.display().to_string() };
    door.output.say("exported", &view, |view, _| {
        format!("{} written to {}\n", render::count(view.scans, "scan"), view.file)
    })?;
    Ok(0)
}

fn write_scans(door: &Door, all: bool, out: &mut dyn Write) -> Result<u64, DoorError> {
    let ledger = door.ledger();
    if !all {
        return Ok(ledger.export_unsent(out)?);
    }
    let (mut after, mut count) = (0, 0);
    loop {
        let scans = ledger.scans(after, BATCH)?;
        let Some(last) = scans.last() else { break };
        after = last.seq;
        for scan in &scans {
            serde_json::to_writer(&mut *out, scan).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
            count += 1;
        }
    }
    out.flush()?;
    Ok(count)
}

//! `check`: may doors open with this device?

use liventix_core::entropy::OsEntropy;
use liventix_core::readiness::{self, Check, CheckItem};

use crate::cli::CheckArgs;
use crate::door::Door;
use crate::error::{DoorError, NOT_READY};
use crate::{picture, render};

/// Runs the command.
pub(crate) async fn run(door: &Door, args: &CheckArgs) -> Result<u8, DoorError> {
    let device = door.ledger().device()?;
    let engine = device.map(|device| door.engine(&device.server_url)).transpose()?;
    let keys = engine.as_ref().map(|engine| engine.load_keys()).transpose()?.unwrap_or_default();
    let mut items = readiness::check(&mut door.ledger(), &*door.parts.secrets, &keys);
    for item in items.iter_mut().filter(|item| item.check == Check::SampleCode) {
        // This machine also reads codes out of pictures.
        *item = sample(door.now());
    }
    if let Some(engine) = engine.filter(|_| !args.offline) {
        items.push(readiness::server_item(&engine.probe().await));
    }
    for item in &items {
        if door.output.json {
            door.output.say("check", item, |_, _| String::new())?;
        }
    }
    door.output.tell(&render::check(&items, door.output.look))?;
    Ok(if readiness::is_ready(&items) { 0 } else { NOT_READY })
}

fn sample(now: i64) -> CheckItem {
    readiness::sample_code(now, &OsEntropy, Some(&read_back))
}

/// The code in a picture, as `scan --image` would find it.
fn read_back(png: &[u8]) -> Result<String, String> {
    let picture = picture::decode(png).map_err(|error| error.to_string())?;
    picture::find_codes(&picture).pop().ok_or_else(|| "the drawn code could not be read".to_owned())
}

#[cfg(test)]
mod tests {
    use liventix_core::readiness::CheckState;

    use super::*;

    #[test]
    fn the_sample_passes() {
        let item = sample(1_790_000_000_000);
        assert_eq!(item.state, CheckState::Ready, "{item:?}");
        assert!(item.detail.contains("read back"));
    }
}

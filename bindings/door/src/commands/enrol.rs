//! `enrol`: a one-time code makes this machine a door.

use std::path::Path;

use liventix_core::sync::{EnrolmentCode, EnrolmentCodeError};

use crate::cli::EnrolArgs;
use crate::door::Door;
use crate::error::DoorError;
use crate::views::EnrolledView;
use crate::{picture, render};

/// Runs the command.
pub(crate) async fn run(door: &Door, args: EnrolArgs) -> Result<u8, DoorError> {
    let code = read_code(&args.code, args.allow_http)?;
    let name = args.name.unwrap_or_else(machine_name);
    let device = door.engine(code.base_url())?.enrol(&code, name.trim()).await?;
    let view = EnrolledView {
        device_id: device.device_id,
        device_name: device.device_name,
        organiser_name: device.organiser_name,
        server_url: device.server_url,
        events: device.assignments.into_iter().map(|assignment| assignment.event_name).collect(),
    };
    door.output.say("enrolled", &view, render::enrolled)?;
    Ok(0)
}

/// The code itself, or the one in a picture file of this name.
fn read_code(given: &str, allow_http: bool) -> Result<EnrolmentCode, DoorError> {
    match EnrolmentCode::parse(given, allow_http) {
        Err(EnrolmentCodeError::NotAnEnrolmentCode) if Path::new(given).is_file() => {}
        parsed => return Ok(parsed?),
    }
    let mut first_error = EnrolmentCodeError::NotAnEnrolmentCode;
    for text in picture::read_codes(Path::new(given))? {
        match EnrolmentCode::parse(&text, allow_http) {
            Ok(code) => return Ok(code),
            Err(EnrolmentCodeError::NotAnEnrolmentCode) => {}
            Err(error) => first_error = error,
        }
    }
    Err(first_error.into())
}

fn machine_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().chars().take(80).collect::<String>())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "Terminal door".to_owned())
}

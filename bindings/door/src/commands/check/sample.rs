//! A sample ticket through everything a scan needs: signing, drawing, reading, verifying; and a
//! forged one, which must be refused.

use liventix_core::clock::{TimeBounds, TimeReading};
use liventix_core::entropy::{Entropy, OsEntropy};
use liventix_core::ids::{EventId, TicketId};
use liventix_core::qr::{QrOptions, render};
use liventix_core::ticket::CodeError;
use liventix_core::ticket::code::{Claims, SignedCode};
use liventix_core::ticket::keys::{Algorithm, KeyId, KeyState, MasterKey};
use liventix_core::ticket::verify::KeyRing;
use liventix_core::ticket::{Scanned, read};

use super::item;
use crate::door::Door;
use crate::picture;
use crate::views::{CheckState, CheckView};

/// Runs the sample.
pub(super) fn check(door: &Door) -> CheckView {
    match round_trip(door.parts.clock.wall_ms()) {
        Ok(()) => {
            item("sample_code", CheckState::Ready, "drawn, read back and verified; forged ones refused", None)
        }
        Err(problem) => item("sample_code", CheckState::NotReady, problem, Some("reinstall liventix-door")),
    }
}

fn round_trip(now: i64) -> Result<(), String> {
    for algorithm in [Algorithm::HmacSha256, Algorithm::Ed25519] {
        one_round_trip(now, algorithm).map_err(|problem| format!("{algorithm:?}: {problem}"))?;
    }
    Ok(())
}

fn one_round_trip(now: i64, algorithm: Algorithm) -> Result<(), String> {
    // Keys of its own, made up for the moment: no real ticket can come of them.
    let entropy: &dyn Entropy = &OsEntropy;
    let master = MasterKey::generate(entropy);
    let event_id = EventId::generate(now, entropy);
    let claims =
        Claims { event_id, ticket_id: TicketId::generate(now, entropy), issued_at: now, expires_at: None };
    let key_id = KeyId(1);
    let text = master.signing_key(event_id, key_id, algorithm).printed(&claims).text();
    let mut ring = KeyRing::new();
    let state = KeyState { key_id, algorithm, accept_until: None };
    ring.insert(&master.event_keys(event_id, 1, &[state])).map_err(|error| error.to_string())?;

    let signed = signed_code(&drawn_and_read(&text)?)?;
    let bounds = TimeReading::exact(now).bounds();
    let verified = ring.verify(event_id, &signed, bounds).map_err(|error| error.to_string())?;
    if verified.ticket_id != claims.ticket_id {
        return Err("the code read back is of another ticket".to_owned());
    }
    refuses_forgeries(&ring, event_id, &signed, bounds)
}

/// Through a picture and back.
fn drawn_and_read(text: &str) -> Result<String, String> {
    let png =
        render(text, &QrOptions::default()).and_then(|code| code.png()).map_err(|error| error.to_string())?;
    let picture = picture::decode(&png).map_err(|error| error.to_string())?;
    picture::find_codes(&picture).pop().ok_or_else(|| "the drawn code could not be read".to_owned())
}

fn signed_code(text: &str) -> Result<SignedCode, String> {
    match read(text) {
        Ok(Scanned::Signed(code)) => Ok(code),
        Ok(_) => Err("the code read back is not a signed one".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Another ticket's id under the same signature, and a broken signature.
fn refuses_forgeries(
    ring: &KeyRing,
    event_id: EventId,
    good: &SignedCode,
    bounds: TimeBounds,
) -> Result<(), String> {
    let last = good.as_bytes().len() - 1;
    for place in [10, last] {
        let mut bytes = good.as_bytes().to_vec();
        bytes[place] ^= 1;
        let refused = SignedCode::from_bytes(&bytes).and_then(|code| ring.verify(event_id, &code, bounds));
        match refused {
            Err(CodeError::BadSignature) => {}
            Ok(_) => return Err("a forged code was accepted".to_owned()),
            Err(error) => return Err(format!("a forged code was refused for the wrong reason: {error}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_passes() {
        assert_eq!(round_trip(1_790_000_000_000), Ok(()));
    }
}

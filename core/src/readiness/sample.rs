//! A sample ticket through everything a scan needs: signing, drawing, reading, verifying; and forged
//! ones, which must be refused.

use super::{Check, CheckItem, CheckState};
use crate::clock::{TimeBounds, TimeReading};
use crate::entropy::Entropy;
use crate::ids::{EventId, TicketId};
use crate::qr::{QrOptions, render};
use crate::ticket::{
    Algorithm, Claims, CodeError, KeyId, KeyRing, KeyState, MasterKey, Scanned, SignedCode, read,
};

/// Reads the one code in a PNG picture, as the device's camera would. The error says what went wrong.
pub type ReadBack<'a> = &'a dyn Fn(&[u8]) -> Result<String, String>;

/// The item for a sample of codes of each algorithm, made at `now` (UTC milliseconds) with keys of their
/// own: no real ticket can come of them. Where `read_back` is given, the drawn codes are read with it.
#[must_use]
pub fn sample_code(now: i64, entropy: &dyn Entropy, read_back: Option<ReadBack<'_>>) -> CheckItem {
    let mut algorithms = [Algorithm::HmacSha256, Algorithm::Ed25519].into_iter();
    let outcome = algorithms.try_for_each(|algorithm| {
        round_trip(now, entropy, algorithm, read_back).map_err(|problem| format!("{algorithm:?}: {problem}"))
    });
    match outcome {
        Ok(()) => {
            let read = if read_back.is_some() { ", read back" } else { "" };
            let detail = format!("drawn{read} and verified; forged ones refused");
            CheckItem::new(Check::SampleCode, CheckState::Ready, detail, None)
        }
        Err(problem) => {
            let next = "install this program again";
            CheckItem::new(Check::SampleCode, CheckState::NotReady, problem, Some(next))
        }
    }
}

fn round_trip(
    now: i64,
    entropy: &dyn Entropy,
    algorithm: Algorithm,
    read_back: Option<ReadBack<'_>>,
) -> Result<(), String> {
    let master = MasterKey::generate(entropy);
    let event_id = EventId::generate(now, entropy);
    let ticket_id = TicketId::generate(now, entropy);
    let claims = Claims { event_id, ticket_id, issued_at: now, expires_at: None };
    let key_id = KeyId(1);
    let text = master.signing_key(event_id, key_id, algorithm).printed(&claims).text();
    let mut ring = KeyRing::new();
    let state = KeyState { key_id, algorithm, accept_until: None };
    ring.insert(&master.event_keys(event_id, 1, &[state])).map_err(|error| error.to_string())?;

    let picture = render(&text, &QrOptions::default()).and_then(|code| code.png());
    let picture = picture.map_err(|error| error.to_string())?;
    let scanned = match read_back {
        Some(read_back) => read_back(&picture)?,
        None => text,
    };
    let signed = signed_code(&scanned)?;
    let bounds = TimeReading::exact(now).bounds();
    let verified = ring.verify(event_id, &signed, bounds).map_err(|error| error.to_string())?;
    if verified.ticket_id != ticket_id {
        return Err("the code read back is of another ticket".to_owned());
    }
    refuses_forgeries(&ring, event_id, &signed, bounds)
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
    let last = good.as_bytes().len().saturating_sub(1);
    for place in [10, last] {
        let mut bytes = good.as_bytes().to_vec();
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1;
        }
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
    use crate::entropy::FixedEntropy;

    #[test]
    fn the_sample_passes_and_a_camera_that_misreads_does_not() {
        let entropy = FixedEntropy::new(1);
        let sample = |read_back: Option<ReadBack<'_>>| sample_code(1_790_000_000_000, &entropy, read_back);
        assert_eq!(sample(None).state, CheckState::Ready);
        let misread = sample(Some(&|png| Ok(format!("{} bytes", png.len()))));
        assert_eq!(misread.state, CheckState::NotReady);
        assert!(misread.detail.contains("not a signed one"), "{misread:?}");
    }
}

//! Whether a body comes from Stripe. <https://docs.stripe.com/webhooks#verify-manually>

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// How far its time may be from ours, either way, in milliseconds: what is older was perhaps recorded and sent again.
const TOLERANCE_MS: i64 = 300_000;

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the header Stripe-Signature is missing or has another form than t=…,v1=…")]
    Malformed,
    #[error("it was not signed with any of the secrets in stripe_webhook_secrets")]
    Unsigned,
    #[error("it was signed more than 5 minutes ago or ahead: check this server's clock")]
    Stale,
}

/// Checks the header against the body as it came, byte by byte, with any of the secrets.
///
/// # Errors
/// Why it is not taken.
pub(super) fn check(
    header: &str,
    body: &[u8],
    secrets: impl Iterator<Item = SecretString>,
    now_ms: i64,
) -> Result<(), Refusal> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) => time = Some(text),
            Some(("v1", text)) => signatures.push(text),
            // Other schemes say nothing here; `v0` is for tests of Stripe's own.
            _ => {}
        }
    }
    let time = time.ok_or(Refusal::Malformed)?;
    let seconds: i64 = time.parse().map_err(|_| Refusal::Malformed)?;
    let signatures: Vec<Vec<u8>> =
        signatures.iter().filter_map(|text| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()).collect();
    if signatures.is_empty() {
        return Err(Refusal::Malformed);
    }
    let is_signed = secrets
        .into_iter()
        .any(|secret| signatures.iter().any(|signature| fits(secret.expose_secret(), time, body, signature)));
    if !is_signed {
        return Err(Refusal::Unsigned);
    }
    let distance = seconds.saturating_mul(1_000).saturating_sub(now_ms);
    if (-TOLERANCE_MS..=TOLERANCE_MS).contains(&distance) { Ok(()) } else { Err(Refusal::Stale) }
}

fn fits(secret: &str, time: &str, body: &[u8], signature: &[u8]) -> bool {
    // Every length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    // In constant time.
    mac.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id": "evt_1", "object": "event"}"#;
    const NOW: i64 = 1_760_000_000_000;
    /// Made with Stripe's own library for Python, 16.1.0: `WebhookSignature._compute_signature`.
    const SIGNED: &str = "592868533bd2fc407052f665bfb3da50a8b54d1775fa114b41e64b258f68385e";

    fn check_at(header: &str, secrets: &[&str], now: i64) -> Result<(), Refusal> {
        check(header, BODY, secrets.iter().map(|secret| SecretString::from(*secret)), now)
    }

    #[test]
    fn what_stripe_signed_is_taken() {
        let header = format!("t=1760000000,v1={SIGNED},v0=00");
        assert_eq!(check_at(&header, &["whsec_test"], NOW), Ok(()));
        assert_eq!(check_at(&header, &["whsec_new", "whsec_test"], NOW), Ok(()), "while one takes over");
        let two = format!("t=1760000000,v1={},v1={SIGNED}", "0".repeat(64));
        assert_eq!(check_at(&two, &["whsec_test"], NOW), Ok(()));
    }

    #[test]
    fn its_time_is_near_ours_either_way() {
        let header = format!("t=1760000000,v1={SIGNED}");
        for (now, expected) in [
            (NOW + TOLERANCE_MS, Ok(())),
            (NOW - TOLERANCE_MS, Ok(())),
            (NOW + TOLERANCE_MS + 1, Err(Refusal::Stale)),
            (NOW - TOLERANCE_MS - 1, Err(Refusal::Stale)),
        ] {
            assert_eq!(check_at(&header, &["whsec_test"], now), expected);
        }
    }

    #[test]
    fn nothing_else_is_taken() {
        let header = format!("t=1760000000,v1={SIGNED}");
        assert_eq!(check_at(&header, &["whsec_other"], NOW), Err(Refusal::Unsigned));
        assert_eq!(check_at(&header, &[], NOW), Err(Refusal::Unsigned));
        let later = format!("t=1760000001,v1={SIGNED}");
        assert_eq!(
            check_at(&later, &["whsec_test"], NOW),
            Err(Refusal::Unsigned),
            "the time is signed as well"
        );
        for header in ["", "t=1760000000", &format!("v1={SIGNED}"), &format!("t=x,v1={SIGNED}"), "t=1,v1=zz"]
        {
            assert_eq!(check_at(header, &["whsec_test"], NOW), Err(Refusal::Malformed), "{header}");
        }
    }
}

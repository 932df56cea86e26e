//! Whether a body comes from Resend, which signs as Svix does. <https://docs.svix.com/receiving/verifying-payloads/how-manual>

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// How far its time may be from ours, either way, in milliseconds: what is older was perhaps recorded and sent again.
const TOLERANCE_MS: i64 = 300_000;

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the headers svix-id, svix-timestamp and svix-signature are missing, or have another form")]
    Malformed,
    #[error("it was not signed with any of the secrets in resend_webhook_secrets")]
    Unsigned,
    #[error("it was signed more than 5 minutes ago or ahead: check this server's clock")]
    Stale,
}

/// What stands in the headers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) id: &'a str,
    /// Seconds.
    pub(super) time: &'a str,
    /// `v1,…`, several with a blank between.
    pub(super) signatures: &'a str,
}

/// Checks them against the body as it came, byte by byte, with any of the secrets.
///
/// # Errors
/// Why it is not taken.
pub(super) fn check(
    signed: Signed<'_>,
    body: &[u8],
    secrets: impl Iterator<Item = SecretString>,
    now_ms: i64,
) -> Result<(), Refusal> {
    let seconds: i64 = signed.time.parse().map_err(|_| Refusal::Malformed)?;
    let signatures: Vec<Vec<u8>> = signed
        .signatures
        .split(' ')
        .filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?.as_bytes()).ok())
        .collect();
    if signed.id.is_empty() || signatures.is_empty() {
        return Err(Refusal::Malformed);
    }
    let is_signed = secrets
        .filter_map(|secret| key(&secret))
        .any(|key| signatures.iter().any(|signature| fits(&key, signed, body, signature)));
    if !is_signed {
        return Err(Refusal::Unsigned);
    }
    let distance = seconds.saturating_mul(1_000).saturating_sub(now_ms);
    if (-TOLERANCE_MS..=TOLERANCE_MS).contains(&distance) { Ok(()) } else { Err(Refusal::Stale) }
}

fn key(secret: &SecretString) -> Option<Vec<u8>> {
    BASE64.decode(secret.expose_secret().strip_prefix("whsec_")?.as_bytes()).ok()
}

fn fits(key: &[u8], signed: Signed<'_>, body: &[u8], signature: &[u8]) -> bool {
    // Every length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in [signed.id.as_bytes(), b".", signed.time.as_bytes(), b".", body] {
        mac.update(part);
    }
    // In constant time.
    mac.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    /// Made with Resend's own library for Python, 2.52.0: `Webhooks._generate_signature`.
    const SIGNED: &str = "VF2m0GbwZgcJJWut1aAuxsV6og/3WM6I7WArlydj/zI=";
    const NOW: i64 = 1_760_000_000_000;

    fn check_at(header: &str, id: &str, secrets: &[&str], now: i64) -> Result<(), Refusal> {
        let signed = Signed { id, time: "1760000000", signatures: header };
        check(signed, BODY, secrets.iter().map(|secret| SecretString::from(*secret)), now)
    }

    #[test]
    fn what_resend_signed_is_taken() {
        let header = format!("v1,{SIGNED}");
        assert_eq!(check_at(&header, "msg_1", &[SECRET], NOW), Ok(()));
        assert_eq!(check_at(&header, "msg_1", &["whsec_bmV3", SECRET], NOW), Ok(()), "while one takes over");
        let two = format!("v1a,x v1,{} v1,{SIGNED}", BASE64.encode(&[0; 32]));
        assert_eq!(check_at(&two, "msg_1", &[SECRET], NOW), Ok(()));
    }

    #[test]
    fn its_time_is_near_ours_either_way() {
        let header = format!("v1,{SIGNED}");
        for (now, expected) in [
            (NOW + TOLERANCE_MS, Ok(())),
            (NOW - TOLERANCE_MS, Ok(())),
            (NOW + TOLERANCE_MS + 1, Err(Refusal::Stale)),
            (NOW - TOLERANCE_MS - 1, Err(Refusal::Stale)),
        ] {
            assert_eq!(check_at(&header, "msg_1", &[SECRET], now), expected);
        }
    }

    #[test]
    fn nothing_else_is_taken() {
        let header = format!("v1,{SIGNED}");
        assert_eq!(check_at(&header, "msg_2", &[SECRET], NOW), Err(Refusal::Unsigned), "the id is signed");
        assert_eq!(check_at(&header, "msg_1", &["whsec_b3RoZXI="], NOW), Err(Refusal::Unsigned));
        assert_eq!(check_at(&header, "msg_1", &[], NOW), Err(Refusal::Unsigned));
        for header in ["", SIGNED, "v1,", "v1,%", &format!("v1a,{SIGNED}")] {
            let refused = check_at(header, "msg_1", &[SECRET], NOW);
            assert!(matches!(refused, Err(Refusal::Malformed | Refusal::Unsigned)), "{header}");
        }
    }
}

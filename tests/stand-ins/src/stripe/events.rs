//! What happened, and how it is signed. <https://docs.stripe.com/webhooks#verify-manually>

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::state::State;

/// The version that events are written in.
pub const VERSION: &str = "2026-10-28.endive";

pub(super) fn happened(state: &mut State, kind: &str, object: &Value) {
    let event = json!({
        "id": state.id("evt"),
        "object": "event",
        "api_version": VERSION,
        "created": state.now(),
        "data": {"object": object},
        "livemode": false,
        "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null},
        "type": kind,
    });
    state.events.push(event);
}

/// The header `Stripe-Signature` for a body sent at `seconds`, with each of the secrets.
#[must_use]
pub fn sign(body: &[u8], seconds: i64, secrets: &[&str]) -> String {
    let mut header = format!("t={seconds}");
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(body);
        header += &format!(",v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()));
    }
    header
}

//! Derived keys.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use liventix_core::ids::{EventId, TicketId};
use liventix_core::ticket::{Algorithm, Claims, EventKeys, KeyBytes, KeyId, KeyState, MasterKey};
use serde_json::{Value, json};

use super::{hex, setup};

struct Key<'a> {
    name: &'a str,
    about: &'a str,
    master: [u8; 32],
    event: EventId,
    key_id: u8,
}

pub(crate) fn cases() -> Vec<Value> {
    let main = *setup::master().expose().expose();
    let keys = [
        Key { name: "main", about: "the shared setup", master: main, event: setup::event(), key_id: 1 },
        Key { name: "other_key", about: "another key id", master: main, event: setup::event(), key_id: 255 },
        Key {
            name: "other_event",
            about: "another event",
            master: main,
            event: setup::other_event(),
            key_id: 1,
        },
        Key {
            name: "other_master",
            about: "another organiser",
            master: [0xA5; 32],
            event: setup::event(),
            key_id: 1,
        },
        Key {
            name: "zeros",
            about: "all zeros",
            master: [0; 32],
            event: EventId::from_bytes([0; 16]),
            key_id: 0,
        },
    ];
    let mut cases = Vec::new();
    for key in &keys {
        for purpose in ["ticket-hmac", "ticket-ed25519", "live-root", "lookup"] {
            let case = json!({
                "name": format!("derive_{}_{}", purpose.replace('-', "_"), key.name),
                "about": format!("Purpose {purpose}: {}.", key.about),
                "purpose": purpose,
                "master_key": hex(&key.master),
                "event_id": key.event,
                "key_id": if purpose == "lookup" { Value::Null } else { key.key_id.into() },
            });
            cases.push(complete(case));
        }
    }
    for (name, ticket, issued_at) in [
        ("main", setup::ticket(), setup::ISSUED),
        ("reissued", setup::ticket(), setup::ISSUED + 1_000),
        ("other_ticket", TicketId::from_bytes([0xFF; 16]), setup::ISSUED),
        ("epoch", setup::ticket(), 0),
    ] {
        let case = json!({
            "name": format!("derive_live_key_{name}"),
            "about": "The key with which one ticket's phone mints live codes: of ticket and issue time.",
            "purpose": "live-key",
            "master_key": hex(&main),
            "event_id": setup::event(),
            "key_id": 1,
            "ticket_id": ticket,
            "issued_at": issued_at,
        });
        cases.push(complete(case));
    }
    cases
}

fn complete(mut case: Value) -> Value {
    case["expected"] = derive(&case);
    case
}

/// What the library derives, by way of what it hands to a device or a wallet.
pub(crate) fn derive(case: &Value) -> Value {
    let text = |name: &str| case[name].as_str().unwrap();
    let master = HEXLOWER.decode(text("master_key").as_bytes()).unwrap();
    let master = MasterKey::new(KeyBytes::new(master.try_into().unwrap()));
    let event: EventId = text("event_id").parse().unwrap();
    let key_id = KeyId(case["key_id"].as_u64().unwrap_or(0) as u8);
    let keys = |algorithm| -> EventKeys {
        master.event_keys(event, 1, &[KeyState { key_id, algorithm, accept_until: None }])
    };
    match text("purpose") {
        "ticket-hmac" => json!({ "key": hex(keys(Algorithm::HmacSha256).keys[0].verify_key.expose()) }),
        // The seed itself never leaves the library; the public key stands for it.
        "ticket-ed25519" => {
            json!({ "public_key": hex(keys(Algorithm::Ed25519).keys[0].verify_key.expose()) })
        }
        "live-root" => json!({ "key": hex(keys(Algorithm::Ed25519).keys[0].live_root.expose()) }),
        "lookup" => json!({ "key": hex(keys(Algorithm::HmacSha256).lookup_key.expose()) }),
        _ => {
            let claims = Claims {
                event_id: event,
                ticket_id: text("ticket_id").parse().unwrap(),
                issued_at: case["issued_at"].as_i64().unwrap(),
                expires_at: None,
            };
            let base = master.signing_key(event, key_id, Algorithm::HmacSha256).live_base(&claims);
            let base = serde_json::to_value(base).unwrap();
            json!({ "key": hex(&BASE64URL_NOPAD.decode(base["live_key"].as_str().unwrap().as_bytes()).unwrap()) })
        }
    }
}

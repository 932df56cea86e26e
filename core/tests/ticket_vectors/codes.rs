//! Good codes.

use liventix_core::clock::TimeBounds;
use liventix_core::ids::TicketId;
use liventix_core::ticket::{Claims, TicketCode};
use serde_json::{Value, json};

use super::setup::{self, ACCEPT_UNTIL, EXPIRES, ISSUED, NOW, at, claims};
use super::{expected_value, hex};

/// A good code: how it is made, and the whole seconds that come out.
struct Good {
    name: &'static str,
    about: &'static str,
    key_id: u8,
    claims: Claims,
    minted_at: Option<i64>,
    read_back: (i64, Option<i64>, Option<i64>),
    time: TimeBounds,
}

impl Good {
    fn printed(name: &'static str, about: &'static str, key_id: u8) -> Self {
        let read_back = (ISSUED, Some(EXPIRES), None);
        Self { name, about, key_id, claims: claims(), minted_at: None, read_back, time: at(NOW) }
    }

    fn live(name: &'static str, about: &'static str, key_id: u8, minted_at: i64, read_back: i64) -> Self {
        Self {
            minted_at: Some(minted_at),
            read_back: (ISSUED, Some(EXPIRES), Some(read_back)),
            ..Self::printed(name, about, key_id)
        }
    }

    fn times(self, issued: (i64, i64), expires: (Option<i64>, Option<i64>)) -> Self {
        let claims = Claims { issued_at: issued.0, expires_at: expires.0, ..self.claims };
        Self { claims, read_back: (issued.1, expires.1, self.read_back.2), ..self }
    }

    fn ticket(self, bytes: [u8; 16]) -> Self {
        Self { claims: Claims { ticket_id: TicketId::from_bytes(bytes), ..self.claims }, ..self }
    }

    fn at(self, time: TimeBounds) -> Self {
        Self { time, ..self }
    }

    fn make(&self) -> TicketCode {
        let key = setup::key(self.key_id);
        match self.minted_at {
            None => key.printed(&self.claims),
            Some(minted_at) => key.live_base(&self.claims).mint(minted_at),
        }
    }

    fn case(&self) -> Value {
        let code = self.make();
        let kind = if self.minted_at.is_some() { "live" } else { "printed" };
        let algorithm = setup::algorithm_of(self.key_id);
        json!({
            "name": self.name,
            "about": self.about,
            "make": {
                "key_id": self.key_id,
                "algorithm": algorithm,
                "kind": kind,
                "ticket_id": self.claims.ticket_id,
                "issued_at": self.claims.issued_at,
                "expires_at": self.claims.expires_at,
                "minted_at": self.minted_at,
            },
            "bytes": hex(code.as_bytes()),
            "input": code.text(),
            "base64url": code.base64url(),
            "event_id": setup::event(),
            "time": setup::time_value(self.time),
            "expected": expected_value(self.claims.ticket_id, kind, algorithm, self.key_id, self.read_back),
        })
    }
}

const LAST: i64 = 4_294_967_295_000;

pub(crate) fn printed() -> Vec<Value> {
    let unsure = TimeBounds { earliest: ACCEPT_UNTIL - 1, latest: i64::MAX };
    [
        Good::printed("printed_hmac", "An ordinary printed code.", 1),
        Good::printed("printed_ed25519", "The same ticket, signed with Ed25519.", 2),
        Good::printed("printed_hmac_never_expires", "No expiry is FFFFFFFF.", 1).times((ISSUED, ISSUED), (None, None)),
        Good::printed("printed_ed25519_never_expires", "No expiry is FFFFFFFF.", 2).times((ISSUED, ISSUED), (None, None)),
        Good::printed("printed_hmac_rounding", "Issued is rounded down, expiry up, to whole seconds.", 1)
            .times((ISSUED + 999, ISSUED), (Some(EXPIRES + 1), Some(EXPIRES + 1_000))),
        Good::printed("printed_hmac_epoch", "The earliest times.", 1).times((0, 0), (Some(0), Some(0))),
        Good::printed("printed_hmac_before_1970", "Times before 1970 become 1970.", 1)
            .times((-1, 0), (Some(-999_999), Some(0))),
        Good::printed("printed_hmac_latest_times", "Times after 2106 become the last that fits; the last expiry is one second less, since FFFFFFFF means never.", 1)
            .times((LAST + 5_000, LAST), (Some(LAST), Some(LAST - 1_000))),
        Good::printed("printed_hmac_already_expired", "Authentic all the same: expiry is for the rules to judge.", 1)
            .times((ISSUED, ISSUED), (Some(NOW - 1_000), Some(NOW - 1_000))),
        Good::printed("printed_hmac_key_255", "The highest key id.", 255),
        Good::printed("printed_hmac_ticket_zeros", "A ticket id of zeros.", 1).ticket([0; 16]),
        Good::printed("printed_hmac_ticket_ones", "A ticket id of ones.", 1).ticket([0xFF; 16]),
        Good::printed("printed_ed25519_ticket_ones", "A ticket id of ones.", 2).ticket([0xFF; 16]),
        Good::printed("printed_hmac_rotated_key", "A rotated key, a millisecond before its end.", 3).at(at(ACCEPT_UNTIL - 1)),
        Good::printed("printed_ed25519_rotated_key", "A rotated key, a millisecond before its end.", 4).at(at(ACCEPT_UNTIL - 1)),
        Good::printed("printed_hmac_rotated_key_unsure_clock", "A rotated key is refused only if its end has certainly passed.", 3).at(unsure),
    ]
    .iter()
    .map(Good::case)
    .collect()
}

pub(crate) fn live() -> Vec<Value> {
    [
        Good::live("live_hmac", "An ordinary live code.", 1, NOW, NOW),
        Good::live(
            "live_ed25519",
            "The same ticket, signed with Ed25519. The phone's tag is HMAC all the same.",
            2,
            NOW,
            NOW,
        ),
        Good::live(
            "live_hmac_rounding",
            "The moment of minting is rounded down to whole seconds.",
            1,
            NOW + 999,
            NOW,
        ),
        Good::live(
            "live_hmac_a_second_later",
            "The next second gives another code.",
            1,
            NOW + 1_000,
            NOW + 1_000,
        ),
        Good::live(
            "live_hmac_old",
            "Authentic, however old: age is for the rules to judge.",
            1,
            NOW - 999_999_000,
            NOW - 999_999_000,
        ),
        Good::live("live_hmac_epoch", "The earliest moment.", 1, -5, 0),
        Good::live("live_hmac_latest", "The latest moment.", 1, LAST + 1, LAST),
        Good::live("live_hmac_never_expires", "No expiry.", 1, NOW, NOW)
            .times((ISSUED, ISSUED), (None, None)),
        Good::live("live_ed25519_never_expires", "No expiry.", 2, NOW, NOW)
            .times((ISSUED, ISSUED), (None, None)),
        Good::live("live_hmac_reissued", "A reissue gives the ticket another live key.", 1, NOW, NOW)
            .times((ISSUED + 1_000, ISSUED + 1_000), (Some(EXPIRES), Some(EXPIRES))),
        Good::live("live_hmac_rotated_key", "A rotated key, a millisecond before its end.", 3, NOW, NOW)
            .at(at(ACCEPT_UNTIL - 1)),
        Good::live("live_ed25519_rotated_key", "A rotated key, a millisecond before its end.", 4, NOW, NOW)
            .at(at(ACCEPT_UNTIL - 1)),
    ]
    .iter()
    .map(Good::case)
    .collect()
}

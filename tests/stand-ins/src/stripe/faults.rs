//! What goes wrong on command.

use serde::Deserialize;

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `POST /v1/payment_intents`
    CreatePayment,
    /// `GET /v1/payment_intents/{id}`
    RetrievePayment,
    /// `GET /v1/payment_intents/search`
    SearchPayments,
    /// `POST /v1/payment_intents/{id}/cancel`
    CancelPayment,
    /// `POST /v1/payment_intents/{id}/confirm`
    ConfirmPayment,
    /// `POST /v1/refunds`
    CreateRefund,
    /// `GET /v1/refunds/{id}`
    RetrieveRefund,
    /// `GET /v1/refunds`
    ListRefunds,
    /// `GET /v1/disputes/{id}`
    RetrieveDispute,
    /// `POST /v1/transfers`
    CreateTransfer,
    /// `GET /v1/transfers/{id}`
    RetrieveTransfer,
    /// `GET /v1/transfers`
    ListTransfers,
}

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing is done, and no answer comes.
    HangBefore,
    /// It is done, and no answer comes: the charge happened, the timeout too.
    HangAfter,
    /// Nothing is done, and the answer breaks off.
    BreakBefore,
    /// It is done, and the answer breaks off.
    BreakAfter,
    /// It is done, and the answer is none.
    Garble,
    /// Nothing is done; too many calls, with this `Retry-After` in seconds.
    TooMany(u32),
    /// The same with any `Retry-After`; an empty one: none. Resend's only.
    TooManyUntil(String),
    /// It is done, and the answer has ten million bytes. Resend's only.
    Flood,
    /// Somebody else's call with the same key is being answered.
    InProgress,
    /// A failure whose answer is kept: the same call gets it again and again.
    FailKept(u16),
    /// A failure of the moment.
    Fail(u16),
}

impl Fault {
    /// One by chance, of those that a client has to live with.
    pub(super) fn by_chance(random: u64) -> Self {
        match random % 8 {
            0 => Self::BreakBefore,
            1 | 2 => Self::BreakAfter,
            3 => Self::Garble,
            4 => Self::TooMany(1),
            5 => Self::InProgress,
            6 => Self::FailKept(500),
            _ => Self::Fail(503),
        }
    }
}

/// The next number of a sequence that a seed begins (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).
pub(crate) fn next_random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

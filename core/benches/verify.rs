//! Verifying one code, parse to verdict, beside a bare loop of the same work written out by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a benchmark fails, in its helpers too"
)]

use criterion::{BatchSize, Criterion, criterion_group};
use hmac::{Hmac, KeyInit, Mac};
use liventix_core::clock::TimeBounds;
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::ticket::{
    Algorithm, Claims, KeyBytes, KeyId, KeyRing, KeyState, MasterKey, Scanned, read,
};
use sha2::Sha256;
use std::hint::black_box;

mod support;

const NOW: i64 = 1_790_000_000_000;
/// So many different codes that no branch predictor learns them.
const CODES: usize = 1_024;

struct Case {
    event: EventId,
    ring: KeyRing,
    hmac_secret: [u8; 32],
    printed: Vec<String>,
    live: Vec<String>,
    ed25519: Vec<String>,
}

impl Case {
    fn new() -> Self {
        let entropy = FixedEntropy::new(1);
        let event = EventId::generate(NOW, &entropy);
        let master = MasterKey::new(KeyBytes::new([7; 32]));
        let states = [Algorithm::HmacSha256, Algorithm::Ed25519].map(|algorithm| KeyState {
            key_id: KeyId(algorithm as u8),
            algorithm,
            accept_until: None,
        });
        let keys = master.event_keys(event, 1, &states);
        let mut ring = KeyRing::new();
        ring.insert(&keys).unwrap();
        let hmac = master.signing_key(event, KeyId(0), Algorithm::HmacSha256);
        let ed25519 = master.signing_key(event, KeyId(1), Algorithm::Ed25519);
        let claims: Vec<_> = (0..CODES)
            .map(|_| Claims {
                event_id: event,
                ticket_id: TicketId::generate(NOW, &entropy),
                issued_at: NOW,
                expires_at: Some(NOW + 86_400_000),
            })
            .collect();
        Self {
            event,
            ring,
            hmac_secret: *keys.keys[0].verify_key.expose(),
            printed: claims.iter().map(|claims| hmac.printed(claims).text()).collect(),
            live: claims.iter().map(|claims| hmac.live_base(claims).mint(NOW).text()).collect(),
            ed25519: claims.iter().map(|claims| ed25519.printed(claims).text()).collect(),
        }
    }

    fn verify(&self, text: &str) -> bool {
        let time = TimeBounds { earliest: NOW, latest: NOW };
        match read(text) {
            Ok(Scanned::Signed(code)) => self.ring.verify(self.event, &code, time).is_ok_and(|verified| {
                code.expires_at().is_none_or(|at| NOW < at) && black_box(verified).key_id.0 < 2
            }),
            _ => false,
        }
    }
}

/// What the format costs at the very least: table decode, one HMAC with the keyed state ready, one
/// comparison of times. No checks, no types, no errors.
struct Bare {
    mac: Hmac<Sha256>,
    values: [u8; 256],
}

impl Bare {
    fn new(secret: &[u8; 32]) -> Self {
        let mut values = [0; 256];
        for (value, byte) in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".iter().enumerate() {
            values[usize::from(*byte)] = value as u8;
        }
        Self { mac: Hmac::new_from_slice(secret).unwrap(), values }
    }

    fn verify(&self, text: &str) -> bool {
        let mut bytes = [0_u8; 48];
        for (pair, group) in bytes.chunks_exact_mut(2).zip(text.as_bytes()[4..].chunks_exact(3)) {
            let value = |index: usize| u32::from(self.values[usize::from(group[index])]);
            let number = value(0) + 45 * value(1) + 2_025 * value(2);
            pair.copy_from_slice(&(number as u16).to_be_bytes());
        }
        let mut mac = self.mac.clone();
        mac.update(b"liventix/v1/ticket\0");
        mac.update(&bytes[..32]);
        let expires = u32::from_be_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]);
        mac.verify_truncated_left(&bytes[32..]).is_ok() && NOW < i64::from(expires) * 1_000
    }
}

fn bench(criterion: &mut Criterion) {
    let case = Case::new();
    let bare = Bare::new(&case.hmac_secret);
    let mut group = criterion.benchmark_group("verify");
    let mut run = |name: &str, texts: &[String], verify: &dyn Fn(&str) -> bool| {
        let mut next = 0;
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    next = (next + 1) % texts.len();
                    texts[next].as_str()
                },
                |text| assert!(verify(black_box(text))),
                BatchSize::SmallInput,
            );
        });
    };
    run("bare", &case.printed, &|text| bare.verify(text));
    run("printed_hmac", &case.printed, &|text| case.verify(text));
    run("live_hmac", &case.live, &|text| case.verify(text));
    run("printed_ed25519", &case.ed25519, &|text| case.verify(text));
    group.finish();
}

criterion_group!(benches, bench);

fn main() {
    support::run(
        benches,
        &[support::Target {
            work: "verify one printed HMAC code, parse to verdict",
            ours: "verify/printed_hmac",
            baseline: "verify/bare",
            at_most: 2.0,
        }],
    );
}

//! Any bytes as a push token, as what a message carries, and as what a wallet wants or tells: nothing panics, what is taken is
//! taken again and means the same, and a token is in no debugging text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use liventix_core::push::wire::{PushPayload, PushPreferences, QuietHours, Receipts, RegisterPush};
use liventix_core::push::{PushService, PushToken};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for service in PushService::ALL {
        match PushToken::parse(service, &text) {
            Ok(token) => check_token(&token),
            Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
    again::<PushPayload>(data);
    again::<Receipts>(data);
    again::<RegisterPush>(data);
    again::<PushPreferences>(data);
    if let [a, b, c, d, e, f, ..] = *data {
        let [from_minute, until_minute, minute] = [[a, b], [c, d], [e, f]].map(u16::from_be_bytes);
        let hours = QuietHours { from_minute, until_minute };
        if hours.is_possible() {
            assert!(hours.minutes_left(minute) < 1_440);
        }
    }
});

fn check_token(token: &PushToken) {
    assert!(token.as_str().is_ascii() && token.as_str().len() <= 4_096);
    let again = PushToken::parse(token.service(), token.as_str()).expect("what we take, we take again");
    assert!(again == *token && again.fingerprint() == token.fingerprint());
    assert!(!format!("{token:?}").contains(token.as_str()));
}

fn again<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(data: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(data) {
        let text = serde_json::to_vec(&value).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<T>(&text).expect("what we write, we read"), value);
    }
}

//! Any bytes as any message between door, wallet and server: nothing panics, and what parses says the same
//! after another trip through JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use liventix_core::sync::wire::{
    Assignments, EnrolRequest, EnrolResponse, ManifestPage, Problem, Receipt, ServerTime, TicketEntry,
    UploadRequest, UploadResponse,
};
use liventix_core::ticket::{EventKeys, LiveBase};
use liventix_core::wallet::HeldTicket;
use liventix_core::wallet::wire::{ClaimRequest, TransferOffer, WalletPolicy, WalletTicket, WalletTickets};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    round_trip::<EnrolRequest>(data);
    round_trip::<EnrolResponse>(data);
    round_trip::<Assignments>(data);
    round_trip::<ServerTime>(data);
    round_trip::<TicketEntry>(data);
    round_trip::<ManifestPage>(data);
    round_trip::<UploadRequest>(data);
    round_trip::<Receipt>(data);
    round_trip::<UploadResponse>(data);
    round_trip::<Problem>(data);
    round_trip::<EventKeys>(data);
    round_trip::<LiveBase>(data);
    round_trip::<ClaimRequest>(data);
    round_trip::<WalletTicket>(data);
    round_trip::<WalletTickets>(data);
    round_trip::<TransferOffer>(data);
    round_trip::<WalletPolicy>(data);
    round_trip::<HeldTicket>(data);
    if let Ok(upload) = serde_json::from_slice::<UploadRequest>(data) {
        for scan in &upload.scans {
            // Hashing and reading any scan is safe, whether or not its hash fits.
            let _ = (scan.is_intact(), scan.is_consistent(), scan.at(), scan.passage());
        }
    }
});

fn round_trip<T: Serialize + DeserializeOwned>(data: &[u8]) {
    let Ok(first) = serde_json::from_slice::<T>(data) else { return };
    let text = serde_json::to_string(&first).unwrap();
    let second: T = serde_json::from_str(&text).expect("what we write, we read");
    assert_eq!(serde_json::to_string(&second).unwrap(), text);
}

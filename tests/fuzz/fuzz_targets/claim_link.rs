//! Any bytes as a ticket link: nothing panics, no public server is taken without TLS, and what parses
//! reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use liventix_core::wallet::{ClaimLink, ClaimLinkError};
use secrecy::ExposeSecret;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    match ClaimLink::parse(&text, true) {
        Ok(link) => check_link(&link),
        Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
    }
    match ClaimLink::parse(&text, false) {
        Ok(link) => check_link(&link),
        // What is only insecure is good where http is allowed.
        Err(ClaimLinkError::Insecure { .. }) => assert!(ClaimLink::parse(&text, true).is_ok()),
        Err(error) => assert_eq!(ClaimLink::parse(&text, true).map(drop).unwrap_err(), error),
    }
});

fn check_link(link: &ClaimLink) {
    let token = link.token().expose_secret();
    assert!(token.starts_with("lxt_") && token.len() == 80);
    assert!(!link.base_url().ends_with('/') && !link.base_url().contains(['?', '#', '@', ' ']));
    assert!(!format!("{link:?}").contains(token));
    let text = link.to_text();
    let again = ClaimLink::parse(text.expose_secret(), true).expect("what we write, we read");
    assert_eq!(again.to_text().expose_secret(), text.expose_secret());
    assert_eq!((again.base_url(), again.ticket_id()), (link.base_url(), link.ticket_id()));
}

//! Whether a form came from our own page.
//!
//! Two checks, each enough by itself. The browser says where a request comes from (`Sec-Fetch-Site`, or
//! `Origin` where that is missing), and no page can make it lie. And each form carries a token made from the
//! visitor's cookie, which no other site can read.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use data_encoding::BASE64URL_NOPAD;
use liventix_core::entropy::Entropy;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const LENGTH: usize = 32;

fn secret_of(cookie: &SecretString) -> [u8; LENGTH] {
    let mut hasher = Sha256::new();
    hasher.update(b"liventix form token v1\0");
    hasher.update(cookie.expose_secret().as_bytes());
    hasher.finalize().into()
}

/// The token for a form, another each time, so that the size of compressed pages tells nothing of it.
pub(super) fn token(cookie: &SecretString, entropy: &dyn Entropy) -> String {
    let mut pad = [0_u8; LENGTH];
    entropy.fill(&mut pad);
    let secret = secret_of(cookie);
    let masked: Vec<u8> = pad.iter().zip(secret).map(|(pad, byte)| pad ^ byte).collect();
    BASE64URL_NOPAD.encode(&[pad.as_slice(), &masked].concat())
}

/// Whether a token was made for a form of whoever has this cookie.
pub(super) fn fits(token: &str, cookie: &SecretString) -> bool {
    let Ok(bytes) = BASE64URL_NOPAD.decode(token.as_bytes()) else { return false };
    let Some((pad, masked)) = bytes.split_first_chunk::<LENGTH>() else { return false };
    let given: Vec<u8> = pad.iter().zip(masked).map(|(pad, byte)| pad ^ byte).collect();
    masked.len() == LENGTH && bool::from(given.ct_eq(&secret_of(cookie)))
}

/// Whether the browser says that a request comes from a page of ours. A request that says nothing comes from no
/// browser of the last years.
pub(super) fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = header(ORIGIN.as_str()) else { return false };
    let Some((_, host)) = origin.split_once("://") else { return false };
    // Behind a proxy the host may be another; without one, the address may be written in more than one way.
    origin == origin_of(public_url) || header(HOST.as_str()) == Some(host)
}

/// `https://host:port` of an address.
fn origin_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |place| place + 3);
    let end = url[start..].find('/').map_or(url.len(), |place| start + place);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use liventix_core::entropy::OsEntropy;

    use super::*;

    #[test]
    fn a_token_fits_its_own_cookie_only_and_never_looks_the_same() {
        let (ours, theirs): (SecretString, SecretString) = ("ours".into(), "theirs".into());
        let (one, two) = (token(&ours, &OsEntropy), token(&ours, &OsEntropy));
        assert_ne!(one, two);
        assert!(fits(&one, &ours) && fits(&two, &ours));
        assert!(!fits(&one, &theirs));
        for bad in ["", "x", &one[1..], &format!("{one}AAAA")] {
            assert!(!fits(bad, &ours), "{bad}");
        }
    }

    #[test]
    fn a_request_from_elsewhere_is_known() {
        let url = "https://tickets.example.org/at";
        let from = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            is_same_origin(&headers.collect(), url)
        };
        assert!(from(&[("sec-fetch-site", "same-origin")]));
        assert!(from(&[("origin", "https://tickets.example.org")]));
        assert!(from(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]));
        assert!(!from(&[]));
        assert!(!from(&[("origin", "null"), ("host", "null")]));
        assert!(!from(&[("origin", "https://evil.example"), ("host", "tickets.example.org")]));
        // A sub-domain of ours, and a page that says both.
        assert!(!from(&[("sec-fetch-site", "same-site"), ("origin", "https://tickets.example.org")]));
        assert!(!from(&[("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "none")]));
    }
}

//! From scanned text to a code, without keys.

use data_encoding::BASE64URL_NOPAD;

use super::base45::{self, Base45Error};
use super::code::{CodeBytes, MAX_CODE_BYTES, SignedCode, VERSION};
use super::error::CodeError;
use super::manual::{self, ManualCode};
use super::noise::clean;

/// The longest text that is looked at, in bytes. A QR code holds 4,296 characters at the very most.
pub const MAX_TEXT_BYTES: usize = 4_096;
/// The longest Base45 body of a code.
const MAX_BODY: usize = MAX_CODE_BYTES / 2 * 3;
/// How many base64url characters the four kinds of code have.
const BASE64URL_LENGTHS: [usize; 4] = [64, 91, 128, 155];

/// What a scanned text turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A well-formed ticket code, not yet verified.
    Signed(SignedCode),
    /// A manual code whose check symbol fits.
    Manual(ManualCode),
    /// Anything else, without the noise around it: a code of an older system, or no ticket at all.
    Other(String),
}

/// Reads what a scanner or a person typed.
///
/// Strips scanner noise, undoes the lower-casing that some keyboard-wedge scanners do, and accepts
/// both the `LX1:` text and the base64url form of links. Every code has exactly one text in each.
///
/// Twelve letters and digits may be a mistyped manual code or a code of an older system: an event
/// that takes legacy codes looks up [`LookupKey::legacy_tag`](super::LookupKey::legacy_tag) of the
/// same text before it believes [`CodeError::ManualTypo`].
///
/// # Errors
/// The text is empty, too long, or a damaged code: see [`CodeError`].
pub fn read(text: &str) -> Result<Scanned, CodeError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(CodeError::TooLong { bytes: text.len() });
    }
    let text = clean(text);
    if text.is_empty() {
        return Err(CodeError::Empty);
    }
    if let Some((version, case, body)) = split_prefix(text) {
        return if version == VERSION {
            read_base45(body, case).map(Scanned::Signed)
        } else {
            Err(CodeError::UnknownVersion { version })
        };
    }
    if let Some(code) = read_base64url(text) {
        return code.map(Scanned::Signed);
    }
    match manual::recognise(text) {
        Some(code) => code.map(Scanned::Manual).map_err(|_| CodeError::ManualTypo),
        None => Ok(Scanned::Other(text.to_owned())),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Case {
    Upper,
    /// Every letter came out lower-case: the scanner does that, or the keyboard's caps lock is on.
    Lower,
}

/// Version and body of `LX<version>:<body>`, in either case but not in a mixture.
fn split_prefix(text: &str) -> Option<(u8, Case, &[u8])> {
    let (case, rest) = match text.as_bytes() {
        [b'L', b'X', rest @ ..] => (Case::Upper, rest),
        [b'l', b'x', rest @ ..] => (Case::Lower, rest),
        _ => return None,
    };
    let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, body) = rest.split_at_checked(digits)?;
    // `LX01:` would be a second text for the same code.
    if number.len() > 1 && number.starts_with(b"0") {
        return None;
    }
    let body = body.strip_prefix(b":")?;
    let version = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some((version, case, body))
}

fn read_base45(body: &[u8], case: Case) -> Result<SignedCode, CodeError> {
    if body.len() > MAX_BODY {
        return Err(CodeError::Length { bytes: MAX_CODE_BYTES + 1 });
    }
    let bytes = match case {
        Case::Upper => CodeBytes::fill(|buffer| base45::decode(body, buffer)),
        Case::Lower => decode_lower(body),
    }?;
    SignedCode::from_code_bytes(bytes)
}

/// Decodes a body in which every letter must be lower-case.
fn decode_lower(body: &[u8]) -> Result<CodeBytes, Base45Error> {
    let mut upper = [0; MAX_BODY];
    for (to, from) in upper.iter_mut().zip(body) {
        // An upper-case letter becomes lower-case, which the decoder refuses: cases do not mix.
        *to = if from.is_ascii_alphabetic() { from ^ 0x20 } else { *from };
    }
    CodeBytes::fill(|buffer| base45::decode(&upper[..body.len()], buffer))
}

/// A text with the length and alphabet of a base64url code that is laid out like one. Anything else
/// may be a code of an older system (64 hex digits have the length of a printed code), so it is no error.
fn read_base64url(text: &str) -> Option<Result<SignedCode, CodeError>> {
    if !BASE64URL_LENGTHS.contains(&text.len()) || !text.bytes().all(is_base64url) {
        return None;
    }
    // The first six bits are the version nibble and two bits that are not used yet.
    if !text.starts_with(['E', 'F', 'G', 'H']) {
        return None;
    }
    let length = BASE64URL_NOPAD.decode_len(text.len()).ok()?;
    let bytes = CodeBytes::fill(|buffer| match buffer.get_mut(..length) {
        Some(buffer) => {
            BASE64URL_NOPAD.decode_mut(text.as_bytes(), buffer).map_err(|_| CodeError::NotCanonical)
        }
        None => Err(CodeError::Length { bytes: length }),
    });
    match bytes {
        Ok(bytes) => SignedCode::from_code_bytes(bytes).ok().map(Ok),
        Err(error) => Some(Err(error)),
    }
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

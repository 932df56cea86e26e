//! Manual codes, for when a QR code cannot be read: eleven random symbols (55 bits) of Crockford's
//! Base32 and a check symbol, shown as `ABCD-EFGH-JKMN`.
//!
//! The check symbol is Luhn's, in base 32: it catches every single wrong symbol and nearly every pair
//! of neighbours that changed places.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::entropy::Entropy;

/// How many symbols a code has, the check symbol included.
pub const SYMBOLS: usize = 12;
/// Crockford's Base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The longest text, in bytes, that can be a code with separators.
const MAX_TYPED_BYTES: usize = 64;

/// A manual code. It lets its bearer in: `Debug` does not print it, `Display` does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ManualCode([u8; SYMBOLS]);

/// Why a text is not a manual code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManualCodeError {
    /// Not twelve symbols.
    #[error("a manual code has {SYMBOLS} letters and digits, this has {symbols}: compare it with the ticket")]
    Length {
        /// How many symbols were typed (at most 64).
        symbols: usize,
    },
    /// A character that no manual code holds.
    #[error("“{character}” does not occur in manual codes: compare the code with the ticket")]
    Symbol {
        /// The character.
        character: char,
    },
    /// The check symbol does not fit.
    #[error("the code has a typing mistake: compare it with the ticket")]
    Check,
}

impl ManualCodeError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "manual_length",
            Self::Symbol { .. } => "manual_symbol",
            Self::Check => "manual_typo",
        }
    }
}

impl ManualCode {
    /// A new random code.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 8];
        entropy.fill(&mut random);
        let mut bits = u64::from_be_bytes(random);
        let mut values = [0; SYMBOLS - 1];
        for value in &mut values {
            *value = (bits & 31) as u8;
            bits >>= 5;
        }
        Self::from_values(values)
    }

    fn from_values(values: [u8; SYMBOLS - 1]) -> Self {
        let mut symbols = [0; SYMBOLS];
        for (symbol, value) in symbols.iter_mut().zip(values) {
            *symbol = ALPHABET[usize::from(value & 31)];
        }
        symbols[SYMBOLS - 1] = ALPHABET[usize::from(check_value(&values) & 31)];
        Self(symbols)
    }

    /// The twelve symbols, upper case, without separators.
    pub(super) const fn symbols(&self) -> &[u8] {
        &self.0
    }
}

/// Luhn's check digit in base 32 over the values, most significant first.
fn check_value(values: &[u8]) -> u8 {
    let sum: u32 = values
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &value)| if index % 2 == 0 { doubled(value) } else { u32::from(value) })
        .sum();
    ((32 - sum % 32) % 32) as u8
}

/// Twice the value, its two base-32 digits added.
fn doubled(value: u8) -> u32 {
    let twice = u32::from(value) * 2;
    twice / 32 + twice % 32
}

/// The value of a typed character; the letters that Crockford leaves out count as what they look like.
fn symbol_value(character: char) -> Option<u8> {
    let canonical = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        'U' => 'V',
        other => other,
    };
    ALPHABET.iter().position(|&symbol| char::from(symbol) == canonical).and_then(|at| u8::try_from(at).ok())
}

/// Hyphens and dashes of every length, spaces, and what phones make of them.
fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | '_' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}')
}

impl FromStr for ManualCode {
    type Err = ManualCodeError;

    /// Tolerates lower case, spaces, hyphens, and O for 0, I and L for 1, U for V.
    fn from_str(text: &str) -> Result<Self, ManualCodeError> {
        let mut values = [0; SYMBOLS];
        let mut symbols = 0;
        for character in text.chars().take(MAX_TYPED_BYTES).filter(|&character| !is_separator(character)) {
            let value = symbol_value(character).ok_or(ManualCodeError::Symbol { character })?;
            if let Some(place) = values.get_mut(symbols) {
                *place = value;
            }
            symbols += 1;
        }
        if symbols != SYMBOLS || text.len() > MAX_TYPED_BYTES {
            return Err(ManualCodeError::Length { symbols });
        }
        let [random @ .., check] = values;
        if check_value(&random) == check {
            Ok(Self::from_values(random))
        } else {
            Err(ManualCodeError::Check)
        }
    }
}

/// A text that looks like a manual code: the code, or what is wrong with it. None for any other text.
///
/// Without separators it needs exactly twelve symbols; with separators one may be missing or too many,
/// since hardly anything else is written in groups.
pub(super) fn recognise(text: &str) -> Option<Result<ManualCode, ManualCodeError>> {
    if text.len() > MAX_TYPED_BYTES {
        return None;
    }
    match text.parse::<ManualCode>() {
        Ok(code) => Some(Ok(code)),
        Err(ManualCodeError::Check) => Some(Err(ManualCodeError::Check)),
        Err(error @ ManualCodeError::Length { symbols })
            if symbols.abs_diff(SYMBOLS) == 1 && text.contains(is_separator) =>
        {
            Some(Err(error))
        }
        Err(_) => None,
    }
}

impl fmt::Display for ManualCode {
    /// Three groups of four: `ABCD-EFGH-JKMN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, &symbol) in self.0.iter().enumerate() {
            if index > 0 && index % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ManualCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManualCode(…)")
    }
}

impl Serialize for ManualCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ManualCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "openapi")]
crate::openapi_text!(ManualCode, "A manual code such as ABCD-EFGH-JKMN");

/// Finds a ticket by a code without the manifest holding the code: the first eight bytes of an
/// HMAC-SHA256 of the code under the event's lookup key. JSON form: base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupTag(pub [u8; 8]);

impl fmt::Debug for LookupTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupTag(…)")
    }
}

impl Serialize for LookupTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for LookupTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::base64_bytes::<8, D>(deserializer, "a lookup tag").map(Self)
    }
}

#[cfg(feature = "openapi")]
crate::openapi_text!(
    LookupTag,
    "Finds a ticket by a typed or legacy code: 8 bytes as base64url without padding"
);

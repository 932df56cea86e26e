//! Base45 (RFC 9285), strict and without allocation when decoding: QR codes store its 45 characters
//! in 5½ bits each, so that a code in Base45 takes a smaller symbol than in any other text form.
//!
//! Strict means one text for each value: no lower case, no group above its range, no stray characters.

/// The 45 characters, by value.
const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
/// Marks a byte that is no character of the alphabet.
const NONE: u8 = 0xFF;
/// The value of each byte, or [`NONE`].
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        table[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    table
}

/// Why a text is not Base45.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Base45Error {
    /// A character outside the alphabet.
    #[error("character {position} is not one of the 45 characters of Base45")]
    Character {
        /// Its place in the text, from 0, in bytes.
        position: usize,
    },
    /// A group whose value does not fit its bytes.
    #[error("the group at character {position} is larger than its bytes can hold")]
    Overflow {
        /// Where the group starts, from 0, in bytes.
        position: usize,
    },
    /// A text of 3n + 1 characters, which no bytes encode to.
    #[error("{characters} characters cannot be Base45: some are missing")]
    Length {
        /// How many characters there are.
        characters: usize,
    },
    /// More bytes than the buffer holds.
    #[error("the text holds more than the {capacity} bytes expected")]
    TooLong {
        /// How many bytes fit.
        capacity: usize,
    },
}

/// Encodes bytes: three characters for every two, two for a last single one.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    encode_into(bytes, &mut text);
    text
}

/// Appends the encoding of `bytes` to `text`.
pub fn encode_into(bytes: &[u8], text: &mut String) {
    let mut push = |value: u16| text.push(char::from(ALPHABET[usize::from(value % 45)]));
    let mut pairs = bytes.chunks_exact(2);
    for pair in &mut pairs {
        let value = u16::from_be_bytes([pair[0], pair[1]]);
        push(value);
        push(value / 45);
        push(value / 2_025);
    }
    if let [last] = pairs.remainder() {
        push(u16::from(*last));
        push(u16::from(*last) / 45);
    }
}

/// How many bytes `characters` characters decode to, where that many can be Base45 at all.
#[must_use]
pub const fn decoded_len(characters: usize) -> Option<usize> {
    match characters % 3 {
        0 => Some(characters / 3 * 2),
        2 => Some(characters / 3 * 2 + 1),
        _ => None,
    }
}

/// Decodes `text` into the front of `buffer` and returns how many bytes it wrote.
///
/// # Errors
/// See [`Base45Error`]. The buffer's content is then unspecified.
pub fn decode(text: &[u8], buffer: &mut [u8]) -> Result<usize, Base45Error> {
    let length = decoded_len(text.len()).ok_or(Base45Error::Length { characters: text.len() })?;
    let capacity = buffer.len();
    let buffer = buffer.get_mut(..length).ok_or(Base45Error::TooLong { capacity })?;
    let (groups, rest) = text.as_chunks::<3>();
    let (pairs, last) = buffer.as_chunks_mut::<2>();
    for (index, (group, pair)) in groups.iter().zip(pairs).enumerate() {
        let value = group_value(*group, index * 3)?;
        let value = u16::try_from(value).map_err(|_| Base45Error::Overflow { position: index * 3 })?;
        *pair = value.to_be_bytes();
    }
    if let ([low, high], [byte]) = (rest, last) {
        let position = groups.len() * 3;
        // A third character of value zero changes nothing.
        let value = group_value([*low, *high, ALPHABET[0]], position)?;
        *byte = u8::try_from(value).map_err(|_| Base45Error::Overflow { position })?;
    }
    Ok(length)
}

/// The value of three characters, the least significant first.
fn group_value(group: [u8; 3], position: usize) -> Result<u32, Base45Error> {
    let [low, middle, high] = group.map(|byte| VALUES[usize::from(byte)]);
    // No value has the top bit, the mark for "none" does: one branch for three characters.
    if (low | middle | high) & 0x80 != 0 {
        return Err(bad_character(group, position));
    }
    Ok(u32::from(low) + 45 * u32::from(middle) + 2_025 * u32::from(high))
}

/// Names the leftmost bad character of a group: the one a person would point at.
#[cold]
fn bad_character(group: [u8; 3], start: usize) -> Base45Error {
    let bad = group.iter().position(|&byte| VALUES[usize::from(byte)] == NONE);
    Base45Error::Character { position: start + bad.unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<Vec<u8>, Base45Error> {
        let mut buffer = [0; 64];
        decode(text.as_bytes(), &mut buffer).map(|length| buffer[..length].to_vec())
    }

    #[test]
    fn the_examples_of_rfc_9285() {
        for (plain, text) in
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0")]
        {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decoded(text).unwrap(), plain.as_bytes());
        }
        assert_eq!(decoded("").unwrap(), b"");
    }

    #[test]
    fn every_group_above_its_range_is_refused() {
        assert_eq!(decoded("FGW").unwrap(), [0xFF, 0xFF]);
        assert_eq!(decoded("GGW"), Err(Base45Error::Overflow { position: 0 }));
        assert_eq!(decoded("000:::"), Err(Base45Error::Overflow { position: 3 }));
        assert_eq!(decoded("U5").unwrap(), [0xFF]);
        assert_eq!(decoded("V5"), Err(Base45Error::Overflow { position: 0 }));
        assert_eq!(decoded("000::"), Err(Base45Error::Overflow { position: 3 }));
    }

    #[test]
    fn each_cause_has_its_error() {
        assert_eq!(decoded("0"), Err(Base45Error::Length { characters: 1 }));
        assert_eq!(decoded("BB80"), Err(Base45Error::Length { characters: 4 }));
        assert_eq!(decoded("bB8"), Err(Base45Error::Character { position: 0 }));
        assert_eq!(decoded("BB8_é"), Err(Base45Error::Character { position: 3 }));
        assert_eq!(decode("000000".as_bytes(), &mut [0; 3]), Err(Base45Error::TooLong { capacity: 3 }));
    }

    #[test]
    fn every_pair_and_every_single_byte_round_trips() {
        let mut buffer = [0; 2];
        for value in 0..=u16::MAX {
            let bytes = value.to_be_bytes();
            assert_eq!(decode(encode(&bytes).as_bytes(), &mut buffer), Ok(2));
            assert_eq!(buffer, bytes);
        }
        for byte in 0..=u8::MAX {
            assert_eq!(decode(encode(&[byte]).as_bytes(), &mut buffer), Ok(1));
            assert_eq!(buffer[0], byte);
        }
    }
}

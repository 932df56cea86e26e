//! What scanners put around a code.

/// Byte order marks and zero-width characters, which text fields and chat programs leave behind.
const INVISIBLE: [char; 5] = ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}'];

/// The text without scanner noise: spaces, line ends, control and invisible characters around it, one
/// AIM symbology identifier (`]Q1`) and ECI escapes (`\000026`) before it. Allocates nothing.
///
/// A ticket code never loses anything by this: Base45 text never starts or ends with a space, because
/// the last character of a group of three stands for at most 32 and the space is 36.
#[must_use]
pub fn clean(text: &str) -> &str {
    // Most scanners add nothing: two bytes tell.
    if let [first, .., last] = text.as_bytes()
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
        && !matches!(first, b']' | b'\\')
    {
        return text;
    }
    let mut rest = without_aim(text.trim_matches(is_noise));
    while let Some(after) = after_eci(rest) {
        rest = after;
    }
    rest.trim_matches(is_noise)
}

fn is_noise(character: char) -> bool {
    character.is_whitespace() || character.is_control() || INVISIBLE.contains(&character)
}

/// ISO/IEC 15424: `]`, a letter for the symbology, a modifier.
fn without_aim(text: &str) -> &str {
    match text.as_bytes() {
        [b']', letter, modifier, ..] if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() => {
            text.get(3..).unwrap_or(text)
        }
        _ => text,
    }
}

/// AIM ECI: a backslash and six digits.
fn after_eci(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('\\')?;
    let number = digits.get(..6)?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.get(6..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn noise_goes_and_content_stays() {
        for noisy in [
            "LX1:AB C",
            " LX1:AB C\r\n",
            "\u{feff}LX1:AB C",
            "]Q1LX1:AB C",
            "]Q2\\000026LX1:AB C",
            "\\000026\\000003LX1:AB C\0",
            "\u{2}]d1\u{1d}LX1:AB C\u{3}\t",
            "\u{200b}\u{a0}LX1:AB C\u{2028}",
        ] {
            assert_eq!(clean(noisy), "LX1:AB C", "{noisy:?}");
        }
    }

    #[test]
    fn what_only_resembles_noise_stays() {
        for text in ["]", "]Q", "]é1x", "\\00002", "\\00002x6", "\\é", "[Q1x"] {
            assert_eq!(clean(text), text);
        }
        assert_eq!(clean(" \r\n\u{feff}"), "");
    }
}

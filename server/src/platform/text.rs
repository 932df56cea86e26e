//! Checks of texts that people type.

use super::problem::{ApiError, Code};
use super::smtp;

/// Trims `value` and checks that it is a line of 1 to `max` characters.
///
/// # Errors
/// 422 `invalid_field` that names `field`.
pub fn line(field: &str, value: &str, max: usize) -> Result<String, ApiError> {
    let trimmed = value.trim();
    let length = trimmed.chars().count();
    if length == 0 || length > max {
        return Err(ApiError::field(field, format!("must have 1 to {max} characters, but has {length}")));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(ApiError::field(field, "must be one line without control characters"));
    }
    Ok(trimmed.to_owned())
}

/// The same for a value that may be missing; an empty one counts as missing.
///
/// # Errors
/// 422 `invalid_field` that names `field`.
pub fn optional_line(field: &str, value: Option<&str>, max: usize) -> Result<Option<String>, ApiError> {
    match value.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => line(field, text, max).map(Some),
    }
}

/// Checks that `name` names a time zone.
///
/// # Errors
/// 422 `invalid_field` that names `time_zone`.
pub fn time_zone(name: &str) -> Result<(), ApiError> {
    let known = name.parse::<chrono_tz::Tz>().map(drop);
    known.map_err(|_| ApiError::field("time_zone", "must be an IANA name such as Europe/Paris"))
}

/// The same for what may have several lines.
///
/// # Errors
/// 422 `invalid_field` that names `field`.
pub fn block(field: &str, value: &str, max: usize) -> Result<String, ApiError> {
    let lines = value.replace("\r\n", "\n");
    let trimmed = lines.trim();
    let length = trimmed.chars().count();
    if length == 0 || length > max {
        return Err(ApiError::field(field, format!("must have 1 to {max} characters, but has {length}")));
    }
    if trimmed.chars().any(|sign| sign.is_control() && sign != '\n') {
        return Err(ApiError::field(field, "must be text without control characters"));
    }
    Ok(trimmed.to_owned())
}

/// An e-mail address of up to 254 characters; an empty one counts as missing. What mail cannot be sent to is refused,
/// and nothing else: whether mail arrives is for the mail to find out.
///
/// # Errors
/// 422 `invalid_field` that names `field`.
pub fn email(field: &str, value: Option<&str>) -> Result<Option<String>, ApiError> {
    let email = optional_line(field, value, 254)?;
    match &email {
        Some(address) if smtp::address(address).is_err() => {
            Err(ApiError::field(field, "must be an address such as name@example.org"))
        }
        _ => Ok(email),
    }
}

/// Whether a list can be searched for it: 2 to 80 characters.
#[must_use]
pub fn can_be_searched(search: &str) -> bool {
    (2..=80).contains(&search.chars().count())
}

/// What a list is searched for, if it is.
///
/// # Errors
/// 400 `invalid_query`.
pub fn search(search: Option<String>) -> Result<Option<String>, ApiError> {
    match search {
        Some(text) if !can_be_searched(&text) => {
            Err(ApiError::new(Code::InvalidQuery, "search must have 2 to 80 characters"))
        }
        search => Ok(search),
    }
}

/// A pattern, for `LIKE … ESCAPE '!'` in a column of lower case, for anything that contains `search`, whatever signs
/// it has.
#[must_use]
pub fn like(search: &str) -> String {
    let plain = search.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{plain}%")
}

/// As much of a text as `max` characters (at least one) have room for, with an ellipsis where some is left out.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_taken(address: &str) -> bool {
        matches!(email("email", Some(address)), Ok(Some(_)))
    }

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in [
            "ida@example.org",
            "  ida@example.org ",
            "ida.berg+tickets@mail.example.org",
            "o'brien@example.org",
            "ida@bücher.example",
            "用户@例え.テスト",
            "עדה@example.org",
        ] {
            assert!(is_taken(good), "{good}");
        }
        for bad in [
            "ida",
            "@",
            "ida@",
            "@example.org",
            "ida@@example.org",
            "ida berg@example.org",
            "ida@exa mple.org",
            "ida@example.org, eve@example.org",
            "ida@example.org>",
            "<ida@example.org>",
            "ida@example.org\u{2028}bcc:eve@example.org",
            "ida@example.org\r\nbcc: eve@example.org",
            ".ida@example.org",
            "\"ida berg\"@example.org",
            "\"ida@evil.example\"@example.org",
            "ida..berg@example.org",
            "ida@example..org",
            "ida@-example.org",
            "ida\0@example.org",
            "ida\u{2028}b@example.org",
            "ida\u{a0}b@example.org",
            "ida\u{202e}b@example.org",
        ] {
            assert!(!is_taken(bad), "{bad:?}");
        }
        assert!(!is_taken(&format!("{}@example.org", "a".repeat(65))));
        assert!(!is_taken(&format!("ida@{}.org", "a".repeat(64))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn what_is_taken_can_be_sent_and_the_other_way_round(
            text in prop_oneof!["[a-z.@\"\\\\<> ,\u{e9}\u{4e2d}\u{2028}\u{202e}\u{a0}-]{1,12}@[a-z.\u{e9}\u{4e2d} -]{1,12}", any::<String>()]
        ) {
            let trimmed = text.trim();
            let is_line = (1..=254).contains(&trimmed.chars().count()) && !trimmed.chars().any(char::is_control);
            prop_assert_eq!(is_taken(&text), is_line && smtp::address(trimmed).is_ok());
            if let Ok(address) = smtp::address(trimmed) {
                // What a server is told is one line, and names one mailbox.
                let line = format!("RCPT TO:<{address}>");
                let is_one = !line.contains(['\r', '\n', '\0', '\u{2028}', '\u{202e}']);
                prop_assert!(is_one, "{:?}", line);
                prop_assert!(address.domain().is_ascii());
                // And the same way whoever reads the header understands it.
                let mailbox = lettre::message::Mailbox::new(None, address.clone());
                let again: lettre::message::Mailbox = mailbox.to_string().parse().unwrap();
                prop_assert_eq!(again.email, address);
            }
        }
    }
}

//! Checks of texts that people type.

use super::problem::{ApiError, Code};

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

/// An e-mail address of up to 254 characters; an empty one counts as missing. Only what is surely none is refused:
/// whether mail arrives is for the mail to find out.
///
/// # Errors
/// 422 `invalid_field` that names `field`.
pub fn email(field: &str, value: Option<&str>) -> Result<Option<String>, ApiError> {
    let email = optional_line(field, value, 254)?;
    match &email {
        Some(address) if !address.contains('@') || address.contains(' ') => {
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

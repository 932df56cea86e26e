//! Checks of texts that people type.

use super::problem::ApiError;

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

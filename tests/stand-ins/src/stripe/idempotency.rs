//! Keys: the first answer is kept, failures too, and the same key with other parameters is refused.
//! <https://docs.stripe.com/api/idempotent_requests>

use serde_json::Value;

use super::errors::ApiError;
use super::form::Form;
use super::state::State;

/// What a key stands for.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    line: String,
    form: Vec<(String, String)>,
    status: u16,
    body: Value,
}

/// What the key was answered before; none: it is new.
pub(super) fn find(
    state: &State,
    key: &str,
    line: &str,
    form: &Form,
) -> Result<Option<(u16, Value)>, ApiError> {
    match state.kept.get(key) {
        None => Ok(None),
        Some(kept) if kept.line != line || kept.form != form.0 => Err(ApiError::reused()),
        Some(kept) => Ok(Some((kept.status, kept.body.clone()))),
    }
}

/// Keeps an answer, unless the call was refused before anything was done.
pub(super) fn keep(state: &mut State, key: &str, line: &str, form: &Form, (status, body): (u16, &Value)) {
    if status == 429 || status == 409 || status == 401 {
        return;
    }
    let is_validation = status == 400 && body["error"]["type"] == "invalid_request_error";
    if is_validation {
        return;
    }
    let kept = Kept { line: line.to_owned(), form: form.0.clone(), status, body: body.clone() };
    state.kept.insert(key.to_owned(), kept);
}

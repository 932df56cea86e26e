//! The key a caller chooses: `operation_type:stable_id:uuid`.

use crate::platform::problem::{ApiError, ApiResult, Code};

/// The longest stable id, in characters.
const MAX_STABLE_ID: usize = 100;

/// What the caller calls the operation, without its type: `stable_id:uuid`, the UUID in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OperationId(pub(super) String);

impl OperationId {
    /// Reads a key for operations of the type `operation`, bare or as the quoted string of the IETF draft.
    ///
    /// # Errors
    /// `idempotency_key_invalid`, with what is wrong.
    pub(super) fn parse(operation: &str, header: &str) -> ApiResult<Self> {
        let text = header.trim();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let mut parts = text.splitn(3, ':');
        let (Some(kind), Some(stable_id), Some(uuid)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(invalid(operation, "it has not three parts"));
        };
        if kind != operation {
            return Err(invalid(operation, "it begins with another operation"));
        }
        if !(1..=MAX_STABLE_ID).contains(&stable_id.len()) || !stable_id.bytes().all(is_plain) {
            return Err(invalid(
                operation,
                "its second part is not 1 to 100 letters, digits, `-`, `_`, `.` or `~`",
            ));
        }
        if !is_uuid(uuid) {
            return Err(invalid(operation, "its third part is not a UUID"));
        }
        Ok(Self(format!("{stable_id}:{}", uuid.to_ascii_lowercase())))
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn invalid(operation: &str, what: &str) -> ApiError {
    let detail = format!(
        "Idempotency-Key: {what}. Send `{operation}:<id>:<uuid>`: an id of your own for what this is about, \
         such as an order's number, and a new UUID for each operation."
    );
    ApiError::new(Code::IdempotencyKeyInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "01930F2E-7c1a-7b3c-9d4e-5f60718293a4";

    #[test]
    fn a_key_is_read_bare_and_quoted_and_its_uuid_in_any_case() {
        for text in [format!("create_event:order-17:{UUID}"), format!(" \"create_event:order-17:{UUID}\" ")] {
            let id = OperationId::parse("create_event", &text).unwrap();
            assert_eq!(id.0, "order-17:01930f2e-7c1a-7b3c-9d4e-5f60718293a4");
        }
    }

    #[test]
    fn a_bad_key_is_refused_with_what_to_send() {
        for (text, why) in [
            (UUID.to_owned(), "three parts"),
            (format!("create_ticket:order:{UUID}"), "another operation"),
            (format!("create_event::{UUID}"), "second part"),
            (format!("create_event:a b:{UUID}"), "second part"),
            (format!("create_event:{}:{UUID}", "x".repeat(101)), "second part"),
            ("create_event:order:17".to_owned(), "UUID"),
            (format!("create_event:order:{UUID}:more"), "UUID"),
        ] {
            let error = OperationId::parse("create_event", &text).unwrap_err();
            assert_eq!(error.code(), Code::IdempotencyKeyInvalid);
            assert!(
                error.to_string().contains(why) && error.to_string().contains("create_event:<id>"),
                "{error}"
            );
        }
    }
}

//! Error answers. <https://docs.stripe.com/api/errors>

use serde_json::{Value, json};

/// An error answer.
#[derive(Debug, Clone)]
pub(super) struct ApiError {
    pub(super) status: u16,
    error: Value,
}

impl ApiError {
    fn new(status: u16, kind: &str, code: Option<&str>, message: impl Into<String>) -> Self {
        let mut error = json!({"type": kind, "message": message.into()});
        if let Some(code) = code {
            error["code"] = json!(code);
        }
        Self { status, error }
    }

    pub(super) fn invalid(code: Option<&str>, message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", code, message)
    }

    pub(super) fn about(mut self, param: &str) -> Self {
        self.error["param"] = json!(param);
        self
    }

    pub(super) fn missing(what: &str, id: &str) -> Self {
        Self::new(404, "invalid_request_error", Some("resource_missing"), format!("No such {what}: '{id}'"))
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(401, "invalid_request_error", None, "Invalid API Key provided")
    }

    pub(super) fn declined(decline_code: &str, message: &str, intent: Value) -> Self {
        let mut declined = Self::new(402, "card_error", Some("card_declined"), message);
        declined.error["decline_code"] = json!(decline_code);
        declined.error["payment_intent"] = intent;
        declined
    }

    pub(super) fn reused() -> Self {
        let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
        Self::new(400, "idempotency_error", None, message)
    }

    pub(super) fn in_progress() -> Self {
        let message = "There is currently another in-progress request using this Idempotent Key.";
        Self::new(409, "idempotency_error", Some("idempotency_key_in_use"), message)
    }

    pub(super) fn status(status: u16) -> Self {
        let (kind, code) =
            if status == 429 { ("invalid_request_error", Some("rate_limit")) } else { ("api_error", None) };
        Self::new(status, kind, code, format!("This is a {status} on command."))
    }

    pub(super) fn body(&self) -> Value {
        json!({"error": self.error})
    }
}

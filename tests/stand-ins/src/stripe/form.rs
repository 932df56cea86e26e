//! Forms with nested names: `metadata[order_id]=7`.

use serde_json::{Map, Value};

use super::errors::ApiError;

/// What was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(pub(super) Vec<(String, String)>);

impl Form {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<i64>, ApiError> {
        let wrong = || {
            ApiError::invalid(Some("parameter_invalid_integer"), format!("Invalid integer: {name}"))
                .about(name)
        };
        self.text(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
    }

    pub(super) fn needed(&self, name: &'static str) -> Result<&str, ApiError> {
        let missing = || {
            ApiError::invalid(Some("parameter_missing"), format!("Missing required param: {name}."))
                .about(name)
        };
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(missing)
    }

    /// `metadata[…]` as an object.
    pub(super) fn metadata(&self) -> Value {
        let pairs = self.0.iter().filter_map(|(key, value)| {
            let name = key.strip_prefix("metadata[")?.strip_suffix(']')?;
            Some((name.to_owned(), Value::from(value.as_str())))
        });
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}

//! Settings from the environment: `LIVENTIX_` and the key of the file in capitals, for every key there is.

use serde::de::value::Error;
use serde::de::{Deserialize as _, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::{Table, Value};

use super::{ConfigError, FileConfig};

const PREFIX: &str = "LIVENTIX_";

/// The settings that variables hold. Those that are none of ours are left alone: others name theirs so as well,
/// such as Kubernetes for a service of our name.
pub(super) fn settings(variables: impl Iterator<Item = (String, String)>) -> Result<Table, ConfigError> {
    let keys = keys();
    let mut settings = Table::new();
    for (name, text) in variables {
        let key = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase);
        let Some(key) = key.and_then(|key| keys.iter().find(|known| **known == key)) else { continue };
        settings.insert((*key).to_owned(), value(key, &text)?);
    }
    Ok(settings)
}

/// A number, a truth value or a text, whichever the key takes.
fn value(key: &'static str, text: &str) -> Result<Value, ConfigError> {
    let number = text.parse().map(Value::Integer).ok();
    let truth = text.parse().map(Value::Boolean).ok();
    let guesses = [number, truth, Some(Value::String(text.to_owned()))];
    let taken = guesses.into_iter().flatten().find(|guess| {
        let one = Table::from_iter([(key.to_owned(), guess.clone())]);
        FileConfig::deserialize(one).is_ok()
    });
    // Not what it says: it may be a secret.
    taken.ok_or_else(|| {
        ConfigError::new(
            key,
            format!("the variable {PREFIX}{} has a value of another kind", key.to_ascii_uppercase()),
        )
    })
}

/// The keys of the file, as its type has them.
fn keys() -> &'static [&'static str] {
    struct Keys<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Keys<'_> {
        type Error = Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            _visitor: V,
        ) -> Result<V::Value, Error> {
            *self.0 = fields;
            Err(Error::custom("only the keys are wanted"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
            Err(Error::custom("not a struct"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut keys: &'static [&'static str] = &[];
    let _ = FileConfig::deserialize(Keys(&mut keys));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Table, ConfigError> {
        settings(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    #[test]
    fn every_key_has_a_variable() {
        let found = read(&[
            ("LIVENTIX_READERS", "7"),
            ("LIVENTIX_LOG_JSON", "true"),
            ("LIVENTIX_PUBLIC_URL", "https://x.example"),
            // A text that looks like a number.
            ("LIVENTIX_ADMIN_TOKEN", "12345678901234567"),
            ("LIVENTIX_SERVICE_HOST", "10.0.0.1"),
            ("READERS", "9"),
        ]);
        let expected: Table = toml::from_str(
            "readers = 7\nlog_json = true\npublic_url = 'https://x.example'\nadmin_token = '12345678901234567'",
        )
        .unwrap();
        assert_eq!(found.unwrap(), expected);
        assert!(keys().len() > 20);
    }

    #[test]
    fn a_value_of_another_kind_is_named_but_not_shown() {
        let error = read(&[("LIVENTIX_DRAIN_SECONDS", "hunter2")]).unwrap_err();
        assert_eq!(error.key, "drain_seconds");
        assert!(error.reason.contains("LIVENTIX_DRAIN_SECONDS") && !error.reason.contains("hunter2"));
    }
}

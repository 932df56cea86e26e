//! What makes two requests the same.

use axum::http::{Method, Uri};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// SHA-256 over method, address with its query, and body. A JSON body counts by what it says: spaces and the
/// order of its fields do not matter. The tenant is not part of it: each has keys of its own.
pub(super) fn of(method: &Method, uri: &Uri, body: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"liventix idempotent request v1");
    for part in [method.as_str(), uri.path(), uri.query().unwrap_or_default()] {
        text(&mut hasher, part);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(json) => value(&mut hasher, &json),
        Err(_) => {
            hasher.update(b"b");
            hasher.update(body);
        }
    }
    hasher.finalize().into()
}

fn text(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text);
}

fn value(hasher: &mut Sha256, json: &Value) {
    match json {
        Value::Null => hasher.update(b"n"),
        Value::Bool(yes) => hasher.update(if *yes { b"t" } else { b"f" }),
        Value::Number(number) => {
            hasher.update(b"d");
            text(hasher, &number.to_string());
        }
        Value::String(string) => {
            hasher.update(b"s");
            text(hasher, string);
        }
        Value::Array(items) => {
            hasher.update(b"a");
            hasher.update((items.len() as u64).to_be_bytes());
            items.iter().for_each(|item| value(hasher, item));
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hasher.update(b"o");
            hasher.update((fields.len() as u64).to_be_bytes());
            for (name, field) in fields {
                text(hasher, name);
                value(hasher, field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(uri: &str, body: &str) -> [u8; 32] {
        of(&Method::POST, &uri.parse().unwrap(), body.as_bytes())
    }

    #[test]
    fn what_says_the_same_is_the_same_and_nothing_else() {
        let one = post("/v1/events", r#"{"name":"A","list":[1,{"x":null}]}"#);
        assert_eq!(one, post("/v1/events", "{ \"list\": [1, {\"x\": null}],\n \"name\": \"A\" }"));
        for (uri, body) in [
            ("/v1/events?x=1", r#"{"name":"A","list":[1,{"x":null}]}"#),
            ("/v1/event", r#"{"name":"A","list":[1,{"x":null}]}"#),
            ("/v1/events", r#"{"name":"B","list":[1,{"x":null}]}"#),
            ("/v1/events", r#"{"name":"A","list":[{"x":null},1]}"#),
            ("/v1/events", r#"{"name":"A","list":["1",{"x":null}]}"#),
            ("/v1/events", r#"{"name":"A","list":[1,{"x":false}]}"#),
            ("/v1/events", r#"{"name":"A"}"#),
            ("/v1/events", "name,list\nA,1\n"),
        ] {
            assert_ne!(one, post(uri, body), "{uri} {body}");
        }
        assert_ne!(post("/v1/events", "a,b"), post("/v1/events", "a, b"));
    }
}

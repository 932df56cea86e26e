//! What Resend tells of a mail, signed as it signs. <https://resend.com/docs/webhooks/event-types>

use chrono::{DateTime, SecondsFormat};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// What web hooks are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A web hook on its way.
#[derive(Debug, Clone)]
pub struct Told {
    /// `svix-id`: the same at every delivery.
    pub id: String,
    /// `svix-timestamp`: when it is sent (seconds).
    pub time: String,
    /// What is told.
    pub body: String,
}

impl Told {
    /// That something became of a mail at `at` (UTC milliseconds), with what belongs to it beside.
    #[must_use]
    pub fn of(mail: &Value, id: &str, (kind, beside): (&str, Value), at: i64) -> Self {
        let tags: serde_json::Map<String, Value> = mail["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tag| Some((tag["name"].as_str()?.to_owned(), tag["value"].clone())))
            .collect();
        let mut data = json!({
            "email_id": mail["id"], "message_id": mail["headers"]["Message-ID"], "from": mail["from"],
            "to": mail["to"], "subject": mail["subject"], "created_at": rfc3339(at), "tags": tags,
        });
        if let (Some(data), Value::Object(beside)) = (data.as_object_mut(), beside) {
            data.extend(beside);
        }
        let body = json!({"type": kind, "created_at": rfc3339(at), "data": data}).to_string();
        Self { id: id.to_owned(), time: (at / 1_000).to_string(), body }
    }

    /// `svix-signature`.
    ///
    /// # Panics
    /// When the secret is none.
    #[must_use]
    pub fn signature(&self, secret: &str) -> String {
        let key = BASE64.decode(secret.trim_start_matches("whsec_").as_bytes()).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
        mac.update(format!("{}.{}.{}", self.id, self.time, self.body).as_bytes());
        format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
    }
}

/// A time as Resend writes it.
fn rfc3339(ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

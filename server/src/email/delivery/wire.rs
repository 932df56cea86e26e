//! What Resend tells, as far as it is read. <https://resend.com/docs/webhooks/event-types>

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::email::suppressions::Reason;
use crate::email::types::Delivery;
use crate::platform::ids::EmailId;

/// The name under which a mail carries our id: its `tags` come back with what is told of it.
pub(in crate::email) const TAG: &str = "liventix_email_id";

/// What is kept of what a mail server said, in characters.
const LONGEST: usize = 500;

/// Something that is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The same at every delivery.
    pub(super) event_id: String,
    pub(super) kind: String,
    /// UTC milliseconds.
    pub(super) made_at: i64,
    /// None, if it is not about what becomes of a mail.
    pub(super) about: Option<About>,
}

/// What it says of a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct About {
    pub(super) provider_id: String,
    pub(super) email_id: Option<EmailId>,
    pub(super) delivery: Delivery,
    pub(super) detail: Option<String>,
    /// No more mail is to go there.
    pub(super) suppresses: Option<Reason>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    created_at: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Data {
    email_id: String,
    #[serde(default)]
    tags: Value,
    bounce: Option<Bounce>,
    failed: Option<Failed>,
    suppressed: Option<Suppressed>,
}

#[derive(Deserialize)]
struct Bounce {
    message: Option<String>,
    /// `Permanent`, `Transient`, `Undetermined`.
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Failed {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Suppressed {
    message: Option<String>,
}

/// Reads a body. None, if it is nothing of Resend's.
pub(super) fn read(event_id: &str, body: &[u8]) -> Option<Event> {
    let Envelope { kind, created_at, data } = serde_json::from_slice(body).ok()?;
    let made_at = DateTime::parse_from_rfc3339(&created_at).ok()?.timestamp_millis();
    let about = match delivery(&kind) {
        None => None,
        Some(delivery) => Some(about(delivery, &kind, serde_json::from_value(data).ok()?)),
    };
    Some(Event { event_id: event_id.to_owned(), kind, made_at, about })
}

fn delivery(kind: &str) -> Option<Delivery> {
    Some(match kind {
        "email.sent" => Delivery::Sent,
        "email.delivery_delayed" => Delivery::Delayed,
        "email.delivered" => Delivery::Delivered,
        // It was not even tried.
        "email.failed" | "email.suppressed" => Delivery::Failed,
        "email.bounced" => Delivery::Bounced,
        "email.complained" => Delivery::Complained,
        _ => return None,
    })
}

fn about(delivery: Delivery, kind: &str, data: Data) -> About {
    let is_hard = data.bounce.as_ref().is_some_and(|bounce| bounce.kind.as_deref() == Some("Permanent"));
    let suppresses = match delivery {
        Delivery::Bounced if is_hard => Some(Reason::Bounced),
        Delivery::Complained => Some(Reason::Complained),
        // Resend has the address on a list of its own.
        Delivery::Failed if kind == "email.suppressed" => Some(Reason::Bounced),
        _ => None,
    };
    let detail = data.bounce.and_then(|it| it.message).or(data.failed.and_then(|it| it.reason));
    let detail = detail.or(data.suppressed.and_then(|it| it.message));
    let tag = data.tags.get(TAG).and_then(Value::as_str);
    About {
        provider_id: data.email_id,
        email_id: tag.and_then(|id| id.parse().ok()),
        delivery,
        detail: detail.map(|text| text.chars().filter(|sign| !sign.is_control()).take(LONGEST).collect()),
        suppresses,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bounce_is_hard_or_not() {
        let body = |kind: &str| {
            format!(
                r#"{{"type":"email.bounced","created_at":"2026-02-22T23:41:12.126Z","data":{{
                "email_id":"56761188","to":["a@example.org"],"tags":{{"other":"x"}},
                "bounce":{{"message":"550 5.1.1 no such\nuser","subType":"General","type":"{kind}"}}}}}}"#
            )
        };
        let hard = read("msg_1", body("Permanent").as_bytes()).unwrap();
        assert_eq!((hard.made_at, hard.event_id.as_str()), (1_771_803_672_126, "msg_1"));
        let about = hard.about.unwrap();
        assert_eq!((about.delivery, about.suppresses), (Delivery::Bounced, Some(Reason::Bounced)));
        assert_eq!((about.email_id, about.detail.as_deref()), (None, Some("550 5.1.1 no suchuser")));
        let soft = read("msg_1", body("Transient").as_bytes()).unwrap().about.unwrap();
        assert_eq!((soft.delivery, soft.suppresses), (Delivery::Bounced, None));
    }

    #[test]
    fn what_is_not_used_is_told_from_what_is_nothing() {
        let domain = r#"{"type":"domain.updated","created_at":"2026-02-22T23:41:12Z","data":{"id":"1"}}"#;
        assert_eq!(read("m", domain.as_bytes()).unwrap().about, None);
        for body in ["", "[]", "{}", r#"{"type":"email.sent","created_at":"yesterday","data":{}}"#] {
            assert_eq!(read("m", body.as_bytes()), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_is_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read("m", &body);
        }
    }
}

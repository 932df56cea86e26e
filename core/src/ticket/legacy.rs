//! Unsigned codes of the system that Liventix replaces.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::noise::clean;
use super::read::MAX_TEXT_BYTES;
use crate::ids::{EventId, TicketId};

/// What a legacy code says. Nothing vouches for any of it: whether it is good depends on the manifest
/// and on the event's rollout stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyCode {
    /// The ticket it names, if it names one as a UUID.
    pub ticket_id: Option<TicketId>,
    /// The event it names, if it names one as a UUID.
    pub event_id: Option<EventId>,
    /// The whole text without scanner noise, to look up by
    /// [`LookupKey::legacy_tag`](super::LookupKey::legacy_tag).
    pub text: String,
}

/// Reads a legacy code: a bare UUID is a ticket id, a JSON object may name ticket and event, and any
/// other text is an opaque code. Never fails; a text over [`MAX_TEXT_BYTES`] names nothing and is kept
/// up to that length.
#[must_use]
pub fn parse(text: &str) -> LegacyCode {
    let text = clean(text);
    if text.len() > MAX_TEXT_BYTES {
        return LegacyCode { ticket_id: None, event_id: None, text: cut(text).to_owned() };
    }
    let (ticket_id, event_id) = match text.parse() {
        Ok(ticket_id) => (Some(ticket_id), None),
        Err(_) => ids_in_json(text),
    };
    LegacyCode { ticket_id, event_id, text: text.to_owned() }
}

fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT_BYTES).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

/// The names under which older systems put their ids, the most telling first.
const TICKET_NAMES: [&str; 5] = ["ticket_id", "ticketId", "ticketID", "ticket", "id"];
const EVENT_NAMES: [&str; 4] = ["event_id", "eventId", "eventID", "event"];

fn ids_in_json(text: &str) -> (Option<TicketId>, Option<EventId>) {
    // The text is bounded, and serde_json bounds the depth.
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => (first_id(&fields, &TICKET_NAMES), first_id(&fields, &EVENT_NAMES)),
        _ => (None, None),
    }
}

/// The first of the names whose value is a UUID.
fn first_id<T: FromStr>(fields: &Map<String, Value>, names: &[&str]) -> Option<T> {
    names.iter().find_map(|name| fields.get(*name)?.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: &str = "01930f2e-7c1a-7b3c-9d4e-5f60718293a4";
    const EVENT: &str = "01930f2e-7c1a-7b3c-9d4e-000000000001";

    #[test]
    fn a_bare_uuid_is_a_ticket_id() {
        let code = parse(&format!("]Q1{}\r\n", TICKET.to_uppercase()));
        assert_eq!(code.ticket_id, Some(TICKET.parse().unwrap()));
        assert_eq!(code.event_id, None);
        assert_eq!(code.text, TICKET.to_uppercase());
    }

    #[test]
    fn a_json_object_may_name_ticket_and_event() {
        for (ticket, event) in [("ticket_id", "event_id"), ("ticketId", "eventId"), ("id", "event")] {
            let code = parse(&format!(r#"{{"{ticket}":"{TICKET}","{event}":"{EVENT}","n":[1,{{}}]}}"#));
            assert_eq!(code.ticket_id, Some(TICKET.parse().unwrap()));
            assert_eq!(code.event_id, Some(EVENT.parse().unwrap()));
        }
    }

    #[test]
    fn anything_else_is_opaque() {
        let both = parse(&format!(r#"{{"id":"order 7","ticketId":"{TICKET}","event":7}}"#));
        assert_eq!((both.ticket_id, both.event_id), (Some(TICKET.parse().unwrap()), None));
        for text in ["TCK-000123", "{", "{}", r#"{"id":7}"#, r#"{"id":{"id":1}}"#, "[]", "{\"id\":\"x\"}"] {
            let code = parse(text);
            assert_eq!((code.ticket_id, code.event_id), (None, None), "{text}");
            assert_eq!(code.text, text);
        }
        let deep = format!("{{\"id\":{}", "[".repeat(4_000));
        assert_eq!(parse(&deep).ticket_id, None);
        assert!(parse(&"é".repeat(5_000)).text.len() <= MAX_TEXT_BYTES);
    }
}

//! The event for a buyer's calendar: a file of iCalendar (RFC 5545).
//!
//! It is written here rather than by a crate: `icalendar` 0.17 folds lines later than after 75 octets where wide signs
//! stand before spaces, and `ics` is kept no more. The tests read it back with the parser of the former.

use std::fmt::Write as _;

use chrono::{DateTime, TimeZone as _, Utc};
use liventix_core::ids::EventId;

use crate::email::Part;
use crate::platform::ids::OrderId;

/// The most octets of a line, without its end.
const LINE: usize = 75;

/// What stands in the calendar.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// With the event, what a calendar knows the entry by: a later mail about both replaces it.
    pub(crate) order_id: OrderId,
    pub(crate) event_id: EventId,
    /// How often the entry has changed: a calendar takes the highest.
    pub(crate) sequence: u32,
    /// Whether the event does not take place.
    pub(crate) is_cancelled: bool,
    /// When this was written (UTC milliseconds, as all times here).
    pub(crate) written_at: i64,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) name: String,
    pub(crate) venue: Option<String>,
    pub(crate) description: String,
    /// Where there is more. Whoever sees the calendar sees it too.
    pub(crate) url: Option<String>,
}

/// The file.
pub(crate) fn calendar(entry: &Entry) -> Part {
    Part {
        name: "event.ics".to_owned(),
        kind: "text/calendar; charset=utf-8; method=PUBLISH".to_owned(),
        bytes: file(entry).into_bytes(),
        cid: None,
    }
}

fn file(entry: &Entry) -> String {
    let mut lines = Lines::default();
    lines.put("BEGIN", "VCALENDAR");
    lines.put("VERSION", "2.0");
    lines.put("PRODID", "-//Liventix//Tickets//EN");
    lines.put("CALSCALE", "GREGORIAN");
    lines.put("METHOD", "PUBLISH");
    lines.put("BEGIN", "VEVENT");
    lines.put("UID", &format!("{}.{}@liventix", entry.order_id, entry.event_id));
    lines.put("SEQUENCE", &entry.sequence.to_string());
    lines.put("STATUS", if entry.is_cancelled { "CANCELLED" } else { "CONFIRMED" });
    lines.put("DTSTAMP", &utc(entry.written_at));
    lines.put("DTSTART", &utc(entry.starts_at));
    lines.put("DTEND", &utc(entry.ends_at));
    lines.text("SUMMARY", &entry.name);
    if let Some(venue) = &entry.venue {
        lines.text("LOCATION", venue);
    }
    lines.text("DESCRIPTION", &entry.description);
    if let Some(url) = &entry.url {
        lines.put("URL", url);
    }
    lines.put("END", "VEVENT");
    lines.put("END", "VCALENDAR");
    lines.0
}

fn utc(ms: i64) -> String {
    let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Lines of a file, each folded.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// A value that needs no escaping. Nothing in it can begin another line.
    fn put(&mut self, name: &str, value: &str) {
        let mut room = LINE;
        for sign in name.chars().chain(":".chars()).chain(value.chars()).filter(|sign| !sign.is_control()) {
            if sign.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = LINE - 1;
            }
            self.0.push(sign);
            room -= sign.len_utf8();
        }
        self.0.push_str("\r\n");
    }

    /// What people wrote.
    fn text(&mut self, name: &str, value: &str) {
        let mut escaped = String::with_capacity(value.len());
        for sign in value.chars() {
            // Writing to a string cannot fail.
            let _ = match sign {
                '\\' | ';' | ',' => write!(escaped, "\\{sign}"),
                '\n' => write!(escaped, "\\n"),
                _ => write!(escaped, "{sign}"),
            };
        }
        self.put(name, &escaped);
    }
}

#[cfg(test)]
mod tests {
    use icalendar::{Calendar, Component as _, DatePerhapsTime, EventLike as _, EventStatus};
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_785_513_600_000;

    fn entry() -> Entry {
        Entry {
            order_id: "01900000-0000-7000-8000-000000000001".parse().unwrap(),
            event_id: "01900000-0000-7000-8000-000000000002".parse().unwrap(),
            sequence: 0,
            is_cancelled: false,
            written_at: START - 86_400_000,
            starts_at: START,
            ends_at: START + 3 * 3_600_000,
            name: "Harbour Lights".to_owned(),
            venue: Some("Pier 3; Kaistraße 1, Köln".to_owned()),
            description: "Order LX-1\nTwo tickets".to_owned(),
            url: Some("https://example.org/t/1?a=b;c,d".to_owned()),
        }
    }

    fn read(entry: &Entry) -> icalendar::Event {
        let text = file(entry);
        for line in text.split_terminator("\r\n") {
            assert!(line.len() <= LINE && !line.contains(['\r', '\n']), "{line:?}");
        }
        let read: Calendar = text.parse().unwrap();
        let [event] = <[_; 1]>::try_from(read.events().cloned().collect::<Vec<_>>()).unwrap();
        event
    }

    #[test]
    fn a_calendar_reads_what_was_written() {
        let (entry, part) = (entry(), calendar(&entry()));
        assert_eq!((part.name.as_str(), part.cid), ("event.ics", None));
        let event = read(&entry);
        assert_eq!(event.get_summary(), Some("Harbour Lights"));
        assert_eq!(event.get_location(), entry.venue.as_deref());
        assert_eq!(event.get_description(), Some("Order LX-1\nTwo tickets"));
        assert_eq!(event.get_url(), entry.url.as_deref());
        assert_eq!(event.get_status(), Some(EventStatus::Confirmed));
        assert_eq!(event.get_sequence(), Some(0));
        let at = |ms: i64| Some(DatePerhapsTime::from(Utc.timestamp_millis_opt(ms).unwrap()));
        assert_eq!((event.get_start(), event.get_end()), (at(entry.starts_at), at(entry.ends_at)));
        assert_eq!(event.get_timestamp().unwrap().timestamp_millis(), entry.written_at);
    }

    /// Another entry of the same order and event replaces it; a cancelled one takes it back.
    #[test]
    fn a_change_is_about_the_same_entry() {
        let later = Entry { sequence: 3, is_cancelled: true, name: "Cancelled".to_owned(), ..entry() };
        let (first, second) = (read(&entry()), read(&later));
        assert_eq!(first.get_uid(), second.get_uid());
        assert_eq!((second.get_sequence(), second.get_status()), (Some(3), Some(EventStatus::Cancelled)));
        let other = Entry { order_id: "01900000-0000-7000-8000-000000000003".parse().unwrap(), ..entry() };
        assert_ne!(first.get_uid(), read(&other).get_uid());
    }

    #[test]
    fn what_is_not_there_is_left_out_and_nothing_begins_a_line() {
        let bare = Entry { venue: None, url: None, ..entry() };
        assert!(!file(&bare).contains("LOCATION") && !file(&bare).contains("URL"));
        let sly = Entry { url: Some("https://x\r\nATTENDEE:mailto:eve@example.org".to_owned()), ..entry() };
        assert!(!file(&sly).contains("\r\nATTENDEE"));
    }

    proptest! {
        #[test]
        fn any_name_comes_back(name in "\\PC{1,160}", venue in "[\\PC\n]{1,200}") {
            let event = read(&Entry { name: name.clone(), venue: Some(venue.clone()), ..entry() });
            prop_assert_eq!(event.get_summary(), Some(name.as_str()));
            prop_assert_eq!(event.get_location(), Some(venue.as_str()));
        }

        #[test]
        fn signs_that_matter_and_wide_ones_come_back(name in "[a,;:\"\\\\n 😀ß漢]{1,160}") {
            let event = read(&Entry { name: name.clone(), ..entry() });
            prop_assert_eq!(event.get_summary(), Some(name.as_str()));
        }
    }
}

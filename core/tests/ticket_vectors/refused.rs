//! Texts that must be refused.

use liventix_core::clock::TimeBounds;
use liventix_core::ids::EventId;
use liventix_core::rules::Reason;
use liventix_core::ticket::{TicketCode, base45};
use serde_json::{Value, json};

use super::forged::{altered, forged, keys};
use super::refused_value;
use super::setup::{self, NOW, at, claims, event, key};

pub(crate) struct Bad {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) input: String,
    pub(crate) code: &'static str,
    pub(crate) reason: Reason,
    pub(crate) event: EventId,
    pub(crate) time: TimeBounds,
}

impl Bad {
    fn case(self) -> Value {
        json!({
            "name": self.name,
            "about": self.about,
            "input": self.input,
            "event_id": self.event,
            "time": setup::time_value(self.time),
            "expected": refused_value(self.code, self.reason),
        })
    }
}

pub(crate) fn bad(
    name: &'static str,
    about: &'static str,
    input: impl Into<String>,
    code: &'static str,
    reason: Reason,
) -> Bad {
    Bad { name, about, input: input.into(), code, reason, event: event(), time: at(NOW) }
}

/// A change of a good code's bytes that breaks its signature or its layout.
pub(crate) fn edit(from: &TicketCode, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = from.as_bytes().to_vec();
    change(&mut bytes);
    text(&bytes)
}

fn text(bytes: &[u8]) -> String {
    format!("LX1:{}", base45::encode(bytes))
}

pub(crate) fn printed(key_id: u8) -> TicketCode {
    key(key_id).printed(&claims())
}

pub(crate) fn live(key_id: u8) -> TicketCode {
    key(key_id).live_base(&claims()).mint(NOW)
}

pub(crate) fn cases() -> Vec<Value> {
    [malformed(), unknown(), altered(), forged(), keys()].into_iter().flatten().map(Bad::case).collect()
}

fn malformed() -> Vec<Bad> {
    use Reason::{BadSignature, NotATicket};
    let good = printed(1).text();
    let cut = |characters: usize| good[..good.len() - characters].to_owned();
    let replaced = |at: usize, with: &str| format!("{}{with}{}", &good[..at], &good[at + with.len()..]);
    let url = key(1).live_base(&claims()).mint(NOW).base64url();
    let sloppy = format!("{}{}", &url[..url.len() - 1], next_in_alphabet(&url));
    vec![
        bad("refused_empty", "Nothing.", "", "empty", NotATicket),
        bad("refused_only_noise", "Nothing but noise.", "]Q1 \r\n", "empty", NotATicket),
        bad("refused_too_long", "4,097 bytes.", "A".repeat(4_097), "too_long", NotATicket),
        bad(
            "refused_too_long_noise",
            "Length counts before noise is stripped.",
            format!("{good}{}", " ".repeat(4_096)),
            "too_long",
            NotATicket,
        ),
        bad("refused_no_body", "A prefix without a body.", "LX1:", "bad_length", BadSignature),
        bad(
            "refused_bad_character",
            "An underscore is not Base45.",
            replaced(10, "_"),
            "bad_character",
            BadSignature,
        ),
        bad("refused_not_ascii", "A letter outside ASCII.", replaced(10, "é"), "bad_character", BadSignature),
        bad(
            "refused_mixed_case",
            "Lower case inside upper case.",
            replaced(4, "a"),
            "bad_character",
            BadSignature,
        ),
        bad(
            "refused_mixed_case_lower",
            "Upper case inside lower case.",
            format!("lx1:A{}", &good[5..].to_lowercase()),
            "bad_character",
            BadSignature,
        ),
        bad(
            "refused_group_overflow",
            "The group ::: is 91,124, more than two bytes hold.",
            replaced(4, ":::"),
            "bad_group",
            BadSignature,
        ),
        bad(
            "refused_last_byte_overflow",
            "A final group of two characters above 255.",
            format!("{}::", cut(3)),
            "bad_group",
            BadSignature,
        ),
        bad(
            "refused_one_character_over",
            "3n + 1 characters are never Base45.",
            format!("{good}0"),
            "bad_text_length",
            BadSignature,
        ),
        bad("refused_cut_by_two", "Two characters lost.", cut(2), "bad_text_length", BadSignature),
        bad("refused_cut_by_a_group", "Three characters lost.", cut(3), "bad_length", BadSignature),
        bad(
            "refused_extended_by_a_group",
            "Two zero bytes added.",
            format!("{good}000"),
            "bad_length",
            BadSignature,
        ),
        bad(
            "refused_extended_by_a_byte",
            "One zero byte added.",
            format!("{good}00"),
            "bad_length",
            BadSignature,
        ),
        bad(
            "refused_far_too_long_body",
            "More characters than any code has.",
            format!("LX1:{}", "0".repeat(175)),
            "bad_length",
            BadSignature,
        ),
        bad(
            "refused_base64url_spare_bits",
            "Base64url whose spare bits are not zero: a second text for the same bytes.",
            sloppy,
            "not_canonical",
            BadSignature,
        ),
    ]
}

/// The character after the last one of `url`: the same bytes, other spare bits.
fn next_in_alphabet(url: &str) -> char {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(&url[url.len() - 1..]).unwrap();
    alphabet.chars().nth(at + 1).unwrap()
}

fn unknown() -> Vec<Bad> {
    use Reason::UnknownVersion;
    let good = printed(1);
    let body = good.text()[4..].to_owned();
    let first = |value: u8| edit(&good, |bytes| bytes[0] = value);
    vec![
        bad(
            "refused_text_version_2",
            "A later version.",
            format!("LX2:{body}"),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_text_version_0",
            "No version.",
            format!("LX0:{body}"),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_text_version_255",
            "The highest version.",
            "lx255:abc",
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_byte_version_0",
            "Version 0 in the first byte.",
            first(0x00),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_byte_version_2",
            "Version 2 in the first byte.",
            first(0x20),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_byte_version_15",
            "Version 15 in the first byte.",
            first(0xF0),
            "unknown_version",
            UnknownVersion,
        ),
        bad("refused_kind_2", "Kind 2.", first(0x12), "unknown_kind", UnknownVersion),
        bad(
            "refused_kind_3",
            "Kind 3, and algorithm 3: the kind is looked at first.",
            first(0x1F),
            "unknown_kind",
            UnknownVersion,
        ),
        bad("refused_algorithm_2", "Algorithm 2.", first(0x18), "unknown_algorithm", UnknownVersion),
        bad("refused_algorithm_3", "Algorithm 3.", first(0x1C), "unknown_algorithm", UnknownVersion),
    ]
}

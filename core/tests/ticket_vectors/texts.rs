//! Manual codes, legacy codes, scanner noise.

use liventix_core::entropy::FixedEntropy;
use liventix_core::rules::Reason;
use liventix_core::ticket::{ManualCode, TicketCode};
use serde_json::{Value, json};

use super::setup::{self, EXPIRES, ISSUED, NOW, at, claims, key};
use super::{expected_value, refused_value};

fn case(name: &str, about: &str, input: &str, expected: Value) -> Value {
    json!({
        "name": name,
        "about": about,
        "input": input,
        "event_id": setup::event(),
        "time": setup::time_value(at(NOW)),
        "expected": expected,
    })
}

fn other(text: &str) -> Value {
    json!({ "result": "other", "text": text })
}

pub(crate) fn manual() -> Vec<Value> {
    // Written down by hand: check.py computes the check symbols by itself.
    let codes = ["0123-4567-89AB", "0000-0000-0000", "ZZZZ-ZZZZ-ZZZB", "VVVV-0101-VV16"];
    let good = |name: &str, about: &str, input: &str, code: &str| {
        let parsed: ManualCode = code.parse().unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(parsed.to_string(), code);
        let tag = setup::lookup().manual_tag(&parsed);
        case(name, about, input, json!({ "result": "manual", "manual_code": code, "manual_tag": tag }))
    };
    let typo = |name: &str, about: &str, input: &str| {
        case(name, about, input, refused_value("manual_typo", Reason::ManualTypo))
    };
    let random = ManualCode::generate(&FixedEntropy::new(5)).to_string();
    vec![
        good("manual_plain", "As printed.", codes[0], codes[0]),
        good("manual_zeros", "The check symbol of zeros is zero.", codes[1], codes[1]),
        good("manual_highest", "The highest symbols.", codes[2], codes[2]),
        good("manual_random", "A random code.", &random, &random),
        good("manual_no_hyphens", "Without hyphens.", "0123456789AB", codes[0]),
        good("manual_lower_case", "In lower case.", "0123-4567-89ab", codes[0]),
        good("manual_spaces", "Spaces for hyphens.", "0123 4567 89AB", codes[0]),
        good("manual_spaces_everywhere", "Spaces anywhere.", " 01 23 45 67 89 A B ", codes[0]),
        good("manual_dashes", "Other dashes.", "0123–4567—89AB", codes[0]),
        good("manual_letter_o", "The letter O for the digit 0.", "O123-4567-89ab", codes[0]),
        good("manual_letters_i_and_l", "I and L for 1.", "vvvv-oIol-vvL6", codes[3]),
        good("manual_letter_u", "U for V.", "uUvV-0101-Vu16", codes[3]),
        good(
            "manual_with_noise",
            "With a line end and a byte order mark.",
            "\u{feff}0123-4567-89AB\r\n",
            codes[0],
        ),
        typo("manual_wrong_check", "A wrong check symbol.", "0123-4567-89AC"),
        typo("manual_wrong_symbol", "A wrong symbol.", "0123-4568-89AB"),
        typo("manual_swapped", "Two neighbours swapped.", "1023-4567-89AB"),
        typo("manual_one_missing", "A symbol missing, in groups.", "0123-4567-89A"),
        typo("manual_one_too_many", "A symbol too many, in groups.", "0123-4567-89ABY"),
        case(
            "manual_not_one_symbol",
            "A character that no manual code has makes it another text.",
            "0123-4567-89A*",
            other("0123-4567-89A*"),
        ),
        case(
            "manual_eleven_without_groups",
            "Eleven symbols without groups may be anything.",
            "0123456789A",
            other("0123456789A"),
        ),
    ]
}

pub(crate) fn legacy() -> Vec<Value> {
    const TICKET: &str = "01930f2e-7c1a-7b3c-9d4e-5f60718293a4";
    const EVENT: &str = "01930f2e-7c1a-7b3c-9d4e-000000000001";
    let legacy = |name: &str, about: &str, input: &str, text: &str, ids: (Option<&str>, Option<&str>)| {
        let tag = setup::lookup().legacy_tag(text);
        json!({
            "name": name,
            "about": about,
            "input": input,
            "expected": { "ticket_id": ids.0, "event_id": ids.1, "text": text, "legacy_tag": tag },
        })
    };
    let both = (Some(TICKET), Some(EVENT));
    let json = |ticket: &str, event: &str| format!(r#"{{"{ticket}":"{TICKET}","{event}":"{EVENT}"}}"#);
    let plain = |name: &str, about: &str, text: &str| legacy(name, about, text, text, (None, None));
    let snake = json("ticket_id", "event_id");
    let camel = json("ticketId", "eventId");
    let short = json("id", "event");
    let two_names = format!(r#"{{"ticket_id":"order 7","id":"{TICKET}"}}"#);
    vec![
        legacy("legacy_uuid", "A bare UUID is a ticket id.", TICKET, TICKET, (Some(TICKET), None)),
        legacy(
            "legacy_uuid_upper_case",
            "UUIDs have no case; the tag has.",
            &TICKET.to_uppercase(),
            &TICKET.to_uppercase(),
            (Some(TICKET), None),
        ),
        legacy(
            "legacy_uuid_noise",
            "Noise is stripped first.",
            &format!("]Q1{TICKET}\r\n"),
            TICKET,
            (Some(TICKET), None),
        ),
        legacy("legacy_json_snake_case", "A JSON object.", &snake, &snake, both),
        legacy("legacy_json_camel_case", "Other names.", &camel, &camel, both),
        legacy("legacy_json_short_names", "Yet other names.", &short, &short, both),
        legacy(
            "legacy_json_two_names",
            "The first of the names that holds a UUID counts.",
            &two_names,
            &two_names,
            (Some(TICKET), None),
        ),
        plain("legacy_json_number", "An id that is no UUID names nothing.", r#"{"ticket_id":12345}"#),
        plain(
            "legacy_json_nested",
            "Only the object itself is looked at.",
            &format!(r#"{{"data":{{"ticket_id":"{TICKET}"}}}}"#),
        ),
        plain("legacy_json_broken", "Broken JSON is opaque.", &format!(r#"{{"ticket_id":"{TICKET}""#)),
        plain("legacy_json_array", "An array is opaque.", &format!(r#"["{TICKET}"]"#)),
        plain("legacy_opaque", "Anything else is found by its tag.", "TCK-2024-000123"),
        plain("legacy_opaque_lower_case", "Case matters to the tag.", "tck-2024-000123"),
        plain("legacy_opaque_unicode", "So does every character.", "Ticket Nº 17 — Zürich"),
        legacy(
            "legacy_opaque_noise",
            "Noise does not.",
            "\u{feff}]Q3\\000026TCK-2024-000123\t\n",
            "TCK-2024-000123",
            (None, None),
        ),
        plain("legacy_empty", "Nothing.", ""),
    ]
}

pub(crate) fn noise() -> Vec<Value> {
    let printed = key(1).printed(&claims());
    let live = key(2).live_base(&claims()).mint(NOW);
    let code = printed.text();
    let good = |name: &str, about: &str, input: String| {
        let times = (ISSUED, Some(EXPIRES), None);
        case(
            name,
            about,
            &input,
            expected_value(setup::ticket(), "printed", setup::algorithm_of(1), 1, times),
        )
    };
    let good_live = |name: &str, about: &str, input: String| {
        let times = (ISSUED, Some(EXPIRES), Some(NOW));
        case(name, about, &input, expected_value(setup::ticket(), "live", setup::algorithm_of(2), 2, times))
    };
    let mut cases = vec![
        good("noise_carriage_return", "A wedge scanner's line end.", format!("{code}\r\n")),
        good("noise_spaces", "Spaces around.", format!("  {code}\t ")),
        good("noise_no_break_space", "Unicode spaces around.", format!("\u{a0}{code}\u{2003}")),
        good("noise_byte_order_mark", "A byte order mark before.", format!("\u{feff}{code}")),
        good("noise_zero_width", "Invisible characters around.", format!("\u{200b}{code}\u{2060}")),
        good("noise_control", "Control characters around.", format!("\u{2}{code}\u{3}\0")),
        good("noise_aim", "An AIM symbology identifier.", format!("]Q1{code}")),
        good("noise_aim_other", "One of another symbology.", format!("]d2{code}")),
        good("noise_eci", "An ECI escape.", format!("\\000026{code}")),
        good("noise_eci_twice", "Two of them.", format!("\\000003\\000026{code}")),
        good("noise_everything", "All of it at once.", format!("\u{feff} \u{2}]Q2\\000026 {code}\u{3}\r\n")),
        good("noise_lower_case", "A scanner that types lower case.", code.to_lowercase()),
        good("noise_lower_case_and_more", "The same with noise.", format!("]Q1{}\r", code.to_lowercase())),
        good("noise_base64url", "The base64url form of links.", printed.base64url()),
        good_live("noise_live_lower_case", "A live code in lower case.", live.text().to_lowercase()),
        good_live("noise_live_base64url", "A live code as base64url.", format!(" {}\n", live.base64url())),
    ];
    cases.extend(not_stripped(&printed));
    cases
}

/// What only resembles noise makes it another text.
fn not_stripped(printed: &TicketCode) -> Vec<Value> {
    let (code, url) = (printed.text(), printed.base64url());
    let same = |name: &str, about: &str, input: &str| case(name, about, input, other(input));
    vec![
        case("noise_two_aim_identifiers", "Only one is stripped.", "]Q1]Q1x", other("]Q1x")),
        same("noise_version_with_zero", "A version with a leading zero.", &format!("LX01:{}", &code[4..])),
        same("noise_short_eci", "An ECI escape has six digits.", &format!("\\00026{code}")),
        same("noise_space_in_prefix", "A space inside the prefix.", &format!("LX 1:{}", &code[4..])),
        same("noise_mixed_prefix", "A prefix in mixed case.", &format!("Lx1:{}", &code[4..])),
        same("noise_long_version", "A version of four digits.", &format!("LX0001:{}", &code[4..])),
        same("noise_base64url_padding", "Padding is never written.", &format!("{url}=")),
        same("noise_base64_plus", "Nor is plain base64.", &format!("{}+", &url[..63])),
        same("noise_hex_hash", "64 hex digits are an older system's hash, not base64url.", &"E3".repeat(32)),
        same("noise_web_address", "A web address.", "https://example.org/t/1"),
        same("noise_unicode", "Any text.", "Grüße, 世界"),
    ]
}

//! Takes secrets and personal data out of a finished line of the log.
//!
//! It knows their forms, not their places: tokens, ticket codes, manual codes, enrolment codes, links, values of
//! `Authorization` and of cookies, passwords by their name, e-mail addresses, and any other long random text.
//! In doubt it takes out too much. A line of JSON stays one: what is taken out never crosses a quote.

mod find;

use std::borrow::Cow;

/// A longer line is left out, in bytes: looking through one costs up to the square of its length, and what makes it
/// so long may come from a stranger.
const LONGEST: usize = 16 * 1_024;

/// Part of a line, and what stands there instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    start: usize,
    end: usize,
    instead: &'static str,
}

/// The line without its secrets.
#[must_use]
pub fn redact(line: &str) -> Cow<'_, str> {
    if line.len() > LONGEST {
        return Cow::Owned(left_out(line));
    }
    let mut marks = Vec::new();
    find::all(line.as_bytes(), &mut marks);
    if marks.is_empty() {
        return Cow::Borrowed(line);
    }
    // Of two that start together the longer one goes first and swallows the other.
    marks.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
    let mut out = String::with_capacity(line.len());
    let mut done = 0;
    for mark in marks {
        if mark.start >= done {
            out.push_str(line.get(done..mark.start).unwrap_or_default());
            out.push_str(mark.instead);
        }
        done = done.max(mark.end);
    }
    out.push_str(line.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

fn left_out(line: &str) -> String {
    let said = format!("a line of {} bytes was left out of the log: it is too long", line.len());
    let end = if line.ends_with('\n') { "\n" } else { "" };
    if line.starts_with('{') {
        format!("{{\"level\":\"WARN\",\"fields\":{{\"message\":\"{said}\"}}}}{end}")
    } else {
        format!("WARN {said}{end}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "lxd_AZMPLnwaezydTl9gcYKTpA_3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs";
    const CODE: &str = "LX1:6BF+70 OKOJ%$ED64-1/2Z:A9";

    #[test]
    fn each_form_is_taken_out() {
        for (line, expected) in [
            (format!("got {TOKEN}."), "got [token].".to_owned()),
            (format!("GET /t/{}?x=1", TOKEN.replace("lxd", "lxt")), "GET /t/[link]".to_owned()),
            ("POST /console/invitation/abc".to_owned(), "POST /console/invitation/[link]".to_owned()),
            ("POST /console/sign-in/link/abc".to_owned(), "POST /console/sign-in/link/[link]".to_owned()),
            (format!("{{\"code\":\"{CODE}\"}}"), "{\"code\":\"[ticket code]\"}".to_owned()),
            ("\"ABCD-EFGH-JKMN\"".to_owned(), "\"[manual code]\"".to_owned()),
            ("/GHAU-4X7W-PFMW-DMDB-FLYK-OD6K/x".to_owned(), "/[manual code]/x".to_owned()),
            ("/HTQF-C5EN-P72V-K3RM-352E-KAH7/x".to_owned(), "/[manual code]/x".to_owned()),
            ("typed abcd efgh 2kmn now".to_owned(), "typed [manual code] now".to_owned()),
            ("LIVENTIX-ENROL:http://h:1#abc".to_owned(), "[enrolment code]".to_owned()),
            (
                "{\"authorization\":\"Digest a=\\\"b\\\"\"}".to_owned(),
                "{\"authorization\":\"[secret]\"}".to_owned(),
            ),
            (
                r#"{"m":"{\"authorization\": \"Bearer x\"}"}"#.to_owned(),
                r#"{"m":"{\"authorization\": \"[secret]\"}"}"#.to_owned(),
            ),
            ("authorization: Basic YTpi".to_owned(), "authorization: [secret]".to_owned()),
            ("sent Bearer abcdefgh to".to_owned(), "sent Bearer [secret] to".to_owned()),
            ("password=hunter2 next".to_owned(), "password=[secret] next".to_owned()),
            ("\"password\":\"a b\"".to_owned(), "\"password\":\"[secret]\"".to_owned()),
            ("to ann.o'hara+x@example.org, and".to_owned(), "to [e-mail], and".to_owned()),
            ("?mail=ann%40example.org&x".to_owned(), "[e-mail]&x".to_owned()),
            ("jürgen@bücher.example".to_owned(), "[e-mail]".to_owned()),
            ("postgres://user:pw@host/db".to_owned(), "postgres://[login]/db".to_owned()),
            ("root BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHB1cHBwcHBwc".to_owned(), "root [secret]".to_owned()),
        ] {
            assert_eq!(redact(&line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_without_end_costs_nothing() {
        let long = "/t/".repeat(LONGEST);
        assert_eq!(redact(&long), "WARN a line of 49152 bytes was left out of the log: it is too long");
        let json = format!("{}\n", serde_json::json!({ "fields": { "message": long } }));
        let said: serde_json::Value = serde_json::from_str(&redact(&json)).unwrap();
        assert_eq!(said["level"], "WARN");
        assert!(redact(&json).ends_with("}\n"));
    }

    #[test]
    fn what_a_log_is_for_stays() {
        for line in [
            "",
            "2026-11-25T09:30:22.123456Z  INFO request{id=8c1f00aa12 method=GET path=/v1/events}: answered status=200",
            r#"{"event_id":"01930f2e-7c1a-7b3c-9d4e-5f60718293a4","cause":"statement failed: no such table: x"}"#,
            "setting root_secret: is needed with PostgreSQL; a Bearer token, a password, an @ and 5 @ 6",
            "liventix_server::platform::db::postgres: TicketNotFound at 127.0.0.1:8080",
            "request id 0123456789abcdef0123456789abcdef01234567",
            r#"{"token":5,"password":null}"#,
        ] {
            assert!(matches!(redact(line), Cow::Borrowed(_)), "{line} -> {}", redact(line));
        }
    }

    fn secret() -> impl Strategy<Value = String> {
        prop_oneof![
            "lx[dwtsilo]?_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{43}",
            "LX1:[0-9A-Z $%*+./:-]{30,90}[0-9A-Z]",
            "[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}",
            "[a-zA-Z0-9.!#$%&'*+=?^_~-]{1,20}[a-z]@[a-z0-9]{1,10}\\.(org|example)",
            "Bearer [A-Za-z0-9_.~+/-]{8,60}",
            "LIVENTIX-ENROL:https://[a-z]{3,9}/[a-z]{0,5}#[A-Za-z0-9_-]{22}",
        ]
    }

    /// The part of a secret nobody could guess.
    fn heart(secret: &str) -> &str {
        let from = secret.find([':', ' ', '_', '#']).map_or(0, |at| at + 1);
        if secret.contains('@') { &secret[..secret.find('@').unwrap() + 3] } else { &secret[from..] }
    }

    proptest! {
        #[test]
        fn no_secret_passes_wherever_it_stands(before in "\\PC{0,30}", secret in secret(), after in "\\PC{0,30}") {
            // What a text field and a JSON field make of it.
            let plain = format!("{before} {secret} {after}");
            let end = &heart(&secret)[heart(&secret).len() - 5..];
            prop_assert!(!redact(&plain).contains(end), "{}", redact(&plain));
            let json = serde_json::json!({ "fields": { "message": plain, "value": &secret } }).to_string();
            let clean = redact(&json);
            prop_assert!(!clean.contains(end), "{clean}");
            prop_assert!(serde_json::from_str::<serde_json::Value>(&clean).is_ok(), "{clean}");
        }

        #[test]
        fn json_stays_json_whatever_it_says(key in "\\PC{0,20}|password|authorization|token|cookie", value in any::<String>(), number in any::<f64>()) {
            let inner = serde_json::json!({ (&key): &value }).to_string();
            for value in [serde_json::json!(value), serde_json::json!(inner), serde_json::json!(number), serde_json::json!([value, inner])] {
                let json = serde_json::json!({ (&key): value, "x": format!("{key}={value}") }).to_string();
                let clean = redact(&json);
                prop_assert!(serde_json::from_str::<serde_json::Value>(&clean).is_ok(), "{json}\n{clean}");
            }
        }

        #[test]
        fn anything_goes_in_and_clean_lines_stay(line in any::<String>()) {
            let once = redact(&line).into_owned();
            let twice = redact(&once).into_owned();
            prop_assert_eq!(twice, once);
        }
    }
}

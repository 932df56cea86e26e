//! What stands in a header of a mail: what somebody typed, and nothing that they could mean by it.

use data_encoding::BASE64;
use lettre::message::header::{Header as _, HeaderName, HeaderValue, Subject};

/// So many bytes fit into a line (RFC 2047, 2: 75 characters).
const FIT: usize = 42;

/// The subject. lettre leaves what looks encoded as it is, and whoever reads it would see something else.
pub(super) fn subject(text: &str) -> HeaderValue {
    if !text.contains("=?") {
        return Subject::from(text.to_owned()).display();
    }
    let name = HeaderName::new_from_ascii_str("Subject");
    HeaderValue::dangerous_new_pre_encoded(name, text.to_owned(), encoded(text))
}

/// As words that every reader decodes to this text.
fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for sign in text.chars() {
        if words.last().is_some_and(|word| word.len() + sign.len_utf8() > FIT) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(sign);
        }
    }
    let words: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?b?{}?=", BASE64.encode(word.as_bytes()))).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use lettre::Message;
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn read_back(text: &str) -> (String, String) {
        let message = Message::builder()
            .from("a@example.org".parse().unwrap())
            .to("b@example.org".parse().unwrap())
            .raw_header(subject(text))
            .body(String::new())
            .unwrap();
        let raw = String::from_utf8(message.formatted()).unwrap();
        let read = MessageParser::default().parse(raw.as_bytes()).unwrap();
        (read.subject().unwrap_or_default().to_owned(), raw)
    }

    proptest! {
        #[test]
        fn a_subject_is_read_as_it_was_written(
            text in "([a-zA-Z0-9?=_.,:<> \u{e9}\u{4e2d}\u{1f3ab}\u{5d0}\u{2028}]|=\\?utf-8\\?q\\?x=0D=0Abcc:x\\?=){1,60}"
        ) {
            // Spaces at the end, and several in a row, are a reader's to show.
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let (read, raw) = read_back(&text);
            prop_assert_eq!(&read, &text, "{}", raw);
            prop_assert!(raw.lines().all(|line| line.len() < 998));
            prop_assert!(!raw.to_lowercase().contains("\nbcc:"));
        }
    }
}

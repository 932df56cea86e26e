//! The templates of mails: one for the subject and the text, one for the HTML.
//!
//! A variable that is not there is a mistake of ours, and no mail is sent with a hole in it. Where only the HTML fails,
//! the text says the same, and is sent alone.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior};
use serde_json::Value;

use crate::email::{Content, Part};
use crate::platform::queue::Failure;

macro_rules! templates {
    ($($kind:literal),* $(,)?) => {
        /// The kinds of mails.
        #[cfg(test)]
        const KINDS: &[&str] = &[$($kind),*];

        // The names end as they must for escaping.
        static TEMPLATES: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
            let mut all = Environment::new();
            all.set_undefined_behavior(UndefinedBehavior::Strict);
            all.add_template("frame.html", include_str!("templates/frame.html"))?;
            $(
                all.add_template(concat!($kind, ".txt"), include_str!(concat!("templates/", $kind, ".txt")))?;
                all.add_template(concat!($kind, ".html"), include_str!(concat!("templates/", $kind, ".html")))?;
            )*
            Ok(all)
        });
    };
}

templates!("order_paid", "test");

/// What a template says, with these variables. The first line of the text is the subject.
///
/// # Errors
/// When the text cannot be made: then there is no mail.
pub(super) fn render(kind: &str, values: &Value, parts: Vec<Part>) -> Result<Content, Failure> {
    let wrong =
        |error: &Error| Failure::permanent("template", format!("The template `{kind}` fails: {error}."));
    let templates = TEMPLATES.as_ref().map_err(wrong)?;
    let text = fill(templates, &format!("{kind}.txt"), values).map_err(|error| wrong(&error))?;
    let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
    let html = fill(templates, &format!("{kind}.html"), values);
    if let Err(error) = &html {
        tracing::error!(kind, cause = error.to_string(), "a mail is sent as text only: its HTML fails");
    }
    Ok(Content { subject: one_line(subject), text: text.trim_start().to_owned(), html: html.ok(), parts })
}

fn fill(templates: &Environment<'_>, name: &str, values: &Value) -> Result<String, Error> {
    templates.get_template(name)?.render(Serde(values))
}

/// Nothing that could begin another header.
fn one_line(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_template_can_be_read() {
        let templates = TEMPLATES.as_ref().unwrap();
        for kind in KINDS {
            for end in ["txt", "html"] {
                assert!(templates.get_template(&format!("{kind}.{end}")).is_ok(), "{kind}.{end}");
            }
        }
    }

    #[test]
    fn a_variable_that_is_not_there_is_no_mail() {
        let failure = render("test", &json!({}), Vec::new()).unwrap_err();
        assert_eq!(failure.code, "template");
        let mail = render("test", &json!({"server": "https://x.example/<b>"}), Vec::new()).unwrap();
        assert!(mail.text.contains("https://x.example/<b>"));
        assert!(mail.html.unwrap().contains("https:&#x2f;&#x2f;x.example&#x2f;&lt;b&gt;"));
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(one_line(" a\r\nBcc: b\u{0} "), "a  Bcc: b");
    }
}

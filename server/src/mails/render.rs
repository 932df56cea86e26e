//! The templates of mails: one for the subject and the text, one for the HTML, in each language.
//!
//! A variable that is not there is a mistake of ours, and no mail is sent with a hole in it. Where only the HTML fails,
//! the text says the same, and is sent alone.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior};
use serde_json::{Value, json};

use super::Kind;
use super::texts::{self, Version};
use crate::email::{Content, Part};
use crate::platform::locale::Locale;
use crate::platform::queue::Failure;

/// What stands around every HTML.
pub(super) const FRAME: &str = include_str!("templates/frame.html");

macro_rules! templates {
    ($($locale:literal: $($kind:literal),*;)*) => {
        /// Our templates of a mail: of its text, and of its HTML.
        pub(super) fn source(kind: Kind, locale: Locale) -> (&'static str, &'static str) {
            match (locale.code(), kind.code()) {
                $($(($locale, $kind) => (
                    include_str!(concat!("templates/", $locale, "/", $kind, ".txt")),
                    include_str!(concat!("templates/", $locale, "/", $kind, ".html")),
                ),)*)*
                _ => ("", ""),
            }
        }

        // The names end as they must for escaping.
        static TEMPLATES: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
            let mut all = Environment::new();
            all.set_undefined_behavior(UndefinedBehavior::Strict);
            all.add_template("frame.html", FRAME)?;
            $($(
                all.add_template(
                    concat!($locale, "/", $kind, ".txt"),
                    include_str!(concat!("templates/", $locale, "/", $kind, ".txt")),
                )?;
                all.add_template(
                    concat!($locale, "/", $kind, ".html"),
                    include_str!(concat!("templates/", $locale, "/", $kind, ".html")),
                )?;
            )*)*
            Ok(all)
        });
    };
}

templates!(
    "en": "order_paid", "order_refunded", "event_changed", "event_cancelled", "news", "invitation", "sign_in_link", "alert", "test";
    "de": "order_paid", "order_refunded", "event_changed", "event_cancelled", "news";
);

/// What a template says, with these variables. The first line of the text is the subject.
///
/// # Errors
/// When the text cannot be made: then there is no mail.
pub(super) fn render(
    kind: Kind,
    locale: Locale,
    mut values: Value,
    parts: Vec<Part>,
) -> Result<Content, Failure> {
    let name = format!("{}/{}", locale.code(), kind.code());
    let wrong =
        |error: &Error| Failure::permanent("template", format!("The template `{name}` fails: {error}."));
    let templates = TEMPLATES.as_ref().map_err(wrong)?;
    values["lang"] = json!(locale.code());
    let text = fill(templates, &format!("{name}.txt"), &values).map_err(|error| wrong(&error))?;
    let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
    let html = fill(templates, &format!("{name}.html"), &values);
    if let Err(error) = &html {
        tracing::error!(
            template = name,
            cause = error.to_string(),
            "a mail is sent as text only: its HTML fails"
        );
    }
    Ok(content((subject, text), html.ok(), parts))
}

fn content((subject, text): (&str, &str), html: Option<String>, parts: Vec<Part>) -> Content {
    Content {
        subject: one_line(subject),
        text: text.trim_start().to_owned(),
        html,
        parts,
        unsubscribe: None,
        template: None,
    }
}

/// The same by an organiser's own templates. Where they fail, ours are used, and it is said: a buyer needs what the
/// mail tells.
///
/// # Errors
/// When ours fail as well.
pub(super) fn render_own(
    own: &Version,
    (kind, locale): (Kind, Locale),
    mut values: Value,
    parts: Vec<Part>,
) -> Result<Content, Failure> {
    let Some((text, html)) = &own.templates else { return render(kind, locale, values, parts) };
    values["lang"] = json!(locale.code());
    let version = own.version;
    match texts::fill(text, html, &values) {
        Ok((text, html)) => {
            let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
            let template = Some(format!("version {version}"));
            Ok(Content { template, ..content((subject, text), Some(html), parts) })
        }
        Err(error) => {
            let (kind_code, cause) = (kind.code(), error.to_string());
            tracing::error!(
                kind = kind_code,
                version,
                cause,
                "a mail has our text: the organiser's own fails"
            );
            let template = Some(format!("built-in, since version {version} fails"));
            Ok(Content { template, ..render(kind, locale, values, parts)? })
        }
    }
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
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        let templates = TEMPLATES.as_ref().unwrap();
        for kind in Kind::ALL {
            // Those who work with it read English, as the console is.
            let is_english = matches!(kind, Kind::Invitation | Kind::SignInLink | Kind::Alert | Kind::Test);
            let locales = if is_english { &[Locale::En][..] } else { Locale::ALL };
            for locale in locales {
                for end in ["txt", "html"] {
                    let name = format!("{}/{}.{end}", locale.code(), kind.code());
                    assert!(templates.get_template(&name).is_ok(), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_variable_that_is_not_there_is_no_mail() {
        let failure = render(Kind::Test, Locale::En, json!({}), Vec::new()).unwrap_err();
        assert_eq!(failure.code, "template");
        let values = json!({"server": "https://x.example/<b>"});
        let mail = render(Kind::Test, Locale::En, values, Vec::new()).unwrap();
        assert!(mail.text.contains("https://x.example/<b>"));
        assert!(mail.html.unwrap().contains("https:&#x2f;&#x2f;x.example&#x2f;&lt;b&gt;"));
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(one_line(" a\r\nBcc: b\u{0} "), "a  Bcc: b");
    }
}

//! Trying a text before it is saved.

use std::collections::BTreeSet;

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use super::samples::{self, Sample};
use super::types::{NewMailText, Preview, Variable};
use crate::mails::Kind;
use crate::mails::render::FRAME;
use crate::platform::locale::Locale;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// The longest template, in bytes.
const MAX: usize = 64 * 1_024;
/// What one template may do: far more than a mail needs, and an end all the same.
const FUEL: u64 = 200_000;

/// What an organiser's own templates can reach: the frame, and nothing that switches escaping off.
fn environment<'a>(text: &'a str, html: &'a str) -> Result<Environment<'a>, Error> {
    let mut all = Environment::new();
    all.set_undefined_behavior(UndefinedBehavior::Strict);
    all.set_fuel(Some(FUEL));
    all.remove_filter("safe");
    all.add_template("frame.html", FRAME)?;
    all.add_template("text.txt", text)?;
    all.add_template("mail.html", html)?;
    Ok(all)
}

/// The text and the HTML that templates of an organiser's own give with these values.
///
/// # Errors
/// When either fails.
pub(in crate::mails) fn fill(text: &str, html: &str, values: &Value) -> Result<(String, String), Error> {
    let all = environment(text, html)?;
    let fill = |name: &str| all.get_template(name)?.render(Serde(values));
    Ok((fill("text.txt")?, fill("mail.html")?))
}

fn invalid(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::MailTextInvalid, detail)
}

/// What is wrong with a template, for whoever wrote it.
fn wrong(error: &Error) -> ApiError {
    let place = match error.name() {
        Some("mail.html") => "The HTML",
        _ => "The text",
    };
    let line = error.line().map(|line| format!(", line {line}")).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::UndefinedError => {
            "names something that is not there. The list of variables says what there is".to_owned()
        }
        ErrorKind::OutOfFuel => "does not come to an end".to_owned(),
        ErrorKind::TemplateNotFound => "may extend frame.html, and nothing else".to_owned(),
        ErrorKind::UnknownFilter => "uses a filter that there is not".to_owned(),
        _ => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    };
    invalid(format!("{place}{line}: {what}."))
}

/// Tries templates with samples, and gives the fullest of what comes of it.
///
/// # Errors
/// `mail_text_invalid`, with what to mend.
pub(super) fn check(kind: Kind, locale: Locale, new: &NewMailText) -> ApiResult<Preview> {
    let NewMailText { text, html } = new;
    for (place, template) in [("The text", text), ("The HTML", html)] {
        if template.trim().is_empty() || template.len() > MAX {
            return Err(invalid(format!("{place} must have 1 to {MAX} bytes.")));
        }
    }
    let samples = samples::of(kind, locale);
    unknown(&environment(text, html).map_err(|error| wrong(&error))?, &samples[0])?;
    let mut previews = Vec::new();
    for sample in &samples {
        let (said, page) = fill(text, html, &sample.values).map_err(|error| wrong(&error))?;
        previews.push(tried(sample, &said, &page)?);
    }
    Ok(previews.swap_remove(0))
}

/// Names what is named and never there, in whichever branch it stands.
fn unknown(all: &Environment<'_>, sample: &Sample) -> ApiResult<()> {
    for name in ["text.txt", "mail.html"] {
        let template = all.get_template(name).map_err(|error| wrong(&error))?;
        let known: BTreeSet<&str> = sample
            .values
            .as_object()
            .into_iter()
            .flat_map(|values| values.keys().map(String::as_str))
            .collect();
        let named = template.undeclared_variables(false);
        // What the language has for itself, such as `range`, is known as well.
        let is_known =
            |name: &String| known.contains(name.as_str()) || all.globals().any(|(global, _)| global == name);
        if let Some(unknown) = named.iter().find(|name| !is_known(name)) {
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            return Err(invalid(format!("There is no `{unknown}`. There are: {known}.")));
        }
    }
    Ok(())
}

fn tried(sample: &Sample, text: &str, html: &str) -> ApiResult<Preview> {
    let (subject, rest) = text.split_once('\n').unwrap_or((text, ""));
    if subject.trim().is_empty() || rest.trim().is_empty() {
        return Err(invalid(
            "The first line of the text is the subject; below it stands what the mail says.",
        ));
    }
    // As it is escaped in HTML.
    let escaped = |text: &str| minijinja::HtmlEscape(text).to_string();
    for (what, needed) in &sample.needed {
        if !text.contains(needed.as_str()) {
            return Err(invalid(format!("The text has to tell {what}.")));
        }
        if !html.contains(&escaped(needed)) && !html.contains(needed.as_str()) {
            return Err(invalid(format!("The HTML has to tell {what}.")));
        }
    }
    if let Some((what, _)) = sample.needed_in_html.iter().find(|(_, needed)| !html.contains(needed.as_str()))
    {
        return Err(invalid(format!("The HTML has to tell {what}.")));
    }
    Ok(Preview {
        subject: subject.trim().to_owned(),
        text: rest.trim_start().to_owned(),
        html: html.to_owned(),
    })
}

/// What a text may name, with examples.
pub(super) fn variables(kind: Kind, locale: Locale) -> Vec<Variable> {
    let [full, _] = samples::of(kind, locale);
    let mut found = Vec::new();
    for (name, value) in full.values.as_object().into_iter().flatten() {
        let singular = name.strip_suffix('s').unwrap_or(name);
        match value {
            Value::Array(items) => {
                let first = items.first().and_then(Value::as_object);
                for (key, value) in first.into_iter().flatten() {
                    found.push((format!("{singular}.{key}"), example(value)));
                }
            }
            _ => found.push((name.clone(), example(value))),
        }
    }
    let is_needed = |name: &str| {
        full.needed
            .iter()
            .chain(&full.needed_in_html)
            .any(|(needed, _)| needed.split([',', ' ']).next() == Some(name))
    };
    found.into_iter().map(|(name, example)| Variable { is_needed: is_needed(&name), name, example }).collect()
}

fn example(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

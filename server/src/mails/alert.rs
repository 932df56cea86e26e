//! What is wrong, to whoever runs the installation: several messages in one mail, for whoever is woken reads one mail,
//! not fifty.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Kind;
use super::render;
use crate::alerts::{Message, Turn};
use crate::app::AppState;
use crate::email::{Composed, Email};
use crate::platform::locale::Locale;
use crate::platform::queue::Failure;
use crate::platform::severity::Severity;

pub(super) fn compose(app: &AppState, email: &Email) -> Result<Composed, Failure> {
    let messages: Vec<Message> = serde_json::from_value(email.payload["messages"].clone())
        .map_err(|error| Failure::permanent("payload", format!("The messages cannot be read: {error}.")))?;
    let values = json!({
        "subject": subject(&messages), "server": app.public_url(),
        "messages": messages.iter().map(|it| shown(app, it)).collect::<Vec<_>>(),
    });
    Ok(render::render(Kind::Alert, Locale::En, values, Vec::new())?.into())
}

fn shown(app: &AppState, message: &Message) -> Value {
    let is_over = message.turn == Turn::Resolved;
    let since = DateTime::<Utc>::from_timestamp_millis(message.since).unwrap_or_default();
    json!({
        "heading": heading(message), "sentence": message.sentence, "is_over": is_over,
        "next_step": Some(&message.next_step).filter(|step| !is_over && !step.is_empty()),
        "since": since.format("%-d %b %Y, %H:%M").to_string(),
        "link": format!("{}{}", app.public_url(), message.page),
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "Notice",
        Severity::Warning => "Warning",
        Severity::Critical => "Critical",
    }
}

fn heading(message: &Message) -> String {
    match message.turn {
        Turn::Opened => severity(message.severity).to_owned(),
        Turn::Open => format!("{}, still", severity(message.severity)),
        Turn::Resolved => "Over".to_owned(),
        Turn::Test => "Test".to_owned(),
    }
}

/// What it is about, on one line.
fn subject(messages: &[Message]) -> String {
    if let [one] = messages {
        return format!("[Liventix] {}: {}", heading(one), one.sentence);
    }
    let over = messages.iter().filter(|message| message.turn == Turn::Resolved).count();
    let worst = messages.iter().map(|message| message.severity).max().map_or("Notice", severity);
    format!("[Liventix] {worst}: {} messages, {over} of them that something is over", messages.len())
}

//! By mail, several messages in one: whoever is woken reads one mail, not fifty.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use lettre::message::{Mailbox, Mailboxes, header};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncTransport as _, Message as Mail};
use secrecy::ExposeSecret as _;

use super::super::types::{Message, Notice, Turn};
use crate::platform::config::{AlertConfig, ConfigError};
use crate::platform::queue::Failure;
use crate::platform::severity::Severity;
use crate::platform::smtp;

/// Mails to the operator, by SMTP.
pub(super) struct Email {
    transport: smtp::Transport,
    from: Mailbox,
    to: Mailboxes,
    public_url: String,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email")
    }
}

impl Email {
    /// None if nobody gets mails.
    pub(super) fn new(config: &AlertConfig, public_url: &str) -> Result<Option<Self>, ConfigError> {
        let Some(to) = &config.email_to else { return Ok(None) };
        let to = to
            .parse()
            .map_err(|_| ConfigError::new("alert_email_to", "must be e-mail addresses with , between"))?;
        let from = smtp::sender(config.mail_from.as_deref().unwrap_or_default())?;
        let transport = smtp::transport(config.smtp_url.as_ref().map_or("", |url| url.expose_secret()))?;
        Ok(Some(Self { transport, from, to, public_url: public_url.to_owned() }))
    }

    /// One mail about all of them.
    pub(super) async fn send(&self, notices: &[Notice]) -> Result<(), Failure> {
        let mail =
            self.compose(notices).map_err(|error| Failure::permanent("bad_mail", error.to_string()))?;
        self.transport.send(mail).await.map(drop).map_err(|error| failure(&error))
    }

    fn compose(&self, notices: &[Notice]) -> Result<Mail, lettre::error::Error> {
        let mut builder = Mail::builder().from(self.from.clone()).subject(subject(notices));
        for mailbox in self.to.iter() {
            builder = builder.to(mailbox.clone());
        }
        if let Some(first) = notices.first() {
            // The same at every try, so that a mail that came twice can be told.
            builder = builder.message_id(Some(format!("<{}@alerts.liventix>", first.notice_id)));
        }
        builder.header(header::ContentType::TEXT_PLAIN).body(self.text(notices))
    }

    fn text(&self, notices: &[Notice]) -> String {
        let mut text = String::new();
        for Notice { message, .. } in notices {
            let Message { sentence, next_step, page, .. } = message;
            let _ = writeln!(text, "{}\n{sentence}", heading(message));
            if message.turn != Turn::Resolved && !next_step.is_empty() {
                let _ = writeln!(text, "{next_step}");
            }
            let at = DateTime::<Utc>::from_timestamp_millis(message.since).unwrap_or_default();
            let _ =
                writeln!(text, "Since {} UTC. {}{page}\n", at.format("%-d %b %Y, %H:%M"), self.public_url);
        }
        let _ = write!(text, "-- \nSent by Liventix at {}. Replies are not read.\n", self.public_url);
        text
    }
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
fn subject(notices: &[Notice]) -> String {
    let mut messages = notices.iter().map(|notice| &notice.message);
    match (messages.next(), notices.len()) {
        (Some(one), 1) => format!("[Liventix] {}: {}", heading(one), one.sentence),
        _ => {
            let over = notices.iter().filter(|notice| notice.message.turn == Turn::Resolved).count();
            let worst = notices.iter().map(|notice| notice.message.severity).max();
            let worst = worst.map_or("Notice", severity);
            format!("[Liventix] {worst}: {} messages, {over} of them that something is over", notices.len())
        }
    }
}

/// Whether trying again can help. What a server says may name the address: it is ours.
fn failure(error: &SmtpError) -> Failure {
    let detail = error.to_string();
    if error.is_permanent() {
        Failure::permanent("smtp_refused", detail)
    } else if error.is_transient() {
        Failure::retry("smtp_busy", detail)
    } else {
        Failure::retry("smtp_unreachable", detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        let good = AlertConfig {
            email_to: Some("a@example.org, B <b@example.org>".into()),
            mail_from: Some("Liventix <l@example.org>".into()),
            smtp_url: Some("smtps://u:p@mail.example.org:465".into()),
            ..AlertConfig::default()
        };
        let wrong = |config: AlertConfig| Email::new(&config, "x").err().map(|error| error.key);
        assert_eq!(wrong(good.clone()), None);
        assert_eq!(
            wrong(AlertConfig { email_to: Some("nobody".into()), ..good.clone() }),
            Some("alert_email_to")
        );
        assert_eq!(
            wrong(AlertConfig { mail_from: Some("nobody".into()), ..good.clone() }),
            Some("mail_from")
        );
        assert_eq!(wrong(AlertConfig { smtp_url: Some("http://x".into()), ..good }), Some("smtp_url"));
    }
}

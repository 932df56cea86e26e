//! Mail servers (RFC 5321), and who mails come from: for alerts and for mails.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use super::config::ConfigError;

/// How long the server may take for one step.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Connections to a mail server, which are kept.
pub(crate) type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The one that `smtp_url` names.
///
/// # Errors
/// When it names none.
pub(crate) fn transport(url: &str) -> Result<Transport, ConfigError> {
    let transport = Transport::from_url(url).map_err(|_| {
        let reason = "must be smtps://user:password@host:465, or smtp://user:password@host:587?tls=required";
        ConfigError::new("smtp_url", reason)
    })?;
    Ok(transport.timeout(Some(TIMEOUT)).build())
}

/// Who `mail_from` names.
///
/// # Errors
/// When it names nobody.
pub(crate) fn sender(from: &str) -> Result<Mailbox, ConfigError> {
    from.parse().map_err(|_| {
        ConfigError::new("mail_from", "must be an e-mail address, such as Liventix <tickets@example.org>")
    })
}

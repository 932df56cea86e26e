//! A mail server (RFC 5321), by connections that are kept.

use lettre::AsyncTransport as _;
use lettre::transport::smtp::Error;
use secrecy::ExposeSecret as _;

use super::Taken;
use crate::email::content::Outgoing;
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::config::{ConfigError, EmailConfig};
use crate::platform::smtp;

/// A mail server.
#[derive(Clone)]
pub(crate) struct Smtp(smtp::Transport);

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smtp")
    }
}

impl Smtp {
    /// If one is set up.
    pub(super) fn new(config: &EmailConfig) -> Result<Option<Self>, ConfigError> {
        let Some(url) = &config.smtp_url else { return Ok(None) };
        Ok(Some(Self(smtp::transport(url.expose_secret())?)))
    }

    pub(super) async fn send(&self, mail: &Outgoing<'_>) -> Result<Taken, CallFailure> {
        let message = mail.message();
        let message = message.map_err(|error| CallFailure::new(Outcome::Refused, error.to_string()))?;
        let response = self.0.send(message).await.map_err(|error| failure(&error))?;
        let status = response.code().to_string().parse().ok();
        Ok(Taken { provider_id: response.first_word().map(str::to_owned), status })
    }
}

/// What the server says may name the address: it is kept with the mail, which names it too.
fn failure(error: &Error) -> CallFailure {
    let outcome = if error.is_permanent() {
        Outcome::Refused
    } else if error.is_transient() {
        Outcome::Busy
    } else if error.is_timeout() {
        Outcome::Timeout
    } else if error.is_client() || error.is_tls() || error.to_string().starts_with("Connection error") {
        Outcome::Unreachable
    } else {
        Outcome::Broken
    };
    let status = error.status().and_then(|code| code.to_string().parse().ok());
    CallFailure { status, ..CallFailure::new(outcome, error.to_string()) }
}

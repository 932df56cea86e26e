//! A mail server (RFC 5321), by connections that are kept.

use secrecy::ExposeSecret as _;

use super::Taken;
use crate::email::content::Outgoing;
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::config::{ConfigError, EmailConfig};
use crate::platform::smtp::Mailer;

/// A mail server. What it says may name the address: it is kept with the mail, which names it too.
#[derive(Debug, Clone)]
pub(crate) struct Smtp(Mailer);

impl Smtp {
    /// If one is set up.
    pub(super) fn new(config: &EmailConfig) -> Result<Option<Self>, ConfigError> {
        let Some(url) = &config.smtp_url else { return Ok(None) };
        let mailer = Mailer::new(url.expose_secret(), config.smtp_ca_file.as_deref(), config.smtp_timeout)?;
        Ok(Some(Self(mailer)))
    }

    pub(super) async fn send(&self, mail: &Outgoing<'_>) -> Result<Taken, CallFailure> {
        let message = mail.message();
        let message = message.map_err(|error| CallFailure::new(Outcome::Refused, error.to_string()))?;
        let (code, said) = self.0.send(&message).await?;
        // Most servers say by which name it stands in their log.
        Ok(Taken { provider_id: Some(said).filter(|said| !said.is_empty()), status: Some(code) })
    }
}

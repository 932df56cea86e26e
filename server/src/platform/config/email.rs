//! Who takes mails.

use std::path::PathBuf;
use std::time::Duration;

use data_encoding::BASE64;
use secrecy::{ExposeSecret as _, SecretString};

use super::{ConfigError, check_url};
use crate::platform::smtp;

/// Resend's address.
const RESEND_URL: &str = "https://api.resend.com";

/// Who takes mails. With several, the next is asked where the first fails.
#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// Who mails come from, such as `Liventix <tickets@example.org>`. None: no mail is sent.
    pub from: Option<String>,
    /// Resend's key: `re_…`.
    pub resend_api_key: Option<SecretString>,
    /// What Resend's web hooks may be signed with, `whsec_…`, several with `,` between.
    pub resend_webhook_secrets: Option<SecretString>,
    /// Where Resend is.
    pub resend_url: String,
    /// How long a call to Resend may take (1 to 60 s).
    pub resend_timeout: Duration,
    /// The mail server: `smtps://user:password@host:465`, or `smtp://user:password@host:587?tls=required`.
    pub smtp_url: Option<SecretString>,
    /// Whose word for the mail server counts as well as the system's: certificates (PEM).
    pub smtp_ca_file: Option<PathBuf>,
    /// How long the mail server may take for one step (1 to 60 s).
    pub smtp_timeout: Duration,
    /// Ask the mail server first.
    pub smtp_first: bool,
    /// Where mails are put as files, for trying out.
    pub folder: Option<PathBuf>,
}

impl Default for EmailConfig {
    fn default() -> Self {
        Self {
            from: None,
            resend_api_key: None,
            resend_webhook_secrets: None,
            resend_url: RESEND_URL.to_owned(),
            resend_timeout: Duration::from_secs(15),
            smtp_url: None,
            smtp_ca_file: None,
            smtp_timeout: smtp::TIMEOUT,
            smtp_first: false,
            folder: None,
        }
    }
}

impl EmailConfig {
    /// What web hooks may be signed with.
    pub(crate) fn webhook_secrets(&self) -> impl Iterator<Item = SecretString> + '_ {
        let text = self.resend_webhook_secrets.as_ref().map_or("", |text| text.expose_secret());
        text.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(SecretString::from)
    }

    /// Whether mails are sent at all.
    pub(super) const fn are_on(&self) -> bool {
        self.from.is_some()
            && (self.resend_api_key.is_some() || self.smtp_url.is_some() || self.folder.is_some())
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |key: &'static str, reason: &str| Err(ConfigError::new(key, reason));
        if self.from.is_none() && (self.resend_api_key.is_some() || self.folder.is_some()) {
            return wrong("mail_from", "is needed to send mails: who they come from");
        }
        self.from.as_deref().map(smtp::sender).transpose()?;
        if let Some(url) = &self.smtp_url {
            smtp::check(url.expose_secret())?;
        }
        let is_secret = |secret: &str| {
            secret.strip_prefix("whsec_").is_some_and(|key| BASE64.decode(key.as_bytes()).is_ok())
        };
        if self.resend_webhook_secrets.is_some() && self.webhook_secrets().next().is_none()
            || self.webhook_secrets().any(|secret| !is_secret(secret.expose_secret()))
        {
            let reason =
                "must be whsec_…, several with , between: what Resend shows where the web hook is set up";
            return wrong("resend_webhook_secrets", reason);
        }
        if self.resend_timeout.is_zero() || self.resend_timeout > Duration::from_secs(60) {
            return wrong("resend_timeout_seconds", "must be between 1 and 60");
        }
        if self.smtp_timeout.is_zero() || self.smtp_timeout > Duration::from_secs(60) {
            return wrong("smtp_timeout_seconds", "must be between 1 and 60");
        }
        check_url("resend_url", &self.resend_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_together_is_named() {
        let good = EmailConfig {
            from: Some("Liventix <tickets@example.org>".into()),
            resend_api_key: Some("re_1".into()),
            ..EmailConfig::default()
        };
        assert!(good.validate().is_ok() && EmailConfig::default().validate().is_ok());
        for (key, config) in [
            ("mail_from", EmailConfig { from: None, ..good.clone() }),
            ("mail_from", EmailConfig { from: Some("nobody".into()), ..good.clone() }),
            ("smtp_url", EmailConfig { smtp_url: Some("smtp://mail.example.org".into()), ..good.clone() }),
            ("resend_url", EmailConfig { resend_url: "http://api.resend.com".into(), ..good.clone() }),
            (
                "resend_webhook_secrets",
                EmailConfig { resend_webhook_secrets: Some("x".into()), ..good.clone() },
            ),
            ("smtp_timeout_seconds", EmailConfig { smtp_timeout: Duration::ZERO, ..good.clone() }),
            ("resend_timeout_seconds", EmailConfig { resend_timeout: Duration::ZERO, ..good.clone() }),
        ] {
            assert_eq!(config.validate().unwrap_err().key, key);
        }
    }
}

//! Who takes mails.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::alerts::check_smtp;
use super::{ConfigError, is_near};
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
    /// Where Resend is.
    pub resend_url: String,
    /// How long a call to Resend may take (1 to 60 s).
    pub resend_timeout: Duration,
    /// The mail server: `smtps://user:password@host:465`, or `smtp://user:password@host:587?tls=required`.
    pub smtp_url: Option<SecretString>,
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
            resend_url: RESEND_URL.to_owned(),
            resend_timeout: Duration::from_secs(15),
            smtp_url: None,
            smtp_first: false,
            folder: None,
        }
    }
}

impl EmailConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        use secrecy::ExposeSecret as _;
        let wrong = |key: &'static str, reason: &str| Err(ConfigError::new(key, reason));
        if self.from.is_none() && (self.resend_api_key.is_some() || self.folder.is_some()) {
            return wrong("mail_from", "is needed to send mails: who they come from");
        }
        self.from.as_deref().map(smtp::sender).transpose()?;
        if let Some(url) = &self.smtp_url {
            check_smtp(url.expose_secret())?;
        }
        if self.resend_timeout.is_zero() || self.resend_timeout > Duration::from_secs(60) {
            return wrong("resend_timeout_seconds", "must be between 1 and 60");
        }
        // Keys do not travel in the open.
        let is_safe = reqwest::Url::parse(&self.resend_url)
            .is_ok_and(|url| url.scheme() == "https" || url.scheme() == "http" && is_near(&url));
        if is_safe && !self.resend_url.ends_with('/') {
            return Ok(());
        }
        wrong("resend_url", "must be https://host without a slash at the end")
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
            ("resend_timeout_seconds", EmailConfig { resend_timeout: Duration::ZERO, ..good.clone() }),
        ] {
            assert_eq!(config.validate().unwrap_err().key, key);
        }
    }
}

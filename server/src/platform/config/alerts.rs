//! Who is told when something is wrong.

use secrecy::{ExposeSecret as _, SecretString};

use super::{ConfigError, is_near};
use crate::platform::severity::Severity;

/// Where alerts go beside the log.
#[derive(Debug, Clone)]
pub struct AlertConfig {
    /// What matters less goes to the log only.
    pub min_severity: Severity,
    /// Who gets mails: addresses with `,` between. None: nobody.
    pub email_to: Option<String>,
    /// Who mails come from.
    pub mail_from: Option<String>,
    /// The mail server: `smtps://user:password@host:465`, or `smtp://user:password@host:587?tls=required`.
    pub smtp_url: Option<SecretString>,
    /// Where a POST is sent for each message. Secret, since many services put a token into the address.
    pub webhook_url: Option<SecretString>,
    /// What those are signed with: 24 to 64 bytes as base64, perhaps after `whsec_`.
    pub webhook_secret: Option<SecretString>,
}

impl Default for AlertConfig {
    fn default() -> Self {
        Self {
            min_severity: Severity::Warning,
            email_to: None,
            mail_from: None,
            smtp_url: None,
            webhook_url: None,
            webhook_secret: None,
        }
    }
}

impl AlertConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.email_to.is_some() {
            if self.mail_from.is_none() {
                return Err(ConfigError::new(
                    "mail_from",
                    "is needed with alert_email_to: who the mails come from",
                ));
            }
            let Some(url) = &self.smtp_url else {
                return Err(ConfigError::new("smtp_url", "is needed with alert_email_to: the mail server"));
            };
            check_smtp(url.expose_secret())?;
        }
        if self.webhook_secret.is_some() && self.webhook_url.is_none() {
            return Err(ConfigError::new("alert_webhook_url", "is needed with alert_webhook_secret"));
        }
        // Whatever else is wrong, the channels find when they are made.
        Ok(())
    }
}

/// Nothing leaves this machine in the open.
pub(super) fn check_smtp(url: &str) -> Result<(), ConfigError> {
    let is_near = reqwest::Url::parse(url).is_ok_and(|url| is_near(&url));
    if url.starts_with("smtp://") && !is_near && !url.contains("tls=required") {
        let reason = "would send mails in the open: use smtps://… or add ?tls=required";
        return Err(ConfigError::new("smtp_url", reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(config: &AlertConfig) -> Option<&'static str> {
        config.validate().err().map(|error| error.key)
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = AlertConfig::default();
        assert_eq!(wrong(&none), None);
        let to = AlertConfig { email_to: Some("a@example.org".into()), ..none.clone() };
        assert_eq!(wrong(&to), Some("mail_from"));
        let from = AlertConfig { mail_from: Some("b@example.org".into()), ..to };
        assert_eq!(wrong(&from), Some("smtp_url"));
        let secret = AlertConfig { webhook_secret: Some("x".into()), ..none };
        assert_eq!(wrong(&secret), Some("alert_webhook_url"));
    }

    #[test]
    fn no_mail_leaves_this_machine_in_the_open() {
        for url in [
            "smtps://u:p@mail.example.org:465",
            "smtp://mail.example.org:587?tls=required",
            "smtp://127.0.0.1:25",
            "smtp://localhost",
        ] {
            assert!(check_smtp(url).is_ok(), "{url}");
        }
        for url in [
            "smtp://u:p@mail.example.org:25",
            "smtp://mail.example.org?tls=opportunistic",
            "smtp://localhost.example.org",
        ] {
            assert!(check_smtp(url).is_err(), "{url}");
        }
    }
}

//! Who is told when something is wrong.

use secrecy::SecretString;

use super::ConfigError;
use crate::platform::severity::Severity;

/// Where alerts go beside the log.
#[derive(Debug, Clone)]
pub struct AlertConfig {
    /// What matters less goes to the log only.
    pub min_severity: Severity,
    /// Who gets mails: addresses with `,` between. None: nobody.
    pub email_to: Option<String>,
    /// Where a POST is sent for each message. Secret, since many services put a token into the address.
    pub webhook_url: Option<SecretString>,
    /// What those are signed with: 24 to 64 bytes as base64, perhaps after `whsec_`.
    pub webhook_secret: Option<SecretString>,
}

impl Default for AlertConfig {
    fn default() -> Self {
        Self { min_severity: Severity::Warning, email_to: None, webhook_url: None, webhook_secret: None }
    }
}

impl AlertConfig {
    pub(super) fn validate(&self, mails_are_on: bool) -> Result<(), ConfigError> {
        if self.email_to.is_some() && !mails_are_on {
            let reason =
                "is needed with alert_email_to, and resend_api_key, smtp_url or mail_folder: to send mails";
            return Err(ConfigError::new("mail_from", reason));
        }
        if self.webhook_secret.is_some() && self.webhook_url.is_none() {
            return Err(ConfigError::new("alert_webhook_url", "is needed with alert_webhook_secret"));
        }
        // Whatever else is wrong, the channels find when they are made.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(config: &AlertConfig) -> Option<&'static str> {
        config.validate(false).err().map(|error| error.key)
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = AlertConfig::default();
        assert_eq!(wrong(&none), None);
        let to = AlertConfig { email_to: Some("a@example.org".into()), ..none.clone() };
        assert_eq!(wrong(&to), Some("mail_from"));
        assert!(to.validate(true).is_ok());
        let secret = AlertConfig { webhook_secret: Some("x".into()), ..none };
        assert_eq!(wrong(&secret), Some("alert_webhook_url"));
    }
}

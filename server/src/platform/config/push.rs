//! Who carries push messages.

use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, check_url};

/// Who carries push messages: Apple's service, Google's, both or none.
#[derive(Debug, Clone)]
pub struct PushConfig {
    /// The key of Apple's developer account, as it was downloaded: `AuthKey_….p8`.
    pub apns_key_file: Option<PathBuf>,
    /// What Apple calls the key: ten characters.
    pub apns_key_id: Option<String>,
    /// What Apple calls the account: ten characters.
    pub apns_team_id: Option<String>,
    /// The app: its bundle id.
    pub apns_topic: Option<String>,
    /// Where Apple's service is.
    pub apns_url: String,
    /// Where it is for apps that Xcode put on a phone.
    pub apns_sandbox_url: String,
    /// The service account of the app's Firebase project, as it was downloaded (JSON).
    pub fcm_service_account_file: Option<PathBuf>,
    /// Where Google's service is.
    pub fcm_url: String,
    /// Where the service account signs in; none: where its file says.
    pub fcm_token_url: Option<String>,
    /// Whose word for these counts as well as the system's: certificates (PEM).
    pub ca_file: Option<PathBuf>,
    /// How long a call may take (1 to 60 s).
    pub timeout: Duration,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self {
            apns_key_file: None,
            apns_key_id: None,
            apns_team_id: None,
            apns_topic: None,
            apns_url: "https://api.push.apple.com".to_owned(),
            apns_sandbox_url: "https://api.sandbox.push.apple.com".to_owned(),
            fcm_service_account_file: None,
            fcm_url: "https://fcm.googleapis.com".to_owned(),
            fcm_token_url: None,
            ca_file: None,
            timeout: Duration::from_secs(15),
        }
    }
}

impl PushConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.validate_apns()?;
        for (key, url) in [
            ("apns_url", Some(&self.apns_url)),
            ("apns_sandbox_url", Some(&self.apns_sandbox_url)),
            ("fcm_url", Some(&self.fcm_url)),
            ("fcm_token_url", self.fcm_token_url.as_ref()),
        ] {
            url.map_or(Ok(()), |url| check_url(key, url))?;
        }
        if self.timeout.is_zero() || self.timeout > Duration::from_secs(60) {
            return Err(ConfigError::new("push_timeout_seconds", "must be between 1 and 60"));
        }
        Ok(())
    }

    /// All of them, or none.
    fn validate_apns(&self) -> Result<(), ConfigError> {
        let ids = [
            ("apns_key_id", &self.apns_key_id, "is what Apple calls the key: ten characters"),
            ("apns_team_id", &self.apns_team_id, "is what Apple calls the account: ten characters"),
            ("apns_topic", &self.apns_topic, "is the app's bundle id, such as org.example.tickets"),
        ];
        let is_on = self.apns_key_file.is_some() || ids.iter().any(|(_, id, _)| id.is_some());
        if !is_on {
            return Ok(());
        }
        if self.apns_key_file.is_none() {
            let reason = "is needed with the other settings of Apple's service: AuthKey_….p8";
            return Err(ConfigError::new("apns_key_file", reason));
        }
        for (key, id, reason) in ids {
            let is_good = |id: &String| match key {
                "apns_topic" => is_topic(id),
                _ => id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            };
            if !id.as_ref().is_some_and(is_good) {
                return Err(ConfigError::new(key, reason));
            }
        }
        Ok(())
    }
}

/// <https://developer.apple.com/documentation/bundleresources/information-property-list/cfbundleidentifier>
fn is_topic(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (1..=155).contains(&text.len()) && text.bytes().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_together_is_named() {
        let good = PushConfig {
            apns_key_file: Some("AuthKey.p8".into()),
            apns_key_id: Some("ABC123DEFG".into()),
            apns_team_id: Some("DEF123GHIJ".into()),
            apns_topic: Some("org.example.tickets".into()),
            ..PushConfig::default()
        };
        assert!(good.validate().is_ok() && PushConfig::default().validate().is_ok());
        for (key, config) in [
            ("apns_key_file", PushConfig { apns_key_file: None, ..good.clone() }),
            ("apns_key_id", PushConfig { apns_key_id: None, ..good.clone() }),
            ("apns_team_id", PushConfig { apns_team_id: Some("short".into()), ..good.clone() }),
            ("apns_topic", PushConfig { apns_topic: Some("two words".into()), ..good.clone() }),
            ("apns_url", PushConfig { apns_url: "http://api.push.apple.com".into(), ..good.clone() }),
            ("fcm_url", PushConfig { fcm_url: "https://fcm.googleapis.com/".into(), ..good.clone() }),
            ("push_timeout_seconds", PushConfig { timeout: Duration::ZERO, ..good.clone() }),
        ] {
            assert_eq!(config.validate().unwrap_err().key, key);
        }
    }
}

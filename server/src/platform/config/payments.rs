//! Who takes payments.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{ConfigError, check_url};

/// Stripe's address.
pub(crate) const STRIPE_URL: &str = "https://api.stripe.com";

/// Who takes payments.
#[derive(Debug, Clone)]
pub struct PaymentConfig {
    /// Take payments that are none: for trying out. Not together with Stripe.
    pub test_provider: bool,
    /// Stripe's secret or restricted key: `sk_…` or `rk_…`. None: nobody takes payments.
    pub stripe_secret_key: Option<SecretString>,
    /// Stripe's key for browsers: `pk_…`.
    pub stripe_publishable_key: Option<String>,
    /// What Stripe signs web hooks with: `whsec_…`, several with `,` between while one takes over from another.
    pub stripe_webhook_secrets: Option<SecretString>,
    /// Where Stripe is.
    pub stripe_url: String,
    /// How long a call to Stripe may take (1 to 60 s).
    pub stripe_timeout: Duration,
}

impl Default for PaymentConfig {
    fn default() -> Self {
        Self {
            test_provider: false,
            stripe_secret_key: None,
            stripe_publishable_key: None,
            stripe_webhook_secrets: None,
            stripe_url: STRIPE_URL.to_owned(),
            stripe_timeout: Duration::from_secs(15),
        }
    }
}

/// Whether a key of Stripe's moves real money.
fn is_live(key: &str) -> Option<bool> {
    match key.split('_').nth(1)? {
        "live" => Some(true),
        "test" => Some(false),
        _ => None,
    }
}

impl PaymentConfig {
    /// Whether Stripe's key moves real money.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.stripe_secret_key.as_ref().and_then(|key| is_live(key.expose_secret())).unwrap_or(false)
    }

    /// What web hooks may be signed with.
    pub(crate) fn webhook_secrets(&self) -> impl Iterator<Item = SecretString> + '_ {
        let text = self.stripe_webhook_secrets.as_ref().map_or("", |text| text.expose_secret());
        text.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(SecretString::from)
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |key: &'static str, reason: &str| Err(ConfigError::new(key, reason));
        let Some(secret_key) = &self.stripe_secret_key else {
            if self.stripe_publishable_key.is_some() || self.stripe_webhook_secrets.is_some() {
                return wrong(
                    "stripe_secret_key",
                    "is needed with the other settings of Stripe: sk_… or rk_…",
                );
            }
            return Ok(());
        };
        if self.test_provider {
            return wrong(
                "payments_test",
                "cannot be true with a stripe_secret_key: one of them takes payments",
            );
        }
        let secret_key = secret_key.expose_secret();
        let (Some(live), true) =
            (is_live(secret_key), secret_key.starts_with("sk_") || secret_key.starts_with("rk_"))
        else {
            return wrong("stripe_secret_key", "must be sk_live_…, sk_test_…, rk_live_… or rk_test_…");
        };
        let Some(key) = &self.stripe_publishable_key else {
            return wrong("stripe_publishable_key", "is needed with stripe_secret_key: pk_…, for browsers");
        };
        if !key.starts_with("pk_") || is_live(key) != Some(live) {
            return wrong(
                "stripe_publishable_key",
                "must be the pk_… of the same account and mode as the secret key",
            );
        }
        let mut secrets = self.webhook_secrets().peekable();
        if secrets.peek().is_none() || secrets.any(|secret| !secret.expose_secret().starts_with("whsec_")) {
            return wrong(
                "stripe_webhook_secrets",
                "must be whsec_…, several with , between: what Stripe shows where the web hook is set up",
            );
        }
        if self.stripe_timeout > Duration::from_secs(60) || self.stripe_timeout.is_zero() {
            return wrong("stripe_timeout_seconds", "must be between 1 and 60");
        }
        check_url("stripe_url", &self.stripe_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_together_is_named() {
        let good = PaymentConfig {
            stripe_secret_key: Some("sk_test_1".into()),
            stripe_publishable_key: Some("pk_test_1".into()),
            stripe_webhook_secrets: Some("whsec_a, whsec_b".into()),
            ..PaymentConfig::default()
        };
        assert!(good.validate().is_ok());
        assert!(PaymentConfig::default().validate().is_ok());
        assert!(!good.is_live());
        assert_eq!(good.webhook_secrets().count(), 2);
        let bad = [
            ("stripe_secret_key", PaymentConfig { stripe_secret_key: None, ..good.clone() }),
            (
                "stripe_secret_key",
                PaymentConfig { stripe_secret_key: Some("pk_test_1".into()), ..good.clone() },
            ),
            ("stripe_publishable_key", PaymentConfig { stripe_publishable_key: None, ..good.clone() }),
            (
                "stripe_publishable_key",
                PaymentConfig { stripe_publishable_key: Some("pk_live_1".into()), ..good.clone() },
            ),
            ("stripe_webhook_secrets", PaymentConfig { stripe_webhook_secrets: None, ..good.clone() }),
            (
                "stripe_webhook_secrets",
                PaymentConfig { stripe_webhook_secrets: Some("a".into()), ..good.clone() },
            ),
            ("stripe_url", PaymentConfig { stripe_url: "http://api.stripe.com".into(), ..good.clone() }),
            ("stripe_timeout_seconds", PaymentConfig { stripe_timeout: Duration::ZERO, ..good.clone() }),
            ("payments_test", PaymentConfig { test_provider: true, ..good.clone() }),
        ];
        for (key, config) in bad {
            assert_eq!(config.validate().unwrap_err().key, key);
        }
        assert!(PaymentConfig { stripe_url: "http://127.0.0.1:12111".into(), ..good }.validate().is_ok());
    }
}

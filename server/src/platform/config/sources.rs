//! Where settings come from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    AlertConfig, Config, ConfigError, EmailConfig, Limits, PaymentConfig, PushConfig, RefusedScans,
    environment,
};
use crate::platform::rate_limit::Limit;
use crate::platform::severity::Severity;

/// Settings as flags or environment variables.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// A TOML file with the settings below it (keys as the flags, with _ for -)
    #[arg(long, env = "LIVENTIX_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the database and the root secret are [default: ./liventix-data]
    #[arg(long, env = "LIVENTIX_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// postgres://user:password@host:5432/database, or sqlite:PATH; better by the variable than by the flag
    /// [default: a file in the data directory]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, env = "LIVENTIX_BIND")]
    pub bind: Option<String>,
    /// How doors reach this server, e.g. https://tickets.example.org
    #[arg(long, env = "LIVENTIX_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// 32 random bytes as base64url; better by the variable than by the flag, which others can see
    #[arg(long, env = "LIVENTIX_ROOT_SECRET", hide_env_values = true)]
    pub root_secret: Option<SecretString>,
    /// Bearer token that may create organisers over HTTP; better by the variable than by the flag
    #[arg(long, env = "LIVENTIX_ADMIN_TOKEN", hide_env_values = true)]
    pub admin_token: Option<SecretString>,
    /// Bearer token that may read /metrics [default: none, this machine only]
    #[arg(long, env = "LIVENTIX_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<SecretString>,
    /// Log filter [default: info]
    #[arg(long, env = "LIVENTIX_LOG")]
    pub log: Option<String>,
    /// Logs as JSON lines
    #[arg(long, env = "LIVENTIX_LOG_JSON")]
    pub log_json: bool,
}

/// Settings as a TOML file. An unknown key is refused, so that a typing mistake is noticed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileConfig {
    data_dir: Option<PathBuf>,
    database_url: Option<SecretString>,
    bind: Option<String>,
    public_url: Option<String>,
    root_secret: Option<SecretString>,
    admin_token: Option<SecretString>,
    metrics_token: Option<SecretString>,
    trust_forwarded_for: Option<bool>,
    request_timeout_seconds: Option<u64>,
    analytics_timeout_seconds: Option<u64>,
    drain_seconds: Option<u64>,
    readers: Option<usize>,
    connections: Option<usize>,
    limit_enrol_per_minute: Option<u32>,
    limit_redeem_per_minute: Option<u32>,
    limit_manual_code_per_minute: Option<u32>,
    limit_bad_token_per_minute: Option<u32>,
    limit_upload_per_minute: Option<u32>,
    limit_refused_scans_per_minute: Option<u32>,
    refused_scans_counted: Option<RefusedScans>,
    limit_sign_in_account_per_minute: Option<u32>,
    limit_sign_in_address_per_minute: Option<u32>,
    limit_sign_in_link_per_hour: Option<u32>,
    limit_sign_in_link_address_per_hour: Option<u32>,
    limit_checkout_per_hour: Option<u32>,
    limit_checkout_address_per_hour: Option<u32>,
    limit_payout_per_hour: Option<u32>,
    limit_email_per_minute: Option<u32>,
    limit_email_recipient_per_minute: Option<u32>,
    limit_push_person_per_hour: Option<u32>,
    limit_push_campaign_per_hour: Option<u32>,
    limit_ad_events_per_minute: Option<u32>,
    limit_analytics_refresh_per_minute: Option<u32>,
    apns_key_file: Option<PathBuf>,
    apns_key_id: Option<String>,
    apns_team_id: Option<String>,
    apns_topic: Option<String>,
    apns_url: Option<String>,
    apns_sandbox_url: Option<String>,
    fcm_service_account_file: Option<PathBuf>,
    fcm_url: Option<String>,
    fcm_token_url: Option<String>,
    push_ca_file: Option<PathBuf>,
    push_timeout_seconds: Option<u64>,
    resend_api_key: Option<SecretString>,
    resend_webhook_secrets: Option<SecretString>,
    resend_url: Option<String>,
    resend_timeout_seconds: Option<u64>,
    smtp_first: Option<bool>,
    mail_folder: Option<PathBuf>,
    payments_test: Option<bool>,
    stripe_secret_key: Option<SecretString>,
    stripe_publishable_key: Option<String>,
    stripe_webhook_secrets: Option<SecretString>,
    stripe_url: Option<String>,
    stripe_timeout_seconds: Option<u64>,
    alert_min_severity: Option<Severity>,
    alert_email_to: Option<String>,
    mail_from: Option<String>,
    smtp_url: Option<SecretString>,
    smtp_ca_file: Option<PathBuf>,
    smtp_timeout_seconds: Option<u64>,
    alert_webhook_url: Option<SecretString>,
    alert_webhook_secret: Option<SecretString>,
    log: Option<String>,
    log_json: Option<bool>,
}

impl ConfigArgs {
    /// Puts file, environment and flags together and checks the result.
    ///
    /// # Errors
    /// The first setting that is wrong, by its key.
    pub fn load(self) -> Result<Config, ConfigError> {
        let mut settings = match &self.config {
            None => toml::Table::new(),
            Some(path) => read(path)?,
        };
        settings.extend(environment::settings(variables())?);
        let wrong = |error: toml::de::Error| ConfigError::new("config", error.to_string());
        let config = self.merge(FileConfig::deserialize(settings).map_err(wrong)?)?;
        config.validate()?;
        Ok(config)
    }

    pub(super) fn merge(self, file: FileConfig) -> Result<Config, ConfigError> {
        let data_dir = self.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("liventix-data"));
        let base = Config::new(data_dir);
        let bind = match self.bind.or(file.bind) {
            None => base.bind,
            Some(text) => text.parse::<SocketAddr>().map_err(|_| {
                ConfigError::new(
                    "bind",
                    format!("`{text}` is not an address with a port, such as 0.0.0.0:8080"),
                )
            })?,
        };
        let limit = |per_minute: Option<u32>, base: Limit| per_minute.map_or(base, Limit::per_minute);
        let per_hour = |count: Option<u32>, base: Limit| count.map_or(base, Limit::per_hour);
        Ok(Config {
            database_url: self.database_url.or(file.database_url),
            bind,
            public_url: self.public_url.or(file.public_url),
            root_secret: self.root_secret.or(file.root_secret),
            admin_token: self.admin_token.or(file.admin_token),
            metrics_token: self.metrics_token.or(file.metrics_token),
            trust_forwarded_for: file.trust_forwarded_for.unwrap_or(base.trust_forwarded_for),
            analytics_timeout: file
                .analytics_timeout_seconds
                .map_or(base.analytics_timeout, Duration::from_secs),
            request_timeout: file.request_timeout_seconds.map_or(base.request_timeout, Duration::from_secs),
            drain: file.drain_seconds.map_or(base.drain, Duration::from_secs),
            readers: file.readers.unwrap_or(base.readers),
            connections: file.connections.unwrap_or(base.connections),
            limits: Limits {
                enrol: limit(file.limit_enrol_per_minute, base.limits.enrol),
                redeem: limit(file.limit_redeem_per_minute, base.limits.redeem),
                manual_code: limit(file.limit_manual_code_per_minute, base.limits.manual_code),
                bad_token: limit(file.limit_bad_token_per_minute, base.limits.bad_token),
                upload: limit(file.limit_upload_per_minute, base.limits.upload),
                refused_scans: limit(file.limit_refused_scans_per_minute, base.limits.refused_scans),
                refused_scans_counted: file
                    .refused_scans_counted
                    .unwrap_or(base.limits.refused_scans_counted),
                sign_in_account: limit(file.limit_sign_in_account_per_minute, base.limits.sign_in_account),
                sign_in_address: limit(file.limit_sign_in_address_per_minute, base.limits.sign_in_address),
                sign_in_link: per_hour(file.limit_sign_in_link_per_hour, base.limits.sign_in_link),
                sign_in_link_address: per_hour(
                    file.limit_sign_in_link_address_per_hour,
                    base.limits.sign_in_link_address,
                ),
                checkout: per_hour(file.limit_checkout_per_hour, base.limits.checkout),
                checkout_address: per_hour(
                    file.limit_checkout_address_per_hour,
                    base.limits.checkout_address,
                ),
                payout: per_hour(file.limit_payout_per_hour, base.limits.payout),
                email: limit(file.limit_email_per_minute, base.limits.email),
                email_recipient: limit(file.limit_email_recipient_per_minute, base.limits.email_recipient),
                push_person: per_hour(file.limit_push_person_per_hour, base.limits.push_person),
                push_campaign: per_hour(file.limit_push_campaign_per_hour, base.limits.push_campaign),
                ad_events: limit(file.limit_ad_events_per_minute, base.limits.ad_events),
                analytics_refresh: limit(
                    file.limit_analytics_refresh_per_minute,
                    base.limits.analytics_refresh,
                ),
            },
            push: PushConfig {
                apns_key_file: file.apns_key_file,
                apns_key_id: file.apns_key_id,
                apns_team_id: file.apns_team_id,
                apns_topic: file.apns_topic,
                apns_url: file.apns_url.unwrap_or_else(|| base.push.apns_url.clone()),
                apns_sandbox_url: file.apns_sandbox_url.unwrap_or_else(|| base.push.apns_sandbox_url.clone()),
                fcm_service_account_file: file.fcm_service_account_file,
                fcm_url: file.fcm_url.unwrap_or_else(|| base.push.fcm_url.clone()),
                fcm_token_url: file.fcm_token_url,
                ca_file: file.push_ca_file,
                timeout: file.push_timeout_seconds.map_or(base.push.timeout, Duration::from_secs),
            },
            email: EmailConfig {
                from: file.mail_from,
                resend_api_key: file.resend_api_key,
                resend_webhook_secrets: file.resend_webhook_secrets,
                resend_url: file.resend_url.unwrap_or(base.email.resend_url),
                resend_timeout: file
                    .resend_timeout_seconds
                    .map_or(base.email.resend_timeout, Duration::from_secs),
                smtp_url: file.smtp_url,
                smtp_ca_file: file.smtp_ca_file,
                smtp_timeout: file.smtp_timeout_seconds.map_or(base.email.smtp_timeout, Duration::from_secs),
                smtp_first: file.smtp_first.unwrap_or(base.email.smtp_first),
                folder: file.mail_folder,
            },
            alerts: AlertConfig {
                min_severity: file.alert_min_severity.unwrap_or(base.alerts.min_severity),
                email_to: file.alert_email_to,
                webhook_url: file.alert_webhook_url,
                webhook_secret: file.alert_webhook_secret,
            },
            payments: PaymentConfig {
                test_provider: file.payments_test.unwrap_or(base.payments.test_provider),
                stripe_secret_key: file.stripe_secret_key,
                stripe_publishable_key: file.stripe_publishable_key,
                stripe_webhook_secrets: file.stripe_webhook_secrets,
                stripe_url: file.stripe_url.unwrap_or_else(|| base.payments.stripe_url.clone()),
                stripe_timeout: file
                    .stripe_timeout_seconds
                    .map_or(base.payments.stripe_timeout, Duration::from_secs),
            },
            log_filter: self.log.or(file.log).unwrap_or_else(|| base.log_filter.clone()),
            log_json: self.log_json || file.log_json.unwrap_or(false),
            ..base
        })
    }
}

/// The variables whose names and values are text; others are none of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
}

fn read(path: &Path) -> Result<toml::Table, ConfigError> {
    let wrong = |reason: String| ConfigError::new("config", format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    // Read as what it is to be, so that a mistake is shown with its line.
    toml::from_str::<FileConfig>(&text).map_err(|error| wrong(error.to_string()))?;
    toml::from_str(&text).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_has_every_default() {
        let text = include_str!("../../../../deploy/liventix.toml");
        let example = ConfigArgs::default().merge(toml::from_str(text).unwrap()).unwrap();
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::new("liventix-data")));
    }

    #[test]
    fn flags_win_over_the_file_and_mistakes_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("liventix.toml");
        std::fs::write(&path, "bind = \"0.0.0.0:1\"\nreaders = 2\n").unwrap();
        let args = ConfigArgs { config: Some(path.clone()), ..ConfigArgs::default() };
        let config = args.clone().load().unwrap();
        assert_eq!((config.bind.port(), config.readers), (1, 2));
        let config = ConfigArgs { bind: Some("127.0.0.1:9".into()), ..args.clone() }.load().unwrap();
        assert_eq!(config.bind.port(), 9);
        assert_eq!(
            ConfigArgs { bind: Some("nowhere".into()), ..args.clone() }.load().unwrap_err().key,
            "bind"
        );
        std::fs::write(&path, "limit_enrol_per_minute = 7\nrefused_scans_counted = \"every\"\n").unwrap();
        let limits = args.clone().load().unwrap().limits;
        let expected = Limits {
            enrol: Limit::per_minute(7),
            refused_scans_counted: RefusedScans::Every,
            ..Limits::default()
        };
        assert_eq!(limits, expected);
        std::fs::write(&path, "bindd = \"0.0.0.0:1\"\n").unwrap();
        assert!(args.load().unwrap_err().reason.contains("bindd"));
    }
}

//! Configuration: a TOML file, then environment variables `LIVENTIX_*`, then flags; the later wins.

mod alerts;
mod email;
mod environment;
mod payments;
mod push;
mod sources;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::db::{PostgresOptions, SqliteOptions, Storage};
use super::rate_limit::Limit;

pub use alerts::AlertConfig;
pub use email::EmailConfig;
pub use payments::PaymentConfig;
pub use push::PushConfig;
pub use sources::{ConfigArgs, FileConfig};

/// The shortest admin token taken: 32 characters, as `openssl rand -base64 32` and the like give.
const MIN_ADMIN_TOKEN: usize = 32;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("setting {key}: {reason}")]
pub struct ConfigError {
    /// Its key in the file; the variable is `LIVENTIX_` and the key in capitals (and `DATABASE_URL`).
    pub key: &'static str,
    /// What is wrong and what is right.
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

/// How often callers may do what guessers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Enrolments by one address.
    pub enrol: Limit,
    /// Redeems by one scanner.
    pub redeem: Limit,
    /// Redeems by typed manual code by one scanner.
    pub manual_code: Limit,
    /// Requests with a bad token from one address.
    pub bad_token: Limit,
    /// Uploads by one device, each of up to 1 000 scans.
    pub upload: Limit,
    /// Refused scans of one scanner; which of them is said by [`Limits::refused_scans_counted`].
    pub refused_scans: Limit,
    /// Which refused scans count.
    pub refused_scans_counted: RefusedScans,
    /// Sign-ins to one account, wherever they come from.
    pub sign_in_account: Limit,
    /// Sign-ins from one address, whatever the account.
    pub sign_in_address: Limit,
    /// Sign-in links to one account, whoever asks for them.
    pub sign_in_link: Limit,
    /// Sign-in links asked for from one address, whatever the account.
    pub sign_in_link_address: Limit,
    /// Checkouts of one buyer: an account, or a guest's address.
    pub checkout: Limit,
    /// Checkouts from one address, whoever buys.
    pub checkout_address: Limit,
    /// Payouts of one organiser.
    pub payout: Limit,
    /// Mails altogether; they go evenly.
    pub email: Limit,
    /// Mails to one address.
    pub email_recipient: Limit,
    /// Push messages to one person; what is more waits, and comes as one.
    pub push_person: Limit,
    /// Push messages of one campaign; what is more waits.
    pub push_campaign: Limit,
    /// Calls that say who saw advertising, of one organiser, each of up to 500 events.
    pub ad_events: Limit,
    /// Figures of one organiser counted because somebody asks.
    pub analytics_refresh: Limit,
}

/// Which refusals a scanner may have only so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedScans {
    /// Those of codes that are not known or not authentic. An honest queue brings few of these; it does bring
    /// tickets that are used, unpaid, too early or at the wrong gate, and must not close the door with them.
    NotAuthentic,
    /// All.
    Every,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enrol: Limit::per_minute(10),
            redeem: Limit::per_minute(1_200),
            manual_code: Limit::per_minute(30),
            bad_token: Limit::per_minute(30),
            upload: Limit::per_minute(120),
            refused_scans: Limit::per_minute(10),
            refused_scans_counted: RefusedScans::NotAuthentic,
            sign_in_account: Limit::per_minute(5),
            sign_in_address: Limit::per_minute(20),
            sign_in_link: Limit::per_hour(5),
            sign_in_link_address: Limit::per_hour(20),
            checkout: Limit::per_hour(10),
            checkout_address: Limit::per_hour(20),
            payout: Limit::per_hour(3),
            email: Limit::per_minute(100),
            email_recipient: Limit::per_minute(10),
            push_person: Limit::per_hour(10),
            push_campaign: Limit::per_hour(100),
            ad_events: Limit::per_minute(300),
            analytics_refresh: Limit::per_minute(6),
        }
    }
}

impl Limits {
    /// The same for everything.
    #[must_use]
    pub fn all(limit: Limit) -> Self {
        Self {
            enrol: limit,
            redeem: limit,
            manual_code: limit,
            bad_token: limit,
            upload: limit,
            refused_scans: limit,
            refused_scans_counted: RefusedScans::NotAuthentic,
            sign_in_account: limit,
            sign_in_address: limit,
            sign_in_link: limit,
            sign_in_link_address: limit,
            checkout: limit,
            checkout_address: limit,
            payout: limit,
            email: limit,
            email_recipient: limit,
            push_person: limit,
            push_campaign: limit,
            ad_events: limit,
            analytics_refresh: limit,
        }
    }

    /// Each with its key among the settings.
    const fn by_key(&self) -> [(&'static str, Limit); 19] {
        [
            ("limit_enrol_per_minute", self.enrol),
            ("limit_redeem_per_minute", self.redeem),
            ("limit_manual_code_per_minute", self.manual_code),
            ("limit_bad_token_per_minute", self.bad_token),
            ("limit_upload_per_minute", self.upload),
            ("limit_refused_scans_per_minute", self.refused_scans),
            ("limit_sign_in_account_per_minute", self.sign_in_account),
            ("limit_sign_in_address_per_minute", self.sign_in_address),
            ("limit_sign_in_link_per_hour", self.sign_in_link),
            ("limit_sign_in_link_address_per_hour", self.sign_in_link_address),
            ("limit_checkout_per_hour", self.checkout),
            ("limit_checkout_address_per_hour", self.checkout_address),
            ("limit_payout_per_hour", self.payout),
            ("limit_email_per_minute", self.email),
            ("limit_email_recipient_per_minute", self.email_recipient),
            ("limit_push_person_per_hour", self.push_person),
            ("limit_push_campaign_per_hour", self.push_campaign),
            ("limit_ad_events_per_minute", self.ad_events),
            ("limit_analytics_refresh_per_minute", self.analytics_refresh),
        ]
    }
}

/// Everything `liventix serve` needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database and the root secret are.
    pub data_dir: PathBuf,
    /// `postgres://…`, or `sqlite:` and a path; none: a file in the data directory.
    pub database_url: Option<SecretString>,
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// How doors and people reach this server, e.g. `https://tickets.example.org`; stands in
    /// enrolment codes. None: the address it listens on.
    pub public_url: Option<String>,
    /// 32 bytes as base64url; none: a file in the data directory.
    pub root_secret: Option<SecretString>,
    /// May create organisers; none: nobody may over HTTP.
    pub admin_token: Option<SecretString>,
    /// May read `/metrics`; none: only this machine may.
    pub metrics_token: Option<SecretString>,
    /// Believe the last address in `X-Forwarded-For`: only behind a proxy of one's own.
    pub trust_forwarded_for: bool,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How long, when it is asked to stop, it says that it is not ready and works on: a load balancer sends
    /// requests elsewhere meanwhile (up to 600 s).
    pub drain: Duration,
    /// Threads that read an SQLite database (1 to 64).
    pub readers: usize,
    /// Connections to a PostgreSQL database at most (2 to 500).
    pub connections: usize,
    /// What is limited how far.
    pub limits: Limits,
    /// Who is told when something is wrong.
    pub alerts: AlertConfig,
    /// Who takes payments.
    pub payments: PaymentConfig,
    /// Who takes mails.
    pub email: EmailConfig,
    /// Who carries push messages.
    pub push: PushConfig,
    /// How long a question about figures may take (up to 60 s).
    pub analytics_timeout: Duration,
    /// Whether it also does what is done later: jobs of queues, schedules, alerts. `liventix serve` always does; a test
    /// that decides itself what comes when does not.
    pub has_workers: bool,
    /// Log filter, e.g. `info,liventix_server=debug`.
    pub log_filter: String,
    /// Logs as JSON lines.
    pub log_json: bool,
}

impl Config {
    /// The defaults with this data directory.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database_url: None,
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            root_secret: None,
            admin_token: None,
            metrics_token: None,
            trust_forwarded_for: false,
            request_timeout: Duration::from_secs(60),
            analytics_timeout: Duration::from_secs(5),
            drain: Duration::ZERO,
            readers: 4,
            connections: 16,
            limits: Limits::default(),
            alerts: AlertConfig::default(),
            payments: PaymentConfig::default(),
            email: EmailConfig::default(),
            push: PushConfig::default(),
            has_workers: true,
            log_filter: "info".to_owned(),
            log_json: false,
        }
    }

    /// Where the database is.
    ///
    /// # Errors
    /// When `database_url` names neither of the two engines.
    pub fn storage(&self) -> Result<Storage, ConfigError> {
        let in_file = |path| Storage::Sqlite(SqliteOptions { path, readers: self.readers });
        let Some(url) = &self.database_url else { return Ok(in_file(self.data_dir.join("liventix.db"))) };
        let text = url.expose_secret();
        if let Some(path) = text.strip_prefix("sqlite:")
            && !path.is_empty()
        {
            return Ok(in_file(path.strip_prefix("//").unwrap_or(path).into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let options = PostgresOptions { url: url.clone(), connections: self.connections };
            return Ok(Storage::Postgres(options));
        }
        let reason = "must be postgres://user:password@host:5432/database, or sqlite: and a path";
        Err(ConfigError::new("database_url", reason))
    }

    /// Checks every setting that can be wrong.
    ///
    /// # Errors
    /// The first that is, by its key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.public_url {
            let plain = url.starts_with("http://") || url.starts_with("https://");
            let clean = !url.ends_with('/') && !url.contains(['#', '?', ' ']) && url.len() <= 200;
            if !plain || !clean {
                let reason = "must be http(s)://host[:port][/path] without a slash at the end";
                return Err(ConfigError::new("public_url", reason));
            }
        }
        for (key, token) in [("admin_token", &self.admin_token), ("metrics_token", &self.metrics_token)] {
            if token.as_ref().is_some_and(|token| token.expose_secret().len() < MIN_ADMIN_TOKEN) {
                let reason = format!("must have at least {MIN_ADMIN_TOKEN} characters: use a random one");
                return Err(ConfigError::new(key, reason));
            }
        }
        if !(1..=64).contains(&self.readers) {
            return Err(ConfigError::new("readers", "must be between 1 and 64"));
        }
        if !(2..=500).contains(&self.connections) {
            return Err(ConfigError::new("connections", "must be between 2 and 500"));
        }
        self.storage()?;
        self.alerts.validate(self.email.are_on())?;
        self.payments.validate()?;
        self.email.validate()?;
        self.push.validate()?;
        if !(35..=600).contains(&self.request_timeout.as_secs()) {
            let reason = "must be between 35 and 600: a long-poll takes 30 s";
            return Err(ConfigError::new("request_timeout_seconds", reason));
        }
        if self.analytics_timeout.is_zero() || self.analytics_timeout > Duration::from_secs(60) {
            return Err(ConfigError::new("analytics_timeout_seconds", "must be between 1 and 60"));
        }
        if self.drain.as_secs() > 600 {
            return Err(ConfigError::new("drain_seconds", "must be between 0 and 600"));
        }
        for (key, limit) in self.limits.by_key() {
            if !(1..=100_000).contains(&limit.count) {
                return Err(ConfigError::new(key, "must be between 1 and 100 000"));
            }
        }
        Ok(())
    }
}

/// Whether it leads to this machine, so that what is sent there in the open stays here.
pub(super) fn is_near(url: &reqwest::Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Checks the address of a service: keys do not travel in the open.
fn check_url(key: &'static str, url: &str) -> Result<(), ConfigError> {
    let is_safe = |url: reqwest::Url| url.scheme() == "https" || url.scheme() == "http" && is_near(&url);
    if !url.ends_with('/') && reqwest::Url::parse(url).is_ok_and(is_safe) {
        return Ok(());
    }
    Err(ConfigError::new(key, "must be https://host without a slash at the end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_setting_is_named() {
        let good = Config::new("/tmp/x");
        assert!(good.validate().is_ok());
        let bad: [(&str, Config); 9] = [
            ("database_url", Config { database_url: Some("mysql://host/db".into()), ..good.clone() }),
            ("connections", Config { connections: 1, ..good.clone() }),
            ("public_url", Config { public_url: Some("example.org/".into()), ..good.clone() }),
            ("admin_token", Config { admin_token: Some("short".into()), ..good.clone() }),
            ("metrics_token", Config { metrics_token: Some("short".into()), ..good.clone() }),
            ("readers", Config { readers: 0, ..good.clone() }),
            ("analytics_timeout_seconds", Config { analytics_timeout: Duration::ZERO, ..good.clone() }),
            ("drain_seconds", Config { drain: Duration::from_secs(601), ..good.clone() }),
            ("request_timeout_seconds", Config { request_timeout: Duration::from_secs(1), ..good.clone() }),
        ];
        for (key, config) in bad {
            assert_eq!(config.validate().unwrap_err().key, key);
        }
        for (key, _) in good.limits.by_key() {
            let file = toml::from_str(&format!("{key} = 0")).unwrap();
            let config = ConfigArgs::default().merge(file).unwrap();
            assert_eq!(config.validate().unwrap_err().key, key);
        }
    }
}

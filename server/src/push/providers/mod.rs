//! The services that carry messages.

mod apns;
mod fcm;
mod jwt;

use liventix_core::push::PushService;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use super::credentials::{self, Credential};
use super::devices::store::Inactive;
use crate::app::AppState;
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::config::{ConfigError, PushConfig};
use crate::platform::outbound;
use crate::platform::problem::{ApiError, ApiResult, Code};
use apns::Apns;
use fcm::Fcm;

/// So many calls to one service at once, from one process.
const STREAMS: usize = 100;

/// A message on its way to a service.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// The message, as its service calls it: the same at every try. A phone that gets it twice shows it once.
    pub(super) id: String,
    pub(super) service: PushService,
    pub(super) token: SecretString,
    pub(super) title: String,
    pub(super) body: String,
    /// What belongs together on the screen.
    pub(super) thread: String,
    /// What the app gets with it, as JSON.
    pub(super) payload: String,
    pub(super) is_urgent: bool,
    /// In seconds since 1970.
    pub(super) expires_at: i64,
    /// For so many seconds more.
    pub(super) lives_for: i64,
}

/// What a service says that has taken a message.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) provider_id: Option<String>,
}

/// What one says that has not.
#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
pub(super) struct NotTaken {
    pub(super) failure: CallFailure,
    /// The token is no longer good, since then at the latest (UTC milliseconds), if it says so.
    pub(super) inactive: Option<(Inactive, Option<i64>)>,
}

impl From<CallFailure> for NotTaken {
    fn from(failure: CallFailure) -> Self {
        Self { failure, inactive: None }
    }
}

/// The services that are set up.
#[derive(Debug)]
pub(crate) struct Push {
    apns: Option<Apns>,
    fcm: Option<Fcm>,
    pub(super) known: credentials::Known,
}

impl Push {
    /// As set up.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub(crate) fn new(config: &PushConfig) -> Result<Self, ConfigError> {
        let (apns, fcm) = (Apns::new(config)?, Fcm::new(config)?);
        Ok(Self { apns, fcm, known: credentials::Known::default() })
    }

    /// Whether a service's messages can be sent.
    pub(crate) const fn carries(&self, service: PushService) -> bool {
        match service {
            PushService::Apns | PushService::ApnsSandbox => self.apns.is_some(),
            PushService::Fcm | PushService::FcmInstallation => self.fcm.is_some(),
        }
    }

    /// Whether any message is sent at all.
    pub(crate) const fn is_on(&self) -> bool {
        self.apns.is_some() || self.fcm.is_some()
    }

    /// # Errors
    /// `push_off`.
    pub(super) fn require(&self, service: PushService) -> ApiResult<()> {
        if self.carries(service) {
            return Ok(());
        }
        let detail = match service {
            PushService::Apns | PushService::ApnsSandbox => {
                "The server is not set up for Apple's service. Whoever runs it sets apns_key_file."
            }
            PushService::Fcm | PushService::FcmInstallation => {
                "The server is not set up for Google's service. Whoever runs it sets fcm_service_account_file."
            }
        };
        Err(ApiError::new(Code::PushOff, detail))
    }

    /// Asks a message's service to take it.
    pub(super) async fn send(&self, app: &AppState, message: &Outgoing) -> Result<Taken, NotTaken> {
        match (message.service, &self.apns, &self.fcm) {
            (PushService::Apns | PushService::ApnsSandbox, Some(apns), _) => apns.send(app, message).await,
            (PushService::Fcm | PushService::FcmInstallation, _, Some(fcm)) => fcm.send(app, message).await,
            _ => {
                let detail = "The server is not set up for it.";
                Err(CallFailure::new(Outcome::NotCalled, detail).into())
            }
        }
    }
}

/// What a service is called with, kept out of logs.
fn authorization(scheme: &str, credential: &Credential) -> Result<HeaderValue, CallFailure> {
    let header = HeaderValue::from_str(&format!("{scheme} {}", credential.token.expose_secret()));
    let mut header = header.map_err(|_| CallFailure::new(Outcome::NotCalled, "A token with signs."))?;
    header.set_sensitive(true);
    Ok(header)
}

/// A client for a service. `only_h2`: it speaks nothing older (RFC 9113).
fn client(config: &PushConfig, only_h2: bool) -> Result<reqwest::Client, ConfigError> {
    let extra = config
        .ca_file
        .as_deref()
        .map(|path| outbound::certificates("push_ca_file", path))
        .transpose()?
        .unwrap_or_default();
    let wrong = |error: String| ConfigError::new("push_ca_file", format!("cannot be used: {error}"));
    let mut tls = outbound::tls_with(extra).map_err(|error| wrong(error.to_string()))?;
    if only_h2 {
        tls.alpn_protocols = vec![b"h2".to_vec()];
    }
    let builder = outbound::builder(tls).timeout(config.timeout);
    let builder = if only_h2 {
        // One connection carries everything; one that has died is noticed before its next message.
        let alive = std::time::Duration::from_secs(60);
        builder
            .http2_prior_knowledge()
            .http2_keep_alive_interval(alive)
            .http2_keep_alive_timeout(config.timeout)
    } else {
        builder
    };
    builder.build().map_err(|error| wrong(error.to_string()))
}

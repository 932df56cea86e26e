//! Apple's service. <https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>

use liventix_core::push::PushService;
use reqwest::StatusCode;
use reqwest::header::AUTHORIZATION;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::jwt::SigningKey;
use super::{NotTaken, Outgoing, STREAMS, Taken, authorization, client};
use crate::app::AppState;
use crate::platform::call::{self, CallFailure, Outcome};
use crate::platform::config::{ConfigError, PushConfig};
use crate::push::credentials::{self, Credential};
use crate::push::devices::store::Inactive;

const NAME: &str = "apns";
/// A token is used for this long at most, of the hour that Apple takes it (milliseconds).
const LIFE_MS: i64 = 54 * 60_000;

/// The client.
#[derive(Debug)]
pub(super) struct Apns {
    client: reqwest::Client,
    url: String,
    sandbox_url: String,
    key: SigningKey,
    key_id: String,
    team_id: String,
    topic: String,
    streams: Semaphore,
}

/// <https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    reason: Option<String>,
    /// When the token was last good (UTC milliseconds), with status 410.
    timestamp: Option<i64>,
}

impl Apns {
    /// If it is set up.
    pub(super) fn new(config: &PushConfig) -> Result<Option<Self>, ConfigError> {
        let Some(path) = &config.apns_key_file else { return Ok(None) };
        let wrong = |reason: String| {
            ConfigError::new("apns_key_file", format!("must be the key as Apple gives it (.p8): {reason}"))
        };
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(Self {
            client: client(config, true)?,
            url: config.apns_url.clone(),
            sandbox_url: config.apns_sandbox_url.clone(),
            key: SigningKey::ec(&pem).map_err(wrong)?,
            key_id: config.apns_key_id.clone().unwrap_or_default(),
            team_id: config.apns_team_id.clone().unwrap_or_default(),
            topic: config.apns_topic.clone().unwrap_or_default(),
            streams: Semaphore::new(STREAMS),
        }))
    }

    /// A token that Apple takes for an hour, the same for all processes.
    async fn credential(&self, app: &AppState) -> Result<Credential, CallFailure> {
        let make = || async {
            let made_at = app.now();
            let claims = json!({ "iss": self.team_id, "iat": made_at / 1_000 });
            let token = self.key.token(&self.key_id, &claims);
            let token = token.map_err(|error| CallFailure::new(Outcome::NotCalled, error))?;
            Ok(Credential { token: token.into(), made_at, expires_at: made_at + LIFE_MS })
        };
        credentials::get(app, NAME, make).await
    }

    pub(super) async fn send(&self, app: &AppState, message: &Outgoing) -> Result<Taken, NotTaken> {
        let credential = self.credential(app).await?;
        let url = match message.service {
            PushService::ApnsSandbox => &self.sandbox_url,
            _ => &self.url,
        };
        let authorization = authorization("bearer", &credential)?;
        // Only closed at the end of everything.
        let _stream = self.streams.acquire().await;
        let request = self
            .client
            .post(format!("{url}/3/device/{}", message.token.expose_secret()))
            .header(AUTHORIZATION, authorization)
            .header("apns-topic", &self.topic)
            .header("apns-push-type", "alert")
            .header("apns-id", &message.id)
            .header("apns-collapse-id", &message.id)
            .header("apns-priority", if message.is_urgent { "10" } else { "5" })
            .header("apns-expiration", message.expires_at)
            .json(&body(message));
        let (status, headers, answer) = call::make(request).await?;
        let provider_id = call::text(&headers, "apns-id");
        if status.is_success() {
            return Ok(Taken { provider_id });
        }
        let refusal: Refusal = serde_json::from_slice(&answer).unwrap_or_default();
        let reason = refusal.reason.as_deref().unwrap_or_default();
        if reason == "ExpiredProviderToken" {
            credentials::doubt(app, NAME, &credential).await?;
        }
        let failure = CallFailure {
            status: Some(status.as_u16()),
            retry_after: call::retry_after(&headers),
            code: refusal.reason.clone(),
            provider_request_id: provider_id,
            ..CallFailure::new(
                outcome(status, reason),
                format!("Apple's service answered {status} {reason}."),
            )
        };
        Err(NotTaken { failure, inactive: inactive(status, reason, refusal.timestamp) })
    }
}

/// What an error says about whether it is worth asking again.
fn outcome(status: StatusCode, reason: &str) -> Outcome {
    match reason {
        // Somebody has to set it right, and can: messages wait for that, and nobody asks in vain meanwhile.
        "ExpiredProviderToken"
        | "InvalidProviderToken"
        | "MissingProviderToken"
        | "BadTopic"
        | "TopicDisallowed"
        | "MissingTopic"
        | "BadCertificate"
        | "BadCertificateEnvironment" => Outcome::Failing,
        _ if status == StatusCode::TOO_MANY_REQUESTS => Outcome::Busy,
        _ if status.is_server_error() => Outcome::Failing,
        _ => Outcome::Refused,
    }
}

fn inactive(status: StatusCode, reason: &str, since: Option<i64>) -> Option<(Inactive, Option<i64>)> {
    match reason {
        "BadDeviceToken" | "Unregistered" | "ExpiredToken" => Some((Inactive::Gone, since)),
        "DeviceTokenNotForTopic" => Some((Inactive::OtherApp, None)),
        _ if status == StatusCode::GONE => Some((Inactive::Gone, since)),
        _ => None,
    }
}

fn body(message: &Outgoing) -> serde_json::Value {
    let mut aps = json!({
        "alert": { "title": message.title, "body": message.body },
        "thread-id": message.thread,
        // The app's extension hears of it, and says that it arrived.
        "mutable-content": 1,
    });
    if message.is_urgent {
        aps["sound"] = json!("default");
    }
    json!({ "aps": aps, liventix_core::push::wire::PAYLOAD_KEY: message.payload })
}

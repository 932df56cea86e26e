//! Google's service, HTTP v1. <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>

use std::time::Duration;

use liventix_core::push::PushService;
use reqwest::StatusCode;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::jwt::SigningKey;
use super::{NotTaken, Outgoing, STREAMS, Taken, authorization, client};
use crate::app::AppState;
use crate::platform::call::{self, CallFailure, Outcome};
use crate::platform::config::{ConfigError, PushConfig};
use crate::push::credentials::{self, Credential};
use crate::push::devices::store::Inactive;

const NAME: &str = "fcm";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// What the longest token of Google's lives.
const MAX_LIFE_S: i64 = 3_600;
/// Where the service says that there were too many, and not for how long, Google asks for a minute.
const BUSY: Duration = Duration::from_secs(60);

/// The token is one of another Firebase project.
const OTHER_SENDER: &str = "SENDER_ID_MISMATCH";

/// The client.
#[derive(Debug)]
pub(super) struct Fcm {
    client: reqwest::Client,
    url: String,
    token_url: String,
    /// Whom the sign-in is for, wherever it is sent.
    audience: String,
    account: String,
    key_id: String,
    key: SigningKey,
    streams: Semaphore,
}

/// What Google gives for a service account.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    private_key_id: String,
    private_key: SecretString,
    client_email: String,
    token_uri: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: SecretString,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Sent {
    name: String,
}

/// <https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    error: Refusal,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    status: Option<String>,
    message: Option<String>,
    details: Vec<Value>,
}

impl Refusal {
    /// The service's own code, which says more than the status.
    fn code(&self) -> Option<&str> {
        let own = self.details.iter().find_map(|detail| detail.get("errorCode")?.as_str());
        own.or(self.status.as_deref())
    }

    /// Whether it is the token that cannot be.
    fn blames_the_token(&self) -> bool {
        let fields = self.details.iter().filter_map(|detail| detail.get("fieldViolations")?.as_array());
        let mut names = fields.flatten().filter_map(|violation| violation.get("field")?.as_str());
        names.any(|name| matches!(name, "message.token" | "message.fid"))
    }
}

impl Fcm {
    /// If it is set up.
    pub(super) fn new(config: &PushConfig) -> Result<Option<Self>, ConfigError> {
        let Some(path) = &config.fcm_service_account_file else { return Ok(None) };
        let wrong = |reason: String| {
            let reason = format!("must be the service account as Google gives it (JSON): {reason}");
            ConfigError::new("fcm_service_account_file", reason)
        };
        let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let account: Account = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(Self {
            client: client(config, false)?,
            url: format!("{}/v1/projects/{}/messages:send", config.fcm_url, account.project_id),
            token_url: config.fcm_token_url.clone().unwrap_or_else(|| account.token_uri.clone()),
            audience: account.token_uri,
            account: account.client_email,
            key_id: account.private_key_id,
            key: SigningKey::rsa(account.private_key.expose_secret().as_bytes()).map_err(wrong)?,
            streams: Semaphore::new(STREAMS),
        }))
    }

    /// A token that Google gives for an hour, the same for all processes.
    /// <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
    async fn credential(&self, app: &AppState) -> Result<Credential, CallFailure> {
        credentials::get(app, NAME, || self.sign_in(app.now())).await
    }

    async fn sign_in(&self, now: i64) -> Result<Credential, CallFailure> {
        let seconds = now / 1_000;
        let claims = json!({
            "iss": self.account, "scope": SCOPE, "aud": self.audience, "iat": seconds, "exp": seconds + MAX_LIFE_S,
        });
        let assertion = self.key.token(&self.key_id, &claims);
        let assertion = assertion.map_err(|error| CallFailure::new(Outcome::NotCalled, error))?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion)
            .finish();
        let request = self
            .client
            .post(&self.token_url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let (status, headers, answer) = call::make(request).await?;
        if !status.is_success() {
            return Err(CallFailure {
                status: Some(status.as_u16()),
                retry_after: call::retry_after(&headers),
                ..CallFailure::new(Outcome::Failing, format!("Google refused the sign-in with {status}."))
            });
        }
        let token: Token = serde_json::from_slice(&answer).map_err(|_| {
            CallFailure::new(Outcome::Broken, "Google's answer to the sign-in makes no sense.")
        })?;
        let life_ms = token.expires_in.clamp(0, MAX_LIFE_S) * 1_000;
        Ok(Credential { token: token.access_token, made_at: now, expires_at: now + life_ms })
    }

    pub(super) async fn send(&self, app: &AppState, message: &Outgoing) -> Result<Taken, NotTaken> {
        let credential = self.credential(app).await?;
        let authorization = authorization("Bearer", &credential)?;
        // Only closed at the end of everything.
        let _stream = self.streams.acquire().await;
        let request = self.client.post(&self.url).header(AUTHORIZATION, authorization).json(&body(message));
        let (status, headers, answer) = call::make(request).await?;
        if status.is_success() {
            let sent: Sent = serde_json::from_slice(&answer).map_err(|error| {
                CallFailure::new(Outcome::Broken, format!("Google's answer makes no sense: {error}."))
            })?;
            return Ok(Taken { provider_id: Some(sent.name) });
        }
        let refusal = serde_json::from_slice::<Answer>(&answer).unwrap_or_default().error;
        if status == StatusCode::UNAUTHORIZED {
            credentials::doubt(app, NAME, &credential).await?;
        }
        let outcome = outcome(status, &refusal);
        let busy = (outcome == Outcome::Busy).then_some(BUSY);
        let code = refusal.code().map(str::to_owned);
        let said = refusal.message.as_deref().unwrap_or_default();
        let detail =
            format!("Google's service answered {status} {}: {said}", code.as_deref().unwrap_or_default());
        let failure = CallFailure {
            status: Some(status.as_u16()),
            retry_after: call::retry_after(&headers).or(busy),
            code,
            ..CallFailure::new(outcome, detail)
        };
        Err(NotTaken { inactive: inactive(&refusal), failure })
    }
}

/// What an error says about whether it is worth asking again.
fn outcome(status: StatusCode, refusal: &Refusal) -> Outcome {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Outcome::Busy,
        // Somebody has to set it right, and can.
        StatusCode::UNAUTHORIZED => Outcome::Failing,
        StatusCode::FORBIDDEN if refusal.code() != Some(OTHER_SENDER) => Outcome::Failing,
        _ if status.is_server_error() => Outcome::Failing,
        _ => Outcome::Refused,
    }
}

fn inactive(refusal: &Refusal) -> Option<(Inactive, Option<i64>)> {
    match refusal.code() {
        Some("UNREGISTERED") => Some((Inactive::Gone, None)),
        Some(OTHER_SENDER) => Some((Inactive::OtherApp, None)),
        _ if refusal.blames_the_token() => Some((Inactive::Gone, None)),
        _ => None,
    }
}

fn body(message: &Outgoing) -> Value {
    let name = match message.service {
        PushService::FcmInstallation => "fid",
        _ => "token",
    };
    let mut body = json!({
        "notification": { "title": message.title, "body": message.body },
        "data": { liventix_core::push::wire::PAYLOAD_KEY: message.payload },
        "android": {
            "priority": if message.is_urgent { "HIGH" } else { "NORMAL" },
            "ttl": format!("{}s", message.lives_for),
            // Shown again in the place of itself, should it come twice.
            "notification": { "tag": message.id },
        },
        // Where the app is one of Apple's, Google hands it on.
        "apns": {
            "headers": {
                "apns-collapse-id": message.id,
                "apns-expiration": message.expires_at.to_string(),
                "apns-priority": if message.is_urgent { "10" } else { "5" },
            },
            "payload": { "aps": { "mutable-content": 1, "thread-id": message.thread } },
        },
    });
    body[name] = json!(message.token.expose_secret());
    json!({ "message": body })
}

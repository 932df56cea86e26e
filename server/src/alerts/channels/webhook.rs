//! To a web hook: one POST for each message, signed as Standard Webhooks says
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use liventix_core::clock::Clock;
use liventix_core::resilience::parse_retry_after;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::json;
use sha2::Sha256;

use super::super::types::{Message, Notice, Turn};
use crate::platform::config::{AlertConfig, ConfigError};
use crate::platform::outbound;
use crate::platform::queue::Failure;

/// The shortest key that the standard allows, in bytes; the longest is 64.
const KEY: std::ops::RangeInclusive<usize> = 24..=64;

/// Where to, and with which key.
#[derive(Debug)]
pub(super) struct Webhook {
    client: reqwest::Client,
    url: reqwest::Url,
    key: Option<SecretSlice<u8>>,
    public_url: String,
}

impl Webhook {
    /// None if there is none.
    pub(super) fn new(config: &AlertConfig, public_url: &str) -> Result<Option<Self>, ConfigError> {
        let Some(url) = &config.webhook_url else { return Ok(None) };
        let wrong = |reason: &str| ConfigError::new("alert_webhook_url", reason);
        let url: reqwest::Url =
            url.expose_secret().parse().map_err(|_| wrong("must be an address, https://…"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("must begin with https:// or http://"));
        }
        let client = outbound::client().map_err(|error| wrong(&format!("cannot be called: {error}")))?;
        let key = config.webhook_secret.as_ref().map(key).transpose()?;
        Ok(Some(Self { client, url, key, public_url: public_url.to_owned() }))
    }

    /// Sends one; its id is the same at every try, so that the other side can tell one that came twice.
    pub(super) async fn send(&self, notice: &Notice, clock: &dyn Clock) -> Result<(), Failure> {
        let (id, now) = (notice.notice_id.to_string(), clock.wall_ms());
        let seconds = (now / 1_000).to_string();
        let body = self.body(&notice.message).to_string();
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", &seconds);
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", sign(key.expose_secret(), &id, &seconds, &body));
        }
        match request.body(body).send().await {
            Ok(response) => verdict(response.status(), response.headers(), now),
            // Without the address: there may be a secret in it.
            Err(error) => Err(Failure::retry("webhook_unreachable", outbound::reason(&error))),
        }
    }

    fn body(&self, message: &Message) -> serde_json::Value {
        let what = if message.is_anomaly { "anomaly" } else { "alert" };
        let kind = match message.turn {
            Turn::Test => "test".to_owned(),
            turn => format!("{what}.{}", turn.code()),
        };
        json!({
            "type": kind,
            "timestamp": time(message.at),
            "data": {
                "id": message.about,
                "rule": message.rule,
                "subject": message.subject,
                "severity": message.severity,
                "sentence": message.sentence,
                "next_step": message.next_step,
                "since": time(message.since),
                "organiser_id": message.organiser_id,
                "event_id": message.event_id,
                "url": format!("{}{}", self.public_url, message.page),
            }
        })
    }
}

fn time(ms: i64) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn key(secret: &SecretString) -> Result<SecretSlice<u8>, ConfigError> {
    let text = secret.expose_secret();
    let bytes = BASE64.decode(text.strip_prefix("whsec_").unwrap_or(text).as_bytes()).ok();
    bytes.filter(|bytes| KEY.contains(&bytes.len())).map(SecretSlice::from).ok_or_else(|| {
        let reason =
            "must be 24 to 64 bytes as base64, perhaps after whsec_, such as `openssl rand -base64 32` makes";
        ConfigError::new("alert_webhook_secret", reason)
    })
}

fn sign(key: &[u8], id: &str, seconds: &str, body: &str) -> String {
    // Every length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

/// What an answer calls for.
fn verdict(status: StatusCode, headers: &HeaderMap, now: i64) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let detail = format!("It answered {status}.");
    let passes = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    if !passes {
        return Err(Failure::permanent("webhook_refused", detail));
    }
    let wait = headers.get(RETRY_AFTER).and_then(|value| parse_retry_after(value.to_str().ok()?, now));
    Err(match wait {
        Some(ms) => Failure::retry_after("webhook_busy", detail, std::time::Duration::from_millis(ms)),
        None => Failure::retry("webhook_busy", detail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of the libraries: <https://docs.svix.com/receiving/verifying-payloads/how-manual>.
    #[test]
    fn it_signs_as_others_do() {
        let key = key(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let signature =
            sign(key.expose_secret(), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(super::key(&"short".into()).is_err());
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        let mut headers = HeaderMap::new();
        let code = |status: u16, headers: &HeaderMap| {
            verdict(StatusCode::from_u16(status).unwrap(), headers, 0).map_err(|failure| failure.verdict)
        };
        use crate::platform::queue::Verdict;
        assert_eq!(code(204, &headers), Ok(()));
        for status in [301, 400, 401, 404, 410, 422] {
            assert_eq!(code(status, &headers), Err(Verdict::Permanent), "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503] {
            assert_eq!(code(status, &headers), Err(Verdict::Retry), "{status}");
        }
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(code(503, &headers), Err(Verdict::RetryAfter(std::time::Duration::from_secs(7))));
    }
}

//! Resend. <https://resend.com/docs/api-reference/emails/send-email>

use std::collections::HashMap;
use std::time::Duration;

use data_encoding::BASE64;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Taken;
use crate::email::content::{Content, Outgoing, Part};
use crate::email::delivery::TAG;
use crate::platform::call::{self, CallFailure, Outcome};
use crate::platform::config::{ConfigError, EmailConfig};
use crate::platform::outbound;

/// What a mail may have, its files as base64. <https://resend.com/docs/api-reference/emails/send-email>
const MOST: usize = 40 * 1_024 * 1_024;

/// The client.
#[derive(Clone)]
pub(crate) struct Resend {
    client: reqwest::Client,
    url: String,
    timeout: Duration,
    authorization: HeaderValue,
}

impl std::fmt::Debug for Resend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resend").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Sent {
    id: String,
}

/// <https://resend.com/docs/api-reference/errors>
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    name: Option<String>,
    message: Option<String>,
}

impl Resend {
    /// If it is set up.
    pub(super) fn new(config: &EmailConfig) -> Result<Option<Self>, ConfigError> {
        let Some(key) = &config.resend_api_key else { return Ok(None) };
        let header = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()));
        let wrong = |_| ConfigError::new("resend_api_key", "holds signs that no key has");
        let mut authorization = header.map_err(wrong)?;
        authorization.set_sensitive(true);
        let client = outbound::client()
            .map_err(|error| ConfigError::new("resend_url", format!("cannot be called: {error}")))?;
        let (url, timeout) = (config.resend_url.clone(), config.resend_timeout);
        Ok(Some(Self { client, url, timeout, authorization }))
    }

    pub(super) async fn send(&self, mail: &Outgoing<'_>) -> Result<Taken, CallFailure> {
        let size = size(mail.content);
        if size > MOST {
            let detail = format!("The mail has {size} bytes, and Resend takes {MOST} at most.");
            return Err(CallFailure::new(Outcome::Refused, detail));
        }
        let request = self
            .client
            .post(format!("{}/emails", self.url))
            .timeout(self.timeout)
            .header(AUTHORIZATION, self.authorization.clone())
            // The same at every try. Resend keeps it for a day; the last try is made before.
            .header("idempotency-key", format!("email/{}", mail.id))
            .json(&body(mail));
        let (status, answer) = answer(request).await?;
        let sent: Sent = serde_json::from_slice(&answer).map_err(|error| {
            CallFailure::new(Outcome::Broken, format!("Resend's answer makes no sense: {error}."))
        })?;
        Ok(Taken { provider_id: Some(sent.id), status: Some(status.as_u16()) })
    }

    /// Takes an address from Resend's own list of those that take no mail. Says whether it was there.
    /// <https://resend.com/docs/api-reference/suppressions/remove-suppression>
    pub(super) async fn forget(&self, address: &str) -> Result<bool, CallFailure> {
        let wrong = || CallFailure::new(Outcome::Refused, "The address cannot be asked about.");
        let mut url = Url::parse(&self.url).map_err(|_| wrong())?;
        // It may hold signs that mean something in an address of the web.
        url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend(["suppressions", address]);
        let request = self.client.delete(url).timeout(self.timeout);
        match answer(request.header(AUTHORIZATION, self.authorization.clone())).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.status == Some(404) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

/// Makes a call to its end.
async fn answer(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), CallFailure> {
    let (status, headers, answer) = call::make(request).await?;
    if status.is_success() {
        return Ok((status, answer));
    }
    let refusal: Refusal = serde_json::from_slice(&answer).unwrap_or_default();
    Err(CallFailure {
        status: Some(status.as_u16()),
        retry_after: call::retry_after(&headers),
        code: refusal.name.clone(),
        ..CallFailure::new(
            outcome(status, refusal.name.as_deref()),
            refusal.message.unwrap_or_else(|| format!("Resend answered {status}.")),
        )
    })
}

/// What an error answer says about whether anything was done.
fn outcome(status: StatusCode, name: Option<&str>) -> Outcome {
    match (status, name) {
        (StatusCode::CONFLICT, Some("concurrent_idempotent_requests")) => Outcome::InProgress,
        (StatusCode::TOO_MANY_REQUESTS, _) => Outcome::Busy,
        _ if status.is_server_error() => Outcome::Failing,
        _ => Outcome::Refused,
    }
}

/// How large it is, as it counts.
fn size(content: &Content) -> usize {
    let files: usize = content.parts.iter().map(|part| BASE64.encode_len(part.bytes.len())).sum();
    files + content.text.len() + content.html.as_ref().map_or(0, String::len)
}

fn body(mail: &Outgoing<'_>) -> Value {
    let attachment = |part: &Part| {
        let mut attachment =
            json!({"filename": part.name, "content": BASE64.encode(&part.bytes), "content_type": part.kind});
        if let Some(cid) = &part.cid {
            attachment["content_id"] = json!(cid);
        }
        attachment
    };
    let mut body = json!({
        "from": mail.from.to_string(),
        "to": [mail.to.to_string()],
        "subject": mail.content.subject,
        "text": mail.content.text,
        "headers": mail.headers().into_iter().collect::<HashMap<_, _>>(),
        // Comes back with what is told of it.
        "tags": [{"name": TAG, "value": mail.id}],
    });
    if let Some(html) = &mail.content.html {
        body["html"] = json!(html);
    }
    if !mail.content.parts.is_empty() {
        body["attachments"] = mail.content.parts.iter().map(attachment).collect();
    }
    body
}

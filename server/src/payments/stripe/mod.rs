//! A thin client of Stripe's API: what we send is all there is to see here.
//!
//! Every call names the API version it was written for, so that an upgrade of the account changes nothing, and every
//! POST has an `Idempotency-Key`. Amounts leave and enter here in Stripe's minor units, which are ours but for two
//! currencies. <https://docs.stripe.com/api>

mod amount;
mod money;
mod transfers;
mod wire;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;

use super::failure::{CallFailure, Outcome};
use super::types::{Payment, Remote};
use crate::platform::call::{self, text};
use crate::platform::config::{ConfigError, PaymentConfig};
use crate::platform::outbound;

pub(crate) use amount::to_stripe;
pub(crate) use money::{DisputeObject, RefundObject, RefundWish};
pub(crate) use transfers::{TransferObject, TransferWish};
pub(crate) use wire::PaymentIntent;

/// The version of the API that this client speaks. <https://docs.stripe.com/api/versioning>
pub(crate) const VERSION: &str = "2026-10-28.endive";
/// What a search gives at most: more than one payment for one of ours is a fault that is looked at.
const SEARCH_LIMIT: &str = "10";

/// A call that was answered well.
#[derive(Debug, Clone)]
pub(crate) struct Answered<T> {
    pub(crate) value: T,
    pub(crate) status: u16,
    pub(crate) provider_request_id: Option<String>,
}

impl<T> Answered<T> {
    /// Of a provider in this process.
    pub(crate) const fn here(value: T) -> Self {
        Self { value, status: 200, provider_request_id: None }
    }

    /// The same answer, read further.
    fn read<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Answered<U>, E> {
        let Self { value, status, provider_request_id } = self;
        Ok(Answered { value: read(value)?, status, provider_request_id })
    }
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stripe {
    client: reqwest::Client,
    url: String,
    timeout: Duration,
    authorization: HeaderValue,
    publishable_key: String,
    is_live: bool,
}

impl std::fmt::Debug for Stripe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stripe")
            .field("url", &self.url)
            .field("is_live", &self.is_live)
            .finish_non_exhaustive()
    }
}

/// Name and value pairs, as forms have them.
type Form<'a> = Vec<(&'a str, String)>;

impl Stripe {
    /// The client, if Stripe is set up.
    ///
    /// # Errors
    /// When the key cannot stand in a header, or TLS cannot be set up.
    pub(crate) fn new(config: &PaymentConfig) -> Result<Option<Self>, ConfigError> {
        let Some(key) = &config.stripe_secret_key else { return Ok(None) };
        let wrong = |key, reason: String| ConfigError::new(key, reason);
        let header = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()));
        let mut authorization =
            header.map_err(|_| wrong("stripe_secret_key", "holds signs that no key has".to_owned()))?;
        authorization.set_sensitive(true);
        let client =
            outbound::client().map_err(|error| wrong("stripe_url", format!("cannot be called: {error}")))?;
        Ok(Some(Self {
            client,
            url: config.stripe_url.clone(),
            timeout: config.stripe_timeout,
            authorization,
            publishable_key: config.stripe_publishable_key.clone().unwrap_or_default(),
            is_live: config.is_live(),
        }))
    }

    /// Stripe's key for browsers.
    pub(crate) fn publishable_key(&self) -> &str {
        &self.publishable_key
    }

    /// Whether it moves real money.
    pub(crate) const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Begins a payment, or finds the one that was begun with the same key.
    /// <https://docs.stripe.com/api/payment_intents/create>
    pub(crate) async fn create(&self, payment: &Payment) -> Result<Answered<Remote>, CallFailure> {
        // What is sent here decides what the key stands for: the same at every try.
        let form = vec![
            ("amount", to_stripe(payment.currency, payment.amount).to_string()),
            ("currency", payment.currency.code().to_ascii_lowercase()),
            ("automatic_payment_methods[enabled]", "true".to_owned()),
            ("description", payment.description.clone()),
            ("receipt_email", payment.receipt_email.clone()),
            ("metadata[liventix_payment_id]", payment.payment_id.to_string()),
            ("metadata[liventix_order_id]", payment.order_id.to_string()),
            ("metadata[liventix_organiser_id]", payment.organiser_id.to_string()),
        ];
        let key = Some(payment.idempotency_key.as_str());
        let answered = self.call(Method::POST, "/v1/payment_intents", &form, key).await?;
        answered.read(PaymentIntent::into_remote)
    }

    /// Where a payment stands. <https://docs.stripe.com/api/payment_intents/retrieve>
    pub(crate) async fn retrieve(&self, provider_id: &str) -> Result<Answered<Remote>, CallFailure> {
        let path = format!("/v1/payment_intents/{}", segment(provider_id));
        self.call(Method::GET, &path, &Vec::new(), None).await?.read(PaymentIntent::into_remote)
    }

    /// Payments that were begun for one of ours. They are found after up to a minute, and an hour where Stripe is not
    /// well. <https://docs.stripe.com/api/payment_intents/search>
    pub(crate) async fn search(&self, payment: &Payment) -> Result<Answered<Vec<Remote>>, CallFailure> {
        let query = format!("metadata['liventix_payment_id']:'{}'", payment.payment_id);
        let form = vec![("query", query), ("limit", SEARCH_LIMIT.to_owned())];
        let found: Answered<wire::Found<PaymentIntent>> =
            self.call(Method::GET, "/v1/payment_intents/search", &form, None).await?;
        found.read(|found| found.data.into_iter().map(PaymentIntent::into_remote).collect())
    }

    /// Sees to it that a payment can be made no more. <https://docs.stripe.com/api/payment_intents/cancel>
    pub(crate) async fn cancel(
        &self,
        provider_id: &str,
        idempotency_key: &str,
    ) -> Result<Answered<Remote>, CallFailure> {
        let path = format!("/v1/payment_intents/{}/cancel", segment(provider_id));
        let form = vec![("cancellation_reason", "abandoned".to_owned())];
        self.call(Method::POST, &path, &form, Some(idempotency_key)).await?.read(PaymentIntent::into_remote)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        form: &Form<'_>,
        key: Option<&str>,
    ) -> Result<Answered<T>, CallFailure> {
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let url = format!("{}{path}", self.url);
        let mut request = if method == Method::GET {
            let url = if encoded.is_empty() { url } else { format!("{url}?{encoded}") };
            self.client.get(url)
        } else {
            let request = self.client.request(method, url);
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(encoded)
        };
        request = request
            .timeout(self.timeout)
            .header(AUTHORIZATION, self.authorization.clone())
            .header("stripe-version", VERSION);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let (status, headers, body) = call::make(request).await?;
        let provider_request_id = text(&headers, "request-id");
        if !status.is_success() {
            return Err(refusal(status, &headers, &body));
        }
        let broken = |error: serde_json::Error| {
            let detail = format!("Stripe's answer makes no sense: {error}.");
            CallFailure {
                provider_request_id: provider_request_id.clone(),
                ..CallFailure::new(Outcome::Broken, detail)
            }
        };
        let value = serde_json::from_slice(&body).map_err(broken)?;
        Ok(Answered { value, status: status.as_u16(), provider_request_id })
    }
}

/// An id as a part of a path. Stripe's have letters, digits and `_` only.
fn segment(id: &str) -> String {
    id.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect()
}

/// What an error answer says about whether anything was done. <https://docs.stripe.com/error-low-level>
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> CallFailure {
    let error = serde_json::from_slice::<wire::ErrorBody>(body).map(|body| body.error).unwrap_or_default();
    let outcome = match status {
        StatusCode::CONFLICT => Outcome::InProgress,
        StatusCode::TOO_MANY_REQUESTS => Outcome::Busy,
        _ if status.is_server_error() => Outcome::Failing,
        // Stripe knows better what a repetition can change.
        _ if text(headers, "stripe-should-retry").as_deref() == Some("true") => Outcome::Failing,
        _ => Outcome::Refused,
    };
    let code = error.decline_code.or(error.code).or(error.kind);
    let detail = error.message.unwrap_or_else(|| format!("Stripe answered {status}."));
    CallFailure {
        outcome,
        code,
        detail,
        status: Some(status.as_u16()),
        provider_request_id: text(headers, "request-id"),
        is_replayed: text(headers, "idempotent-replayed").as_deref() == Some("true"),
        retry_after: call::retry_after(headers),
    }
}

/// A browser's secret, as Stripe gives it.
pub(super) fn secret(text: String) -> SecretString {
    text.into()
}

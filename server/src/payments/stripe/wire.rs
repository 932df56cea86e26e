//! Stripe's objects, as far as we read them. What is not read may change as it likes.

use std::collections::HashMap;

use serde::Deserialize;

use super::amount::from_stripe;
use super::secret;
use crate::payments::failure::{CallFailure, Outcome};
use crate::payments::types::{Decline, Remote, RemoteStatus};
use crate::pricing::Currency;

/// An error answer. <https://docs.stripe.com/api/errors>
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: ErrorObject,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorObject {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) message: Option<String>,
}

/// What a search found.
#[derive(Debug, Deserialize)]
pub(super) struct Found<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// A payment. <https://docs.stripe.com/api/payment_intents/object>
#[derive(Debug, Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    livemode: bool,
    client_secret: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
    last_payment_error: Option<PaymentError>,
}

#[derive(Debug, Deserialize)]
struct PaymentError {
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
    charge: Option<String>,
}

impl PaymentIntent {
    /// The payment in our words.
    ///
    /// # Errors
    /// When it is in a state or a currency that we know nothing of.
    pub(crate) fn into_remote(self) -> Result<Remote, CallFailure> {
        let status = match self.status.as_str() {
            "requires_payment_method" | "requires_confirmation" | "requires_action" => {
                RemoteStatus::AwaitsBuyer
            }
            "processing" => RemoteStatus::Processing,
            "succeeded" => RemoteStatus::Succeeded,
            "canceled" => RemoteStatus::Canceled,
            other => {
                return Err(strange(format!("Stripe has the payment in a state we do not use: {other}.")));
            }
        };
        let code = self.currency.to_ascii_uppercase();
        let unknown = || strange(format!("Stripe has the payment in a currency we do not sell in: {code}."));
        let currency = Currency::from_code(&code).ok_or_else(unknown)?;
        let ours = |amount| {
            from_stripe(currency, amount).ok_or_else(|| strange(format!("{amount} is no amount of {code}.")))
        };
        Ok(Remote {
            status,
            currency,
            amount: ours(self.amount)?,
            received: ours(self.amount_received)?,
            is_live: self.livemode,
            decline: self.last_payment_error.map(PaymentError::into_decline),
            client_secret: self.client_secret.map(secret),
            payment_id: self.metadata.get("liventix_payment_id").and_then(|id| id.parse().ok()),
            provider_id: self.id,
        })
    }
}

impl PaymentError {
    fn into_decline(self) -> Decline {
        let code = self.decline_code.or(self.code).unwrap_or_else(|| "declined".to_owned());
        let text = self.message.unwrap_or_else(|| "The payment was declined.".to_owned());
        Decline { id: self.charge.unwrap_or_else(|| code.clone()), code, text }
    }
}

fn strange(detail: String) -> CallFailure {
    CallFailure::new(Outcome::Broken, detail)
}

//! Refunds and disputes at Stripe.

use std::collections::HashMap;

use reqwest::Method;
use serde::Deserialize;

use super::amount::{from_stripe, to_stripe};
use super::wire::Found;
use super::{Answered, Stripe, segment};
use crate::payments::failure::{CallFailure, Outcome};
use crate::platform::ids::RefundId;
use crate::pricing::Currency;

/// A refund. <https://docs.stripe.com/api/refunds/object>
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RefundObject {
    pub(crate) id: String,
    pub(crate) status: Option<String>,
    amount: i64,
    currency: String,
    pub(crate) payment_intent: Option<String>,
    pub(crate) failure_reason: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// A dispute. <https://docs.stripe.com/api/disputes/object>
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DisputeObject {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    amount: i64,
    currency: String,
    pub(crate) payment_intent: Option<String>,
    pub(crate) evidence_details: Option<EvidenceDetails>,
    #[serde(default)]
    pub(crate) balance_transactions: Vec<Movement>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EvidenceDetails {
    /// UTC seconds.
    pub(crate) due_by: Option<i64>,
}

/// Money that a dispute took or gave back, with what Stripe charged for it. In the currency that the account is paid
/// out in. <https://docs.stripe.com/api/balance_transactions/object>
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Movement {
    pub(crate) id: String,
    amount: i64,
    fee: i64,
    currency: String,
}

fn currency(code: &str) -> Option<Currency> {
    Currency::from_code(&code.to_ascii_uppercase())
}

impl RefundObject {
    /// The amount, in our minor units; none if it is in none of ours.
    pub(crate) fn money(&self) -> Option<(Currency, i64)> {
        let currency = currency(&self.currency)?;
        Some((currency, from_stripe(currency, self.amount)?))
    }

    /// Ours, as we told Stripe.
    pub(crate) fn refund_id(&self) -> Option<RefundId> {
        self.metadata.get("liventix_refund_id")?.parse().ok()
    }
}

impl RefundObject {
    /// As the test provider has it: done at once.
    pub(crate) fn tested(wish: &RefundWish<'_>) -> Self {
        Self {
            id: format!("test_{}", wish.refund_id),
            status: Some("succeeded".to_owned()),
            amount: to_stripe(wish.currency, wish.amount),
            currency: wish.currency.code().to_owned(),
            payment_intent: Some(wish.intent.to_owned()),
            failure_reason: None,
            metadata: HashMap::from([("liventix_refund_id".to_owned(), wish.refund_id.to_string())]),
        }
    }
}

impl DisputeObject {
    /// The amount, in our minor units; none if it is in none of ours.
    pub(crate) fn money(&self) -> Option<(Currency, i64)> {
        let currency = currency(&self.currency)?;
        Some((currency, from_stripe(currency, self.amount)?))
    }
}

impl Movement {
    /// What was taken (negative) or given back, and what was charged for it, in our minor units.
    pub(crate) fn money(&self) -> Option<(Currency, i64, i64)> {
        let currency = currency(&self.currency)?;
        Some((currency, from_stripe(currency, self.amount)?, from_stripe(currency, self.fee)?))
    }
}

/// What Stripe is told of a refund.
#[derive(Debug, Clone)]
pub(crate) struct RefundWish<'a> {
    pub(crate) refund_id: RefundId,
    pub(crate) intent: &'a str,
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) idempotency_key: &'a str,
}

impl Stripe {
    /// Gives money back. <https://docs.stripe.com/api/refunds/create>
    pub(crate) async fn refund(&self, wish: &RefundWish<'_>) -> Result<Answered<RefundObject>, CallFailure> {
        let form = vec![
            ("payment_intent", wish.intent.to_owned()),
            ("amount", to_stripe(wish.currency, wish.amount).to_string()),
            ("reason", "requested_by_customer".to_owned()),
            ("metadata[liventix_refund_id]", wish.refund_id.to_string()),
        ];
        self.call(Method::POST, "/v1/refunds", &form, Some(wish.idempotency_key)).await
    }

    /// Where a refund stands. <https://docs.stripe.com/api/refunds/retrieve>
    pub(crate) async fn retrieve_refund(&self, id: &str) -> Result<Answered<RefundObject>, CallFailure> {
        self.call(Method::GET, &format!("/v1/refunds/{}", segment(id)), &Vec::new(), None).await
    }

    /// The refunds of a payment, newest first. <https://docs.stripe.com/api/refunds/list>
    pub(crate) async fn refunds_of(&self, intent: &str) -> Result<Answered<Vec<RefundObject>>, CallFailure> {
        let form = vec![("payment_intent", intent.to_owned()), ("limit", "100".to_owned())];
        let found: Answered<Found<RefundObject>> = self.call(Method::GET, "/v1/refunds", &form, None).await?;
        found.read(|found| match found.has_more {
            true => Err(CallFailure::new(Outcome::Refused, "The payment has more than 100 refunds.")),
            false => Ok(found.data),
        })
    }

    /// Where a dispute stands. <https://docs.stripe.com/api/disputes/retrieve>
    pub(crate) async fn retrieve_dispute(&self, id: &str) -> Result<Answered<DisputeObject>, CallFailure> {
        self.call(Method::GET, &format!("/v1/disputes/{}", segment(id)), &Vec::new(), None).await
    }
}

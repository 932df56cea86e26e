//! Transfers to connected accounts: what we call payouts.
//! <https://docs.stripe.com/connect/separate-charges-and-transfers>

use std::collections::HashMap;

use reqwest::Method;
use serde::Deserialize;

use super::amount::{from_stripe, to_stripe};
use super::wire::Found;
use super::{Answered, Stripe, segment};
use crate::payments::failure::CallFailure;
use crate::platform::ids::PayoutId;
use crate::pricing::Currency;

/// A transfer. <https://docs.stripe.com/api/transfers/object>
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TransferObject {
    pub(crate) id: String,
    amount: i64,
    #[serde(default)]
    amount_reversed: i64,
    currency: String,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// What Stripe is told of a payout.
#[derive(Debug, Clone)]
pub(crate) struct TransferWish<'a> {
    pub(crate) payout_id: PayoutId,
    pub(crate) account: &'a str,
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) idempotency_key: &'a str,
}

/// What finds a payout's transfer again.
fn group(payout: PayoutId) -> String {
    format!("payout_{payout}")
}

impl TransferObject {
    /// What went, and what of it came back, in our minor units; none if it is in none of ours.
    pub(crate) fn money(&self) -> Option<(Currency, i64, i64)> {
        let currency = Currency::from_code(&self.currency.to_ascii_uppercase())?;
        Some((currency, from_stripe(currency, self.amount)?, from_stripe(currency, self.amount_reversed)?))
    }

    /// Ours, as we told Stripe.
    pub(crate) fn payout_id(&self) -> Option<PayoutId> {
        self.metadata.get("liventix_payout_id")?.parse().ok()
    }

    /// As the test provider has it: done at once.
    pub(crate) fn tested(wish: &TransferWish<'_>) -> Self {
        Self {
            id: format!("test_{}", wish.payout_id),
            amount: to_stripe(wish.currency, wish.amount),
            amount_reversed: 0,
            currency: wish.currency.code().to_owned(),
            metadata: HashMap::from([("liventix_payout_id".to_owned(), wish.payout_id.to_string())]),
        }
    }
}

impl Stripe {
    /// Moves money to a connected account. <https://docs.stripe.com/api/transfers/create>
    pub(crate) async fn transfer(
        &self,
        wish: &TransferWish<'_>,
    ) -> Result<Answered<TransferObject>, CallFailure> {
        let form = vec![
            ("amount", to_stripe(wish.currency, wish.amount).to_string()),
            ("currency", wish.currency.code().to_ascii_lowercase()),
            ("destination", wish.account.to_owned()),
            ("transfer_group", group(wish.payout_id)),
            ("metadata[liventix_payout_id]", wish.payout_id.to_string()),
        ];
        self.call(Method::POST, "/v1/transfers", &form, Some(wish.idempotency_key)).await
    }

    /// Where a transfer stands. <https://docs.stripe.com/api/transfers/retrieve>
    pub(crate) async fn retrieve_transfer(&self, id: &str) -> Result<Answered<TransferObject>, CallFailure> {
        self.call(Method::GET, &format!("/v1/transfers/{}", segment(id)), &Vec::new(), None).await
    }

    /// The transfers of a payout. <https://docs.stripe.com/api/transfers/list>
    pub(crate) async fn transfers_of(
        &self,
        payout: PayoutId,
    ) -> Result<Answered<Vec<TransferObject>>, CallFailure> {
        let form = vec![("transfer_group", group(payout)), ("limit", "10".to_owned())];
        let found: Answered<Found<TransferObject>> =
            self.call(Method::GET, "/v1/transfers", &form, None).await?;
        found.read(|found| Ok(found.data))
    }
}

//! What organisers get. What wallets send and get stands in `liventix_core::wallet::wire`.

use serde::Serialize;
use utoipa::ToSchema;

/// A ticket's link. Whoever has it can claim the ticket.
#[derive(Clone, Serialize, ToSchema)]
pub struct LinkView {
    /// The address: opens the ticket in a browser, or in the app that claims it.
    pub url: String,
}

/// A phone that holds a ticket.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClaimView {
    /// What its owner calls it.
    pub phone_name: String,
    /// Since when (UTC milliseconds).
    pub claimed_at: i64,
}

/// The phones that hold a ticket.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClaimsView {
    /// The first to claim it first.
    pub claims: Vec<ClaimView>,
}

//! Who takes the money: Stripe, or nobody, for trying out.

use super::failure::CallFailure;
use super::stripe::{Answered, RefundObject, RefundWish, Stripe, TransferObject, TransferWish};
use super::types::{Payment, PaymentStatus, ProviderKind, Remote, RemoteStatus};
use crate::platform::ids::PayoutId;

/// A provider. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Provider {
    /// Stripe.
    Stripe(Stripe),
    /// Answers as a provider would, at once, and moves nothing. What it knows of a payment is what we know.
    Test,
}

impl Provider {
    pub(crate) const fn kind(&self) -> ProviderKind {
        match self {
            Self::Stripe(_) => ProviderKind::Stripe,
            Self::Test => ProviderKind::Test,
        }
    }

    /// Whether it moves real money.
    pub(crate) const fn is_live(&self) -> bool {
        match self {
            Self::Stripe(stripe) => stripe.is_live(),
            Self::Test => false,
        }
    }

    /// What a browser needs to reach it, beside a payment's own secret.
    pub(crate) fn publishable_key(&self) -> Option<&str> {
        match self {
            Self::Stripe(stripe) => Some(stripe.publishable_key()),
            Self::Test => None,
        }
    }

    pub(super) async fn create(&self, payment: &Payment) -> Result<Answered<Remote>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.create(payment).await,
            Self::Test => Ok(tested(payment, RemoteStatus::AwaitsBuyer)),
        }
    }

    pub(super) async fn retrieve(
        &self,
        payment: &Payment,
        provider_id: &str,
    ) -> Result<Answered<Remote>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.retrieve(provider_id).await,
            Self::Test => Ok(tested(
                payment,
                match payment.status {
                    PaymentStatus::Succeeded => RemoteStatus::Succeeded,
                    PaymentStatus::Processing => RemoteStatus::Processing,
                    PaymentStatus::Canceled => RemoteStatus::Canceled,
                    _ => RemoteStatus::AwaitsBuyer,
                },
            )),
        }
    }

    pub(super) async fn search(&self, payment: &Payment) -> Result<Answered<Vec<Remote>>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.search(payment).await,
            Self::Test => Ok(Answered::here(Vec::new())),
        }
    }

    pub(super) async fn cancel(
        &self,
        payment: &Payment,
        provider_id: &str,
        key: &str,
    ) -> Result<Answered<Remote>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.cancel(provider_id, key).await,
            Self::Test => Ok(tested(payment, RemoteStatus::Canceled)),
        }
    }

    pub(super) async fn refund(&self, wish: &RefundWish<'_>) -> Result<Answered<RefundObject>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.refund(wish).await,
            Self::Test => Ok(Answered::here(RefundObject::tested(wish))),
        }
    }

    pub(super) async fn refunds_of(&self, intent: &str) -> Result<Answered<Vec<RefundObject>>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.refunds_of(intent).await,
            Self::Test => Ok(Answered::here(Vec::new())),
        }
    }

    pub(super) async fn transfer(
        &self,
        wish: &TransferWish<'_>,
    ) -> Result<Answered<TransferObject>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.transfer(wish).await,
            Self::Test => Ok(Answered::here(TransferObject::tested(wish))),
        }
    }

    pub(super) async fn transfers_of(
        &self,
        payout: PayoutId,
    ) -> Result<Answered<Vec<TransferObject>>, CallFailure> {
        match self {
            Self::Stripe(stripe) => stripe.transfers_of(payout).await,
            Self::Test => Ok(Answered::here(Vec::new())),
        }
    }
}

/// The payment as the test provider has it.
pub(super) fn tested(payment: &Payment, status: RemoteStatus) -> Answered<Remote> {
    let received = if status == RemoteStatus::Succeeded { payment.amount } else { 0 };
    Answered::here(Remote {
        provider_id: format!("test_{}", payment.payment_id),
        status,
        currency: payment.currency,
        amount: payment.amount,
        received,
        is_live: false,
        decline: None,
        client_secret: None,
        payment_id: Some(payment.payment_id),
    })
}

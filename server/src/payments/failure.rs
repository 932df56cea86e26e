//! What Stripe's failures say of a payment, a refund or a payout.

pub(crate) use crate::platform::call::CallFailure;
pub use crate::platform::call::Outcome;

/// Whether the key stands for something else at the provider: that says nothing of what was asked for.
pub(crate) fn is_about_key(failure: &CallFailure) -> bool {
    failure.code.as_deref() == Some("idempotency_error")
}

/// Whether nothing was done, and asking again changes nothing.
pub(crate) fn is_final(failure: &CallFailure) -> bool {
    failure.outcome == Outcome::Refused && !is_about_key(failure)
}

/// Whether the provider refused because of where the payment stands: it has to be asked where that is.
pub(crate) fn is_about_state(failure: &CallFailure) -> bool {
    failure.code.as_deref() == Some("payment_intent_unexpected_state")
}

//! Finding out whether there is a payment, after nobody answered.

use super::ask::{self, Asked, Asker};
use super::close::{later, try_again};
use super::types::Payment;
use crate::app::AppState;
use crate::platform::ids::PaymentId;
use crate::platform::queue::Failure;

/// Asks again until it is known.
///
/// # Errors
/// While it is not.
pub(super) async fn find_out(app: &AppState, id: PaymentId) -> Result<Payment, Failure> {
    match ask::ask(app, id, Asker::Worker).await.map_err(later)? {
        Asked::Settled(payment) => Ok(payment),
        Asked::NotKnown(failure) => Err(try_again(&failure)),
    }
}

/// The job.
///
/// # Errors
/// While it is not known: then it is tried again.
pub(super) async fn reconcile(app: &AppState, id: PaymentId) -> Result<(), Failure> {
    find_out(app, id).await.map(drop)
}

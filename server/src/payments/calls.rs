//! The record of calls to providers: a row before each, completed after it.

use liventix_core::ids::OrganiserId;

use super::failure::{CallFailure, Outcome};
use super::stripe::Answered;
use super::types::{Payment, ProviderKind};
use crate::app::AppState;
use crate::params;
use crate::platform::breaker::{self, Permit};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{CallId, OrderId, PaymentId};
use crate::platform::queue::Failure;
use crate::platform::request_id;

/// A call takes 15 s at most: what is older was cut short.
const IN_FLIGHT_MS: i64 = 20_000;
/// Stripe keeps keys for a day at least. What is older may be done a second time.
const KEY_LIFE_MS: i64 = 23 * 3_600_000;

/// Whether what was asked for then may still be being answered.
pub(super) fn is_in_flight(asked_at: Option<i64>, now: i64) -> bool {
    asked_at.is_some_and(|at| (0..IN_FLIGHT_MS).contains(&(now - at)))
}

/// Whether the provider may have forgotten a key that it first saw then.
pub(super) const fn may_be_forgotten(first_seen: i64, now: i64) -> bool {
    now - first_seen > KEY_LIFE_MS
}

/// Whom a call goes to, and what it is about as far as that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    provider: ProviderKind,
    organiser_id: Option<OrganiserId>,
    order_id: Option<OrderId>,
    payment_id: Option<PaymentId>,
}

impl Subject {
    /// Of something of which only the provider is known.
    pub(super) const fn at(provider: ProviderKind) -> Self {
        Self { provider, organiser_id: None, order_id: None, payment_id: None }
    }

    /// Of something of an organiser's that is of no order.
    pub(super) const fn of(provider: ProviderKind, organiser_id: OrganiserId) -> Self {
        Self { organiser_id: Some(organiser_id), ..Self::at(provider) }
    }
}

impl From<&Payment> for Subject {
    fn from(payment: &Payment) -> Self {
        Self {
            provider: payment.provider,
            organiser_id: Some(payment.organiser_id),
            order_id: Some(payment.order_id),
            payment_id: Some(payment.payment_id),
        }
    }
}

/// A call that is on record and about to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) id: CallId,
    breaker: &'static str,
    had_failures: bool,
}

impl Call {
    /// Writes that the call is about to be made, unless the provider has failed too often of late.
    ///
    /// # Errors
    /// `provider_down`; when the database fails.
    pub(super) async fn begin(
        app: &AppState,
        subject: Subject,
        operation: &'static str,
    ) -> Result<Self, Failure> {
        let permit = breaker::ask(app.db(), subject.provider.code(), app.now()).await?;
        let Permit::Call { had_failures } = permit else {
            return Err(Failure::retry("provider_down", "The provider has failed too often of late."));
        };
        let app_in = app.clone();
        let call = app.db().write(move |tx| {
            Box::pin(async move { Self::before(tx, &app_in, subject, (operation, None), had_failures).await })
        });
        Ok(call.await?)
    }

    /// Writes that the call is about to be made. Commit before making it.
    pub(super) async fn before(
        tx: &mut Tx,
        app: &AppState,
        subject: Subject,
        (operation, key): (&'static str, Option<&str>),
        had_failures: bool,
    ) -> Result<Self, DbError> {
        let id = CallId::generate(app.now(), app.entropy().as_ref());
        let sql = "INSERT INTO provider_calls (call_id, provider, operation, organiser_id, order_id, payment_id, \
                   idempotency_key, request_id, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = params![
            id,
            subject.provider.code(),
            operation,
            subject.organiser_id,
            subject.order_id,
            subject.payment_id,
            key.map(str::to_owned),
            request_id::current(),
            app.now(),
        ];
        tx.execute(sql, values).await?;
        Ok(Self { id, breaker: subject.provider.code(), had_failures })
    }

    /// Writes how the call ended, and tells the breaker.
    pub(super) async fn after<T>(
        self,
        tx: &mut Tx,
        app: &AppState,
        result: &Result<Answered<T>, CallFailure>,
    ) -> Result<(), DbError> {
        let (outcome, status, provider_request_id, code, detail) = match result {
            Ok(done) => (Outcome::Done, Some(done.status), done.provider_request_id.clone(), None, None),
            Err(failure) => (
                failure.outcome,
                failure.status,
                failure.provider_request_id.clone(),
                failure.code.clone(),
                Some(failure.detail.clone()),
            ),
        };
        let sql = "UPDATE provider_calls SET ended_at = $2, outcome = $3, status = $4, provider_request_id = $5, \
                   code = $6, detail = $7 WHERE call_id = $1";
        let values = params![self.id, app.now(), outcome.code(), status, provider_request_id, code, detail];
        tx.execute(sql, values).await?;
        breaker::told(tx, self.breaker, (self.had_failures, !outcome.is_outage()), app.now()).await
    }
}

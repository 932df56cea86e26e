//! The record of calls to providers: a row before each, completed after it.

use super::failure::{CallFailure, Outcome};
use super::stripe::Answered;
use super::types::Payment;
use crate::app::AppState;
use crate::params;
use crate::platform::breaker;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::CallId;
use crate::platform::request_id;

/// A call that is on record and about to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) id: CallId,
    breaker: &'static str,
    had_failures: bool,
}

impl Call {
    /// Writes that the call is about to be made. Commit before making it.
    pub(super) async fn before(
        tx: &mut Tx,
        app: &AppState,
        payment: &Payment,
        (operation, key): (&'static str, Option<&str>),
        had_failures: bool,
    ) -> Result<Self, DbError> {
        let id = CallId::generate(app.now(), app.entropy().as_ref());
        let sql = "INSERT INTO provider_calls (call_id, provider, operation, organiser_id, order_id, payment_id, \
                   idempotency_key, request_id, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = params![
            id,
            payment.provider.code(),
            operation,
            payment.organiser_id,
            payment.order_id,
            payment.payment_id,
            key.map(str::to_owned),
            request_id::current(),
            app.now(),
        ];
        tx.execute(sql, values).await?;
        Ok(Self { id, breaker: payment.provider.code(), had_failures })
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

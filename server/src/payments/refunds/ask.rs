//! Asking the provider for a refund.

use super::types::{Refund, RefundStatus};
use super::{observe, store};
use crate::app::AppState;
use crate::orders;
use crate::payments::calls::{Subject, is_in_flight, may_be_forgotten};
use crate::payments::errand::{Answer, Errand, Plan, Told};
use crate::payments::failure::{CallFailure, Outcome, is_final};
use crate::payments::provider::Provider;
use crate::payments::store as payments;
use crate::payments::stripe::{Answered, RefundObject, RefundWish};
use crate::payments::types::Payment;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{CallId, RefundId};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;

/// Somebody asks again after this, if nobody has by then.
pub(super) const FIND_OUT_MS: i64 = 30_000;

/// A refund that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForRefund(pub(crate) RefundId);

/// A refund as it is asked for, of its payment.
pub(crate) struct Wish {
    refund: Refund,
    payment: Payment,
}

impl Wish {
    fn intent(&self) -> &str {
        self.payment.provider_id.as_deref().unwrap_or_default()
    }
}

async fn held(tx: &mut Tx, id: RefundId) -> ApiResult<(orders::Order, Refund, Payment)> {
    let missing = || ApiError::internal("a refund that is not there");
    let order = store::by_id(tx, id).await?.ok_or_else(missing)?.order_id;
    let order = orders::hold(tx, order).await?.ok_or_else(missing)?;
    let refund = store::by_id(tx, id).await?.ok_or_else(missing)?;
    let payment = payments::by_id(tx, refund.payment_id).await?.ok_or_else(missing)?;
    Ok((order, refund, payment))
}

impl Errand for ForRefund {
    type Wish = Wish;
    type Object = RefundObject;
    const CREATE: &'static str = "refund.create";
    const LOOK_UP: &'static str = "refund.list";

    async fn provider(self, app: &AppState) -> ApiResult<Result<Option<Provider>, Failure>> {
        let read = app.db().read(move |conn| {
            Box::pin(async move {
                let refund = store::by_id(conn, self.0).await?.filter(|refund| refund.status.is_uncertain());
                match refund {
                    Some(refund) => payments::by_id(conn, refund.payment_id).await,
                    None => Ok(None),
                }
            })
        });
        let payment: Result<_, DbError> = read.await;
        let needed = |payment| app.payments().needed_of(payment).cloned();
        Ok(payment?.as_ref().map(needed).transpose())
    }

    async fn plan(self, tx: &mut Tx, app: &AppState, by_look_up: bool) -> ApiResult<Plan<Wish>> {
        let ((_, mut refund, payment), now) = (held(tx, self.0).await?, app.now());
        if !refund.status.is_uncertain() {
            return Ok(Plan::Nothing);
        }
        if refund.status == RefundStatus::Asking && is_in_flight(refund.asked_at, now) {
            return Ok(Plan::Wait);
        }
        if by_look_up || may_be_forgotten(refund.created_at, now) {
            return Ok(Plan::LookUp(Wish { refund, payment }));
        }
        refund.status = RefundStatus::Asking;
        refund.asked_at = Some(now);
        store::update(tx, &refund).await?;
        let key = refund.idempotency_key.clone();
        Ok(Plan::Create(Wish { refund, payment }, key))
    }

    fn subject(wish: &Wish) -> Subject {
        (&wish.payment).into()
    }

    async fn create(provider: &Provider, wish: &Wish) -> Result<Answered<RefundObject>, CallFailure> {
        let refund = &wish.refund;
        let asked = RefundWish {
            refund_id: refund.refund_id,
            intent: wish.intent(),
            currency: refund.currency,
            amount: refund.amount,
            idempotency_key: &refund.idempotency_key,
        };
        provider.refund(&asked).await
    }

    async fn look_up(provider: &Provider, wish: &Wish) -> Result<Answered<Vec<RefundObject>>, CallFailure> {
        provider.refunds_of(wish.intent()).await
    }

    async fn created(
        self,
        tx: &mut Tx,
        app: &AppState,
        _: Wish,
        result: Result<RefundObject, CallFailure>,
    ) -> ApiResult<Told<Self>> {
        let (mut order, mut refund, payment) = held(tx, self.0).await?;
        let doors = Some(order.event_id);
        let answer = match result {
            Ok(remote) => {
                observe::observe(tx, app, (&mut order, &payment), &remote).await?;
                Answer::Known
            }
            Err(_) if !refund.status.is_uncertain() => Answer::Known,
            Err(failure) if is_final(&failure) => {
                observe::refused(tx, app, (&mut order, &mut refund), &failure).await?;
                Answer::Known
            }
            Err(failure) => {
                refund.status = RefundStatus::Unknown;
                store::update(tx, &refund).await?;
                Answer::NotKnown(failure)
            }
        };
        Ok(Told { answer, doors })
    }

    /// What is found is taken in. Where nothing is, the refund is asked for with another key.
    async fn looked_up(
        self,
        tx: &mut Tx,
        app: &AppState,
        wish: Wish,
        (found, call): (Vec<RefundObject>, CallId),
    ) -> ApiResult<Told<Self>> {
        let (mut order, mut refund, payment) = held(tx, self.0).await?;
        if let Some(found) = found.iter().find(|found| found.refund_id() == Some(self.0)) {
            observe::observe(tx, app, (&mut order, &payment), found).await?;
            return Ok(Told { answer: Answer::Known, doors: Some(order.event_id) });
        }
        let asked = |refund: &Refund| (refund.status, refund.asked_at, refund.idempotency_key.clone());
        if asked(&refund) != asked(&wish.refund) {
            // Somebody has asked since: the list may be older than what came of that.
            let wait = CallFailure::new(Outcome::InProgress, "It is being asked for.");
            return Ok(Told::quietly(Answer::NotKnown(wait)));
        }
        // Surely none: what is asked for now is the first.
        refund.idempotency_key = format!("refund:{}:{call}", order.order_id);
        refund.status = RefundStatus::Unknown;
        store::update(tx, &refund).await?;
        let again = CallFailure::new(Outcome::Busy, "There is none yet: it is asked for anew.");
        Ok(Told::quietly(Answer::NotKnown(again)))
    }
}

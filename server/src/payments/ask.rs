//! Asking the provider for a payment.
//!
//! A payment that was not answered for is `unknown`, never failed. Until its secret came in an answer, nobody can make
//! it: so nothing can be charged meanwhile.

use serde_json::json;

use super::calls::{Subject, is_in_flight, may_be_forgotten};
use super::errand::{Answer, Errand, Plan, Told};
use super::failure::{CallFailure, Outcome, is_about_key};
use super::provider::Provider;
use super::stripe::Answered;
use super::types::{Payment, PaymentStatus, Remote};
use super::{begin, jobs, settle, store};
use crate::app::AppState;
use crate::orders::{self, Ending, Order, OrderStatus, Step};
use crate::platform::db::Tx;
use crate::platform::ids::{CallId, OrderId, PaymentId};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;

/// Somebody asks again after this, if nobody has by then.
const RECONCILE_MS: i64 = 30_000;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A buyer, who waits.
    Buyer,
    /// A worker, who wants to know.
    Worker,
}

/// A payment that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForPayment(pub(super) PaymentId, pub(super) Asker);

/// A payment as it is asked for, and where it stood before.
pub(super) struct Wish {
    payment: Payment,
    was: PaymentStatus,
}

fn missing() -> ApiError {
    ApiError::internal("a payment that is not there")
}

async fn held(tx: &mut Tx, id: PaymentId) -> ApiResult<(Order, Payment)> {
    let order: OrderId = store::by_id(tx, id).await?.ok_or_else(missing)?.order_id;
    let order = orders::hold(tx, order).await?.ok_or_else(missing)?;
    // Read again: it may have changed while we waited.
    Ok((order, store::by_id(tx, id).await?.ok_or_else(missing)?))
}

impl Errand for ForPayment {
    type Wish = Wish;
    type Object = Remote;
    const CREATE: &'static str = "payment.create";
    const LOOK_UP: &'static str = "payment.search";

    async fn provider(self, app: &AppState) -> ApiResult<Result<Option<Provider>, Failure>> {
        let payment = app.db().read(move |conn| Box::pin(async move { store::by_id(conn, self.0).await }));
        let payment = payment.await?.ok_or_else(missing)?;
        Ok(app.payments().needed_of(&payment).cloned().map(Some))
    }

    async fn plan(self, tx: &mut Tx, app: &AppState, by_look_up: bool) -> ApiResult<Plan<Wish>> {
        let ((order, mut payment), now) = (held(tx, self.0).await?, app.now());
        let was = payment.status;
        let is_wanted = match was {
            PaymentStatus::Unasked => order.status == OrderStatus::AwaitingPayment && order.ending.is_none(),
            PaymentStatus::Asking | PaymentStatus::Unknown => true,
            _ => false,
        };
        if !is_wanted {
            return Ok(Plan::Nothing);
        }
        if was == PaymentStatus::Asking && is_in_flight(payment.asked_at, now) {
            return Ok(Plan::Wait);
        }
        // With a key that was forgotten it would be begun a second time: it is only looked for.
        let is_old = payment.asked_first_at.is_some_and(|first| may_be_forgotten(first, now));
        if is_old || by_look_up {
            return Ok(Plan::LookUp(Wish { payment, was }));
        }
        if was == PaymentStatus::Unasked && self.1 == Asker::Worker {
            // A buyer who comes back asks for it; nobody else needs it.
            return Ok(Plan::Nothing);
        }
        payment.status =
            if was == PaymentStatus::Unasked { PaymentStatus::Asking } else { PaymentStatus::Unknown };
        payment.asked_first_at = payment.asked_first_at.or(Some(now));
        payment.asked_at = Some(now);
        store::update(tx, &payment).await?;
        jobs::reconcile_at(tx, app, self.0, now + RECONCILE_MS).await?;
        if was == PaymentStatus::Unasked {
            let detail = json!({"provider": payment.provider.code()});
            orders::note(tx, order.order_id, now, Step::PaymentBegun, detail).await?;
        }
        let key = payment.idempotency_key.clone();
        Ok(Plan::Create(Wish { payment, was }, key))
    }

    fn subject(wish: &Wish) -> Subject {
        (&wish.payment).into()
    }

    async fn create(provider: &Provider, wish: &Wish) -> Result<Answered<Remote>, CallFailure> {
        provider.create(&wish.payment).await
    }

    async fn look_up(provider: &Provider, wish: &Wish) -> Result<Answered<Vec<Remote>>, CallFailure> {
        provider.search(&wish.payment).await
    }

    async fn created(
        self,
        tx: &mut Tx,
        app: &AppState,
        wish: Wish,
        result: Result<Remote, CallFailure>,
    ) -> ApiResult<Told<Self>> {
        let (mut order, mut payment) = held(tx, self.0).await?;
        match result {
            Ok(remote) => {
                settle::observe(tx, app, (&mut order, &mut payment), &remote).await?;
                Ok(Told { answer: Answer::Known, doors: order.at_doors() })
            }
            // Somebody else has heard of it meanwhile.
            Err(_) if !payment.status.is_uncertain() => Ok(Told::quietly(Answer::Known)),
            Err(failure) if failure.outcome == Outcome::Refused => {
                Ok(Told::quietly(refused(tx, app, (order, payment), failure).await?))
            }
            Err(failure) => {
                not_known(tx, app, (&order, payment), wish.was, &failure).await?;
                Ok(Told::quietly(Answer::NotKnown(failure)))
            }
        }
    }

    /// What is found is taken in. Where nothing is, the payment is given up, since nobody can make it, and a buyer who
    /// waits gets another one.
    async fn looked_up(
        self,
        tx: &mut Tx,
        app: &AppState,
        _: Wish,
        (found, _): (Vec<Remote>, CallId),
    ) -> ApiResult<Told<Self>> {
        let (mut order, mut payment) = held(tx, self.0).await?;
        if !payment.status.is_uncertain() {
            return Ok(Told::quietly(Answer::Known));
        }
        if found.is_empty() {
            let successor = begin::replace(tx, app, (&mut order, &mut payment)).await?;
            let wanted = successor.filter(|_| self.1 == Asker::Buyer);
            let answer = wanted.map_or(Answer::Known, |next| Answer::Instead(Self(next, self.1)));
            return Ok(Told::quietly(answer));
        }
        for remote in &found {
            settle::observe(tx, app, (&mut order, &mut payment), remote).await?;
        }
        Ok(Told { answer: Answer::Known, doors: order.at_doors() })
    }
}

async fn refused(
    tx: &mut Tx,
    app: &AppState,
    (mut order, mut payment): (Order, Payment),
    failure: CallFailure,
) -> ApiResult<Answer<ForPayment>> {
    // The key stands for something else at the provider: that says nothing of what was asked before.
    if is_about_key(&failure) {
        payment.status = PaymentStatus::Unknown;
        store::update(tx, &payment).await?;
        return Ok(Answer::NotKnown(CallFailure { is_replayed: true, ..failure }));
    }
    payment.status = PaymentStatus::Refused;
    payment.settled_at = Some(app.now());
    store::update(tx, &payment).await?;
    let detail = json!({"code": failure.code, "reason": failure.detail});
    orders::note(tx, order.order_id, app.now(), Step::PaymentRefused, detail).await?;
    orders::begin_ending(tx, &mut order, (Ending::Failed, Some("the provider refused")), app.now()).await?;
    orders::release(tx, &mut order, app.now()).await?;
    Ok(Answer::Known)
}

async fn not_known(
    tx: &mut Tx,
    app: &AppState,
    (order, mut payment): (&Order, Payment),
    was: PaymentStatus,
    failure: &CallFailure,
) -> ApiResult<()> {
    let is_new = was == PaymentStatus::Unasked;
    payment.status = if is_new && !failure.outcome.is_uncertain() {
        // Surely not begun: there is nothing to find out.
        payment.asked_first_at = None;
        PaymentStatus::Unasked
    } else {
        PaymentStatus::Unknown
    };
    store::update(tx, &payment).await?;
    if is_new && payment.status == PaymentStatus::Unknown {
        let detail = json!({"provider": payment.provider.code(), "why": failure.outcome.code()});
        orders::note(tx, order.order_id, app.now(), Step::PaymentUnknown, detail).await?;
    }
    Ok(())
}

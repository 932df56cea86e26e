//! Asking the provider for a payout.

use super::observe;
use super::store;
use super::types::{Payout, PayoutStatus};
use crate::app::AppState;
use crate::payments::calls::{Subject, is_in_flight, may_be_forgotten};
use crate::payments::errand::{Answer, Errand, Plan, Told};
use crate::payments::failure::{CallFailure, Outcome, is_final};
use crate::payments::provider::Provider;
use crate::payments::stripe::{Answered, TransferObject, TransferWish};
use crate::platform::db::Tx;
use crate::platform::ids::{CallId, PayoutId};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;

/// Somebody asks again after this, if nobody has by then.
pub(super) const FIND_OUT_MS: i64 = 30_000;

/// A payout that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForPayout(pub(crate) PayoutId);

async fn held(tx: &mut Tx, id: PayoutId) -> ApiResult<Payout> {
    store::hold(tx, id).await?.ok_or_else(|| ApiError::internal("a payout that is not there"))
}

impl Errand for ForPayout {
    type Wish = Payout;
    type Object = TransferObject;
    const CREATE: &'static str = "payout.create";
    const LOOK_UP: &'static str = "payout.list";

    async fn provider(self, app: &AppState) -> ApiResult<Result<Option<Provider>, Failure>> {
        let payout = app.db().read(move |conn| Box::pin(async move { store::by_id(conn, self.0).await }));
        let payout = payout.await?.filter(|payout| payout.status.is_uncertain());
        let needed = |payout: Payout| app.payments().needed(payout.provider, payout.is_live).cloned();
        Ok(payout.map(needed).transpose())
    }

    async fn plan(self, tx: &mut Tx, app: &AppState, by_look_up: bool) -> ApiResult<Plan<Payout>> {
        let (mut payout, now) = (held(tx, self.0).await?, app.now());
        if !payout.status.is_uncertain() {
            return Ok(Plan::Nothing);
        }
        if payout.status == PayoutStatus::Asking && is_in_flight(payout.asked_at, now) {
            return Ok(Plan::Wait);
        }
        if by_look_up || may_be_forgotten(payout.created_at, now) {
            return Ok(Plan::LookUp(payout));
        }
        payout.status = PayoutStatus::Asking;
        payout.asked_at = Some(now);
        store::update(tx, &payout).await?;
        let key = payout.idempotency_key.clone();
        Ok(Plan::Create(payout, key))
    }

    fn subject(wish: &Payout) -> Subject {
        Subject::of(wish.provider, wish.organiser_id)
    }

    async fn create(provider: &Provider, wish: &Payout) -> Result<Answered<TransferObject>, CallFailure> {
        provider.transfer(&wish_of(wish)).await
    }

    async fn look_up(
        provider: &Provider,
        wish: &Payout,
    ) -> Result<Answered<Vec<TransferObject>>, CallFailure> {
        provider.transfers_of(wish.payout_id).await
    }

    async fn created(
        self,
        tx: &mut Tx,
        app: &AppState,
        _: Payout,
        result: Result<TransferObject, CallFailure>,
    ) -> ApiResult<Told<Self>> {
        let mut payout = held(tx, self.0).await?;
        let answer = match result {
            Ok(remote) => {
                observe::observe(tx, app, self.0, &remote).await?;
                Answer::Known
            }
            Err(_) if !payout.status.is_uncertain() => Answer::Known,
            Err(failure) if is_final(&failure) => {
                observe::refused(tx, app, &mut payout, &failure).await?;
                Answer::Known
            }
            Err(failure) => {
                payout.status = PayoutStatus::Unknown;
                store::update(tx, &payout).await?;
                Answer::NotKnown(failure)
            }
        };
        Ok(Told::quietly(answer))
    }

    /// What is found is taken in. Where nothing is, the payout is asked for with another key.
    async fn looked_up(
        self,
        tx: &mut Tx,
        app: &AppState,
        wish: Payout,
        (found, call): (Vec<TransferObject>, CallId),
    ) -> ApiResult<Told<Self>> {
        let mut payout = held(tx, self.0).await?;
        if let Some(found) = found.iter().find(|found| found.payout_id() == Some(self.0)) {
            observe::observe(tx, app, self.0, found).await?;
            return Ok(Told::quietly(Answer::Known));
        }
        let asked = |payout: &Payout| (payout.status, payout.asked_at, payout.idempotency_key.clone());
        if asked(&payout) != asked(&wish) {
            // Somebody has asked since: the list may be older than what came of that.
            let wait = CallFailure::new(Outcome::InProgress, "It is being asked for.");
            return Ok(Told::quietly(Answer::NotKnown(wait)));
        }
        // Surely none: what is asked for now is the first.
        payout.idempotency_key = format!("payout:{}:{call}", payout.payout_id);
        payout.status = PayoutStatus::Unknown;
        store::update(tx, &payout).await?;
        let again = CallFailure::new(Outcome::Busy, "There is none yet: it is asked for anew.");
        Ok(Told::quietly(Answer::NotKnown(again)))
    }
}

fn wish_of(payout: &Payout) -> TransferWish<'_> {
    TransferWish {
        payout_id: payout.payout_id,
        account: &payout.account,
        currency: payout.currency,
        amount: payout.amount,
        idempotency_key: &payout.idempotency_key,
    }
}

//! What the provider says of a payout.

use liventix_core::ids::OrganiserId;
use serde_json::json;

use super::store;
use super::types::{Payout, PayoutStatus};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::payments::books;
use crate::payments::failure::CallFailure;
use crate::payments::stripe::TransferObject;
use crate::platform::authorize::By;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::PayoutId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::pricing::Money;

/// The payout that a transfer is of, if it is of one of ours.
pub(crate) async fn find(conn: &mut Conn, remote: &TransferObject) -> Result<Option<PayoutId>, DbError> {
    if let Some(payout) = store::by_provider(conn, &remote.id).await? {
        return Ok(Some(payout.payout_id));
    }
    match remote.payout_id() {
        Some(id) => Ok(store::by_id(conn, id).await?.map(|payout| payout.payout_id)),
        None => Ok(None),
    }
}

/// Takes in what the provider says of a payout. What is heard twice, or late, changes nothing.
///
/// # Errors
/// When the database fails, or the transfer makes no sense.
pub(crate) async fn observe(
    tx: &mut Tx,
    app: &AppState,
    id: PayoutId,
    remote: &TransferObject,
) -> ApiResult<()> {
    let missing = || ApiError::internal("a payout that is not there");
    let mut payout = store::hold(tx, id).await?.ok_or_else(missing)?;
    if payout.provider_id.as_ref().is_some_and(|known| *known != remote.id) {
        return Err(ApiError::internal("a payout that the provider made twice"));
    }
    let money = remote.money().filter(|(currency, amount, reversed)| {
        *currency == payout.currency && *amount == payout.amount && (0..=*amount).contains(reversed)
    });
    let (.., reversed) = money.ok_or_else(|| ApiError::internal("a payout of another amount"))?;
    payout.provider_id = Some(remote.id.clone());
    if payout.status.is_uncertain() || payout.status == PayoutStatus::Refused {
        if payout.status == PayoutStatus::Refused {
            // It was made after all: it is off the balance again, before it is paid.
            books::payout_begun(tx, app, &payout, "payout_again").await?;
        }
        payout.status = PayoutStatus::Paid;
        payout.failure = None;
        payout.settled_at = Some(app.now());
        books::payout_paid(tx, app, &payout).await?;
        record(tx, app, &payout, Deed::PayoutPaid).await?;
    }
    if reversed > payout.reversed {
        let back = reversed - payout.reversed;
        payout.reversed = reversed;
        if reversed == payout.amount {
            payout.status = PayoutStatus::Reversed;
        }
        books::payout_reversed(tx, app, &payout, back).await?;
        record(tx, app, &payout, Deed::PayoutReversed).await?;
    }
    Ok(store::update(tx, &payout).await?)
}

/// The provider refused: the money is the organiser's balance again.
pub(super) async fn refused(
    tx: &mut Tx,
    app: &AppState,
    payout: &mut Payout,
    failure: &CallFailure,
) -> ApiResult<()> {
    payout.status = PayoutStatus::Refused;
    payout.failure = Some(failure.detail.clone());
    payout.settled_at = Some(app.now());
    store::update(tx, payout).await?;
    books::payout_refused(tx, app, payout).await?;
    Ok(record(tx, app, payout, Deed::PayoutRefused).await?)
}

/// What became of it goes on record as the provider's doing.
async fn record(tx: &mut Tx, app: &AppState, payout: &Payout, deed: Deed) -> Result<(), DbError> {
    let by = By::provider(payout.provider.code());
    let organiser: OrganiserId = payout.organiser_id;
    let after = json!({
        "status": payout.status, "amount": payout.amount, "reversed": payout.reversed, "currency": payout.currency,
        "failure": payout.failure, "provider_id": payout.provider_id,
    });
    let entry =
        Entry::of(deed).to(Target::Payout, payout.payout_id.as_bytes()).named(name(payout)).after(after);
    audit::pen(app).write(tx, Some(organiser), &by, entry).await
}

/// How people know it.
pub(super) fn name(payout: &Payout) -> String {
    Money { amount: payout.amount, currency: payout.currency }.to_string()
}

//! Where organisers' money goes, and how long it is held: said by whoever runs the installation.

use liventix_core::ids::OrganiserId;

use super::types::{HoldFrom, PayoutTerms, TermsView};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::params;
use crate::platform::authorize::{By, organiser_not_found};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};

const MAX_HOLD_DAYS: u32 = 365;
/// Stripe's ids have 21 signs; so many are taken.
const MAX_ACCOUNT: usize = 64;

fn check(terms: &PayoutTerms) -> ApiResult<()> {
    let rest = terms.account.strip_prefix("acct_").unwrap_or_default();
    let is_id = !rest.is_empty() && rest.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
    if !is_id || terms.account.len() > MAX_ACCOUNT {
        return Err(ApiError::field("account", "must be the id of a connected account: acct_…"));
    }
    if terms.hold_days > MAX_HOLD_DAYS {
        return Err(ApiError::field("hold_days", "must be between 0 and 365"));
    }
    Ok(())
}

pub(super) fn not_set() -> ApiError {
    let detail = "Nobody has said yet where this organiser's money goes. Whoever runs the server says it, by PUT \
                  /v1/organisers/{organiser_id}/payout-terms.";
    ApiError::new(Code::PayoutsNotSetUp, detail)
}

/// The organiser's terms, if there are any.
pub(super) async fn read(conn: &mut Conn, organiser: OrganiserId) -> Result<Option<TermsView>, DbError> {
    let sql = "SELECT account, hold_days, hold_from, updated_at FROM payout_terms WHERE organiser_id = $1";
    let Some(row) = conn.first(sql, params![organiser]).await? else { return Ok(None) };
    let terms = PayoutTerms {
        account: row.get(0)?,
        hold_days: row.get(1)?,
        hold_from: row.coded(2, HoldFrom::from_code)?,
    };
    Ok(Some(TermsView { terms, updated_at: row.get(3)? }))
}

/// The organiser's terms.
///
/// # Errors
/// `payouts_not_set_up`.
pub(crate) async fn of(app: &AppState, organiser: OrganiserId) -> ApiResult<TermsView> {
    let terms = app.db().read(move |conn| Box::pin(async move { read(conn, organiser).await }));
    terms.await?.ok_or_else(not_set)
}

async fn record(
    tx: &mut Tx,
    app: &AppState,
    (organiser, by): (OrganiserId, &By),
    (before, after): (Option<&PayoutTerms>, Option<&PayoutTerms>),
) -> Result<(), DbError> {
    let entry = Entry::of(Deed::PayoutTermsSet).to(Target::Organiser, organiser.as_bytes());
    audit::pen(app).write(tx, Some(organiser), by, entry.before(before).after(after)).await
}

/// Says how an organiser is paid out from now on. Payouts that are on their way go where they went.
///
/// # Errors
/// `organiser_not_found`, `invalid_field`.
pub(crate) async fn put(
    app: &AppState,
    by: By,
    organiser: OrganiserId,
    terms: PayoutTerms,
) -> ApiResult<TermsView> {
    check(&terms)?;
    let app_in = app.clone();
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                let known = "SELECT 1 FROM organisers WHERE organiser_id = $1";
                tx.first(known, params![organiser]).await?.ok_or_else(organiser_not_found)?;
                let before = read(tx, organiser).await?.map(|view| view.terms);
                let now = app_in.now();
                let sql = "INSERT INTO payout_terms (organiser_id, account, hold_days, hold_from, updated_at) \
                           VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organiser_id) DO UPDATE SET \
                           account = excluded.account, hold_days = excluded.hold_days, \
                           hold_from = excluded.hold_from, updated_at = excluded.updated_at";
                let PayoutTerms { account, hold_days, hold_from } = &terms;
                tx.execute(sql, params![organiser, account, *hold_days, hold_from.code(), now]).await?;
                record(tx, &app_in, (organiser, &by), (before.as_ref(), Some(&terms))).await?;
                Ok(TermsView { terms, updated_at: now })
            })
        })
        .await
}

/// Ends an organiser's payouts, until there are terms again.
///
/// # Errors
/// `payouts_not_set_up`.
pub(crate) async fn end(app: &AppState, by: By, organiser: OrganiserId) -> ApiResult<()> {
    let app_in = app.clone();
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                let before = read(tx, organiser).await?.ok_or_else(not_set)?;
                tx.execute("DELETE FROM payout_terms WHERE organiser_id = $1", params![organiser]).await?;
                Ok(record(tx, &app_in, (organiser, &by), (Some(&before.terms), None)).await?)
            })
        })
        .await
}

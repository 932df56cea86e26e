//! Somebody sees what is theirs, and has it paid out.

use axum::http::StatusCode;
use serde_json::json;

use super::ask::{FIND_OUT_MS, ForPayout};
use super::balance::{self, BalanceView, OrganiserBalance};
use super::types::{Payout, PayoutRequest, PayoutStatus, PayoutTerms, PayoutView, TermsView};
use super::{observe, store, terms};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::payments::provider::Provider;
use crate::payments::{books, errand, jobs};
use crate::platform::authorize::{self, Who};
use crate::platform::db::{Conn, Tx};
use crate::platform::idempotency::Attempt;
use crate::platform::ids::PayoutId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::rate_limit;
use crate::pricing::{Currency, Money};

/// The step after which a repeated payout goes on.
const RESERVED: &str = "reserved";

/// What is an organiser's, by currency, and how it is paid out, if it is.
///
/// # Errors
/// When it is not theirs.
pub(crate) async fn balances(app: &AppState, who: Who) -> ApiResult<(Vec<BalanceView>, Option<TermsView>)> {
    let now = app.now();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                authorize::organiser(conn, &who).await?;
                let view = terms::read(conn, who.organiser_id).await?;
                let terms = view.as_ref().map(|view| &view.terms);
                Ok((balance::of(conn, who.organiser_id, terms, now).await?, view))
            })
        })
        .await
}

/// What is any organiser's: for whoever runs the installation.
///
/// # Errors
/// When the database fails.
pub(crate) async fn all_balances(app: &AppState) -> ApiResult<Vec<OrganiserBalance>> {
    Ok(app.db().read(move |conn| Box::pin(async move { balance::of_all(conn).await })).await?)
}

/// An organiser's payouts, newest first.
///
/// # Errors
/// When they are not theirs.
pub(crate) async fn list(app: &AppState, who: Who, page: PageQuery) -> ApiResult<Page<PayoutView>> {
    let (before, limit) = (page.before()?, page.limit()?);
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::organiser(conn, &who).await?;
                let payouts = store::list(conn, granted.organiser_id, before, limit + 1).await?;
                let rows = payouts.into_iter().map(PayoutView::from).collect();
                let key =
                    |payout: &PayoutView| Key { at: payout.created_at, id: *payout.payout_id.as_bytes() };
                Ok(Page::of(rows, limit, key))
            })
        })
        .await
}

/// Reserves what is to be paid out, and asks the provider.
///
/// # Errors
/// `payouts_not_set_up`, `payout_too_much`, `nothing_to_pay_out`, `payments_off`, `rate_limited`, `invalid_field`. What
/// the provider says is in the answer: also a payout that it refused, or of which it is not known yet.
pub(crate) async fn pay_out(
    app: &AppState,
    who: Who,
    request: PayoutRequest,
    attempt: Attempt,
) -> ApiResult<PayoutView> {
    let payout_id = match attempt.resumed::<PayoutId>(RESERVED)? {
        Some(payout_id) => payout_id,
        None => reserve(app, who.clone(), request, attempt.clone()).await?,
    };
    // Whether it is known now or later, the payout is there.
    if let Err(failure) = errand::find_out(app, ForPayout(payout_id)).await {
        tracing::info!(%failure, %payout_id, "the payout is found out later");
    }
    let db = app.db_of(who.organiser_id);
    db.write(move |tx| {
        Box::pin(async move {
            let missing = || ApiError::internal("a payout that is not there");
            let view = PayoutView::from(store::by_id(tx, payout_id).await?.ok_or_else(missing)?);
            attempt.finish_in(tx, StatusCode::CREATED, &view).await?;
            Ok(view)
        })
    })
    .await
}

async fn reserve(app: &AppState, who: Who, request: PayoutRequest, attempt: Attempt) -> ApiResult<PayoutId> {
    let provider = app.payments().provider().cloned().ok_or_else(|| {
        ApiError::new(Code::PaymentsOff, "Nobody takes payments here, so nobody can pay them out either.")
    })?;
    let (db, app_in, by, wish) = (app.db_of(who.organiser_id), app.clone(), who.clone(), request.clone());
    let checked = provider.clone();
    // What is refused anyway does not count.
    db.read(move |conn| Box::pin(async move { due(conn, &app_in, &by, &checked, &wish).await.map(drop) }))
        .await?;
    let key = rate_limit::Key::new("payout", who.organiser_id.as_bytes());
    app.limiter().require(key, app.config().limits.payout).await?;
    let app_in = app.clone();
    db.write(move |tx| {
        Box::pin(async move {
            tx.lock("payouts", who.organiser_id.as_bytes()).await?;
            let due = due(tx, &app_in, &who, &provider, &request).await?;
            let payout = new(&app_in, &who, &provider, due);
            begin(tx, &app_in, &who, &payout).await?;
            attempt.reach_in(tx, RESERVED, &payout.payout_id).await?;
            Ok(payout.payout_id)
        })
    })
    .await
}

/// How much is to go where.
struct Due {
    terms: PayoutTerms,
    currency: Currency,
    amount: i64,
}

/// What a wish comes to, as things stand.
async fn due(
    conn: &mut Conn,
    app: &AppState,
    who: &Who,
    provider: &Provider,
    request: &PayoutRequest,
) -> ApiResult<Due> {
    authorize::organiser(conn, who).await?;
    let terms = terms::read(conn, who.organiser_id).await?.ok_or_else(terms::not_set)?.terms;
    let balances = balance::of(conn, who.organiser_id, Some(&terms), app.now()).await?;
    let is_meant = |it: &&BalanceView| it.currency == request.currency && it.is_live == provider.is_live();
    let available = balances.iter().find(is_meant).map_or(0, |it| it.available);
    let step = request.currency.step();
    if let Some(wrong) = request.amount.filter(|amount| *amount <= 0 || amount % step != 0) {
        let detail = if wrong <= 0 {
            "must be more than nothing".to_owned()
        } else {
            format!("must be a multiple of {step}")
        };
        return Err(ApiError::field("amount", detail));
    }
    let amount = request.amount.unwrap_or(available - available % step);
    if amount == 0 {
        let detail = "Nothing can be paid out now. See what is held, and until when: GET /v1/balance.";
        return Err(ApiError::new(Code::NothingToPayOut, detail));
    }
    if amount > available {
        let money = |amount| Money { amount, currency: request.currency };
        let detail =
            format!("{} is more than the {} that can be paid out now.", money(amount), money(available));
        return Err(ApiError::new(Code::PayoutTooMuch, detail));
    }
    Ok(Due { terms, currency: request.currency, amount })
}

fn new(app: &AppState, who: &Who, provider: &Provider, due: Due) -> Payout {
    let payout_id = PayoutId::generate(app.now(), app.entropy().as_ref());
    Payout {
        payout_id,
        organiser_id: who.organiser_id,
        provider: provider.kind(),
        is_live: provider.is_live(),
        account: due.terms.account,
        amount: due.amount,
        reversed: 0,
        currency: due.currency,
        // Nobody has asked; but from here on somebody may.
        status: PayoutStatus::Unknown,
        provider_id: None,
        idempotency_key: format!("payout:{payout_id}:{payout_id}"),
        failure: None,
        asked_by: who.by.name.clone(),
        created_at: app.now(),
        asked_at: None,
        settled_at: None,
    }
}

async fn begin(tx: &mut Tx, app: &AppState, who: &Who, payout: &Payout) -> ApiResult<()> {
    store::insert(tx, payout).await?;
    let after = json!({"amount": payout.amount, "currency": payout.currency, "account": payout.account});
    let entry = Entry::of(Deed::PayoutBegun).to(Target::Payout, payout.payout_id.as_bytes());
    audit::record(tx, app, who, entry.named(observe::name(payout)).after(after)).await?;
    jobs::find_out_payout_at(tx, app, payout.payout_id, app.now() + FIND_OUT_MS).await?;
    Ok(books::payout_begun(tx, app, payout, "payout").await?)
}

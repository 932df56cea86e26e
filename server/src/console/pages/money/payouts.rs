//! What is an organiser's, and having it paid out.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::{Form, Wrong};
use super::super::super::layout::{self, Frame, Moment};
use super::super::super::visitor::Office;
use super::super::orders::Standing;
use super::HERE;
use crate::app::AppState;
use crate::payments::payouts::{desk, routes::PayOut};
use crate::payments::{BalanceView, HoldFrom, PayoutRequest, PayoutStatus, PayoutView, TermsView};
use crate::platform::authorize::{Action, may};
use crate::platform::body::{Json, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::CallId;
use crate::platform::page::PageQuery;
use crate::platform::problem::{ApiError, ApiResult};
use crate::pricing::{Currency, Money};

/// Payouts on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/payouts", get(show).post(pay_out))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    cursor: Option<String>,
    done: Option<String>,
}

#[derive(Debug, Serialize)]
struct Balance {
    currency: &'static str,
    is_live: bool,
    balance: String,
    is_negative: bool,
    held: String,
    next_release: Option<Moment>,
    available: String,
    can_be_paid_out: bool,
    on_its_way: String,
}

fn balance(view: &BalanceView) -> Balance {
    let money = |amount| Money { amount, currency: view.currency }.to_string();
    Balance {
        currency: view.currency.code(),
        is_live: view.is_live,
        balance: money(view.balance),
        is_negative: view.balance < 0,
        held: money(view.held),
        next_release: view.next_release_at.map(Moment::day_and_year),
        available: money(view.available),
        can_be_paid_out: view.available > 0,
        on_its_way: money(view.on_its_way),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct PayoutRow {
    amount: String,
    standing: Standing,
    account: String,
    provider_id: Option<String>,
    asked_by: String,
    failure: Option<String>,
    reversed: Option<String>,
    at: Moment,
}

pub(super) fn row(payout: PayoutView) -> PayoutRow {
    let money = |amount| Money { amount, currency: payout.currency }.to_string();
    let (words, class) = match payout.status {
        PayoutStatus::Asking | PayoutStatus::Unknown => ("Not known yet", "warn"),
        PayoutStatus::Paid if payout.reversed > 0 => ("Partly taken back", "warn"),
        PayoutStatus::Paid => ("Paid out", "good"),
        PayoutStatus::Refused => ("Refused", "bad"),
        PayoutStatus::Reversed => ("Taken back", "bad"),
    };
    PayoutRow {
        amount: money(payout.amount),
        standing: Standing { words, class },
        reversed: (payout.reversed > 0).then(|| money(payout.reversed)),
        at: Moment::new(payout.created_at),
        account: payout.account,
        provider_id: payout.provider_id,
        asked_by: payout.asked_by,
        failure: payout.failure,
    }
}

/// How long money is held, in words.
fn held(terms: &TermsView) -> String {
    let (days, from) = (terms.terms.hold_days, terms.terms.hold_from);
    let after = match from {
        HoldFrom::Payment => "buyers have paid",
        HoldFrom::EventEnd => "their event is over",
    };
    match days {
        0 => format!("Takings can be paid out as soon as {after}."),
        1 => format!("Takings can be paid out a day after {after}."),
        _ => format!("Takings can be paid out {days} days after {after}."),
    }
}

#[derive(Debug, Serialize)]
struct Content {
    office: String,
    balances: Vec<Balance>,
    /// Where it goes; none: nobody has said.
    account: Option<String>,
    held: Option<String>,
    payouts: Vec<PayoutRow>,
    next: Option<String>,
    /// Makes pressing the button twice one payout.
    key: String,
    typed: String,
    wrong: Wrong,
}

async fn content<A>(app: &AppState, office: &Office<A>, asked: &Asked, wrong: Wrong) -> ApiResult<Content> {
    let who = office.who.asking(Action::SeeMoney);
    let (balances, terms) = desk::balances(app, who.clone()).await?;
    let page = desk::list(app, who, PageQuery { cursor: asked.cursor.clone(), limit: Some(ROWS) }).await?;
    let key = CallId::generate(app.now(), app.entropy().as_ref());
    Ok(Content {
        office: office.place.path(app, ""),
        balances: balances.iter().map(balance).collect(),
        held: terms.as_ref().map(held),
        account: terms.map(|view| view.terms.account),
        payouts: page.items.into_iter().map(row).collect(),
        next: page.next_cursor,
        key: format!("{}:console:{key}", PayOut::NAME),
        typed: String::new(),
        wrong,
    })
}

async fn show(
    office: Office<may::SeeMoney>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(&app, &office, &asked, Wrong::default()).await?;
    let frame = Frame::at(&office, "Payouts", HERE).after(asked.done.as_deref());
    Ok(layout::render(&app, "payouts.html", &frame, &content)?)
}

async fn pay_out(
    office: Office<may::PayOut>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let error = match begin(&app, &office, &form).await {
        Ok(()) => return Ok(layout::done(&office.place.path(&app, "/payouts"), Flash::PayoutBegun)),
        Err(error) => error,
    };
    let (mut wrong, error) = Wrong::of(error)?;
    form.text("currency").clone_into(&mut wrong.form);
    let content = content(&app, &office, &Asked::default(), wrong).await?;
    let content = Content { typed: form.text("amount").to_owned(), ..content };
    let page = layout::render(&app, "payouts.html", &Frame::at(&office, "Payouts", HERE), &content)?;
    Ok(layout::refused(page, error))
}

async fn begin(app: &AppState, office: &Office<may::PayOut>, form: &Form) -> ApiResult<()> {
    let unknown = || ApiError::field("currency", "must be one of these");
    let currency = Currency::from_code(form.text("currency")).ok_or_else(unknown)?;
    let amount = form.amount("amount", currency)?;
    let body = json!({"currency": currency, "amount": amount});
    let call = Idempotent::<PayOut, Json<PayoutRequest>>::of_form(form.text("key"), "/v1/payouts", &body)?;
    let who = office.who.clone();
    let organiser = who.organiser_id;
    let done = call.run(app, organiser, async |Json(request), attempt| {
        Ok(axum::Json(desk::pay_out(app, who, request, attempt).await?))
    });
    ApiError::of_answer(done.await?).await.map(drop)
}

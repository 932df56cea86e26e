//! How payments do, what is whose, and on what terms an organiser sells and is paid out.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::OrganiserId;
use serde::Serialize;

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::{Form, Wrong};
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, count};
use super::super::Done;
use crate::app::AppState;
use crate::organisers;
use crate::payments::payouts::{desk, terms};
use crate::payments::{self, Health, HoldFrom, OrganiserBalance, PayoutTerms};
use crate::platform::body::{Path, Query};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::pricing::{Currency, Fee, Money};
use crate::sales::{self, FeeView};

/// Queues whose dead letters are money's.
const QUEUES: [&str; 2] = ["webhooks", "payments"];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/operator/money", get(show))
        .route("/console/operator/money/{organiser_id}", get(organiser))
        .route("/console/operator/money/{organiser_id}/terms", post(set_terms))
        .route("/console/operator/money/{organiser_id}/terms/end", post(end_terms))
        .route("/console/operator/money/{organiser_id}/fee", post(set_fee))
}

#[derive(Debug, Serialize)]
struct Tile {
    figure: String,
    words: &'static str,
    is_bad: bool,
}

fn tiles(health: Health) -> Vec<Tile> {
    let Health { begun, timeouts, failed, unknown, books_off } = health;
    let per_mille = if begun > 0 { (begun - failed) * 1_000 / begun } else { 1_000 };
    let rate = if begun > 0 { format!("{}.{} %", per_mille / 10, per_mille % 10) } else { "–".to_owned() };
    let tile = |figure, words, is_bad| Tile { figure, words, is_bad };
    vec![
        tile(count(begun), "payments begun in the last hour", false),
        tile(rate, "of them worked; refusals of banks are none of these", per_mille < 950),
        tile(count(timeouts), "timed out", timeouts * 100 > begun),
        tile(count(unknown), "not known for ten minutes", unknown > 0),
        tile(count(books_off), "minor units that the books are off by", books_off != 0),
    ]
}

#[derive(Debug, Serialize)]
struct Dead {
    queue: String,
    dead: String,
    has_dead: bool,
}

#[derive(Debug, Serialize)]
struct Balance {
    balance: String,
    is_negative: bool,
    on_its_way: Option<String>,
    is_live: bool,
}

fn balance(view: &OrganiserBalance) -> Balance {
    let money = |amount| Money { amount, currency: view.currency }.to_string();
    Balance {
        balance: money(view.balance),
        is_negative: view.balance < 0,
        on_its_way: (view.on_its_way > 0).then(|| money(view.on_its_way)),
        is_live: view.is_live,
    }
}

/// An organiser, and what is theirs.
#[derive(Debug, Serialize)]
struct Owed {
    organiser_id: String,
    name: String,
    balances: Vec<Balance>,
    /// Something is theirs, and nobody has said where it goes.
    waits: bool,
}

#[derive(Debug, Serialize)]
struct Content {
    tiles: Vec<Tile>,
    dead: Vec<Dead>,
    organisers: Vec<Owed>,
}

async fn show(operator: Operator, State(app): State<AppState>) -> Result<Response, Failure> {
    let stats = app.queue().stats().await?;
    let dead = QUEUES.map(|queue| {
        let dead = stats.iter().find(|it| it.queue == queue).map_or(0, |it| it.dead);
        Dead { queue: queue.to_owned(), dead: count(dead), has_dead: dead > 0 }
    });
    let balances = desk::all_balances(&app).await?;
    let owed = |(id, name): (OrganiserId, String)| {
        let theirs = balances.iter().filter(|it| it.organiser_id == id);
        let waits = theirs.clone().any(|it| it.balance > 0 && !it.has_terms);
        Owed { organiser_id: id.to_string(), name, balances: theirs.map(balance).collect(), waits }
    };
    let content = Content {
        tiles: tiles(payments::health(&app).await?),
        dead: dead.into(),
        organisers: organisers::names(app.db()).await?.into_iter().map(owed).collect(),
    };
    let frame = Frame::of_operator(&operator, "Money", "money");
    Ok(layout::render(&app, "operator_money.html", &frame, &content)?)
}

#[derive(Debug, Default, Serialize)]
struct Terms {
    is_set: bool,
    account: String,
    hold_days: String,
    from_payment: bool,
}

#[derive(Debug, Serialize)]
struct FeeRow {
    currency: &'static str,
    fixed: String,
    percent: String,
    cap: Option<String>,
}

fn fee_row(view: &FeeView) -> FeeRow {
    let money = |amount| Money { amount, currency: view.currency }.to_string();
    FeeRow {
        currency: view.currency.code(),
        fixed: money(view.fee.fixed),
        percent: format!("{}.{:02} %", view.fee.percent_bp / 100, view.fee.percent_bp % 100),
        cap: view.fee.cap.map(money),
    }
}

#[derive(Debug, Serialize)]
struct OfOrganiser {
    home: String,
    name: String,
    terms: Terms,
    fees: Vec<FeeRow>,
    wrong: Wrong,
}

async fn of_organiser(app: &AppState, id: OrganiserId, wrong: Wrong) -> ApiResult<OfOrganiser> {
    let unknown = || ApiError::new(Code::OrganiserNotFound, "There is no organiser with this id.");
    let name = organisers::name(app.db(), id).await?.ok_or_else(unknown)?;
    let terms = match terms::of(app, id).await {
        Ok(view) => Terms {
            is_set: true,
            account: view.terms.account,
            hold_days: view.terms.hold_days.to_string(),
            from_payment: view.terms.hold_from == HoldFrom::Payment,
        },
        Err(error) if error.code() == Code::PayoutsNotSetUp => {
            Terms { hold_days: "3".to_owned(), ..Terms::default() }
        }
        Err(error) => return Err(error),
    };
    let fees = sales::fees(app, id).await?.iter().map(fee_row).collect();
    Ok(OfOrganiser { home: Operator::path(app, &format!("/money/{id}")), name, terms, fees, wrong })
}

fn page(
    app: &AppState,
    operator: &Operator,
    content: &OfOrganiser,
    done: Option<&str>,
) -> ApiResult<Response> {
    let frame = Frame::of_operator(operator, &content.name, "money").after(done);
    layout::render(app, "operator_organiser.html", &frame, content)
}

async fn organiser(
    operator: Operator,
    State(app): State<AppState>,
    Path(id): Path<OrganiserId>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = of_organiser(&app, id, Wrong::default()).await?;
    Ok(page(&app, &operator, &content, done.done.as_deref())?)
}

async fn answer(
    app: &AppState,
    operator: &Operator,
    id: OrganiserId,
    form: &Form,
    (done, flash, which): (ApiResult<()>, Flash, &str),
) -> Result<Response, Failure> {
    let error = match done {
        Ok(()) => return Ok(layout::done(&Operator::path(app, &format!("/money/{id}")), flash)),
        Err(error) => error,
    };
    let (mut wrong, error) = Wrong::of(error)?;
    which.clone_into(&mut wrong.form);
    let mut content = of_organiser(app, id, wrong).await?;
    if which == "terms" {
        let is_set = content.terms.is_set;
        let text = |name: &str| form.text(name).to_owned();
        let from_payment = form.text("hold_from") == HoldFrom::Payment.code();
        content.terms =
            Terms { is_set, account: text("account"), hold_days: text("hold_days"), from_payment };
    }
    Ok(layout::refused(page(app, operator, &content, None)?, error))
}

fn read_terms(form: &Form) -> ApiResult<PayoutTerms> {
    let choose = || ApiError::field("hold_from", "choose from these");
    Ok(PayoutTerms {
        account: form.text("account").trim().to_owned(),
        hold_days: form.number("hold_days")?.unwrap_or_default(),
        hold_from: HoldFrom::from_code(form.text("hold_from")).ok_or_else(choose)?,
    })
}

async fn set_terms(
    operator: Operator,
    State(app): State<AppState>,
    Path(id): Path<OrganiserId>,
    form: Form,
) -> Result<Response, Failure> {
    let done = match read_terms(&form) {
        Ok(wanted) => terms::put(&app, operator.by(), id, wanted).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&app, &operator, id, &form, (done, Flash::TermsSet, "terms")).await
}

async fn end_terms(
    operator: Operator,
    State(app): State<AppState>,
    Path(id): Path<OrganiserId>,
    form: Form,
) -> Result<Response, Failure> {
    let done = terms::end(&app, operator.by(), id).await;
    answer(&app, &operator, id, &form, (done, Flash::TermsEnded, "end")).await
}

fn read_fee(form: &Form) -> ApiResult<(Currency, Fee)> {
    let currency = form.text("currency").trim().to_ascii_uppercase();
    let currency = Currency::from_code(&currency)
        .ok_or_else(|| ApiError::field("currency", "must be the code of a currency, such as EUR"))?;
    let fee = Fee {
        fixed: form.amount("fixed", currency)?.unwrap_or_default(),
        percent_bp: form.rate("percent_bp")?.unwrap_or_default(),
        cap: form.amount("cap", currency)?,
    };
    Ok((currency, fee))
}

async fn set_fee(
    operator: Operator,
    State(app): State<AppState>,
    Path(id): Path<OrganiserId>,
    form: Form,
) -> Result<Response, Failure> {
    let done = match read_fee(&form) {
        Ok((currency, fee)) => sales::put_fee(&app, operator.by(), id, currency, fee).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&app, &operator, id, &form, (done, Flash::FeeSet, "fee")).await
}

//! An organiser's figures: over all of their events, or of one. Each part is asked for by itself, so that one that cannot be
//! shown takes nothing else with it.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use liventix_core::ids::EventId;
use serde::{Deserialize, Serialize};

use super::super::assets::FIGURES_PATH;
use super::super::chart::{self, Bar};
use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::Form;
use super::super::layout::{self, Frame, Moment, count};
use super::super::visitor::Office;
use crate::analytics::questions::{
    About, AdMoney, Answer, AskCreatives, AskDoors, AskEntries, AskFunnel, AskOverview, AskSales,
    AskTicketTypes, CreativeFigures, Creatives, Doors, Entries, EntriesSlot, Funnel, FunnelStep, GateFigures,
    Overview, Sales, SalesSlot, Stage, TicketTypeFigures, TicketTypes, ask,
};
use crate::analytics::{self, Metric, Report, Step, Window};
use crate::app::AppState;
use crate::events;
use crate::platform::authorize::{Action, may};
use crate::platform::body::Query;
use crate::platform::page::{Key, MAX_ROWS, PageQuery};
use crate::platform::problem::{ApiError, ApiResult};
use crate::pricing::Money;

const MINUTE_MS: i64 = 60_000;
/// Figures older than this are fetched anew when somebody comes back to the page.
const OLD_MS: i64 = 10 * MINUTE_MS;
/// Up to so many days are shown by the hour.
const BY_HOUR: usize = 3;

pub(super) fn routes() -> Router<AppState> {
    let at = |rest: &str| format!("/console/organisers/{{organiser_id}}/analytics{rest}");
    Router::new()
        .route(&at(""), get(show))
        .route(&at("/figures"), get(figures))
        .route(&at("/export"), get(export))
        .route(&at("/refresh"), post(refresh))
}

/// What is asked for. An empty field is none.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    event: String,
    report: Option<Report>,
    done: Option<String>,
}

impl Asked {
    fn about(&self) -> ApiResult<About> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let event = some(&self.event).map(|id| id.parse::<EventId>());
        let event_id = event.transpose().map_err(|_| ApiError::field("event", "is none of yours"))?;
        Ok(About { from: some(&self.from), to: some(&self.to), event_id })
    }

    /// The same again, in an address.
    fn query(&self) -> String {
        let plain = |text: &str| -> String {
            text.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').take(40).collect()
        };
        format!("?from={}&to={}&event={}", plain(&self.from), plain(&self.to), plain(&self.event))
    }
}

#[derive(Debug, Serialize)]
struct Event {
    id: String,
    name: String,
}

#[derive(Debug, Serialize)]
struct Tile {
    figure: String,
    words: String,
    is_wide: bool,
}

/// A chart, what it comes to in words, and what is in it as a table.
#[derive(Debug, Serialize)]
struct Chart {
    title: &'static str,
    svg: String,
    summary: String,
    rows: Vec<Vec<String>>,
    is_empty: bool,
}

/// Everything below the form. A part that is none cannot be shown now.
#[derive(Debug, Default, Serialize)]
struct Figures {
    /// How old the figures are, in milliseconds.
    age: i64,
    is_old: bool,
    age_words: String,
    counted: Option<Moment>,
    zone: String,
    degraded: Option<Moment>,
    tiles: Option<Vec<Tile>>,
    sales: Option<Chart>,
    entries: Option<Chart>,
    funnel: Option<Vec<Vec<String>>>,
    creatives: Option<Vec<Vec<String>>>,
    /// Whether there are more creatives than the page has.
    has_more: bool,
    gates: Option<Vec<Vec<String>>>,
    types: Option<Vec<Vec<String>>>,
    export: String,
    #[serde(skip)]
    days: Option<(String, String)>,
}

#[derive(Debug, Serialize)]
struct Content {
    here: String,
    source: String,
    script: &'static str,
    from: String,
    to: String,
    event: String,
    events: Vec<Event>,
    wrong: Option<String>,
    #[serde(flatten)]
    figures: Figures,
}

/// A figure that may not be there.
fn percent(metric: Metric) -> String {
    match metric.value {
        Some(value) => format!("{:.1} %", value * 100.0),
        None => "N/A".to_owned(),
    }
}

/// With why there is none, if there is none.
fn because(words: &str, metric: Metric) -> String {
    metric.why_none.map_or_else(|| words.to_owned(), |why| format!("{words}: {}", why.words()))
}

fn tiles(it: &Overview) -> Vec<Tile> {
    let tile = |figure: String, words: &str| Tile { figure, words: words.to_owned(), is_wide: false };
    let metric = |metric: Metric, words: &str| tile(percent(metric), &because(words, metric));
    let mut tiles: Vec<Tile> = it
        .money
        .iter()
        .map(|money| {
            let sum = |amount| Money { amount, currency: money.currency };
            let words = format!(
                "yours, of {} taken, less {} given back, {} fees and {} disputed",
                sum(money.gross),
                sum(money.refunds),
                sum(money.fees),
                sum(money.disputes)
            );
            Tile { figure: sum(money.net).to_string(), words, is_wide: true }
        })
        .collect();
    let (sales, doors) = (it.sales, it.doors);
    tiles.extend([
        tile(count(sales.tickets_sold), "tickets sold"),
        tile(count(sales.orders_paid), "orders paid"),
        metric(sales.conversion, "of orders begun were paid"),
        tile(count(sales.tickets_refunded), "tickets given back"),
        tile(count(doors.people_in), "people came in"),
        metric(doors.refused, "of scans were refused"),
    ]);
    if let Some(no_shows) = it.no_shows {
        let words = format!("of {} tickets nobody came with", count(no_shows.expected));
        tiles.push(metric(no_shows.rate, &words));
    }
    tiles.extend([
        tile(count(it.emails.sent), "mails sent"),
        metric(it.emails.delivery, "of mails are known to have arrived"),
        tile(count(it.pushes.sent), "push messages sent"),
        metric(it.pushes.opening, "of push messages were opened"),
    ]);
    tiles
}

/// When a part begins: the day, or the hour of a day. A machine reads neither.
fn label(at: i64, zone: &str, step: Step) -> String {
    match step {
        Step::Day => Moment::local_day(at, zone),
        Step::Hour | Step::Quarter => Moment::local_hour(at, zone),
    }
}

fn sales_chart(it: &Sales, zone: &str, step: Step) -> ApiResult<Chart> {
    let bars: Vec<Bar> = it
        .slots
        .iter()
        .map(|slot| Bar { label: label(slot.starts_at, zone, step), value: slot.tickets_sold })
        .collect();
    let row = |slot: &SalesSlot| {
        let taken: Vec<String> = slot
            .money
            .iter()
            .map(|money| Money { amount: money.gross, currency: money.currency }.to_string())
            .collect();
        let taken = if taken.is_empty() { "–".to_owned() } else { taken.join(", ") };
        vec![label(slot.starts_at, zone, step), count(slot.orders_paid), count(slot.tickets_sold), taken]
    };
    let total: i64 = bars.iter().map(|bar| bar.value).sum();
    Ok(Chart {
        title: "Tickets sold",
        summary: summary(&bars, total, "tickets were sold", "No ticket was sold on these days."),
        is_empty: it
            .slots
            .iter()
            .all(|slot| slot.tickets_sold == 0 && slot.money.iter().all(|it| it.gross == 0)),
        svg: chart::bars(&bars)?,
        rows: it.slots.iter().map(row).collect(),
    })
}

fn entries_chart(it: &Entries, zone: &str, step: Step) -> ApiResult<Chart> {
    let bars: Vec<Bar> = it
        .slots
        .iter()
        .map(|slot| Bar { label: label(slot.starts_at, zone, step), value: slot.people_in })
        .collect();
    let row = |slot: &EntriesSlot| {
        let counts = [slot.people_in, slot.people_out, slot.scans, slot.refusals].map(count);
        [vec![label(slot.starts_at, zone, step)], counts.to_vec()].concat()
    };
    let total: i64 = bars.iter().map(|bar| bar.value).sum();
    Ok(Chart {
        title: "People at the doors",
        summary: summary(&bars, total, "people came in", "Nobody came in on these days."),
        is_empty: it.slots.iter().all(|slot| slot.scans == 0),
        svg: chart::bars(&bars)?,
        rows: it.slots.iter().map(row).collect(),
    })
}

/// What a chart comes to, for those who do not see it.
fn summary(bars: &[Bar], total: i64, what: &str, nothing: &str) -> String {
    let most = bars.iter().max_by_key(|bar| bar.value).filter(|bar| bar.value > 0);
    most.map_or_else(
        || nothing.to_owned(),
        |most| format!("{} {what}, most of them {}: {}.", count(total), most.label, count(most.value)),
    )
}

fn funnel(it: Funnel) -> Vec<Vec<String>> {
    let words = |stage: Stage| match stage {
        Stage::Impressions => "Saw advertising",
        Stage::Clicks => "Followed it",
        Stage::OrdersPlaced => "Began to order",
        Stage::OrdersPaid => "Paid",
        Stage::Tickets => "Tickets",
        Stage::Admissions => "Tickets used at the doors",
    };
    let row = |step: FunnelStep| {
        vec![
            words(step.stage).to_owned(),
            count(step.count),
            step.of_previous.map_or("–".to_owned(), percent),
        ]
    };
    it.steps.into_iter().map(row).collect()
}

fn creatives(it: Creatives) -> Vec<Vec<String>> {
    let row = |creative: CreativeFigures| {
        let it = creative.figures;
        let per = |metric: Metric| metric.value.map_or("N/A".to_owned(), |value| format!("{value:.2}"));
        let all = |figure: &dyn Fn(&AdMoney) -> String| {
            let figures: Vec<String> = it.money.iter().map(figure).collect();
            if figures.is_empty() { "–".to_owned() } else { figures.join(", ") }
        };
        let money = |amount, of: &AdMoney| Money { amount, currency: of.currency }.to_string();
        // Whole minor units: nobody pays less.
        #[allow(clippy::cast_possible_truncation, reason = "an average of amounts is one")]
        let cost = |of: &AdMoney| {
            of.cost_per_order.value.map_or("N/A".to_owned(), |it| money(it.round() as i64, of))
        };
        vec![
            format!("{} ({})", creative.name, creative.campaign),
            count(it.impressions),
            count(it.clicks),
            percent(it.ctr),
            count(it.orders),
            percent(it.conversion),
            all(&|of| money(of.spend, of)),
            all(&cost),
            all(&|of| money(of.revenue, of)),
            all(&|of| per(of.return_on_spend)),
        ]
    };
    it.creatives.into_iter().map(row).collect()
}

fn gates(it: Doors, zone: &str) -> Vec<Vec<String>> {
    let row = |gate: GateFigures| {
        let busiest = gate.busiest.map_or_else(
            || "–".to_owned(),
            |it| format!("{}: {}", Moment::local_hour(it.starts_at, zone), count(it.people)),
        );
        vec![gate.name, count(gate.people_in), count(gate.people_out), percent(gate.refused), busiest]
    };
    it.gates.into_iter().map(row).collect()
}

fn types(it: TicketTypes) -> Vec<Vec<String>> {
    let row = |kind: TicketTypeFigures| {
        let taken: Vec<String> = kind.gross.iter().map(ToString::to_string).collect();
        let taken = if taken.is_empty() { "–".to_owned() } else { taken.join(", ") };
        vec![kind.name, count(kind.tickets_sold), count(kind.tickets_refunded), count(kind.arrivals), taken]
    };
    it.ticket_types.into_iter().map(row).collect()
}

/// A part; none if it cannot be shown now. What the visitor asked wrongly is no failure of the part's.
fn part<T>(answer: ApiResult<Answer<T>>, figures: &mut Figures, now: i64) -> ApiResult<Option<T>> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.is_the_callers() => return Err(error),
        // It is on record, and in the log.
        Err(_) => return Ok(None),
    };
    if answer.degraded {
        figures.degraded.get_or_insert_with(|| Moment::local(answer.answered_at, &answer.time_zone));
    }
    if let Some(at) =
        answer.freshness.complete_at.filter(|at| figures.counted.is_none() || now - at > figures.age)
    {
        figures.age = (now - at).max(0);
        figures.counted = Some(Moment::local(at, &answer.time_zone));
    }
    figures.zone.clone_from(&answer.time_zone);
    figures.days.get_or_insert((answer.from, answer.to));
    Ok(Some(answer.figures))
}

fn age_words(age: i64) -> String {
    match age / MINUTE_MS {
        0 => "a moment ago".to_owned(),
        1 => "a minute ago".to_owned(),
        minutes @ 2..120 => format!("{minutes} minutes ago"),
        minutes => format!("{} hours ago", minutes / 60),
    }
}

async fn read(app: &AppState, office: &Office<may::SeeFigures>, asked: &Asked) -> ApiResult<Figures> {
    let (about, who, now) = (asked.about()?, &office.who, app.now());
    let overview = ask(app, who.clone(), about.clone(), AskOverview).await;
    let mut figures = Figures::default();
    figures.tiles = part(overview, &mut figures, now)?.as_ref().map(tiles);
    let days = figures.days.as_ref().map_or(usize::MAX, |(from, to)| days_between(from, to));
    let (step, window) = (if days <= BY_HOUR { Step::Hour } else { Step::Day }, Window::whole());
    let all = AskCreatives { after: Key::FIRST, limit: MAX_ROWS };
    let (sales, entries, doors, kinds, stages, ads) = tokio::join!(
        ask(app, who.clone(), about.clone(), AskSales { step, window }),
        ask(app, who.clone(), about.clone(), AskEntries { step, window }),
        ask(app, who.clone(), about.clone(), AskDoors),
        ask(app, who.clone(), about.clone(), AskTicketTypes),
        ask(app, who.clone(), about.clone(), AskFunnel),
        ask(app, who.clone(), about, all),
    );
    let (sales, entries) = (part(sales, &mut figures, now)?, part(entries, &mut figures, now)?);
    let (doors, kinds) = (part(doors, &mut figures, now)?, part(kinds, &mut figures, now)?);
    let (stages, ads) = (part(stages, &mut figures, now)?, part(ads, &mut figures, now)?);
    let zone = figures.zone.clone();
    figures.has_more = ads.as_ref().is_some_and(|it| it.next_cursor.is_some());
    figures.funnel = stages.map(funnel);
    figures.creatives = ads.map(creatives);
    figures.sales = sales.map(|it| sales_chart(&it, &zone, step)).transpose()?;
    figures.entries = entries.map(|it| entries_chart(&it, &zone, step)).transpose()?;
    figures.gates = doors.map(|it| gates(it, &zone));
    figures.types = kinds.map(types);
    figures.is_old = figures.age > OLD_MS;
    figures.age_words = age_words(figures.age);
    figures.export = format!("{}/export{}&", office.place.path(app, "/analytics"), asked.query());
    if figures.is_old || figures.counted.is_none() {
        // Whoever looks next finds newer ones.
        analytics::refresh_soon(app).await.ok();
    }
    Ok(figures)
}

fn days_between(from: &str, to: &str) -> usize {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().ok();
    let days = day(from).zip(day(to)).map(|(from, to)| (to - from).num_days() + 1);
    days.and_then(|days| usize::try_from(days).ok()).unwrap_or(usize::MAX)
}

async fn events(app: &AppState, office: &Office<may::SeeFigures>) -> ApiResult<Vec<Event>> {
    let all = PageQuery { cursor: None, limit: Some(MAX_ROWS) };
    let found = events::service::list(app, office.who.asking(Action::SeeEvents), &all).await?;
    Ok(found.items.into_iter().map(|it| Event { id: it.event_id.to_string(), name: it.name }).collect())
}

async fn show(
    office: Office<may::SeeFigures>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let (figures, wrong) = match read(&app, &office, &asked).await {
        Ok(figures) => (figures, None),
        Err(error) if error.code().status() == StatusCode::UNPROCESSABLE_ENTITY => {
            (Figures::default(), Some(error))
        }
        Err(error) => return Err(error.into()),
    };
    let here = office.place.path(&app, "/analytics");
    let (from, to) = figures.days.clone().unwrap_or((asked.from.clone(), asked.to.clone()));
    let content = Content {
        source: format!("{here}/figures{}", asked.query()),
        here,
        script: FIGURES_PATH.as_str(),
        from,
        to,
        event: asked.event.clone(),
        events: events(&app, &office).await?,
        wrong: wrong.as_ref().map(words),
        figures,
    };
    let frame = Frame::at(&office, "Figures", "figures").after(asked.done.as_deref());
    let page = layout::render(&app, "analytics.html", &frame, &content)?;
    Ok(match wrong {
        Some(error) => layout::refused(page, error),
        None => page,
    })
}

/// What is wrong with the days, as people say it.
fn words(error: &ApiError) -> String {
    let said = error.issues().first().map(|issue| (issue.field.clone(), issue.message.clone()));
    match said {
        Some((field, message)) => {
            let what = match field.as_deref().unwrap_or_default() {
                "from" => "The first day",
                "to" => "The last day",
                _ => "The event",
            };
            format!("{what} {message}.")
        }
        None => error.detail().to_owned(),
    }
}

/// What stands below the form, for whoever has the page open.
async fn figures(
    office: Office<may::SeeFigures>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let figures = read(&app, &office, &asked).await?;
    let text = layout::fragment(&app, "figures.html", &figures)?;
    Ok(layout::as_html(text.into_response()))
}

async fn refresh(
    office: Office<may::SeeFigures>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let of = |name: &str| form.text(name).to_owned();
    let asked = Asked { from: of("from"), to: of("to"), event: of("event"), ..Asked::default() };
    let flash = match analytics::refresh_now(&app, office.who.clone()).await {
        Ok((_, true)) => Flash::FiguresCounted,
        Ok((_, false)) => Flash::FiguresUnderWay,
        Err(error) if error.code().status() == StatusCode::TOO_MANY_REQUESTS => Flash::FiguresTooOften,
        Err(error) => return Err(error.into()),
    };
    let location =
        format!("{}{}&done={}", office.place.path(&app, "/analytics"), asked.query(), flash.code());
    Ok(layout::see_other(&location))
}

async fn export(
    office: Office<may::SeeFigures>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let report = asked.report.ok_or_else(|| ApiError::field("report", "must say which figures"))?;
    let (name, text) = analytics::file(&app, office.who.clone(), asked.about()?, (report, Step::Day)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, text).into_response())
}

//! How well the objectives are met.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::super::super::failure::Failure;
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, Moment, count};
use crate::app::AppState;
use crate::platform::objectives::{self, Day, Latency, Objective, Success};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/operator/objectives", get(show))
}

/// One thing measured against its target.
#[derive(Debug, Serialize)]
struct Line {
    /// What is measured.
    what: &'static str,
    /// What is wanted, in one sentence.
    wish: String,
    target: String,
    /// What is so; none without events.
    found: Option<String>,
    is_met: Option<bool>,
}

/// What is left of the error budget.
#[derive(Debug, Serialize)]
struct Budget {
    /// In percent, as people read it; below 0: overspent.
    left: String,
    /// For the bar: 0 to 100.
    bar: u8,
    failed: String,
    allowed: String,
    /// How fast it is used up right now.
    burn: String,
}

/// One day in the row of days.
#[derive(Debug, Serialize)]
struct Tile {
    day: Moment,
    /// `good`, `warn` (failures within what is allowed), `bad`, or `none` without events.
    state: &'static str,
    words: String,
}

#[derive(Debug, Serialize)]
struct Indicator {
    code: &'static str,
    name: &'static str,
    meaning: &'static str,
    events: String,
    lines: Vec<Line>,
    budget: Option<Budget>,
    days: Vec<Tile>,
}

#[derive(Debug, Serialize)]
struct Content {
    indicators: Vec<Indicator>,
    as_of: Moment,
}

/// A share as percent, with as many digits as tell it from the target.
fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}\u{a0}%")
}

/// A time as people say it.
fn time(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.0}\u{a0}ms") } else { format!("{:.1}\u{a0}s", ms / 1_000.0) }
}

/// A target in milliseconds as people say it.
fn limit(ms: u64) -> String {
    if ms < 1_000 { format!("{ms}\u{a0}ms") } else { format!("{}\u{a0}s", ms / 1_000) }
}

fn success(success: &Success) -> Line {
    Line {
        what: "went well",
        wish: format!("More than {} should go well.", percent(success.target)),
        target: format!("more than {}", percent(success.target)),
        found: success.share.map(percent),
        is_met: success.is_met,
    }
}

fn latency(latency: &Latency) -> Line {
    Line {
        what: "nine of ten took at most",
        wish: format!("Nine of ten should take less than {}.", limit(latency.target_p90_ms)),
        target: format!("less than {}", limit(latency.target_p90_ms)),
        found: latency.p90_ms.map(time),
        is_met: latency.is_met,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100")]
fn budget(objective: &Objective) -> Option<Budget> {
    let Success { budget, budget_left, failed, .. } = &objective.success;
    let left = (*budget_left)?;
    Some(Budget {
        left: format!("{:.0}\u{a0}%", (left * 100.0).floor()),
        bar: (left * 100.0).clamp(0.0, 100.0) as u8,
        failed: count(*failed),
        allowed: count(budget.floor() as i64),
        burn: burning(objective.burn.hour_1),
    })
}

/// How fast the budget is used up, with the rate that would use exactly all of it in 28 days as one.
fn burning(rate: Option<f64>) -> String {
    match rate {
        None => "Nothing happened in the last hour.".to_owned(),
        Some(rate) if rate < 0.05 => "Nothing failed in the last hour.".to_owned(),
        Some(rate) => format!("In the last hour, failures came at {rate:.1} times the rate that it allows."),
    }
}

fn tile(day: &Day, target: f64) -> Tile {
    let (events, failed) = (count(day.events), count(day.failed));
    // The share of what went well, in whole numbers beside the target's.
    let missed = share_failed(day) > 1.0 - target;
    let (state, words) = match (day.events, day.failed) {
        (0, _) => ("none", "nothing to measure".to_owned()),
        (_, 0) => ("good", format!("all {events} went well")),
        _ if missed => ("bad", format!("{failed} of {events} failed, more than the target allows")),
        _ => ("warn", format!("{failed} of {events} failed, within the target")),
    };
    Tile { day: Moment::day(day.starts_at), state, words }
}

#[expect(clippy::cast_precision_loss, reason = "counts of events are far below 2^53")]
fn share_failed(day: &Day) -> f64 {
    day.failed as f64 / day.events.max(1) as f64
}

fn indicator(objective: &Objective) -> Indicator {
    let mut lines = vec![success(&objective.success)];
    lines.extend(objective.latency.as_ref().map(latency));
    Indicator {
        code: objective.sli.code(),
        name: objective.name,
        meaning: objective.meaning,
        events: count(objective.success.events),
        lines,
        budget: budget(objective),
        days: objective.days.iter().map(|day| tile(day, objective.success.target)).collect(),
    }
}

async fn show(operator: Operator, State(app): State<AppState>) -> Result<Response, Failure> {
    let report = objectives::report(&app).await?;
    let content =
        Content { indicators: report.iter().map(indicator).collect(), as_of: Moment::new(app.now()) };
    Ok(layout::render(
        &app,
        "objectives.html",
        &Frame::of_operator(&operator, "Objectives", "objectives"),
        &content,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_show_as_many_digits_as_matter() {
        assert_eq!(percent(0.999), "99.9\u{a0}%");
        assert_eq!(percent(1.0), "100\u{a0}%");
        assert_eq!(percent(0.999_87), "99.987\u{a0}%");
        assert_eq!((time(12.4), time(2_345.0)), ("12\u{a0}ms".to_owned(), "2.3\u{a0}s".to_owned()));
    }

    #[test]
    fn a_day_is_judged_by_the_target() {
        let day = |events, failed| tile(&Day { starts_at: 0, events, failed }, 0.999).state;
        assert_eq!([day(0, 0), day(9, 0), day(10_000, 9), day(100, 1)], ["none", "good", "warn", "bad"]);
    }
}

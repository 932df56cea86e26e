//! What the installation is looked at for. Each rule reads what there is and says what is wrong with it.

use super::outbox;
use super::types::{Finding, Rule};
use crate::analytics;
use crate::app::AppState;
use crate::email::{self, Reputation};
use crate::payments::{self, Health};
use crate::platform::db::DbError;
use crate::platform::objectives::{self, Objective};
use crate::platform::queue::{DeadGroup, QueueStats};
use crate::platform::severity::Severity;

const MINUTE_MS: i64 = 60_000;
/// More dead letters than this are an alert.
const DEAD_LETTERS: i64 = 10;
/// A job that could run for longer than this is late.
const LATE_MS: i64 = 5 * MINUTE_MS;
/// A queue that is paused for longer than this seems forgotten.
const FORGOTTEN_MS: i64 = 60 * MINUTE_MS;
/// So many payments that cannot be begun are more than bad luck.
const FEW: i64 = 5;
/// More of a hundred mails that come back are too many. Fewer than ten in a week may be chance.
const BOUNCED_PERCENT: i64 = 5;
const MANY: i64 = 10;
/// More complaints of a thousand mails are too many: well before the three in a thousand at which mailbox providers refuse
/// senders (<https://support.google.com/a/answer/81126>). Fewer than three in a week may be chance.
const UNWANTED_PERMILLE: i64 = 1;
const SOME: i64 = 3;
/// So many rounds that fail one after the other are more than a bad moment.
const IN_A_ROW: i64 = 3;
/// Fewer failures than this say nothing about a rate.
const ENOUGH: i64 = 10;
/// Times the rate that uses up exactly the budget: at this one it lasts two days, and at the other five. Both over
/// a long and a short window, so that an alert neither comes for a moment nor stays long after it. From "The Site
/// Reliability Workbook", chapter 5: <https://sre.google/workbook/alerting-on-slos/>.
const FAST: f64 = 14.4;
const SLOW: f64 = 6.0;

/// Looks at everything.
///
/// # Errors
/// When the database fails.
pub(super) async fn look(app: &AppState) -> Result<Vec<Finding>, DbError> {
    let (now, stats) = (app.now(), app.queue().stats().await?);
    let mut found = Vec::new();
    if dead(&stats) > DEAD_LETTERS {
        found.push(dead_letters(dead(&stats), &app.queue().dead_groups().await?));
    }
    found.extend(stats.iter().filter_map(|queue| waiting(queue, now)));
    found.extend(objectives::report(app).await?.iter().filter_map(objective));
    found.extend(payments(payments::health(app).await?));
    found.extend(mails(email::reputation(app).await?));
    found.extend(figures(analytics::failures_in_a_row(app).await?));
    let since = now - 24 * 60 * MINUTE_MS;
    let failed = app.db().read(move |conn| Box::pin(async move { outbox::failed_since(conn, since).await }));
    found.extend(failed.await?.into_iter().map(|(channel, count)| failing(channel, count)));
    Ok(found)
}

fn dead(stats: &[QueueStats]) -> i64 {
    stats.iter().map(|queue| queue.dead).sum()
}

fn dead_letters(dead: i64, groups: &[DeadGroup]) -> Finding {
    let largest: Vec<String> = groups
        .iter()
        .take(3)
        .map(|group| format!("{} of {} in {} ({})", group.jobs, group.kind, group.queue, group.code))
        .collect();
    let more = if groups.len() > largest.len() { ", and others" } else { "" };
    Finding {
        rule: Rule::DeadLetters,
        subject: String::new(),
        severity: Severity::Critical,
        sentence: format!("{dead} jobs are dead letters: {}{more}.", largest.join(", ")),
    }
}

fn waiting(queue: &QueueStats, now: i64) -> Option<Finding> {
    let name = &queue.queue;
    let of = |rule, severity, sentence| Some(Finding { rule, subject: name.clone(), severity, sentence });
    if let Some(since) = queue.paused_at {
        let sentence =
            format!("The queue {name} is paused for {}; {} jobs wait.", span(now - since), queue.ready);
        return if now - since > FORGOTTEN_MS {
            of(Rule::QueuePaused, Severity::Warning, sentence)
        } else {
            None
        };
    }
    let since = queue.oldest_ready_at.filter(|since| now - since > LATE_MS)?;
    let sentence = format!("The queue {name} is {} late; {} jobs wait.", span(now - since), queue.ready);
    of(Rule::QueueLate, Severity::Warning, sentence)
}

/// What is wrong with an objective: it is being missed, or else it was.
fn objective(found: &Objective) -> Option<Finding> {
    let (name, burn) = (found.name, &found.burn);
    let above = |rate: Option<f64>, most: f64| rate.is_some_and(|rate| rate > most);
    let of = |rule, severity, sentence| {
        Some(Finding { rule, subject: found.sli.code().to_owned(), severity, sentence })
    };
    let burning = |rate: Option<f64>, failed: i64, when: &str| {
        let days = 28.0 / rate.unwrap_or(1.0);
        let lasts = if days < 2.0 { format!("{:.0} hours", days * 24.0) } else { format!("{days:.0} days") };
        format!(
            "{name}: {failed} failed in the last {when}. At this rate the error budget of 28 days lasts {lasts}."
        )
    };
    let (failed_1, failed_6) = (burn.failed_in_1_hour, burn.failed_in_6_hours);
    if failed_1 >= ENOUGH && above(burn.hour_1, FAST) && above(burn.minutes_5, FAST) {
        return of(Rule::BudgetBurning, Severity::Critical, burning(burn.hour_1, failed_1, "hour"));
    }
    if failed_6 >= ENOUGH && above(burn.hours_6, SLOW) && above(burn.minutes_30, SLOW) {
        return of(Rule::BudgetBurning, Severity::Warning, burning(burn.hours_6, failed_6, "six hours"));
    }
    if found.success.is_met == Some(false) && found.success.failed >= ENOUGH {
        let (failed, events) = (found.success.failed, found.success.events);
        let sentence = format!(
            "{name}: {failed} of {events} failed in the last 28 days, more than the objective allows."
        );
        return of(Rule::ObjectiveMissed, Severity::Notice, sentence);
    }
    let latency = found.latency.as_ref()?;
    let slow = latency.is_met == Some(false) && latency.events >= 10 * ENOUGH;
    let sentence = format!(
        "{name}: fewer than nine of ten took less than {} ms in the last 28 days.",
        latency.target_p90_ms
    );
    if slow { of(Rule::ObjectiveMissed, Severity::Notice, sentence) } else { None }
}

/// What is wrong with payments.
fn payments(health: Health) -> Vec<Finding> {
    let Health { begun, timeouts, failed, unknown, books_off } = health;
    let of = |rule, severity, sentence| Finding { rule, subject: String::new(), severity, sentence };
    let mut found = Vec::new();
    if timeouts * 100 > begun {
        let sentence =
            format!("{timeouts} of {begun} payments timed out at their provider in the last hour.");
        found.push(of(Rule::PaymentTimeouts, Severity::Warning, sentence));
    }
    if failed >= FEW && failed * 20 > begun {
        let sentence = format!("{failed} of {begun} payments could not be begun in the last hour.");
        found.push(of(Rule::PaymentsFailing, Severity::Critical, sentence));
    }
    if unknown > 0 {
        let sentence =
            format!("Of {unknown} payments or refunds nobody has known for ten minutes what became.");
        found.push(of(Rule::PaymentsUnknown, Severity::Critical, sentence));
    }
    if books_off != 0 {
        let sentence = format!("The books differ from what was paid and given back (by {books_off} in all).");
        found.push(of(Rule::BooksOff, Severity::Critical, sentence));
    }
    found
}

/// Figures are not counted.
fn figures(failures: i64) -> Option<Finding> {
    (failures >= IN_A_ROW).then(|| Finding {
        rule: Rule::AnalyticsStale,
        subject: String::new(),
        severity: Severity::Warning,
        sentence: format!("Figures could not be counted {failures} times in a row."),
    })
}

/// What mail servers will hold against us.
fn mails(found: Reputation) -> Vec<Finding> {
    let Reputation { sent, bounced, complained } = found;
    let mut of = Vec::new();
    if bounced >= MANY && bounced * 100 > sent * BOUNCED_PERCENT {
        let sentence = format!("{bounced} of the {sent} mails of the last seven days came back.");
        of.push((Rule::MailsBouncing, sentence));
    }
    if complained >= SOME && complained * 1_000 > sent * UNWANTED_PERMILLE {
        let sentence = format!("{complained} of the {sent} mails of the last seven days were called spam.");
        of.push((Rule::MailsUnwanted, sentence));
    }
    let finding =
        |(rule, sentence)| Finding { rule, subject: String::new(), severity: Severity::Warning, sentence };
    of.into_iter().map(finding).collect()
}

fn failing(channel: String, count: i64) -> Finding {
    let messages = if count == 1 { "message was" } else { "messages were" };
    Finding {
        rule: Rule::ChannelFailing,
        severity: Severity::Warning,
        sentence: format!("{count} {messages} not delivered to the channel {channel} in the last day."),
        subject: channel,
    }
}

/// A time that has passed, roughly.
fn span(ms: i64) -> String {
    let minutes = ms / MINUTE_MS;
    match minutes {
        ..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> QueueStats {
        QueueStats {
            queue: "mail".into(),
            ready: 3,
            delayed: 0,
            behind: 0,
            running: 0,
            dead: 0,
            oldest_ready_at: Some(0),
            paused_at: None,
        }
    }

    #[test]
    fn a_queue_is_late_when_a_job_waits_though_nobody_paused_it() {
        assert_eq!(waiting(&queue(), LATE_MS), None);
        let late = waiting(&queue(), LATE_MS + 1).unwrap();
        assert_eq!((late.rule, late.subject.as_str()), (Rule::QueueLate, "mail"));
        assert_eq!(late.sentence, "The queue mail is 5 minutes late; 3 jobs wait.");
        let paused = QueueStats { paused_at: Some(0), ..queue() };
        assert_eq!(waiting(&paused, FORGOTTEN_MS), None);
        let paused = waiting(&paused, 50 * 3_600_000).unwrap();
        assert_eq!(paused.sentence, "The queue mail is paused for 2 days; 3 jobs wait.");
    }

    #[test]
    fn payments_are_watched() {
        let rules = |health: Health| payments(health).iter().map(|found| found.rule).collect::<Vec<_>>();
        let well = Health { begun: 300, timeouts: 3, failed: 4, ..Health::default() };
        assert_eq!(rules(well), []);
        assert_eq!(rules(Health { timeouts: 4, ..well }), [Rule::PaymentTimeouts]);
        assert_eq!(rules(Health { failed: 16, ..well }), [Rule::PaymentsFailing]);
        assert_eq!(rules(Health { begun: 10, failed: 4, ..Health::default() }), []);
        assert_eq!(rules(Health { unknown: 1, ..well }), [Rule::PaymentsUnknown]);
        assert_eq!(rules(Health { books_off: 1, ..well }), [Rule::BooksOff]);
    }

    #[test]
    fn mails_are_watched() {
        let rules = |sent, bounced, complained| {
            let found = mails(Reputation { sent, bounced, complained });
            found.iter().map(|found| found.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules(0, 0, 0), []);
        assert_eq!(rules(20, 9, 2), [], "a few are chance");
        assert_eq!(rules(200, 10, 0), []);
        assert_eq!(rules(199, 10, 0), [Rule::MailsBouncing]);
        assert_eq!(rules(3_000, 0, 3), []);
        assert_eq!(rules(2_999, 0, 3), [Rule::MailsUnwanted]);
        assert_eq!(rules(100, 10, 3), [Rule::MailsBouncing, Rule::MailsUnwanted]);
    }

    #[test]
    fn dead_letters_are_told_by_what_they_are() {
        let group = |kind: &str, jobs| DeadGroup {
            queue: "mail".into(),
            kind: kind.into(),
            code: "refused".into(),
            jobs,
            first_died_at: 0,
        };
        let found =
            dead_letters(14, &[group("send.1", 9), group("bounce.1", 3), group("a", 1), group("b", 1)]);
        let expected = "14 jobs are dead letters: 9 of send.1 in mail (refused), 3 of bounce.1 in mail (refused), \
                        1 of a in mail (refused), and others.";
        assert_eq!(found.sentence, expected);
    }
}

//! What came of asking: written down for each message, for its phone, and for its service.

use std::time::Duration;

use super::counted::Tally;
use super::devices::store as devices;
use super::prepare::Ready;
use super::providers::NotTaken;
use super::send::{Asked, by_service};
use super::types::{PushStatus, Reason};
use super::{QUEUE, breaker_of, messages, outbox};
use crate::app::AppState;
use crate::facts::Measure;
use crate::platform::breaker;
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::db::{DbError, Tx};
use crate::platform::objectives::Sli;
use crate::platform::queue::Failure;

/// Writes down what came of a batch. `is_alone`: it is one message, whose failure is its job's; `is_last`: its job is not
/// tried again.
pub(super) async fn settle(
    app: &AppState,
    asked: Vec<Asked>,
    (is_alone, is_last): (bool, bool),
) -> Result<(), Failure> {
    let failure = asked.first().and_then(|(_, result)| result.as_ref().err()).filter(|_| is_alone);
    let failure = failure.filter(|not| is_passing(not)).map(|not| for_queue(&not.failure));
    for (_, result) in &asked {
        count(app, result.as_ref().err(), is_alone && is_last);
    }
    let app_in = app.clone();
    let settled = app.db().write(move |tx| {
        Box::pin(async move {
            for (service, (went_well, outages, had_failures)) in by_service(&asked) {
                let times = if went_well { 1 } else { outages.min(5) };
                for _ in 0..times {
                    breaker::told(tx, breaker_of(service), (had_failures, went_well), app_in.now()).await?;
                }
            }
            let mut tally = Tally::default();
            for (ready, result) in &asked {
                match result {
                    Ok(taken) => {
                        let now = app_in.now();
                        let message = &ready.message;
                        let id = message.message_id;
                        if messages::sent(tx, id, taken.provider_id.as_deref(), now).await? {
                            tally.add((message.organiser_id, message.event_id), Measure::PushesSent, now);
                        }
                        messages::end_try(tx, (id, ready.attempt()), None, now).await?;
                        devices::went(tx, &ready.device.fingerprint).await?;
                    }
                    Err(not) => failed(tx, &app_in, (ready, not), (is_alone, is_last)).await?,
                }
            }
            tally.write(tx, &app_in).await
        })
    });
    let settled: Result<(), DbError> = settled.await;
    settled?;
    failure.map_or(Ok(()), Err)
}

async fn failed(
    tx: &mut Tx,
    app: &AppState,
    (ready, not): (&Ready, &NotTaken),
    (is_alone, is_last): (bool, bool),
) -> Result<(), DbError> {
    let (now, message) = (app.now(), &ready.message);
    let id = message.message_id;
    messages::end_try(tx, (id, ready.attempt()), Some(&not.failure), now).await?;
    if let Some((why, since)) = not.inactive {
        devices::deactivate(tx, &ready.device.fingerprint, (why, since.unwrap_or(now)), now).await?;
    }
    // Somebody else is at it by now.
    if !messages::is_at(tx, id, ready.attempt()).await? {
        return Ok(());
    }
    let detail = Some(not.failure.detail.as_str());
    if is_passing(not) && !(is_alone && is_last) {
        let wait = match (not.failure.retry_after, is_alone) {
            // Its job waits; when exactly, the queue says.
            (_, true) => 0,
            (asked, false) => first_wait(app, asked),
        };
        messages::hold(tx, id, (Reason::Unanswered, detail), now + wait).await?;
        if !is_alone {
            outbox::enqueue(tx, app, message.organiser_id, (&[id], now + wait)).await?;
        }
        return Ok(());
    }
    let reason = match (not.inactive, is_passing(not)) {
        (Some(_), _) => Reason::TokenGone,
        (None, true) => Reason::Unanswered,
        (None, false) => Reason::Refused,
    };
    messages::end(tx, id, (PushStatus::Failed, reason), detail, now).await?;
    // What is said of this phone, and of no other.
    if not.inactive.is_none() && matches!(not.failure.outcome, Outcome::Refused | Outcome::Busy) {
        devices::failed(tx, &ready.device.fingerprint, now).await?;
    }
    Ok(())
}

/// Whether asking again may help.
fn is_passing(not: &NotTaken) -> bool {
    not.inactive.is_none() && not.failure.outcome != Outcome::Refused
}

/// How long one of many waits before its second try (milliseconds).
fn first_wait(app: &AppState, asked: Option<Duration>) -> i64 {
    use liventix_core::resilience::Retry;
    let verdict = asked.map_or(Retry::Backoff, Retry::from);
    let wait = QUEUE.retry.after(1, verdict, app.entropy().as_ref()).unwrap_or(5_000);
    i64::try_from(wait).unwrap_or(5_000)
}

/// What counts for the objective: messages that their service took, of those that were for a phone that is there.
fn count(app: &AppState, not: Option<&NotTaken>, is_last: bool) {
    match not {
        // Many wait on purpose: how long one took says nothing.
        None => app.objectives().went_well(Sli::Push, None),
        Some(not) if not.inactive.is_some() || is_passing(not) && !is_last => {}
        Some(_) => app.objectives().failed(Sli::Push),
    }
}

/// What the queue keeps of it: what the service says stays with the message.
fn for_queue(failure: &CallFailure) -> Failure {
    Failure { detail: failure.briefly("service"), ..failure.clone().into() }
}

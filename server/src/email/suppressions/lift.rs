//! Sending to an address again.

use serde_json::{Value, json};

use super::store;
use crate::app::AppState;
use crate::audit::{self, Deed, Entry};
use crate::email::{QUEUE, outbox};
use crate::platform::authorize::By;
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::SuppressionId;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::queue::{Claimed, Failure, NewJob};
use crate::platform::telemetry::context;

/// The kind of the job that asks the provider to forget an address, and sends what was withheld.
pub(in crate::email) const ASK: &str = "lift.1";

/// What was withheld for longer than this tells nobody anything any more.
const STALE_MS: i64 = 30 * 86_400_000;
/// What was withheld from one address, at most.
const AT_ONCE: u32 = 100;

fn not_found() -> ApiError {
    let detail = "It was lifted already, or is over. List them at /v1/admin/email-suppressions.";
    ApiError::new(Code::SuppressionNotFound, detail)
}

/// Mail goes to an address again, and what was withheld from it with it.
///
/// # Errors
/// `suppression_not_found`.
pub(crate) async fn lift(app: &AppState, by: By, id: SuppressionId) -> ApiResult<()> {
    let app_in = app.clone();
    let lifted = app.db().write(move |tx| {
        Box::pin(async move {
            let now = app_in.now();
            let found = store::by_id(tx, id, now).await?.ok_or_else(not_found)?;
            if !store::lift(tx, id, &by.name, now).await? {
                return Err(not_found());
            }
            let job = NewJob {
                unique_key: Some(format!("{ASK} {id}")),
                ..NewJob::new(QUEUE.name, ASK, json!({ "suppression_id": id }))
            };
            app_in.queue().enqueue(tx, &job).await?;
            let entry = Entry::of(Deed::SuppressionLifted).named(veiled(&found.address)).before(found.reason);
            Ok(audit::pen(&app_in).write(tx, None, &by, entry).await?)
        })
    });
    lifted.await?;
    app.queue().wake(QUEUE.name);
    Ok(())
}

/// An address, so that whoever knows it knows it again: the trail is never forgotten.
fn veiled(address: &str) -> String {
    let (name, domain) = address.split_once('@').unwrap_or((address, ""));
    format!("{}…@{domain}", name.chars().next().unwrap_or_default())
}

/// The job: asks the provider, on record before and after, and sends what was withheld.
pub(in crate::email) async fn ask(app: &AppState, job: &Claimed) -> Result<(), Failure> {
    let id: Option<SuppressionId> =
        job.payload.get("suppression_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Failure::permanent("payload", "The job has no suppression_id."))?;
    let now = app.now();
    let read = app.db().read(move |conn| Box::pin(async move { store::by_id(conn, id, now).await }));
    let found: Result<_, DbError> = read.await;
    // It is suppressed again.
    let Some(found) = found?.filter(|found| found.lifted_at.is_some()) else { return Ok(()) };
    let Some(resend) = app.emails().providers.iter().find(|provider| provider.keeps_suppressions()) else {
        return settle(app, id, (found.address, None)).await;
    };
    let begun: Result<(), DbError> =
        app.db().write(move |tx| Box::pin(async move { store::asks(tx, id, now).await })).await;
    begun?;
    let asked = context::provider(resend.name(), "email.forget", resend.forget(&found.address)).await;
    let result = match &asked {
        Ok(was_there) => {
            if *was_there {
                "done"
            } else {
                "not_there"
            }
        }
        // Perhaps a key that may do nothing but send.
        Err(CallFailure { outcome: Outcome::Refused, .. }) => "refused",
        Err(_) => "failed",
    };
    match asked {
        Err(failure) if failure.outcome != Outcome::Refused => {
            let noted: Result<(), DbError> =
                app.db().write(move |tx| Box::pin(async move { store::asked(tx, id, result).await })).await;
            noted?;
            // What it said may name the address.
            Err(Failure { detail: format!("Resend: {}.", failure.outcome.code()), ..failure.into() })
        }
        _ => settle(app, id, (found.address, Some(result))).await,
    }
}

async fn settle(
    app: &AppState,
    id: SuppressionId,
    (address, result): (String, Option<&'static str>),
) -> Result<(), Failure> {
    let app_in = app.clone();
    let settled: Result<(), DbError> = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                if let Some(result) = result {
                    store::asked(tx, id, result).await?;
                }
                send_withheld(tx, &app_in, &address).await
            })
        })
        .await;
    settled?;
    outbox::wake(app);
    Ok(())
}

async fn send_withheld(tx: &mut Tx, app: &AppState, address: &str) -> Result<(), DbError> {
    for email in store::withheld(tx, address, (app.now() - STALE_MS, AT_ONCE)).await? {
        outbox::again(tx, app, email).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::veiled;

    #[test]
    fn an_address_is_known_again_by_whoever_knows_it() {
        assert_eq!(veiled("ida@example.org"), "i…@example.org");
        assert_eq!(veiled("x"), "x…@");
    }
}

//! Telling people what is wrong: once when it begins, once when it is over.
//!
//! Every minute one process of the cluster looks at what the rules look at, and compares it with the alerts that are
//! open. What is to be said goes into an outbox in the same transaction, a message for each channel; a job for each
//! channel takes it from there, and tries again until the channel has it. Features say things themselves by
//! [`tell`], as `anomalies` does. See `docs/observability.md`.
//!
//! **Invariant:** of one thing that is wrong, one alert is open at most. **Invariant:** a message is sent at least
//! once or given up on record, and has the same id at every try.

mod channels;
mod deliver;
mod outbox;
mod reconcile;
pub mod routes;
mod rules;
mod service;
mod store;
mod types;

use std::time::Duration;

use serde_json::Value;

pub use channels::Channels;
pub(crate) use routes::key;
pub use service::ChannelView;
pub(crate) use service::{Desk, channels, list};
pub use types::{AlertView, Message, NoticeView, Rule, Turn};

use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{AlertId, NoticeId};
use crate::platform::queue::{self, Claimed, Handlers, NewJob, QueueSpec, Worker};
use reconcile::{Change, reconcile};

/// Between two looks.
const EVERY_MS: i64 = 60_000;
/// How often a process asks whether it is time.
const ASK: Duration = Duration::from_secs(15);
/// How long alerts and messages are kept after they are over.
const KEEP_MS: i64 = 90 * 86_400_000;

/// The queue of looking and telling. A channel that is down is tried for a day: then what was to be said is old.
pub const QUEUE: QueueSpec = QueueSpec::new("alerts", 500, &[10_000, 60_000, 300_000]);
const LOOK: &str = "look.1";
const DELIVER: &str = "deliver.1";

/// Looks and tells until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    let name = crate::platform::maintenance::worker_name();
    let worker = Worker::new(app.queue().clone(), QUEUE, handlers(&app), name);
    let schedule = queue::keep(ASK, || put_in(&app), "nobody looks for what is wrong", app.closing());
    tokio::join!(worker.run(app.closing()), schedule);
}

/// What does the looking and the telling.
#[must_use]
pub fn handlers(app: &AppState) -> Handlers {
    let (looking, telling) = (app.clone(), app.clone());
    Handlers::new()
        .on(LOOK, move |_: Claimed| {
            let app = looking.clone();
            async move { Ok(look(&app).await?) }
        })
        .on(DELIVER, move |job: Claimed| deliver::job(telling.clone(), job))
}

async fn put_in(app: &AppState) -> Result<bool, DbError> {
    let job = NewJob { unique_key: Some(LOOK.to_owned()), ..NewJob::new(QUEUE.name, LOOK, Value::Null) };
    app.queue().on_schedule("alerts", EVERY_MS, job).await
}

/// Looks once at everything, and puts into the outbox what is to be said.
///
/// # Errors
/// When the database fails.
pub async fn look(app: &AppState) -> Result<(), DbError> {
    let found = rules::look(app).await?;
    let (app_in, now) = (app.clone(), app.now());
    let looked = app.db().write(move |tx| {
        Box::pin(async move {
            let open = store::open(tx).await?;
            for change in reconcile(open, found, now) {
                apply(tx, &app_in, change, now).await?;
            }
            // Of a job that died nothing is left but its messages.
            for channel in outbox::waiting(tx).await? {
                deliver::put_in(tx, &app_in, &channel).await?;
            }
            store::forget(tx, now - KEEP_MS).await
        })
    });
    looked.await?;
    app.queue().wake(QUEUE.name);
    Ok(())
}

async fn apply(tx: &mut Tx, app: &AppState, change: Change, now: i64) -> Result<(), DbError> {
    let said = |turn: Turn, id: AlertId, found: types::Finding, since: i64| Message {
        turn,
        rule: found.rule.code().to_owned(),
        subject: found.subject,
        severity: found.severity,
        sentence: found.sentence,
        next_step: found.rule.next_step().to_owned(),
        page: found.rule.page().to_owned(),
        about: id.to_string(),
        is_anomaly: false,
        organiser_id: None,
        event_id: None,
        since,
        at: now,
    };
    match change {
        Change::Opens(found) => {
            let id = AlertId::generate(now, app.entropy().as_ref());
            store::insert(tx, id, &found, now).await?;
            tell(tx, app, *id.as_bytes(), &said(Turn::Opened, id, found, now)).await
        }
        Change::GoesOn { open, finding, tell: is_told } => {
            let told_at = if is_told { now } else { open.told_at };
            store::seen(tx, open.alert_id, (finding.severity, &finding.sentence), (now, told_at)).await?;
            if is_told {
                let message = said(Turn::Open, open.alert_id, finding, open.opened_at);
                tell(tx, app, *open.alert_id.as_bytes(), &message).await?;
            }
            Ok(())
        }
        Change::Ends(open) => {
            store::end(tx, open.alert_id, now).await?;
            let message = said(Turn::Resolved, open.alert_id, open.finding, open.opened_at);
            tell(tx, app, *open.alert_id.as_bytes(), &message).await
        }
    }
}

/// Puts a message into the outbox, for each channel that wants it, in the caller's transaction; wake [`QUEUE`]
/// afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tell(
    tx: &mut Tx,
    app: &AppState,
    about: [u8; 16],
    message: &Message,
) -> Result<(), DbError> {
    let json = serde_json::to_string(message).map_err(|error| DbError::Statement(error.to_string()))?;
    for channel in app.channels().iter().filter(|channel| channel.wants(message)) {
        let id = NoticeId::generate(app.now(), app.entropy().as_ref());
        outbox::put(tx, id, (channel.name, about), &json, app.now()).await?;
        deliver::put_in(tx, app, channel.name).await?;
    }
    Ok(())
}

/// How many alerts are open, by rule.
///
/// # Errors
/// When the database fails.
pub(crate) async fn counts(app: &AppState) -> Result<Vec<(Rule, i64)>, DbError> {
    let counts = app.db().read(|conn| Box::pin(async move { store::counts(conn).await })).await?;
    let of = |rule: Rule| counts.iter().find(|(code, _)| code == rule.code()).map_or(0, |(_, count)| *count);
    Ok(Rule::ALL.iter().map(|&rule| (rule, of(rule))).collect())
}

//! Sending a mail: the job.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use serde_json::Value;

use super::content::{Content, Outgoing};
use super::outbox::SEND;
use super::providers::{Provider, Taken};
use super::store::{self, Ended};
use super::suppressions::{self, Reason};
use super::types::{Email, EmailStatus};
use super::{BULK, QUEUE, chores, counted, pace};
use crate::app::AppState;
use crate::platform::breaker::{self, Permit};
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::EmailId;
use crate::platform::maintenance::worker_name;
use crate::platform::objectives::Sli;
use crate::platform::problem::ApiResult;
use crate::platform::queue::{Claimed, Failure, Handlers, Pace, Verdict, Worker};
use crate::platform::rate_limit::{Check, Key};
use crate::platform::smtp;
use crate::platform::telemetry::context;

/// After this, a worker that was given up on has ended.
const TAKEN_MS: i64 = 30_000;

/// What there is to say.
#[derive(Debug)]
pub(crate) enum Composed {
    /// This.
    Mail(Box<Content>),
    /// Nothing any more, or not to them: why, for whoever looks for the mail.
    Nothing(&'static str),
}

impl From<Content> for Composed {
    fn from(content: Content) -> Self {
        Self::Mail(Box::new(content))
    }
}

/// Says what a mail tells.
pub(crate) type Compose =
    fn(AppState, Email) -> Pin<Box<dyn Future<Output = Result<Composed, Failure>> + Send>>;

/// Works until the server begins to shut down.
pub(crate) async fn run(app: AppState, compose: Compose) {
    let worker = |spec, pace: Arc<dyn Pace>| {
        let worker = Worker::new(app.queue().clone(), spec, handlers(&app, compose), worker_name());
        worker.at(pace).run(app.closing())
    };
    tokio::join!(
        worker(QUEUE, Arc::new(pace::Mails(app.clone()))),
        worker(BULK, Arc::new(pace::Bulk(app.clone()))),
        chores::keep(&app)
    );
}

/// One round of what waits, as the pace allows: how many jobs that were.
///
/// # Errors
/// When the database fails.
pub(crate) async fn work(app: &AppState, compose: Compose) -> Result<u64, DbError> {
    let rounds: [(_, Arc<dyn Pace>); 2] =
        [(QUEUE, Arc::new(pace::Mails(app.clone()))), (BULK, Arc::new(pace::Bulk(app.clone())))];
    let mut done = 0;
    for (spec, pace) in rounds {
        let worker = Worker::new(app.queue().clone(), spec, handlers(app, compose), "by hand");
        let round = worker.at(pace).run_once().await?;
        done += round.done + round.failed;
    }
    Ok(done)
}

fn handlers(app: &AppState, compose: Compose) -> Handlers {
    let (sending, lifting, tidying) = (app.clone(), app.clone(), app.clone());
    Handlers::new()
        .on(SEND, move |job: Claimed| {
            let app = sending.clone();
            async move { send(&app, &job, compose).await }
        })
        .on(suppressions::ASK, move |job: Claimed| {
            let app = lifting.clone();
            async move { suppressions::ask(&app, &job).await }
        })
        .on(chores::TIDY, move |_: Claimed| {
            let app = tidying.clone();
            async move { Ok(chores::tidy(&app).await?) }
        })
}

async fn send(app: &AppState, job: &Claimed, compose: Compose) -> Result<(), Failure> {
    let id: Option<EmailId> =
        job.payload.get("email_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Failure::permanent("payload", "The job has no email_id."))?;
    let now = app.now();
    let read = app.db().read(move |conn| {
        Box::pin(async move {
            let Some(email) = store::by_id(conn, id).await? else { return Ok(None) };
            let suppressed = suppressions::active(conn, &email.to_address, now).await?;
            Ok(Some((email, store::last_attempt(conn, id).await?, suppressed)))
        })
    });
    let read: Result<_, DbError> = read.await;
    let Some((email, last, suppressed)) = read? else { return Ok(()) };
    if matches!(email.status, EmailStatus::Sent | EmailStatus::Withheld) {
        return Ok(());
    }
    if let Some(reason) = suppressed {
        return withhold(app, id, reason.why()).await;
    }
    let done = attempt(app, email, last, compose).await;
    if let Err(failure) = &done {
        note(app, id, failure, QUEUE.retry.max_retries < job.attempt).await?;
    }
    done
}

async fn attempt(
    app: &AppState,
    mut email: Email,
    last: Option<(String, Option<Outcome>)>,
    compose: Compose,
) -> Result<(), Failure> {
    let (from, to) = mailboxes(app, &email)?;
    let content = match &email.sealed_content {
        Some(sealed) => Content::open(app, email.email_id, sealed)?,
        None => match compose(app.clone(), email.clone()).await? {
            Composed::Mail(content) => *content,
            Composed::Nothing(why) => return withhold(app, email.email_id, why).await,
        },
    };
    let (provider, had_failures) = choose(app, &last).await?;
    // Whoever was asked before may have it.
    let is_open = last.as_ref().is_some_and(|(_, outcome)| outcome.is_none_or(Outcome::is_uncertain));
    email.may_have_come_twice |= is_open && !provider.takes_once();
    email.sealed_content = Some(content.seal(app, email.email_id)?);
    email.subject = Some(content.subject.clone());
    email.template = content.template.clone();
    email.provider = Some(provider.name().to_owned());
    email.status = EmailStatus::Sending;
    email.tries += 1;
    begin(app, &email).await?;
    let mail = Outgoing { id: email.email_id, from: &from, to, content: &content, at: email.created_at };
    let result = context::provider(provider.name(), "email.send", provider.send(&mail)).await;
    end(app, email, (provider.name(), had_failures), result).await
}

/// A mail does not go, and nobody has failed.
async fn withhold(app: &AppState, id: EmailId, why: &'static str) -> Result<(), Failure> {
    let withheld = app.db().write(move |tx| {
        Box::pin(async move {
            store::lock(tx, id).await?;
            let Some(mut email) = store::by_id(tx, id).await? else { return Ok(()) };
            // A worker that was given up on may have sent it since.
            if email.status != EmailStatus::Sent {
                email.status = EmailStatus::Withheld;
                email.failure = Some(why.to_owned());
                store::update(tx, &email).await?;
            }
            Ok(())
        })
    });
    let withheld: Result<(), DbError> = withheld.await;
    Ok(withheld?)
}

fn mailboxes(app: &AppState, email: &Email) -> Result<(Mailbox, Mailbox), Failure> {
    let from = app.emails().from.clone();
    let from = from.ok_or_else(|| Failure::retry("no_sender", "Set mail_from: who mails come from."))?;
    let address = smtp::address(&email.to_address).map_err(|_| {
        Failure::permanent("address_invalid", "The address is none that mail can be sent to.")
    })?;
    let name = Some(email.to_name.trim().to_owned()).filter(|name| !name.is_empty());
    Ok((from, Mailbox::new(name, address)))
}

/// Who is asked: whoever may have it already, if they take it once only; otherwise the first that has not failed too
/// often of late, and rather another one than who has just failed to take it.
async fn choose(
    app: &AppState,
    last: &Option<(String, Option<Outcome>)>,
) -> Result<(Provider, bool), Failure> {
    let providers = &app.emails().providers;
    let bound = last.as_ref().and_then(|(name, outcome)| {
        let is_open = outcome.is_none_or(Outcome::is_uncertain);
        providers.iter().find(|provider| is_open && provider.name() == name && provider.takes_once())
    });
    let mut candidates: Vec<&Provider> = bound.map_or_else(|| providers.iter().collect(), |one| vec![one]);
    candidates.sort_by_key(|provider| last.as_ref().is_some_and(|(name, _)| provider.name() == name));
    let mut at = app.now() + 1_000;
    for provider in candidates {
        match breaker::ask(app.db(), provider.name(), app.now()).await? {
            Permit::Call { had_failures } => return Ok((provider.clone(), had_failures)),
            Permit::NotBefore(closed_until) => at = closed_until,
        }
    }
    Err(Failure::not_before("provider_down", "Every provider of mail has failed too often of late.", at))
}

/// Why a mail does not go now.
enum Held {
    Db(DbError),
    /// Until then (UTC milliseconds).
    Until(i64),
}

impl From<DbError> for Held {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Takes the mail's turn, and writes down that it is about to be sent. Where it has to wait, nothing was counted.
async fn begin(app: &AppState, email: &Email) -> Result<(), Failure> {
    let (app_in, email) = (app.clone(), email.clone());
    let key = Key::new("email_recipient", email.to_address.to_lowercase().as_bytes());
    let recipient = Check::count(key, app.config().limits.email_recipient);
    let begun = app.db().write(move |tx| {
        Box::pin(async move {
            let checked = app_in.limiter().check_in(tx, &[recipient]).await?;
            if let Some(full) = checked.rates().find(|rate| !rate.allowed) {
                return Err(Held::Until(full.reset_at));
            }
            if let Err(at) = pace::take(tx, &app_in).await? {
                return Err(Held::Until(at));
            }
            let provider = email.provider.clone().unwrap_or_default();
            if !store::take(tx, &email).await? {
                // A worker that was given up on is at it still.
                return Err(Held::Until(app_in.now() + TAKEN_MS));
            }
            store::begin(tx, email.email_id, (email.tries, &provider), app_in.now()).await?;
            Ok(checked)
        })
    });
    match begun.await {
        Ok(checked) => {
            // It has room: what is kept of it in memory is for those that have none.
            app.limiter().settle(&checked, Some(Ok(())))?;
            Ok(())
        }
        Err(Held::Db(error)) => Err(error.into()),
        Err(Held::Until(at)) => {
            Err(Failure::not_before("limited", "As many mails as may have gone for now.", at))
        }
    }
}

async fn end(
    app: &AppState,
    email: Email,
    (provider, had_failures): (&'static str, bool),
    result: Result<Taken, CallFailure>,
) -> Result<(), Failure> {
    let waited = app.now() - email.created_at;
    let (app_in, told) = (app.clone(), result.as_ref().map(|_| ()).map_err(Clone::clone));
    let ended = app.db().write(move |tx| {
        Box::pin(async move { settle(tx, &app_in, email, (provider, had_failures), result).await })
    });
    let ended: Result<(), DbError> = ended.await;
    ended?;
    match told {
        Ok(()) => {
            let waited = Duration::from_millis(u64::try_from(waited).unwrap_or_default());
            app.objectives().went_well(Sli::Email, Some(waited));
            Ok(())
        }
        Err(failure) => Err(for_queue(failure)),
    }
}

/// What the queue and the log keep of it: what a provider says may name whom the mail is for, and stays with the mail.
fn for_queue(failure: CallFailure) -> Failure {
    let detail = failure.briefly("provider");
    if failure.outcome == Outcome::Refused {
        return Failure::permanent("refused", detail);
    }
    Failure { detail, ..failure.into() }
}

async fn settle(
    tx: &mut Tx,
    app: &AppState,
    mut email: Email,
    (provider, had_failures): (&'static str, bool),
    result: Result<Taken, CallFailure>,
) -> Result<(), DbError> {
    let ended = match result {
        Ok(taken) => {
            email.status = EmailStatus::Sent;
            email.sent_at = Some(app.now());
            email.provider_id = taken.provider_id;
            email.failure = None;
            // It holds tickets, and has arrived.
            email.sealed_content = None;
            Ended { outcome: Outcome::Done, status: taken.status, code: None, detail: None }
        }
        Err(failure) => {
            email.status = EmailStatus::Queued;
            email.failure = Some(failure.detail.clone());
            let CallFailure { outcome, status, code, detail, .. } = failure;
            Ended { outcome, status, code, detail: Some(detail) }
        }
    };
    // What the provider tells of it may come before its answer.
    store::lock(tx, email.email_id).await?;
    let unsent = store::by_id(tx, email.email_id).await?.filter(|it| it.status != EmailStatus::Sent);
    if let Some(at) = email.sent_at.filter(|_| unsent.is_some()) {
        counted::sent(tx, app, &email, at).await?;
    }
    // Who was given up on still says that it was sent, and nothing else.
    if email.status == EmailStatus::Sent || unsent.is_some_and(|it| it.tries == email.tries) {
        store::update(tx, &email).await?;
    }
    store::end(tx, email.email_id, email.tries, &ended, app.now()).await?;
    let is_nobody = ended.code.as_deref().is_some_and(suppressions::is_nobody_there);
    if ended.outcome == Outcome::Refused && is_nobody {
        let why = (Reason::Bounced, ended.detail.as_deref());
        suppressions::suppress(tx, app, &email.to_address, why, app.now()).await?;
    }
    breaker::told(tx, provider, (had_failures, !ended.outcome.is_outage()), app.now()).await
}

/// What became of it, where it was not sent. What only waits has not failed.
async fn note(app: &AppState, id: EmailId, failure: &Failure, is_last: bool) -> ApiResult<()> {
    let is_dead = match failure.verdict {
        Verdict::NotBefore(_) => return Ok(()),
        Verdict::Permanent => true,
        Verdict::Retry | Verdict::RetryAfter(_) => is_last,
    };
    if !is_dead {
        return Ok(());
    }
    let detail = failure.detail.clone();
    app.objectives().failed(Sli::Email);
    let written = app.db().write(move |tx| {
        Box::pin(async move {
            store::lock(tx, id).await?;
            let email = store::by_id(tx, id).await?;
            let Some(mut email) = email.filter(|email| email.status != EmailStatus::Sent) else {
                return Ok(());
            };
            email.status = EmailStatus::Failed;
            // What the provider said is there already.
            email.failure.get_or_insert(detail);
            store::update(tx, &email).await
        })
    });
    let written: Result<(), DbError> = written.await;
    Ok(written?)
}

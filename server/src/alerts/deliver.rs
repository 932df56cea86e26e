//! Handing messages to a channel: one job for each channel, alive once at most, until nothing waits.

use serde_json::{Value, json};

use super::channels::Channel;
use super::outbox;
use super::types::Notice;
use super::{DELIVER, QUEUE};
use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::NoticeId;
use crate::platform::queue::{Claimed, Failure, NewJob, Verdict};
use crate::platform::rate_limit::Key;

/// A message that waits for longer than this tells what was so long ago.
const EXPIRES_MS: i64 = 24 * 3_600_000;

/// Sees to it that what waits is sent, once the transaction is committed.
pub(super) async fn put_in(tx: &mut Tx, app: &AppState, channel: &str) -> Result<(), DbError> {
    let job = NewJob {
        unique_key: Some(format!("{DELIVER} {channel}")),
        ..NewJob::new(QUEUE.name, DELIVER, json!({ "channel": channel }))
    };
    app.queue().enqueue(tx, &job).await.map(drop)
}

/// The job.
pub(super) async fn job(app: AppState, claimed: Claimed) -> Result<(), Failure> {
    let name = claimed.payload.get("channel").and_then(Value::as_str).unwrap_or_default();
    expire(&app, name).await?;
    if let Some(channel) = app.channels().named(name) {
        return deliver(&app, channel).await;
    }
    // Another process may be set up with it; what nobody sends expires.
    if waits(&app, name).await? {
        return Err(Failure::retry("no_channel", format!("This process has no channel `{name}`.")));
    }
    Ok(())
}

async fn expire(app: &AppState, channel: &str) -> Result<(), DbError> {
    let (channel, now) = (channel.to_owned(), app.now());
    let expire = app
        .db()
        .write(move |tx| Box::pin(async move { outbox::expire(tx, &channel, now - EXPIRES_MS, now).await }));
    expire.await.map(drop)
}

/// Whether messages wait to be sent there.
async fn waits(app: &AppState, channel: &str) -> Result<bool, DbError> {
    let waiting = app.db().read(|conn| Box::pin(async move { outbox::waiting(conn).await }));
    let waiting: Vec<String> = waiting.await?;
    Ok(waiting.iter().any(|waiting| waiting == channel))
}

async fn deliver(app: &AppState, channel: &Channel) -> Result<(), Failure> {
    let name = channel.name;
    loop {
        pace(app, channel).await?;
        let (count, now) = (channel.together, app.now());
        let take =
            app.db().write(move |tx| Box::pin(async move { outbox::take(tx, name, count, now).await }));
        let notices: Result<Vec<Notice>, DbError> = take.await;
        let notices = notices?;
        if notices.is_empty() {
            return Ok(());
        }
        let sent = channel.send(app, &notices).await;
        settle(app, &notices, &sent).await?;
        match sent {
            // What cannot be sent is given up; others may get through.
            Err(failure) if failure.verdict != Verdict::Permanent => return Err(failure),
            _ => {}
        }
    }
}

/// Waits with what exceeds the channel's limit. Asked before anything is taken, and counted only if something waits.
async fn pace(app: &AppState, channel: &Channel) -> Result<(), Failure> {
    let Some(limit) = channel.limit else { return Ok(()) };
    let name = channel.name;
    if !waits(app, name).await? {
        return Ok(());
    }
    let key = Key::new("alert_channel", name.as_bytes());
    let rate = app.limiter().check(&key, limit.count, limit.window).await?;
    if rate.allowed {
        return Ok(());
    }
    let wait = u64::try_from(rate.reset_at - app.now()).unwrap_or(0);
    let wait = std::time::Duration::from_millis(wait);
    Err(Failure::retry_after(
        "limited",
        format!("Not more than {} in {:?}.", limit.count, limit.window),
        wait,
    ))
}

async fn settle(app: &AppState, notices: &[Notice], sent: &Result<(), Failure>) -> Result<(), DbError> {
    let ids: Vec<NoticeId> = notices.iter().map(|notice| notice.notice_id).collect();
    let (sent, now) = (sent.clone(), app.now());
    let write = app.db().write(move |tx| {
        Box::pin(async move {
            match &sent {
                Ok(()) => outbox::end(tx, &ids, ("sent", None), now).await,
                Err(failure) if failure.verdict == Verdict::Permanent => {
                    outbox::end(tx, &ids, ("failed", Some(&failure.detail)), now).await
                }
                Err(failure) => outbox::note(tx, &ids, &failure.detail).await,
            }
        })
    });
    write.await
}

//! What the operator does with alerts, on record.

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use super::types::{AlertView, Message, NoticeView, Turn};
use super::{QUEUE, outbox, tell};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::platform::authorize::By;
use crate::platform::db::DbError;
use crate::platform::ids::{AlertId, NoticeId};
use crate::platform::page::Key;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::remark::{Note, Remark};
use crate::platform::severity::Severity;

/// How a channel does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChannelView {
    /// `log`, `email` or `webhook`.
    pub channel: String,
    /// What matters less does not go there.
    pub min_severity: Severity,
    /// Its newest message; none: it never had one.
    pub last: Option<NoticeView>,
}

/// Somebody who looks after the installation.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) app: &'a AppState,
    pub(crate) by: By,
}

fn not_found() -> ApiError {
    ApiError::new(Code::AlertNotFound, "There is no open alert with this id: it is over, or was never there.")
}

/// Alerts that are open, or over, the newest first.
pub(crate) async fn list(
    app: &AppState,
    is_open: bool,
    before: Key,
    limit: u32,
) -> ApiResult<Vec<AlertView>> {
    let list =
        app.db().read(move |conn| Box::pin(async move { store::list(conn, is_open, before, limit).await }));
    let list: Result<_, DbError> = list.await;
    Ok(list?)
}

/// How the channels do.
pub(crate) async fn channels(app: &AppState) -> ApiResult<Vec<ChannelView>> {
    let names = app.channels().names();
    let last = app.db().read(move |conn| Box::pin(async move { outbox::last(conn, &names).await }));
    let last: Result<Vec<NoticeView>, DbError> = last.await;
    let last = last?;
    let views = app.channels().iter().map(|channel| ChannelView {
        channel: channel.name.to_owned(),
        min_severity: channel.least,
        last: last.iter().find(|notice| notice.channel == channel.name).cloned(),
    });
    Ok(views.collect())
}

impl Desk<'_> {
    /// Looks after an alert: nobody is told again while it is open, unless it becomes worse.
    ///
    /// # Errors
    /// `alert_not_found`; 422 for a note that is none.
    pub(crate) async fn acknowledge(&self, id: AlertId, note: &Note) -> ApiResult<AlertView> {
        let remark = Remark::of(&self.by, self.app.now(), note.checked()?);
        let json = serde_json::to_string(&remark).map_err(ApiError::internal)?;
        let (pen, by) = (audit::pen(self.app), self.by.clone());
        let done = self.app.db().write(move |tx| {
            Box::pin(async move {
                if !store::acknowledge(tx, id, &json).await? {
                    return Ok::<_, DbError>(None);
                }
                let entry =
                    Entry::of(Deed::AlertAcknowledged).to(Target::Alert, id.as_bytes()).after(&remark);
                pen.write(tx, None, &by, entry).await?;
                store::get(tx, id).await
            })
        });
        done.await?.ok_or_else(not_found)
    }

    /// Sends a message to every channel, to see whether it arrives.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn test(&self) -> ApiResult<()> {
        let (app, by, pen) = (self.app.clone(), self.by.clone(), audit::pen(self.app));
        let sent = self.app.db().write(move |tx| {
            Box::pin(async move {
                let about = NoticeId::generate(app.now(), app.entropy().as_ref());
                let message = Message {
                    turn: Turn::Test,
                    rule: "test".to_owned(),
                    subject: String::new(),
                    severity: Severity::Notice,
                    sentence: format!("{} wanted to see whether messages arrive. They do.", by.name),
                    next_step: String::new(),
                    page: "/console/operator/alerts".to_owned(),
                    about: about.to_string(),
                    is_anomaly: false,
                    organiser_id: None,
                    event_id: None,
                    since: app.now(),
                    at: app.now(),
                };
                tell(tx, &app, *about.as_bytes(), &message).await?;
                pen.write(tx, None, &by, Entry::of(Deed::AlertsTested)).await
            })
        });
        let sent: Result<(), DbError> = sent.await;
        sent?;
        self.app.queue().wake(QUEUE.name);
        Ok(())
    }
}

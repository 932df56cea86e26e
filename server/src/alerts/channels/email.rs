//! By mail, through the queue of mails: several messages in one.

use lettre::message::Mailboxes;

use super::super::outbox;
use super::super::types::Notice;
use crate::app::AppState;
use crate::mails;
use crate::platform::config::{AlertConfig, ConfigError};
use crate::platform::db::DbError;
use crate::platform::ids::{CauseId, NoticeId};
use crate::platform::queue::Failure;

/// Mails to the operator.
#[derive(Debug)]
pub(super) struct Email {
    to: Mailboxes,
}

impl Email {
    /// None if nobody gets mails.
    pub(super) fn new(config: &AlertConfig) -> Result<Option<Self>, ConfigError> {
        let Some(to) = &config.email_to else { return Ok(None) };
        let to = to
            .parse()
            .map_err(|_| ConfigError::new("alert_email_to", "must be e-mail addresses with , between"))?;
        Ok(Some(Self { to }))
    }

    /// One mail about all of them to each who gets mails, put in by the transaction that says that they are sent.
    pub(super) async fn send(&self, app: &AppState, notices: &[Notice]) -> Result<(), Failure> {
        let cause = CauseId::generate(app.now(), app.entropy().as_ref());
        let (app_in, to): (_, Vec<_>) = (app.clone(), self.to.iter().cloned().collect());
        let (ids, messages): (Vec<NoticeId>, Vec<_>) =
            notices.iter().map(|notice| (notice.notice_id, notice.message.clone())).unzip();
        let put = app.db().write(move |tx| {
            Box::pin(async move {
                for mailbox in &to {
                    mails::alert(tx, &app_in, mailbox, (cause, &messages)).await?;
                }
                outbox::mailed(tx, &ids, cause, app_in.now()).await
            })
        });
        let put: Result<(), DbError> = put.await;
        put?;
        mails::wake(app);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        let to = |to: &str| AlertConfig { email_to: Some(to.into()), ..AlertConfig::default() };
        assert!(Email::new(&to("a@example.org, B <b@example.org>")).is_ok());
        assert_eq!(Email::new(&to("nobody")).unwrap_err().key, "alert_email_to");
    }
}

//! Where messages go.

mod email;
mod log;
mod webhook;

use super::types::{Message, Notice, Turn};
use crate::app::AppState;
use crate::platform::config::{AlertConfig, ConfigError};
use crate::platform::queue::Failure;
use crate::platform::rate_limit::Limit;
use crate::platform::severity::Severity;
use crate::platform::telemetry::context;
use email::Email;
use webhook::Webhook;

/// The channels of this installation.
#[derive(Debug)]
pub struct Channels(Vec<Channel>);

/// One of them.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) name: &'static str,
    /// What matters less does not go there.
    pub(super) least: Severity,
    /// How many messages one call takes.
    pub(super) together: u32,
    /// How many calls there are at most; what exceeds them waits.
    pub(super) limit: Option<Limit>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Log,
    Email(Email),
    Webhook(Webhook),
}

/// A mail holds this many messages at most.
const IN_ONE_MAIL: u32 = 50;

impl Channels {
    /// The log, and what is set up beside it.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn new(config: &AlertConfig, public_url: &str) -> Result<Self, ConfigError> {
        let least = config.min_severity;
        let mut channels =
            vec![Channel { name: "log", least: Severity::Notice, together: 50, limit: None, way: Way::Log }];
        if let Some(email) = Email::new(config)? {
            let (way, limit) = (Way::Email(email), Some(per_hour(20)));
            channels.push(Channel { name: "email", least, together: IN_ONE_MAIL, limit, way });
        }
        if let Some(webhook) = Webhook::new(config, public_url)? {
            let limit = Some(Limit::per_minute(60));
            channels.push(Channel { name: "webhook", least, together: 1, limit, way: Way::Webhook(webhook) });
        }
        Ok(Self(channels))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.0.iter()
    }

    pub(super) fn named(&self, name: &str) -> Option<&Channel> {
        self.0.iter().find(|channel| channel.name == name)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|channel| channel.name).collect()
    }
}

const fn per_hour(count: u32) -> Limit {
    Limit { count, window: std::time::Duration::from_secs(3_600) }
}

impl Channel {
    /// Whether a message goes there.
    pub(super) fn wants(&self, message: &Message) -> bool {
        message.turn == Turn::Test || message.severity >= self.least
    }

    /// Sends messages, all or none of them.
    pub(super) async fn send(&self, app: &AppState, notices: &[Notice]) -> Result<(), Failure> {
        match &self.way {
            Way::Log => {
                notices.iter().for_each(log::write);
                Ok(())
            }
            Way::Email(email) => email.send(app, notices).await,
            Way::Webhook(webhook) => {
                for notice in notices {
                    context::provider("webhook", "alert", webhook.send(notice, app.clock())).await?;
                }
                Ok(())
            }
        }
    }
}

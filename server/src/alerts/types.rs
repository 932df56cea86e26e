//! What an alert is, and what is said of it.

use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::coded::coded;
use crate::platform::ids::{AlertId, NoticeId};
use crate::platform::remark::Remark;
use crate::platform::severity::Severity;

coded! {
    /// What an alert is about.
    Rule {
        /// More than ten jobs are dead letters.
        DeadLetters = "dead_letters",
        /// A job waits for longer than it should.
        QueueLate = "queue_late",
        /// A queue is paused, and seems forgotten.
        QueuePaused = "queue_paused",
        /// Failures use up the error budget of an objective far too fast.
        BudgetBurning = "budget_burning",
        /// An objective was missed over the last 28 days.
        ObjectiveMissed = "objective_missed",
        /// Messages to a channel were given up.
        ChannelFailing = "channel_failing",
        /// More than one of a hundred payments timed out at its provider.
        PaymentTimeouts = "payment_timeouts",
        /// Payments cannot be begun.
        PaymentsFailing = "payments_failing",
        /// Nobody knows what became of a payment or a refund.
        PaymentsUnknown = "payments_unknown",
        /// The books are not right.
        BooksOff = "books_off",
        /// Figures could not be counted, three times in a row.
        AnalyticsStale = "analytics_stale",
        /// So many mails came back that mail servers will soon believe none.
        MailsBouncing = "mails_bouncing",
        /// So many mails were called spam that all of them will soon be taken for it.
        MailsUnwanted = "mails_unwanted",
    }
}

impl Rule {
    /// What to do about it.
    #[must_use]
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::DeadLetters => {
                "Look at what they failed with, mend the cause, and try them again, one or all of a kind."
            }
            Self::QueueLate => {
                "Look whether a server runs that takes jobs from it, and whether what it calls is slow."
            }
            Self::QueuePaused => "Let it go on, or acknowledge this if it is meant to wait.",
            Self::BudgetBurning => {
                "Look at the log for what fails: its lines have level ERROR and the id of the request."
            }
            Self::ObjectiveMissed => "Look at which days it was, and what changed on them.",
            Self::ChannelFailing => {
                "Look at what its last try failed with, correct its settings, and send a test message."
            }
            Self::PaymentTimeouts | Self::PaymentsFailing => {
                "Look at the provider's status page, then at the log for `provider failed`. Buyers can try again; nobody \
                 is charged twice."
            }
            Self::PaymentsUnknown => {
                "They are asked for again until they are known. Look whether the queue payments runs, and whether the \
                 provider answers."
            }
            Self::BooksOff => {
                "Stop payouts, and compare the table money_entries with payments and refunds: an entry is missing or \
                 was changed by hand."
            }
            Self::AnalyticsStale => {
                "Look at what the last rounds failed with. What happened meanwhile is kept, and counted once that is mended."
            }
            Self::MailsBouncing => {
                "Look at the mails that came back and whose event they are about: addresses that were typed in or bought \
                 are the usual cause. Stop that organiser's news until they are mended."
            }
            Self::MailsUnwanted => {
                "Look at which mails were called spam, and talk to the organiser who sent them. Providers take no more \
                 mail from whoever has more than three complaints in a thousand."
            }
        }
    }

    /// The operator's page about it.
    #[must_use]
    pub const fn page(self) -> &'static str {
        match self {
            Self::DeadLetters => "/console/operator/dead-letters",
            Self::QueueLate | Self::QueuePaused => "/console/operator/queues",
            Self::BudgetBurning | Self::ObjectiveMissed => "/console/operator/objectives",
            Self::MailsBouncing | Self::MailsUnwanted => "/console/operator/mail",
            Self::AnalyticsStale => "/console/operator/analytics",
            Self::ChannelFailing
            | Self::PaymentTimeouts
            | Self::PaymentsFailing
            | Self::PaymentsUnknown
            | Self::BooksOff => "/console/operator/alerts",
        }
    }
}

coded! {
    /// What of an alert a message tells.
    Turn {
        /// It began.
        Opened = "opened",
        /// It goes on, or became worse.
        Open = "open",
        /// It is over.
        Resolved = "resolved",
        /// Nothing: somebody tries the channels.
        Test = "test",
    }
}

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// By which rule.
    pub rule: Rule,
    /// About what of several; empty where there is one only.
    pub subject: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is so, in one sentence without names of people.
    pub sentence: String,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertView {
    /// Its id.
    pub alert_id: AlertId,
    /// By which rule.
    pub rule: Rule,
    /// The queue, indicator or channel it is about; empty where there is one only.
    pub subject: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is so, or was last.
    pub sentence: String,
    /// What to do about it.
    pub next_step: &'static str,
    /// Since when (UTC milliseconds).
    pub opened_at: i64,
    /// When it was seen last.
    pub seen_at: i64,
    /// When it was over; none while it is open.
    pub resolved_at: Option<i64>,
    /// Who looks after it.
    pub acknowledged: Option<Remark>,
    /// Who was told, the first first.
    pub notices: Vec<NoticeView>,
}

/// One message to one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeView {
    /// Its id; the id of a web hook's message.
    pub notice_id: NoticeId,
    /// `log`, `email` or `webhook`.
    pub channel: String,
    /// What of the alert it tells.
    pub turn: Turn,
    /// `pending`, `sent` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// Since when it is to be sent (UTC milliseconds).
    pub created_at: i64,
    /// When it was sent or given up.
    pub ended_at: Option<i64>,
    /// What the last try that failed said.
    pub detail: Option<String>,
}

/// What a message tells, on every channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What of it.
    pub turn: Turn,
    /// A rule's code, or an anomaly's kind.
    pub rule: String,
    /// The queue, indicator or channel.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is so.
    pub sentence: String,
    /// What to do about it.
    #[serde(default)]
    pub next_step: String,
    /// The page of the console about it, below the server's address.
    pub page: String,
    /// The alert or the anomaly.
    pub about: String,
    /// Whether it is an anomaly at an event.
    #[serde(default)]
    pub is_anomaly: bool,
    /// Whose, of an anomaly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organiser_id: Option<OrganiserId>,
    /// At which event, of an anomaly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Since when (UTC milliseconds).
    pub since: i64,
    /// When this was noticed (UTC milliseconds).
    pub at: i64,
}

/// A message to one channel, taken to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// Its id: the same at every try.
    pub notice_id: NoticeId,
    /// What it tells.
    pub message: Message,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_reads_as_a_text() {
        for rule in Rule::ALL {
            let text = rule.next_step();
            assert!(!text.contains("  ") && text.ends_with('.'), "{text}");
        }
    }
}

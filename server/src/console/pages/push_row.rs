//! A push message in a list, and what became of it; and why some did not go, in words.

use serde::Serialize;

use super::super::layout::Moment;
use super::orders::Standing;
use crate::push::desk::MessageView;
use crate::push::{Kind, PushStatus, Reason};

/// What is shown of a push message.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    title: String,
    body: String,
    kind: &'static str,
    standing: Standing,
    reason: Option<&'static str>,
    detail: Option<String>,
    tries: i64,
    service: Option<&'static str>,
    /// When it goes, where it waits for its time.
    due: Option<Moment>,
    at: Moment,
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Test => "Test",
        Kind::TicketReady => "Ticket ready",
        Kind::TicketTransferred => "Ticket handed on",
        Kind::TicketRefunded => "Money back",
        Kind::EventChanged => "Event changed",
        Kind::EventCancelled => "Event called off",
        Kind::GatesOpen => "Doors open",
        Kind::News => "News",
    }
}

pub(super) const fn standing(status: PushStatus) -> Standing {
    let (words, class) = match status {
        PushStatus::Queued => ("Waits", "warn"),
        PushStatus::Sending => ("Being sent", "warn"),
        PushStatus::Sent => ("Sent", "good"),
        PushStatus::Failed => ("Not sent", "bad"),
        PushStatus::Withheld => ("Withheld", "warn"),
        PushStatus::Grouped => ("Came with another", "good"),
    };
    Standing { words, class }
}

/// What became of one that was sent, as far as the phone says.
const fn arrived(view: &MessageView) -> Standing {
    match (view.opened_at, view.delivered_at) {
        (Some(_), _) => Standing { words: "Opened", class: "good" },
        (None, Some(_)) => Standing { words: "On the phone", class: "good" },
        (None, None) => standing(view.status),
    }
}

/// Why one waits, did not go, or failed.
pub(super) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::QuietHours => "quiet hours",
        Reason::Limited => "as many as one person gets in an hour",
        Reason::CampaignLimited => "as many as one campaign sends in an hour",
        Reason::ProviderDown => "its service fails",
        Reason::PushOff => "its service is not set up here",
        Reason::Paused => "its campaign is paused",
        Reason::Cancelled => "its campaign was called off",
        Reason::Unwanted => "nobody there wants these",
        Reason::NoDevice => "there is no phone any more",
        Reason::Expired => "its time was over",
        Reason::TokenGone => "the app is gone from the phone",
        Reason::Refused => "its service refused it",
        Reason::Unanswered => "its service did not take it",
    }
}

pub(super) fn service(code: &str) -> Option<&'static str> {
    match code {
        "apns" => Some("Apple"),
        "apns_sandbox" => Some("Apple, apps from Xcode"),
        "fcm" => Some("Google"),
        "fcm_installation" => Some("Google, by installation"),
        _ => None,
    }
}

/// With its times on the clocks of a zone, if it is about an event.
pub(super) fn row(view: MessageView, time_zone: Option<&str>) -> Message {
    let moment = |ms: i64| time_zone.map_or_else(|| Moment::new(ms), |zone| Moment::exact(ms, zone));
    Message {
        standing: arrived(&view),
        kind: kind(view.kind),
        reason: view.reason.map(reason),
        service: view.service.as_deref().and_then(service),
        tries: view.tries,
        due: view.due_at.filter(|_| view.reason.is_some()).map(moment),
        at: moment(view.created_at),
        title: view.title,
        body: view.body,
        detail: view.detail,
    }
}

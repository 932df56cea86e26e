//! A mail in a list, and what became of it.

use serde::Serialize;

use super::super::layout::Moment;
use super::orders::Standing;
use crate::email::{Class, Delivery, EmailStatus, EmailView};

/// What is shown of a mail.
#[derive(Debug, Serialize)]
pub(super) struct Mail {
    to: String,
    subject: String,
    standing: Standing,
    provider: Option<String>,
    tries: i64,
    failure: Option<String>,
    twice: bool,
    is_bulk: bool,
    template: Option<String>,
    at: Moment,
}

pub(super) const fn standing(status: EmailStatus) -> Standing {
    let (words, class) = match status {
        EmailStatus::Queued => ("Waits", "warn"),
        EmailStatus::Sending => ("Being sent", "warn"),
        EmailStatus::Sent => ("Sent", "good"),
        EmailStatus::Failed => ("Not sent", "bad"),
        EmailStatus::Withheld => ("Withheld", "warn"),
    };
    Standing { words, class }
}

/// What became of one that was sent.
const fn delivered(delivery: Delivery) -> Standing {
    let (words, class) = match delivery {
        Delivery::Sent => ("Sent", "good"),
        Delivery::Delayed => ("Delayed there", "warn"),
        Delivery::Delivered => ("Delivered", "good"),
        Delivery::Failed => ("Given up there", "bad"),
        Delivery::Bounced => ("Came back", "bad"),
        Delivery::Complained => ("Called spam", "bad"),
    };
    Standing { words, class }
}

/// With its time on the clocks of a zone, if it is about an event.
pub(super) fn row(view: EmailView, time_zone: Option<&str>) -> Mail {
    Mail {
        to: view.to_address,
        subject: view.subject.unwrap_or(view.kind),
        standing: view.delivery.map_or_else(|| standing(view.status), delivered),
        provider: view.provider,
        tries: view.tries,
        failure: view.failure.or(view.delivery_detail),
        is_bulk: view.class == Class::Bulk,
        template: view.template,
        twice: view.may_have_come_twice,
        at: time_zone
            .map_or_else(|| Moment::new(view.created_at), |zone| Moment::exact(view.created_at, zone)),
    }
}

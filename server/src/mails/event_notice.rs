//! That an event has another name, time or place, or does not take place.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Kind;
use super::wording;
use crate::app::AppState;
use crate::email::{Composed, Email};
use crate::events::types::EventView;
use crate::orders;
use crate::platform::locale::Locale;
use crate::platform::problem::ApiError;
use crate::platform::queue::Failure;

/// What buyers want to know of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    name: String,
    starts_at: i64,
    ends_at: i64,
    time_zone: String,
    venue: Option<String>,
}

impl Facts {
    pub(crate) fn of(event: &EventView) -> Self {
        Self {
            name: event.info.name.clone(),
            starts_at: event.info.starts_at,
            ends_at: event.info.ends_at,
            time_zone: event.info.time_zone.clone(),
            venue: event.venue.clone(),
        }
    }
}

pub(super) async fn compose(app: &AppState, kind: Kind, email: &Email) -> Result<Composed, Failure> {
    let id = wording::order_of(email)?;
    let read = app.db().read(move |conn| {
        Box::pin(async move {
            let about = wording::about(conn, kind, id).await?;
            let items = orders::items(conn, id).await?;
            let has_tickets = items.iter().any(|item| item.ticket_id.is_some() && item.refund_id.is_none());
            Ok::<_, ApiError>((about, has_tickets))
        })
    });
    let (about, has_tickets) = read.await?;
    if !has_tickets {
        return Ok(Composed::Nothing("Every ticket of the order was given back before the mail went."));
    }
    let more = match kind {
        Kind::EventCancelled => json!({ "reason": about.event.cancel_reason.clone().unwrap_or_default() }),
        _ if about.event.cancelled_at.is_some() => {
            return Ok(Composed::Nothing("The event was called off before the mail went."));
        }
        _ => {
            let before: Facts = serde_json::from_value(email.payload.clone()).map_err(|error| {
                Failure::permanent("payload", format!("What it was before cannot be read: {error}."))
            })?;
            match changes(&before, &Facts::of(&about.event), about.locale()) {
                changes if changes.is_empty() => {
                    return Ok(Composed::Nothing(
                        "The event is as it was before: the change was taken back.",
                    ));
                }
                changes => json!({ "changes": changes }),
            }
        }
    };
    Ok(about.render(more, vec![about.calendar(app)])?.into())
}

/// Something of an event that is different now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// What people call it.
    pub(crate) what: &'static str,
    pub(crate) before: Option<String>,
    pub(crate) now: Option<String>,
}

/// What is different now from what it was before.
pub(crate) fn changes(before: &Facts, now: &Facts, locale: Locale) -> Vec<Change> {
    let [name, start, end, place] = match locale {
        Locale::En => ["Name", "Starts", "Ends", "Where"],
        Locale::De => ["Name", "Beginn", "Ende", "Ort"],
    };
    let moment = |ms: i64, facts: &Facts| Some(locale.moment(ms, &facts.time_zone));
    let all = [
        (name, Some(before.name.clone()), Some(now.name.clone())),
        (start, moment(before.starts_at, before), moment(now.starts_at, now)),
        (end, moment(before.ends_at, before), moment(now.ends_at, now)),
        (place, before.venue.clone(), now.venue.clone()),
    ];
    let changed = all.into_iter().filter(|(_, before, now)| before != now);
    changed.map(|(what, before, now)| Change { what, before, now }).collect()
}

//! Times and amounts, as buyers read them.

use chrono::TimeZone as _;
use chrono_tz::Tz;
use serde::Serialize;

use super::super::types::ShopEvent;
use crate::pricing::{Currency, Money};

/// An event.
#[derive(Debug, Serialize)]
pub(super) struct EventView {
    pub(super) name: String,
    pub(super) organiser: String,
    pub(super) when: String,
    pub(super) path: String,
}

pub(super) fn event(event: &ShopEvent) -> EventView {
    EventView {
        name: event.name.clone(),
        organiser: event.organiser.clone(),
        when: moment(event.starts_at, &event.time_zone),
        path: format!("/shop/{}", event.event_id),
    }
}

/// A time where the event is: `Friday 31 July 2026, 20:00`.
pub(super) fn moment(at: i64, zone: &str) -> String {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    let local = zone.timestamp_millis_opt(at).single();
    local.map(|local| local.format("%A %-d %B %Y, %H:%M").to_string()).unwrap_or_default()
}

/// The time of the day: `20:15`.
pub(super) fn clock(at: i64, zone: &str) -> String {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    zone.timestamp_millis_opt(at).single().map(|local| local.format("%H:%M").to_string()).unwrap_or_default()
}

pub(super) fn money(amount: i64, currency: Currency) -> String {
    Money { amount, currency }.to_string()
}

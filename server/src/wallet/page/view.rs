//! What the page shows of a ticket.

use chrono::{DateTime, TimeZone as _};
use chrono_tz::Tz;
use liventix_core::qr::{Format, QrOptions, QrOrManual};
use liventix_core::rules::{PrintedPolicy, TicketStatus};
use serde::Serialize;

use super::super::link;
use super::super::present::{self, Found};
use super::super::store::{LinkKind, LinkRow};
use super::super::transfer;
use crate::app::AppState;
use crate::platform::auth::Client;
use crate::platform::problem::{ApiError, ApiResult};
use crate::tickets::service as tickets;

/// A ticket on the page.
#[derive(Serialize)]
pub(super) struct View {
    event: String,
    when: When,
    type_name: String,
    admits: u16,
    attendee: Option<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    shown: Shown,
}

/// When the event is.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct When {
    /// Its start, for machines.
    machine: String,
    /// For people, where it takes place.
    lines: Vec<String>,
}

/// What stands in the code's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Shown {
    /// The code itself.
    Code {
        qr: Option<String>,
        manual_code: String,
    },
    /// Only the live ticket enters.
    Live,
    /// Somebody offers the ticket; its codes are still theirs.
    Offer {
        until: String,
    },
    /// It was offered, and can no longer be handed on.
    OfferOver,
    Unpaid,
    Cancelled,
    Blocked,
    /// The code has expired, or its key was withdrawn.
    Outdated,
}

/// A link that is alive, and its ticket.
struct Looked {
    found: Found,
    link: LinkRow,
    /// Whether a ticket that was offered can still be handed on.
    can_be_taken: bool,
}

/// The ticket a link shows.
///
/// # Errors
/// `link_unknown`, `link_used`, `link_expired`, `rate_limited`.
pub(super) async fn of(app: &AppState, client: Client, token: &str) -> ApiResult<View> {
    let looked = look(app, client, token).await?;
    app.snapshots().keep(&looked.found.snapshot);
    let info = &looked.found.snapshot.info;
    let zone = info.time_zone.parse().unwrap_or(Tz::UTC);
    let view = &looked.found.row.view;
    let kind = info.ticket_type(view.ticket_type_id);
    let kind = kind.ok_or_else(|| ApiError::internal("a ticket without a type"))?;
    let is_offer = looked.link.kind == LinkKind::Transfer;
    let moment = |at: i64| moment(zone, at);
    Ok(View {
        event: info.name.clone(),
        when: when(zone, info.starts_at, info.ends_at),
        type_name: kind.name.clone(),
        admits: view.admits.unwrap_or(kind.admits),
        // Who gives it is nobody's business but theirs.
        attendee: view.attendee_name.clone().filter(|_| !is_offer),
        valid_from: view.valid_from.or(kind.valid_from).map(moment),
        valid_until: view.valid_until.or(kind.valid_until).map(moment),
        shown: shown(app, &looked, zone).await?,
    })
}

async fn look(app: &AppState, client: Client, token: &str) -> ApiResult<Looked> {
    let (token, ticket) = link::look_up(app, client, token).await?;
    let app_in = app.clone();
    app.db()
        .read(move |conn| {
            Box::pin(async move {
                let link = link::find(conn, &token, ticket).await?.ok_or_else(link::unknown)?;
                link::check_alive(&link, app_in.now())?;
                let found = present::find(&app_in, conn, ticket).await?.ok_or_else(link::unknown)?;
                let can_be_taken =
                    link.kind == LinkKind::Transfer && transfer::is_possible(conn, &found).await?;
                Ok(Looked { found, link, can_be_taken })
            })
        })
        .await
}

async fn shown(app: &AppState, looked: &Looked, zone: Tz) -> ApiResult<Shown> {
    if looked.link.kind == LinkKind::Transfer {
        return Ok(match looked.link.expires_at {
            Some(until) if looked.can_be_taken => Shown::Offer { until: moment(zone, until) },
            _ => Shown::OfferOver,
        });
    }
    let view = &looked.found.row.view;
    Ok(match view.status {
        TicketStatus::Unpaid => Shown::Unpaid,
        TicketStatus::Cancelled => Shown::Cancelled,
        TicketStatus::Revoked => Shown::Blocked,
        TicketStatus::Valid if is_live_only(&looked.found) => Shown::Live,
        TicketStatus::Valid if is_outdated(&looked.found, app.now()) => Shown::Outdated,
        TicketStatus::Valid => code(app, &looked.found).await?,
    })
}

/// Whether doors refuse the printed and the manual code, as the rules do.
fn is_live_only(found: &Found) -> bool {
    match found.snapshot.info.policy.printed {
        PrintedPolicy::Allowed => false,
        PrintedPolicy::UntilLiveActivated => found.row.view.live_activated,
        PrintedPolicy::Refused => true,
    }
}

fn is_outdated(found: &Found, now: i64) -> bool {
    let view = &found.row.view;
    let key_until = found.snapshot.key(view.code_key_id).and_then(|key| key.accept_until);
    [view.code_expires_at, key_until].into_iter().flatten().any(|until| until <= now)
}

async fn code(app: &AppState, found: &Found) -> ApiResult<Shown> {
    let codes = present::issuer(app, found).with_code(&found.row)?;
    let manual_code = codes.manual_code.clone();
    let qr = match tickets::draw(app, codes, QrOptions::default(), Format::Svg).await? {
        QrOrManual::Qr(image) => Some(String::from_utf8(image.bytes).map_err(ApiError::internal)?),
        QrOrManual::Manual(_) => None,
    };
    Ok(Shown::Code { qr, manual_code })
}

fn at(zone: Tz, ms: i64) -> DateTime<Tz> {
    zone.timestamp_millis_opt(ms).single().unwrap_or_else(|| DateTime::UNIX_EPOCH.with_timezone(&zone))
}

/// `Fri 31 July 2026, 20:00`.
fn moment(zone: Tz, ms: i64) -> String {
    at(zone, ms).format("%a %-d %B %Y, %H:%M").to_string()
}

/// An evening is one day with its hours, though it ends after midnight; what is longer has two moments.
fn when(zone: Tz, starts_at: i64, ends_at: i64) -> When {
    const DAY_MS: i64 = 24 * 3_600_000;
    let (start, end) = (at(zone, starts_at), at(zone, ends_at));
    let lines = if ends_at - starts_at < DAY_MS {
        vec![
            start.format("%A, %-d %B %Y").to_string(),
            format!("{} – {}", start.format("%H:%M"), end.format("%H:%M %Z")),
        ]
    } else {
        vec![
            format!("From {}", moment(zone, starts_at)),
            format!("to {} {}", moment(zone, ends_at), end.format("%Z")),
        ]
    };
    When { machine: start.to_rfc3339(), lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRIDAY_EVENING: i64 = 1_785_520_800_000;

    #[test]
    fn times_are_those_of_the_place() {
        let night = FRIDAY_EVENING + 9 * 3_600_000;
        let paris = when(Tz::Europe__Paris, FRIDAY_EVENING, night);
        assert_eq!(paris.machine, "2026-07-31T20:00:00+02:00");
        assert_eq!(paris.lines, ["Friday, 31 July 2026", "20:00 – 05:00 CEST"]);
        let tokyo = when(Tz::Asia__Tokyo, FRIDAY_EVENING, night);
        assert_eq!(tokyo.lines, ["Saturday, 1 August 2026", "03:00 – 12:00 JST"]);
        let days = when(Tz::UTC, FRIDAY_EVENING, FRIDAY_EVENING + 48 * 3_600_000);
        assert_eq!(days.lines, ["From Fri 31 July 2026, 18:00", "to Sun 2 August 2026, 18:00 UTC"]);
        // Far beyond any calendar: something, and no panic.
        assert_eq!(when(Tz::UTC, i64::MAX - 1, i64::MAX).lines[0], "Thursday, 1 January 1970");
    }
}

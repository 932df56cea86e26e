//! Turns views into lines of text. Pure: the look, the words and the time zone all come in as
//! arguments, nothing is printed here.

mod banner;
mod pages;
mod verdict;

pub(crate) use pages::{check, conflict, enrolled, error, found, status, synced, undone};
pub(crate) use verdict::{printable, verdict};

use chrono::{DateTime, TimeZone};
pub(crate) use liventix_core::words::{clock_offset, count, duration, grouped};

use crate::look::Look;
use crate::views::{Link, StandingView};

/// A moment as people at the door say it: the time, with the date when it is not `now`'s day.
pub(crate) fn moment<Z: TimeZone>(at: i64, now: i64, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    let read = |ms| DateTime::from_timestamp_millis(ms).map(|utc| utc.with_timezone(zone));
    let (Some(at), Some(now)) = (read(at), read(now)) else { return "at an unknown time".to_owned() };
    let format = if at.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%a %-d %b, %H:%M:%S" };
    at.format(format).to_string()
}

/// The line under each verdict.
pub(crate) fn standing(view: &StandingView, look: Look) -> String {
    let plain = |text: String| if look.unicode { text } else { text.replace('\u{202f}', " ") };
    let unsent = match view.oldest_unsent_ms {
        Some(age) if view.unsent > 0 => format!("unsent {} (oldest {})", grouped(view.unsent), duration(age)),
        _ => "all sent".to_owned(),
    };
    let list = view.list_age_ms.map_or("no list".to_owned(), |age| format!("list {} old", duration(age)));
    let clock = view.clock_error_ms.map_or("clock unchecked".to_owned(), |error| {
        format!("clock {}{}", look.pick("±", "+/-"), duration(error))
    });
    let link = match view.link {
        Link::Online => Some(look.pick("● online", "* online")),
        Link::Offline => Some(look.pick("○ offline", "o offline")),
        Link::Unasked => None,
    };
    let dot = look.dot();
    let here = format!("inside {}{dot}admitted {}", grouped(view.inside), grouped(view.admitted));
    let mut parts = vec![here, unsent, list, clock];
    parts.extend(link.map(str::to_owned));
    plain(parts.join(look.pick(" │ ", " | ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_well() {
        let zone = chrono::FixedOffset::east_opt(7_200).unwrap();
        assert_eq!(moment(0, 1_000, &zone), "02:00:00");
        assert_eq!(moment(0, 86_400_000, &zone), "Thu 1 Jan, 02:00:00");
        assert_eq!(moment(i64::MAX, 0, &zone), "at an unknown time");
    }

    #[test]
    fn the_standing_line_says_all_of_it() {
        let mut view = StandingView {
            inside: 1_312,
            admitted: 1_318,
            scans_here: 0,
            refused_here: 0,
            unsent: 3,
            oldest_unsent_ms: Some(130_000),
            list_age_ms: Some(240_000),
            clock_error_ms: Some(12),
            link: Link::Offline,
        };
        let look = Look { width: 80, colour: false, unicode: false };
        assert_eq!(
            standing(&view, look),
            "inside 1 312 - admitted 1 318 | unsent 3 (oldest 2 min) | list 4 min old | clock +/-12 ms | o offline"
        );
        view.unsent = 0;
        view.list_age_ms = None;
        view.clock_error_ms = None;
        view.link = Link::Unasked;
        assert_eq!(
            standing(&view, look),
            "inside 1 312 - admitted 1 318 | all sent | no list | clock unchecked"
        );
    }
}

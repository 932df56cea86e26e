//! Turns views into lines of text. Pure: the look, the words and the time zone all come in as
//! arguments, nothing is printed here.

mod banner;
mod pages;
mod verdict;

pub(crate) use pages::{check, conflict, enrolled, error, status, synced};
pub(crate) use verdict::{printable, verdict};

use chrono::{DateTime, TimeZone};

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

/// A length of time in its largest sensible unit.
pub(crate) fn duration(ms: i64) -> String {
    match ms.max(0) {
        ms @ ..1_000 => format!("{ms} ms"),
        ms @ ..120_000 => format!("{} s", ms / 1_000),
        ms @ ..7_200_000 => format!("{} min", ms / 60_000),
        ms @ ..172_800_000 => format!("{} h", ms / 3_600_000),
        ms => format!("{} days", ms / 86_400_000),
    }
}

/// How far this machine's clock is from the server's: add `offset_ms` to it to be right.
pub(crate) fn clock_offset(offset_ms: i64, error_ms: i64) -> String {
    match offset_ms {
        offset if offset.abs() <= error_ms => "right".to_owned(),
        offset if offset > 0 => format!("{} behind", duration(offset)),
        offset => format!("{} ahead", duration(-offset)),
    }
}

/// `1 ticket`, `2 tickets`, `12 345 tickets`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
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
    fn numbers_and_times_read_well() {
        assert_eq!(count(1, "ticket"), "1 ticket");
        assert_eq!(count(1_234_567, "ticket"), "1\u{202f}234\u{202f}567 tickets");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(119_000), "119 s");
        assert_eq!(duration(3_600_000), "60 min");
        assert_eq!(duration(86_400_000 * 3), "3 days");
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

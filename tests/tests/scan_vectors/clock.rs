//! Lists that age, clocks that drift, are set by hand or do not survive a reboot.

use liventix_core::rules::{Flag, Reason};
use liventix_tests::conformance::format::{News, WrittenCase};

use crate::draft::case;
use crate::venue::{HOUR, Kind, MINUTE, NOW, at, guest};
use crate::verdicts::{refuse_ticket, step, used, welcome};

const UNCERTAIN: [Flag; 1] = [Flag::ClockUncertain];
const STALE_LIST: [Flag; 1] = [Flag::ListStale];
/// What the wall clock shows when its battery was empty: 2020-01-01T00:00:00Z.
const YEARS_AGO: i64 = 1_577_836_800_000;

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = lists();
    cases.extend(hands());
    cases.extend(reboots());
    cases
}

/// A list and a clock age from sync to sync.
fn lists() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let next = guest(2, Kind::Day);
    let late = NOW + 12 * HOUR + MINUTE;
    vec![
        case("list_old", "Twelve hours after the last sync a list is old: amber. The server's never is.")
            .ticket(&day)
            .scan(late, day.printed(), welcome(&day).amber(&STALE_LIST))
            .online(welcome(&day))
            .scan(late + MINUTE, day.printed(), used(&day, step(0)).doubting(&STALE_LIST))
            .online(used(&day, step(0)))
            .end(),
        case("list_not_yet_old", "Not before.")
            .ticket(&day)
            .scan(NOW + 12 * HOUR - MINUTE, day.printed(), welcome(&day))
            .end(),
        case("list_fresh_again", "A sync that brings nothing makes it new.")
            .ticket(&day)
            .ticket(&next)
            .scan(late, day.printed(), welcome(&day).amber(&STALE_LIST))
            .online(welcome(&day))
            .sync(late + MINUTE, News::default())
            .scan(late + 2 * MINUTE, next.printed(), welcome(&next))
            .end(),
        case("list_age_of_the_event", "The event says how old a list may be.")
            .policy(|policy| policy.list_max_age_minutes = 10)
            .ticket(&day)
            .ticket(&next)
            .scan(at(590), day.printed(), welcome(&day))
            .scan(at(610), next.printed(), welcome(&next).amber(&STALE_LIST))
            .online(welcome(&next))
            .end(),
        case(
            "clock_drifts",
            "A clock drifts: where a second matters, three hours after the last sync are too long.",
        )
        .policy(|policy| policy.clock_max_error_ms = 1_000)
        .ticket(&day)
        .ticket(&next)
        .scan(NOW + 2 * HOUR, day.printed(), welcome(&day))
        .scan(NOW + 3 * HOUR, next.printed(), welcome(&next).amber(&UNCERTAIN))
        .online(welcome(&next))
        .end(),
        case("clock_measured_again", "A sync measures it again.")
            .policy(|policy| policy.clock_max_error_ms = 1_000)
            .ticket(&day)
            .sync(NOW + 3 * HOUR, News::default())
            .scan(NOW + 3 * HOUR + MINUTE, day.printed(), welcome(&day))
            .end(),
    ]
}

/// Wall clocks set by hand.
fn hands() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let evening = guest(2, Kind::Evening);
    vec![
        case("clock_set_forward", "A wall clock set forward opens no window.")
            .ticket(&evening)
            .wall(at(30), NOW + 3 * HOUR)
            .scan(at(60), evening.printed(), refuse_ticket(Reason::NotYetValid, &evening))
            .end(),
        case("clock_set_back", "One set back keeps none open.")
            .ticket(&evening)
            .wall(NOW + 6 * HOUR, NOW + 2 * HOUR)
            .scan(NOW + 6 * HOUR + MINUTE, evening.printed(), refuse_ticket(Reason::Expired, &evening))
            .end(),
        case("clock_set_between_scans", "And the order of scans is that of the true time.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .wall(at(90), NOW - HOUR)
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
    ]
}

/// Only the wall clock spans a reboot.
fn reboots() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let next = guest(2, Kind::Day);
    let evening = guest(3, Kind::Evening);
    let ending = guest(4, Kind::Day).with(|entry| entry.valid_until = Some(at(1_800)));
    vec![
        case("reboot", "A wall clock that runs on through a reboot is believed.")
            .ticket(&day)
            .reboot(at(30), None)
            .scan(at(60), day.printed(), welcome(&day))
            .end(),
        case("reboot_where_seconds_matter", "To within some seconds.")
            .policy(|policy| policy.clock_max_error_ms = 1_000)
            .ticket(&day)
            .reboot(at(30), None)
            .scan(at(60), day.printed(), welcome(&day).amber(&UNCERTAIN))
            .online(welcome(&day))
            .end(),
        case(
            "reboot_years_ago",
            "One that then shows a time that has passed is not: amber until the next sync.",
        )
        .ticket(&day)
        .ticket(&next)
        .reboot(at(30), Some(YEARS_AGO))
        .scan(at(60), day.printed(), welcome(&day).amber(&UNCERTAIN))
        .online(welcome(&day))
        .sync(at(90), News::default())
        .scan(at(120), next.printed(), welcome(&next))
        .end(),
        case(
            "unknown_time_not_too_late",
            "Where nobody knows the time, guests get the benefit of the doubt: not too late,",
        )
        .ticket(&ending)
        .reboot(at(7_200), Some(YEARS_AGO))
        .scan(at(7_210), ending.printed(), welcome(&ending).amber(&UNCERTAIN))
        .online(refuse_ticket(Reason::Expired, &ending))
        .end(),
        case("unknown_time_not_too_early", "not too early,")
            .ticket(&evening)
            .reboot(at(30), Some(YEARS_AGO))
            .scan(at(60), evening.printed(), welcome(&evening).amber(&UNCERTAIN))
            .online(refuse_ticket(Reason::NotYetValid, &evening))
            .end(),
        case("unknown_time_not_stale", "and no code too old,")
            .ticket(&day)
            .reboot(at(3_600), Some(YEARS_AGO))
            .scan(at(3_610), day.live(at(60)), welcome(&day).amber(&UNCERTAIN))
            .online(refuse_ticket(Reason::Stale, &day))
            .end(),
        case("unknown_time_surely_stale", "unless the moment has certainly passed.")
            .ticket(&day)
            .ticket(&next)
            .scan(at(3_600), next.printed(), welcome(&next))
            .reboot(at(3_610), Some(YEARS_AGO))
            .scan(at(3_620), day.live(at(60)), refuse_ticket(Reason::Stale, &day))
            .end(),
        case("unknown_time_used", "What is used stays used, though the scan is dated before its history.")
            .ticket(&day)
            .scan(at(3_600), day.printed(), welcome(&day))
            .reboot(at(3_610), Some(YEARS_AGO))
            .scan(at(3_660), day.printed(), used(&day, step(0)).doubting(&UNCERTAIN))
            .online(used(&day, step(0)))
            .end(),
    ]
}

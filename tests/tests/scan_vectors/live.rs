//! Live codes by age and clock, and printed codes beside them.

use liventix_core::rules::{Flag, PrintedPolicy, Reason, TtlEffect};
use liventix_core::ticket::Algorithm;
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::{case, tickets};
use crate::venue::{HOUR, Kind, NOW, at, guest};
use crate::verdicts::{goodbye, refuse_ticket, step, used, welcome};

const STALE: [Flag; 1] = [Flag::LiveStale];
const UNCERTAIN: [Flag; 1] = [Flag::ClockUncertain];

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = ages();
    cases.extend(skews());
    cases.extend(printed());
    cases
}

/// Live codes live 300 seconds unless the event says otherwise.
fn ages() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let modern = guest(2, Kind::Day).signed(2, Algorithm::Ed25519);
    let short = guest(3, Kind::Day).expiring(at(100));
    let old = || day.live(at(60));
    vec![
        case("live", "A code fresh from the phone.").ticket(&day).scan(at(65), old(), welcome(&day)).end(),
        case("live_ed25519", "The same with Ed25519.")
            .ticket(&modern)
            .scan(at(65), modern.live(at(60)), welcome(&modern))
            .end(),
        case("live_last_moment", "Shortly before its time to live is over.")
            .ticket(&day)
            .scan(at(359), old(), welcome(&day))
            .end(),
        case(
            "live_to_the_moment",
            "In the very moment the scanner's clock may be late: amber. The server's is not.",
        )
        .ticket(&day)
        .scan(at(360), old(), welcome(&day).amber(&UNCERTAIN))
        .online(refuse_ticket(Reason::Stale, &day))
        .end(),
        case("live_stale_hard", "After it, hard effect: a screenshot, most likely.")
            .ticket(&day)
            .scan(at(361), old(), refuse_ticket(Reason::Stale, &day))
            .scan(at(365), day.live(at(364)), welcome(&day))
            .end(),
        case("live_stale_soft", "After it, soft effect: enters, amber.")
            .policy(|policy| policy.live_ttl_effect = TtlEffect::Soft)
            .ticket(&day)
            .scan(at(361), old(), welcome(&day).amber(&STALE))
            .end(),
        case("live_short_ttl", "The event sets the time to live.")
            .policy(|policy| policy.live_ttl_seconds = 30)
            .ticket(&day)
            .scan(at(89), day.live(at(60)), welcome(&day))
            .scan(at(150), day.live(at(100)), refuse_ticket(Reason::Stale, &day))
            .end(),
        case("live_shared", "A fresh picture of a live code enters once.")
            .ticket(&day)
            .scan(at(65), old(), welcome(&day))
            .scan(at(85), old(), used(&day, step(0)))
            .scan(at(105), day.live(at(100)), used(&day, step(0)))
            .end(),
        case("live_stale_may_leave", "Nobody is kept inside by an old picture.")
            .ticket(&day)
            .scan(at(65), old(), welcome(&day))
            .exit(at(3_600), old(), goodbye(&day))
            .end(),
        case("live_expired", "The ticket's own expiry counts for live codes too.")
            .ticket(&short)
            .scan(at(160), short.live(at(155)), refuse_ticket(Reason::Expired, &short))
            .end(),
    ]
}

/// Phones and scanners whose clocks are off.
fn skews() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let code = |minted| day.live(at(minted));
    vec![
        case("live_phone_ahead", "A phone's clock may run ahead by as long as a code lives.")
            .ticket(&day)
            .scan(at(60), code(60 + 290), welcome(&day))
            .end(),
        case("live_phone_ahead_to_the_moment", "By exactly that: the scanner's clock may be early.")
            .ticket(&day)
            .scan(at(60), code(60 + 300), welcome(&day).amber(&UNCERTAIN))
            .online(welcome(&day))
            .end(),
        case("live_phone_far_ahead", "Farther ahead, hard effect: such codes could be made in advance.")
            .ticket(&day)
            .scan(at(60), code(60 + 310), refuse_ticket(Reason::NotYetValid, &day))
            .end(),
        case("live_phone_far_ahead_soft", "Farther ahead, soft effect.")
            .policy(|policy| policy.live_ttl_effect = TtlEffect::Soft)
            .ticket(&day)
            .scan(at(60), code(60 + 310), welcome(&day).amber(&STALE))
            .end(),
        case("live_phone_behind", "A phone's clock that runs behind makes codes that are old already.")
            .ticket(&day)
            .scan(at(600), code(600 - 290), welcome(&day))
            .scan(at(700), code(700 - 310), refuse_ticket(Reason::Stale, &day))
            .end(),
        case(
            "live_scanner_ahead",
            "A scanner's wall clock that is three hours ahead changes nothing after a sync.",
        )
        .wall_ahead(3 * HOUR)
        .ticket(&day)
        .scan(at(60), code(55), welcome(&day))
        .end(),
        case("live_scanner_behind", "Nor one that is a day behind.")
            .wall_ahead(-24 * HOUR)
            .ticket(&day)
            .scan(at(361), code(60), refuse_ticket(Reason::Stale, &day))
            .scan(at(365), code(360), welcome(&day))
            .end(),
    ]
}

/// What becomes of printed codes beside live ones.
fn printed() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let activated = day.clone().with(|entry| entry.live_activated = true);
    let reissued = day.clone().with(|entry| entry.code_issued_at = NOW - HOUR);
    let refused = || refuse_ticket(Reason::PrintedRefused, &day);
    let vip = guest(2, Kind::Vip);
    vec![
        case("printed_allowed", "Allowed: printed codes enter, activated or not.")
            .ticket(&activated)
            .scan(at(60), day.printed(), welcome(&day))
            .end(),
        case(
            "printed_until_activated",
            "Until activated: the printed code enters as long as no phone has taken over.",
        )
        .policy(|policy| policy.printed = PrintedPolicy::UntilLiveActivated)
        .ticket(&day)
        .scan(at(60), day.printed(), welcome(&day))
        .end(),
        case("printed_after_activation", "Once a phone has taken over, printed and typed codes are refused.")
            .policy(|policy| policy.printed = PrintedPolicy::UntilLiveActivated)
            .ticket(&activated)
            .scan(at(60), day.printed(), refused())
            .scan(at(70), day.manual(), refused())
            .scan(at(80), day.live(at(75)), welcome(&day))
            .end(),
        case("activated_meanwhile", "The activation counts from the sync that brings it.")
            .policy(|policy| policy.printed = PrintedPolicy::UntilLiveActivated)
            .ticket(&day)
            .sync(at(60), tickets([&activated]))
            .scan(at(70), day.printed(), refused())
            .end(),
        case("printed_refused", "Refused: only live codes enter, and everybody may leave.")
            .policy(|policy| policy.printed = PrintedPolicy::Refused)
            .ticket(&day)
            .scan(at(60), day.printed(), refused())
            .scan(at(70), day.manual(), refused())
            .scan(at(80), day.live(at(75)), welcome(&day))
            .exit(at(120), day.printed(), goodbye(&day))
            .end(),
        case("printed_before_gate", "The live ticket is asked for before the guest is sent to another gate.")
            .policy(|policy| policy.printed = PrintedPolicy::Refused)
            .ticket(&vip)
            .scan(at(60), vip.printed(), refuse_ticket(Reason::PrintedRefused, &vip))
            .scan(at(70), vip.live(at(65)), refuse_ticket(Reason::WrongGate, &vip))
            .end(),
        case("live_replaced", "A phone with the code before a reissue makes codes that were replaced.")
            .ticket(&reissued)
            .scan(at(60), day.live(at(55)), refuse_ticket(Reason::Replaced, &day))
            .scan(at(70), reissued.live(at(65)), welcome(&day))
            .end(),
    ]
}

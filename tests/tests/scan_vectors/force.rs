//! What a supervisor overrules, what nobody may, and what that does to later scans.

use liventix_core::rules::{Flag, LegacyStage, PrintedPolicy, Reason, TicketStatus, UnlistedPolicy};
use liventix_core::ticket::{Algorithm, KeyId, KeyState};
use liventix_tests::conformance::format::{News, WrittenCase};

use crate::draft::{Draft, case, passages, rekeyed, tickets};
use crate::venue::{Guest, HOUR, Kind, NOW, assignment, at, guest, key_states, supervising};
use crate::verdicts::{
    Is, admit, elsewhere, error, forced, goodbye, refuse, refuse_ticket, repeated, step, used, welcome,
};

const NOTE: &str = "Paid at the desk, receipt 4711";

/// At a scanner that a supervisor holds.
fn supervised(name: &str, about: &str) -> Draft {
    case(name, about).assigned(supervising())
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = overruled();
    cases.extend(final_reasons());
    cases.extend(who());
    cases.extend(afterwards());
    cases
}

/// Refused, then let in.
fn lets_in(name: &str, about: &str, guest: &Guest, text: &str, refused: Is, verdict: Is) -> Draft {
    supervised(name, about).ticket(guest).scan(at(60), text, refused).scan(at(90), text, verdict).force(NOTE)
}

/// What a supervisor may overrule.
fn overruled() -> Vec<WrittenCase> {
    let mut cases = tickets_overruled();
    cases.extend(codes_overruled());
    cases.extend(unlisted_overruled());
    cases
}

fn tickets_overruled() -> Vec<WrittenCase> {
    let unpaid = guest(1, Kind::Day).status(TicketStatus::Unpaid);
    let vip = guest(2, Kind::Vip);
    let evening = guest(3, Kind::Evening);
    let ended = guest(4, Kind::Day).with(|entry| entry.valid_until = Some(NOW));
    let day = guest(5, Kind::Day);
    let four = guest(6, Kind::Group);
    let pass = guest(7, Kind::Festival);
    let refused = |reason, guest: &Guest| refuse_ticket(reason, guest);
    let let_in = |reason, guest: &Guest| forced(reason, guest);
    vec![
        lets_in(
            "force_unpaid",
            "Unpaid.",
            &unpaid,
            &unpaid.printed(),
            refused(Reason::Unpaid, &unpaid),
            let_in(Reason::Unpaid, &unpaid),
        )
        .end(),
        lets_in(
            "force_wrong_gate",
            "At the wrong gate.",
            &vip,
            &vip.printed(),
            refused(Reason::WrongGate, &vip),
            let_in(Reason::WrongGate, &vip),
        )
        .end(),
        lets_in(
            "force_too_early",
            "Too early.",
            &evening,
            &evening.printed(),
            refused(Reason::NotYetValid, &evening),
            let_in(Reason::NotYetValid, &evening),
        )
        .end(),
        lets_in(
            "force_too_late",
            "Too late.",
            &ended,
            &ended.printed(),
            refused(Reason::Expired, &ended),
            let_in(Reason::Expired, &ended),
        )
        .end(),
        supervised("force_used", "Used: the first admission is still named, and nothing is left.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(90), day.printed(), used(&day, step(0)))
            .scan(at(100), day.printed(), let_in(Reason::AlreadyUsed, &day).first(step(0)))
            .force(NOTE)
            .scan(at(160), day.printed(), used(&day, step(0)))
            .end(),
        supervised("force_repeat", "Scanned here a moment ago.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(65), day.printed(), let_in(Reason::RapidRescan, &day).first(step(0)))
            .force(NOTE)
            .end(),
        supervised("force_group", "More people than are left: all of them pass.")
            .ticket(&four)
            .scan(at(60), four.printed(), welcome(&four).people(3).left(1))
            .people(3)
            .scan(at(90), four.printed(), let_in(Reason::GroupExceeded, &four).people(2).first(step(0)))
            .people(2)
            .force(NOTE)
            .scan(at(120), four.printed(), used(&four, step(0)))
            .end(),
        supervised("force_out", "Out, though already outside.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .exit(at(90), pass.printed(), goodbye(&pass))
            .exit(at(120), pass.printed(), let_in(Reason::AlreadyOut, &pass).unlimited().first(step(1)))
            .force(NOTE)
            .scan(at(150), pass.printed(), admit(Reason::Reentered, &pass))
            .end(),
    ]
}

fn codes_overruled() -> Vec<WrittenCase> {
    const OLD: &str = "ORDER 77312/3";
    let day = guest(1, Kind::Day);
    let short = guest(2, Kind::Day).expiring(at(30));
    let old = guest(3, Kind::Day).formerly(OLD);
    let printed = refuse_ticket(Reason::PrintedRefused, &day);
    let legacy = refuse_ticket(Reason::LegacyRefused, &old);
    vec![
        lets_in(
            "force_expired",
            "With an expired code.",
            &short,
            &short.printed(),
            refuse_ticket(Reason::Expired, &short),
            forced(Reason::Expired, &short),
        )
        .end(),
        supervised("force_stale", "With a live code that is too old.")
            .ticket(&day)
            .scan(at(400), day.live(at(60)), refuse_ticket(Reason::Stale, &day))
            .scan(at(430), day.live(at(60)), forced(Reason::Stale, &day))
            .force(NOTE)
            .end(),
        lets_in(
            "force_printed",
            "With a printed code where only live codes enter.",
            &day,
            &day.printed(),
            printed,
            forced(Reason::PrintedRefused, &day),
        )
        .policy(|policy| policy.printed = PrintedPolicy::Refused)
        .end(),
        lets_in(
            "force_legacy",
            "With the code of an older system.",
            &old,
            OLD,
            legacy,
            forced(Reason::LegacyRefused, &old),
        )
        .policy(|policy| policy.legacy = LegacyStage::Refuse)
        .end(),
        supervised("force_typed", "With a typed code.")
            .ticket(&day.clone().status(TicketStatus::Unpaid))
            .scan(at(60), day.manual(), forced(Reason::Unpaid, &day))
            .force(NOTE)
            .end(),
    ]
}

fn unlisted_overruled() -> Vec<WrittenCase> {
    let new = guest(1, Kind::Day);
    let flags = [Flag::Unlisted, Flag::Forced];
    let asks = || admit(Reason::Unlisted, &new).unlimited().unknown().amber(&[Flag::Unlisted]).asking();
    let let_in = || forced(Reason::Unlisted, &new).unlimited().unknown().amber(&flags);
    let not_there = || refuse(Reason::Unlisted);
    vec![
        supervised("force_unlisted", "Where the door asks, the supervisor answers; that entry counts.")
            .policy(|policy| policy.unlisted = UnlistedPolicy::AskSupervisor)
            .scan(at(60), new.printed(), asks())
            .online(not_there())
            .scan(at(90), new.printed(), let_in())
            .force(NOTE)
            .online(not_there())
            .sync(at(120), tickets([&new]))
            .scan(at(150), new.printed(), used(&new, step(1)))
            .online(welcome(&new))
            .end(),
        supervised("force_unlisted_refused", "Where the event refuses what is not listed.")
            .policy(|policy| policy.unlisted = UnlistedPolicy::Refuse)
            .scan(at(60), new.printed(), let_in())
            .force(NOTE)
            .online(not_there())
            .end(),
    ]
}

/// What nobody may overrule: the refusal stands.
fn final_reasons() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let reissued = day.clone().with(|entry| entry.code_issued_at = NOW - HOUR);
    let short = day.clone().expiring(at(30)).status(TicketStatus::Cancelled);
    let stays = |name: &str, about: &str, guest: &Guest, text: String, verdict: Is| {
        supervised(name, about).ticket(guest).scan(at(60), text, verdict).force(NOTE)
    };
    let of_status = |name: &str, about: &str, status, reason| {
        let guest = day.clone().status(status);
        stays(name, about, &guest, day.printed(), refuse_ticket(reason, &day)).end()
    };
    let withdrawn =
        [KeyState { key_id: KeyId(1), algorithm: Algorithm::HmacSha256, accept_until: Some(NOW - HOUR) }];
    let unknown = guest(2, Kind::Day).signed(9, Algorithm::HmacSha256);
    vec![
        of_status("force_cancelled", "Cancelled.", TicketStatus::Cancelled, Reason::Cancelled),
        of_status("force_blocked", "Blocked.", TicketStatus::Revoked, Reason::Revoked),
        stays(
            "force_replaced",
            "Replaced: another may have the new code.",
            &reissued,
            day.printed(),
            refuse_ticket(Reason::Replaced, &day),
        )
        .end(),
        stays(
            "force_expired_and_cancelled",
            "Cancelled, though the rules come upon another reason first.",
            &short,
            short.printed(),
            refuse_ticket(Reason::Cancelled, &day),
        )
        .end(),
        stays(
            "force_unknown_key",
            "An unknown key.",
            &unknown,
            unknown.printed(),
            refuse(Reason::UnknownKey),
        )
        .end(),
        stays("force_withdrawn_key", "A withdrawn key.", &day, day.printed(), refuse(Reason::RetiredKey))
            .keys(&withdrawn)
            .end(),
        stays("force_forged", "A forgery.", &day, forgery(&day), refuse(Reason::BadSignature)).end(),
        stays(
            "force_typo",
            "A typing mistake.",
            &day,
            crate::manual::mistyped(&day.manual()),
            refuse(Reason::ManualTypo),
        )
        .end(),
        stays(
            "force_unknown_manual_code",
            "A typed code of no ticket.",
            &day,
            guest(200, Kind::Day).manual(),
            refuse(Reason::ManualUnknown),
        )
        .end(),
        stays("force_nothing", "No ticket at all.", &day, "hello".to_owned(), refuse(Reason::NotATicket))
            .end(),
    ]
}

/// The code with its claim of a ticket changed.
fn forgery(guest: &Guest) -> String {
    crate::codes::altered(&guest.printed(), 23)
}

/// Who may, and what it needs.
fn who() -> Vec<WrittenCase> {
    let unpaid = guest(1, Kind::Day).status(TicketStatus::Unpaid);
    let refused = || refuse_ticket(Reason::Unpaid, &unpaid);
    let grown = || News { assignments: Some(vec![supervising()]), ..News::default() };
    let shrunk = || News { assignments: Some(vec![assignment(&[])]), ..News::default() };
    vec![
        case(
            "force_by_anybody",
            "Only a scanner that a supervisor holds may; otherwise nothing is recorded.",
        )
        .ticket(&unpaid)
        .scan(at(60), unpaid.printed(), error("not_supervisor"))
        .force(NOTE)
        .scan(at(65), unpaid.printed(), refused())
        .end(),
        case("force_from_now_on", "It may from the sync on that says so, until one that says otherwise.")
            .ticket(&unpaid)
            .scan(at(60), unpaid.printed(), error("not_supervisor"))
            .force(NOTE)
            .sync(at(90), grown())
            .scan(at(100), unpaid.printed(), forced(Reason::Unpaid, &unpaid))
            .force(NOTE)
            .sync(at(120), shrunk())
            .scan(at(130), unpaid.printed(), error("not_supervisor"))
            .force(NOTE)
            .end(),
        supervised("force_needs_a_reason", "Whoever overrules says why, in one line.")
            .ticket(&unpaid)
            .scan(at(60), unpaid.printed(), error("note_invalid"))
            .force("   ")
            .online(error("invalid_field"))
            .scan(at(61), unpaid.printed(), error("note_invalid"))
            .force("paid\nat the desk")
            .online(error("invalid_field"))
            .scan(at(62), unpaid.printed(), error("note_invalid"))
            .force(&"x".repeat(201))
            .online(error("invalid_field"))
            .scan(at(63), unpaid.printed(), forced(Reason::Unpaid, &unpaid))
            .force(&"é".repeat(200))
            .end(),
    ]
}

/// What an overruled refusal does to what comes after it.
fn afterwards() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let unpaid = day.clone().status(TicketStatus::Unpaid);
    let pass = guest(2, Kind::Festival).status(TicketStatus::Unpaid);
    let card = guest(3, Kind::ThreeVisits).status(TicketStatus::Unpaid);
    let elsewhere_forced = {
        let mut passage = day.entered(1, at(-300));
        passage.passage.forced = true;
        passage
    };
    let mut with_new = key_states();
    with_new.push(KeyState { key_id: KeyId(3), algorithm: Algorithm::HmacSha256, accept_until: None });
    vec![
        supervised("force_not_needed", "Where the rules admit by themselves, nothing was overruled.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .force(NOTE)
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
        supervised("force_counts", "It uses up an entry: paid later, the ticket is used.")
            .ticket(&unpaid)
            .scan(at(60), unpaid.printed(), forced(Reason::Unpaid, &day))
            .force(NOTE)
            .sync(at(90), tickets([&day]))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
        supervised("force_one_of_three", "One of them, where there are several.")
            .ticket(&card)
            .scan(at(60), card.printed(), forced(Reason::Unpaid, &card).left(2))
            .force(NOTE)
            .end(),
        supervised("force_then_repeat", "Scanned again at once it is a repeat like every entry.")
            .ticket(&guest(4, Kind::Vip))
            .scan(at(60), guest(4, Kind::Vip).printed(), forced(Reason::WrongGate, &guest(4, Kind::Vip)))
            .force(NOTE)
            .scan(at(62), guest(4, Kind::Vip).printed(), repeated(&guest(4, Kind::Vip), step(0)))
            .gate(crate::venue::south())
            .end(),
        supervised("force_and_return", "Who was let in goes out and comes back like everybody.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), forced(Reason::Unpaid, &pass))
            .force(NOTE)
            .exit(at(120), pass.printed(), goodbye(&pass))
            .sync(at(150), tickets([&pass.clone().status(TicketStatus::Valid)]))
            .scan(at(180), pass.printed(), admit(Reason::Reentered, &pass))
            .end(),
        case("forced_elsewhere", "Another door's supervisor used it up too.")
            .ticket(&day)
            .sync(at(30), passages([elsewhere_forced]))
            .scan(at(60), day.printed(), used(&day, elsewhere(1, at(-300))))
            .end(),
        supervised("force_unknown_key_then_sync", "What cannot be overruled is mended by a sync.")
            .ticket(&guest(5, Kind::Day))
            .scan(
                at(60),
                guest(5, Kind::Day).signed(3, Algorithm::HmacSha256).printed(),
                refuse(Reason::UnknownKey),
            )
            .force(NOTE)
            .sync(at(90), rekeyed(&with_new))
            .scan(
                at(120),
                guest(5, Kind::Day).signed(3, Algorithm::HmacSha256).printed(),
                welcome(&guest(5, Kind::Day)),
            )
            .end(),
    ]
}

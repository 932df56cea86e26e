//! Unsigned codes of an older system, by stage and by form.

use liventix_core::rules::{Flag, LegacyStage, PrintedPolicy, Reason, TicketStatus};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::{Draft, case, changed};
use crate::venue::{Kind, at, event_id, guest, other_event_id};
use crate::verdicts::{goodbye, refuse, refuse_ticket, step, used, welcome};

/// What tickets of the older system said.
const OLD: &str = "ORDER 77312/3";
/// With twelve letters and digits, as a manual code has them: by chance a good one, and a mistyped one.
const LIKE_MANUAL: &str = "HL25-EF62C1D7";
const LIKE_TYPO: &str = "HL25-EF62C1D8";

fn accepting(name: &str, about: &str) -> Draft {
    case(name, about).policy(|policy| policy.legacy = LegacyStage::Accept)
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = stages();
    cases.extend(forms());
    cases
}

fn stages() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day).formerly(OLD);
    let unpaid = day.clone().status(TicketStatus::Unpaid);
    let activated = day.clone().with(|entry| entry.live_activated = true);
    vec![
        accepting("legacy_accepted", "Accept: like a signed code.")
            .ticket(&day)
            .scan(at(60), OLD, welcome(&day))
            .scan(at(120), OLD, used(&day, step(0)))
            .end(),
        case("legacy_flagged", "Flag: enters, amber.")
            .policy(|policy| policy.legacy = LegacyStage::Flag)
            .ticket(&day)
            .scan(at(60), OLD, welcome(&day).amber(&[Flag::LegacyCode]))
            .scan(at(120), OLD, used(&day, step(0)).doubting(&[Flag::LegacyCode]))
            .end(),
        case("legacy_refused", "Refuse: the guest needs the new code.")
            .policy(|policy| policy.legacy = LegacyStage::Refuse)
            .ticket(&day)
            .scan(at(60), OLD, refuse_ticket(Reason::LegacyRefused, &day))
            .scan(at(70), day.printed(), welcome(&day))
            .end(),
        accepting("legacy_ended", "The stage counts from the sync that brings it.")
            .ticket(&day)
            .scan(at(60), OLD, welcome(&day))
            .sync(at(90), changed(|event| event.policy.legacy = LegacyStage::Refuse))
            .scan(at(120), OLD, refuse_ticket(Reason::LegacyRefused, &day))
            .exit(at(150), OLD, goodbye(&day))
            .end(),
        accepting("legacy_and_signed", "Old and new code are one ticket.")
            .ticket(&day)
            .scan(at(60), OLD, welcome(&day))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
        case("legacy_unpaid", "The ticket's status comes before the kind of code.")
            .policy(|policy| policy.legacy = LegacyStage::Refuse)
            .ticket(&unpaid)
            .scan(at(60), OLD, refuse_ticket(Reason::Unpaid, &day))
            .end(),
        accepting("legacy_where_live_only", "Where only live codes enter, old codes do not.")
            .policy(|policy| policy.printed = PrintedPolicy::Refused)
            .ticket(&day)
            .scan(at(60), OLD, refuse_ticket(Reason::PrintedRefused, &day))
            .end(),
        accepting("legacy_after_activation", "Nor do they once the phone has activated live codes.")
            .policy(|policy| policy.printed = PrintedPolicy::UntilLiveActivated)
            .ticket(&activated)
            .scan(at(60), OLD, refuse_ticket(Reason::PrintedRefused, &day))
            .end(),
    ]
}

/// What older systems wrote into their codes.
fn forms() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let ticket_id = day.entry.ticket_id;
    let typed = guest(2, Kind::Day).formerly(LIKE_MANUAL);
    let mistyped = guest(4, Kind::Day).formerly(LIKE_TYPO);
    let like_link = format!("E{}", "x".repeat(90));
    let linked = guest(3, Kind::Day).formerly(&like_link);
    let here = format!(r#"{{"ticketId":"{ticket_id}","eventId":"{}"}}"#, event_id());
    let there = format!(r#"{{"ticketId":"{ticket_id}","eventId":"{}"}}"#, other_event_id());
    vec![
        accepting("legacy_ticket_id", "A bare id of a ticket, in either case.")
            .ticket(&day)
            .scan(at(60), ticket_id.to_string().to_uppercase(), welcome(&day))
            .end(),
        accepting("legacy_json", "JSON that names ticket and event.")
            .ticket(&day)
            .scan(at(60), here, welcome(&day))
            .end(),
        accepting("legacy_json_other_event", "JSON that names another event.")
            .ticket(&day)
            .scan(at(60), there, refuse(Reason::OtherEvent))
            .end(),
        accepting("legacy_unknown_id", "The id of no ticket on the list: an unsigned code proves nothing.")
            .scan(at(60), ticket_id.to_string(), refuse(Reason::Unlisted))
            .end(),
        accepting("legacy_unknown", "A text that is no ticket's old code is no ticket.")
            .ticket(&day)
            .scan(at(60), OLD, refuse(Reason::NotATicket))
            .end(),
        accepting("legacy_like_manual", "An old code that looks like a manual code is looked up as both.")
            .ticket(&typed)
            .scan(at(60), LIKE_MANUAL, welcome(&typed))
            .end(),
        accepting(
            "legacy_like_typo",
            "One that looks like a mistyped manual code is looked up before it is called that.",
        )
        .ticket(&mistyped)
        .scan(at(60), LIKE_TYPO, welcome(&mistyped))
        .scan(at(70), LIKE_MANUAL, refuse(Reason::ManualUnknown))
        .end(),
        accepting("legacy_like_link", "So is one that looks like a damaged link.")
            .ticket(&linked)
            .scan(at(60), like_link, welcome(&linked))
            .end(),
    ]
}

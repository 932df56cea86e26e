//! Where a ticket stands with the organiser.

use liventix_core::rules::{Flag, Reason, TicketStatus};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::{case, tickets};
use crate::venue::{HOUR, Kind, NOW, at, guest};
use crate::verdicts::{goodbye, refuse_ticket, step, used, welcome};

pub(crate) fn cases() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let unpaid = day.clone().status(TicketStatus::Unpaid);
    let cancelled = day.clone().status(TicketStatus::Cancelled);
    let blocked = day.clone().status(TicketStatus::Revoked);
    let unpaid_vip = guest(2, Kind::Vip).status(TicketStatus::Unpaid);
    let reissued = cancelled.clone().with(|entry| entry.code_issued_at = NOW - HOUR);
    let lost = [Flag::ExitWithoutEntry];
    vec![
        case("paid", "A paid ticket enters.").ticket(&day).scan(at(60), day.printed(), welcome(&day)).end(),
        case("unpaid", "An unpaid ticket does not.")
            .ticket(&unpaid)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Unpaid, &day))
            .end(),
        case("cancelled", "A cancelled ticket does not.")
            .ticket(&cancelled)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Cancelled, &day))
            .end(),
        case("blocked", "A ticket that the organiser blocked does not.")
            .ticket(&blocked)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Revoked, &day))
            .end(),
        case("paid_at_last", "An unpaid ticket enters once the scanner learns of the payment.")
            .ticket(&unpaid)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Unpaid, &day))
            .sync(at(120), tickets([&day]))
            .scan(at(121), day.printed(), welcome(&day))
            .end(),
        case(
            "cancelled_meanwhile",
            "A ticket cancelled since the last sync is refused from the next one on.",
        )
        .ticket(&day)
        .sync(at(30), tickets([&cancelled]))
        .scan(at(60), day.printed(), refuse_ticket(Reason::Cancelled, &day))
        .end(),
        case("unblocked", "A refusal uses up nothing: once unblocked, the ticket enters.")
            .ticket(&blocked)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Revoked, &day))
            .sync(at(90), tickets([&day]))
            .scan(at(100), day.printed(), welcome(&day))
            .scan(at(200), day.printed(), used(&day, step(2)))
            .end(),
        case("blocked_may_leave", "Whoever is inside may go out, though the ticket was blocked meanwhile.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .sync(at(90), tickets([&blocked]))
            .exit(at(120), day.printed(), goodbye(&day))
            .scan(at(180), day.printed(), refuse_ticket(Reason::Revoked, &day))
            .end(),
        case("cancelled_may_leave", "The same where the entry was never seen: out, but amber.")
            .ticket(&cancelled)
            .exit(at(60), day.printed(), goodbye(&day).amber(&lost))
            .end(),
        case("status_before_gate", "An unpaid ticket at the wrong gate is unpaid: paying comes first.")
            .ticket(&unpaid_vip)
            .scan(at(60), unpaid_vip.printed(), refuse_ticket(Reason::Unpaid, &unpaid_vip))
            .end(),
        case("status_before_reissue", "A cancelled ticket's old code is called cancelled, not replaced.")
            .ticket(&reissued)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Cancelled, &day))
            .end(),
        case("status_by_manual_code", "A typed code is refused for the ticket's status like a scanned one.")
            .ticket(&cancelled)
            .scan(at(60), day.manual(), refuse_ticket(Reason::Cancelled, &day))
            .end(),
        case("cancelled_after_entry", "A used ticket that was cancelled is called cancelled.")
            .ticket(&cancelled)
            .passage(day.entered(1, at(-600)))
            .scan(at(60), day.printed(), refuse_ticket(Reason::Cancelled, &day))
            .end(),
    ]
}

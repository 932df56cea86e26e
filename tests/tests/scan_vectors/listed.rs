//! Tickets picked from the list by name.

use liventix_core::rules::{LegacyStage, PrintedPolicy, Reason, TicketStatus};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::{Draft, case};
use crate::venue::{HOUR, Kind, NOW, assignment, at, guest, south, supervising};
use crate::verdicts::{
    elsewhere, error, forced, goodbye, refuse, refuse_ticket, repeated, step, undone, used, welcome,
};

/// The redeem API takes codes.
fn at_door(name: &str, about: &str) -> Draft {
    case(name, about).only_at_doors("The redeem API takes codes; a person with a list of names is at a door.")
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let id = day.entry.ticket_id;
    let unpaid = day.clone().status(TicketStatus::Unpaid);
    let vip = guest(2, Kind::Vip);
    let four = guest(3, Kind::Group);
    let reissued = guest(4, Kind::Day).with(|entry| entry.code_issued_at = NOW - HOUR).expiring(NOW);
    vec![
        at_door("listed", "Picked by name the ticket enters, and its code is used then.")
            .ticket(&day)
            .listed(at(60), id, welcome(&day))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .listed(at(180), id, used(&day, step(0)))
            .end(),
        at_door("listed_after_scan", "Picked right after it was scanned it is a repeat.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .listed(at(65), id, repeated(&day, step(0)))
            .end(),
        at_door("listed_used_elsewhere", "Other doors' admissions count.")
            .ticket(&day)
            .passage(day.entered(1, at(-300)))
            .listed(at(60), id, used(&day, elsewhere(1, at(-300))))
            .end(),
        at_door("listed_unpaid", "So does its status,")
            .ticket(&unpaid)
            .listed(at(60), id, refuse_ticket(Reason::Unpaid, &day))
            .end(),
        at_door("listed_wrong_gate", "the gate,")
            .ticket(&vip)
            .listed(at(60), vip.entry.ticket_id, refuse_ticket(Reason::WrongGate, &vip))
            .listed(at(70), vip.entry.ticket_id, welcome(&vip))
            .gate(south())
            .end(),
        at_door("listed_where_live_only", "and that only live codes enter.")
            .policy(|policy| policy.printed = PrintedPolicy::Refused)
            .ticket(&day)
            .listed(at(60), id, refuse_ticket(Reason::PrintedRefused, &day))
            .end(),
        at_door("listed_any_code", "But not what is the matter with its code, nor the stage of old codes.")
            .policy(|policy| policy.legacy = LegacyStage::Refuse)
            .ticket(&reissued)
            .listed(at(60), reissued.entry.ticket_id, welcome(&reissued))
            .end(),
        at_door("listed_no_more", "A ticket that is not on the list is refused.")
            .listed(at(60), id, refuse(Reason::Unlisted))
            .end(),
        at_door("listed_group", "Some of a group.")
            .ticket(&four)
            .listed(at(60), four.entry.ticket_id, welcome(&four).people(3).left(1))
            .people(3)
            .listed(
                at(70),
                four.entry.ticket_id,
                refuse_ticket(Reason::GroupExceeded, &four).left(1).first(step(0)),
            )
            .people(2)
            .end(),
        at_door("listed_exit", "The way out.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .listed(at(120), id, goodbye(&day))
            .out()
            .end(),
        at_door("listed_not_assigned", "At a gate of another scanner.")
            .assigned(assignment(&[south()]))
            .ticket(&day)
            .listed(at(60), id, error("not_assigned"))
            .end(),
        at_door("listed_undo", "Taken back.")
            .ticket(&day)
            .listed(at(60), id, welcome(&day))
            .undo(
                at(65),
                step(0),
                "Another guest of that name",
                undone(1, liventix_core::rules::Direction::Entry, Some(1)),
            )
            .listed(at(70), id, welcome(&day))
            .end(),
        at_door("listed_forced", "Let in by a supervisor.")
            .assigned(supervising())
            .ticket(&unpaid)
            .listed(at(60), id, forced(Reason::Unpaid, &day))
            .force("Paid at the desk")
            .end(),
        at_door("listed_forced_by_anybody", "By nobody else.")
            .ticket(&unpaid)
            .listed(at(60), id, error("not_supervisor"))
            .force("Paid at the desk")
            .end(),
        at_door("listed_forced_cancelled", "And not where the ticket was taken back.")
            .assigned(supervising())
            .ticket(&day.clone().status(TicketStatus::Cancelled))
            .listed(at(60), id, refuse_ticket(Reason::Cancelled, &day))
            .force("Says it is a mistake")
            .end(),
    ]
}

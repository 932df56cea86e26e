//! The same scan id twice, which only the redeem API can be asked.

use liventix_core::rules::{Direction, Reason, TicketStatus};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::{Draft, case, tickets};
use crate::venue::{Kind, at, guest, south, supervising};
use crate::verdicts::{elsewhere, error, refuse_ticket, step, undone, used, welcome};

const NOTE: &str = "Scanned the wrong ticket";

/// A scanner makes the ids of its scans itself, each once.
fn online(name: &str, about: &str) -> Draft {
    case(name, about).only_online("A scanner makes the ids of its scans itself and never uses one twice.")
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let other = guest(2, Kind::Day);
    let card = guest(3, Kind::ThreeVisits);
    let unpaid = day.clone().status(TicketStatus::Unpaid);
    let clash = || error("scan_id_conflict");
    vec![
        online(
            "same_request_twice",
            "The same request under the same id gets the same answer and counts once.",
        )
        .ticket(&card)
        .scan(at(60), card.printed(), welcome(&card).left(2))
        .scan(at(90), card.printed(), welcome(&card).left(2))
        .again(step(0))
        .scan(at(120), card.printed(), welcome(&card).left(1))
        .end(),
        online("same_refusal_twice", "A refusal is repeated too, though the ticket would enter by now.")
            .ticket(&unpaid)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Unpaid, &day))
            .sync(at(70), tickets([&day]))
            .scan(at(80), day.printed(), refuse_ticket(Reason::Unpaid, &day))
            .again(step(0))
            .scan(at(90), day.printed(), welcome(&day))
            .end(),
        online("same_id_other_code", "The same id with another code is refused as a whole.")
            .ticket(&day)
            .ticket(&other)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(90), other.printed(), clash())
            .again(step(0))
            .scan(at(120), other.printed(), welcome(&other))
            .end(),
        online("same_id_other_people", "So it is with another number of people,")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(90), day.printed(), clash())
            .people(2)
            .again(step(0))
            .end(),
        online("same_id_other_gate", "another gate,")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(90), day.printed(), clash())
            .gate(south())
            .again(step(0))
            .end(),
        online("same_id_other_direction", "or another direction,")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .exit(at(90), day.printed(), clash())
            .again(step(0))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
        online("id_of_another_door", "and with the id of another door's scan.")
            .ticket(&day)
            .passage(other.entered(1, at(-60)))
            .ticket(&other)
            .scan(at(60), day.printed(), clash())
            .again(elsewhere(1, at(-60)))
            .scan(at(90), day.printed(), welcome(&day))
            .end(),
        online("same_id_forced", "A refusal is not overruled under its own id: that is another request.")
            .assigned(supervising())
            .ticket(&unpaid)
            .scan(at(60), day.printed(), refuse_ticket(Reason::Unpaid, &day))
            .scan(at(90), day.printed(), clash())
            .force("Paid at the desk")
            .again(step(0))
            .end(),
        online("same_undo_twice", "An undo under the same id gets the same answer, too.")
            .ticket(&card)
            .scan(at(60), card.printed(), welcome(&card).left(2))
            .undo(at(70), step(0), NOTE, undone(1, Direction::Entry, Some(3)))
            .undo(at(75), step(0), NOTE, undone(1, Direction::Entry, Some(3)))
            .again(step(1))
            .scan(at(120), card.printed(), welcome(&card).left(2))
            .end(),
        online(
            "same_undo_id_other_scan",
            "But not if it names another scan, nor under the id of that scan itself.",
        )
        .ticket(&card)
        .scan(at(60), card.printed(), welcome(&card).left(2))
        .scan(at(80), card.printed(), welcome(&card).left(1))
        .undo(at(90), step(0), NOTE, undone(1, Direction::Entry, Some(2)))
        .undo(at(91), step(1), NOTE, clash())
        .again(step(2))
        .undo(at(92), step(1), NOTE, clash())
        .again(step(1))
        .end(),
    ]
}

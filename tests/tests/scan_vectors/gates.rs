//! Gates of ticket types and of scanners.

use liventix_core::ids::TicketTypeId;
use liventix_core::rules::{Flag, Reason};
use liventix_tests::conformance::format::{News, WrittenCase};

use crate::draft::{case, changed};
use crate::venue::{Kind, assignment, at, guest, north, nowhere, south};
use crate::verdicts::{error, goodbye, refuse_ticket, welcome};

pub(crate) fn cases() -> Vec<WrittenCase> {
    let vip = guest(1, Kind::Vip);
    let day = guest(2, Kind::Day);
    let odd = guest(3, Kind::Day).with(|entry| entry.ticket_type_id = TicketTypeId::from_bytes([7; 16]));
    let early = guest(4, Kind::Vip).with(|entry| entry.valid_from = Some(at(3_600)));
    let wrong = || refuse_ticket(Reason::WrongGate, &vip);
    vec![
        case("wrong_gate", "A ticket type that may not use this gate; at its own gate it enters.")
            .ticket(&vip)
            .scan(at(60), vip.printed(), wrong())
            .scan(at(70), vip.printed(), welcome(&vip))
            .gate(south())
            .end(),
        case("any_gate", "A type without gates may use every gate.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .gate(south())
            .end(),
        case("wrong_gate_typed", "A manual code does not change the gate.")
            .ticket(&vip)
            .scan(at(60), vip.manual(), wrong())
            .end(),
        case("out_by_any_gate", "People may go out by any gate.")
            .ticket(&vip)
            .scan(at(60), vip.printed(), welcome(&vip))
            .gate(south())
            .exit(at(120), vip.printed(), goodbye(&vip))
            .end(),
        case("gate_opened", "A change of the type's gates counts from the sync that brings it.")
            .ticket(&vip)
            .scan(at(60), vip.printed(), wrong())
            .sync(
                at(90),
                changed(|event| {
                    for kind in &mut event.ticket_types {
                        kind.gate_ids.clear();
                    }
                }),
            )
            .scan(at(120), vip.printed(), welcome(&vip))
            .end(),
        case("used_at_the_wrong_gate", "A used ticket at the wrong gate is sent to its gate first.")
            .ticket(&vip)
            .passage(vip.entered(1, at(-300)))
            .scan(at(60), vip.printed(), wrong())
            .end(),
        case("too_early_at_the_wrong_gate", "Nor is it told to come later to a gate that it may not use.")
            .ticket(&early)
            .scan(at(60), early.printed(), refuse_ticket(Reason::WrongGate, &early))
            .scan(at(70), early.printed(), refuse_ticket(Reason::NotYetValid, &early))
            .gate(south())
            .end(),
        case("no_such_gate", "A scanner set to a gate that the event does not have cannot scan.")
            .ticket(&day)
            .scan(at(60), day.printed(), error("gate_unknown"))
            .gate(nowhere())
            .online(error("gate_not_found"))
            .end(),
        case("not_assigned", "Nor one at a gate that it is not assigned to; nothing is used up by that.")
            .ticket(&day)
            .assigned(assignment(&[north()]))
            .scan(at(60), day.printed(), error("not_assigned"))
            .gate(south())
            .online(error("gate_not_assigned"))
            .scan(at(70), day.printed(), welcome(&day))
            .end(),
        case("assigned_meanwhile", "It scans there once it is assigned.")
            .ticket(&day)
            .assigned(assignment(&[south()]))
            .scan(at(60), day.printed(), error("not_assigned"))
            .online(error("gate_not_assigned"))
            .sync(
                at(90),
                News { assignments: Some(vec![assignment(&[north(), south()])]), ..News::default() },
            )
            .scan(at(120), day.printed(), welcome(&day))
            .end(),
        case(
            "unknown_type",
            "A list with a ticket of a type that the event does not have is not to be trusted: amber.",
        )
        .only_at_doors("A server's tickets always have a type.")
        .ticket(&odd)
        .scan(at(60), odd.printed(), welcome(&odd).amber(&[Flag::ListStale]))
        .end(),
    ]
}

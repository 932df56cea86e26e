//! Good signatures without a ticket on the list.

use liventix_core::rules::{Flag, Reason, TicketStatus, UnlistedPolicy};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::{Draft, case, passages, tickets};
use crate::venue::{Kind, at, guest};
use crate::verdicts::{admit, elsewhere, goodbye, refuse, refuse_ticket, repeated, step, used, welcome};

const UNLISTED: [Flag; 1] = [Flag::Unlisted];
const UNSEEN: [Flag; 2] = [Flag::Unlisted, Flag::ExitWithoutEntry];

/// Whatever the event allows its doors, the server knows every ticket.
fn not_there(draft: Draft) -> Draft {
    draft.online(refuse(Reason::Unlisted))
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = policies();
    cases.extend(histories());
    cases
}

fn policies() -> Vec<WrittenCase> {
    let new = guest(1, Kind::Day);
    let flagged = welcome(&new).unlimited().unknown().amber(&UNLISTED);
    vec![
        not_there(
            case("unlisted_flagged", "Admit and flag: enters, amber.")
                .policy(|policy| policy.unlisted = UnlistedPolicy::AdmitAndFlag)
                .scan(at(60), new.printed(), flagged.clone()),
        )
        .end(),
        not_there(
            case("unlisted_asks", "Ask a supervisor: nobody enters by the scan alone.")
                .policy(|policy| policy.unlisted = UnlistedPolicy::AskSupervisor)
                .scan(
                    at(60),
                    new.printed(),
                    admit(Reason::Unlisted, &new).unlimited().unknown().amber(&UNLISTED).asking(),
                ),
        )
        .end(),
        case("unlisted_refused", "Refuse: nobody enters.")
            .policy(|policy| policy.unlisted = UnlistedPolicy::Refuse)
            .scan(at(60), new.printed(), refuse(Reason::Unlisted))
            .end(),
        not_there(case("unlisted_live", "A live code is flagged like a printed one.").scan(
            at(60),
            new.live(at(50)),
            flagged.clone(),
        ))
        .end(),
        not_there(
            case("unlisted_printed_refused", "Where printed codes are refused, an unlisted ticket's is too.")
                .policy(|policy| policy.printed = liventix_core::rules::PrintedPolicy::Refused)
                .scan(at(60), new.printed(), refuse(Reason::PrintedRefused)),
        )
        .end(),
        not_there(case("unlisted_expired", "What the code itself says counts without a list.").scan(
            at(1_810),
            guest(1, Kind::Day).expiring(at(1_800)).printed(),
            refuse(Reason::Expired),
        ))
        .end(),
        case("unlisted_by_manual_code", "A manual code that is not on the list is unknown.")
            .scan(at(60), new.manual(), refuse(Reason::ManualUnknown))
            .end(),
    ]
}

fn histories() -> Vec<WrittenCase> {
    let new = guest(1, Kind::Day);
    let group = guest(2, Kind::Group);
    let cancelled = new.clone().status(TicketStatus::Cancelled);
    let flagged = || welcome(&new).unlimited().unknown().amber(&UNLISTED);
    let once = "The server admits no unlisted ticket, so it has no history.";
    vec![
        case("unlisted_twice", "An unlisted ticket holds one entry until the list says more.")
            .only_at_doors(once)
            .scan(at(60), new.printed(), flagged())
            .scan(at(120), new.printed(), used(&new, step(0)).unknown().doubting(&UNLISTED))
            .end(),
        case("unlisted_rapidly_twice", "Scanned again at once, it is a repeat.")
            .only_at_doors(once)
            .scan(at(60), new.printed(), flagged())
            .scan(at(65), new.printed(), repeated(&new, step(0)).unknown().doubting(&UNLISTED))
            .end(),
        case("unlisted_used_elsewhere", "Another door's admission of it counts.")
            .only_at_doors(once)
            .passage(new.entered(1, at(-300)))
            .scan(at(60), new.printed(), used(&new, elsewhere(1, at(-300))).unknown().doubting(&UNLISTED))
            .end(),
        case(
            "unlisted_used_elsewhere_later",
            "So does one that is learnt of only afterwards, if it was earlier.",
        )
        .only_at_doors(once)
        .scan(at(60), new.printed(), flagged())
        .sync(at(90), passages([new.entered(1, at(10))]))
        .scan(at(120), new.printed(), used(&new, elsewhere(1, at(10))).unknown().doubting(&UNLISTED))
        .end(),
        case("listed_at_last", "Its flagged entry counts once the list has it.")
            .scan(at(60), new.printed(), flagged())
            .online(refuse(Reason::Unlisted))
            .sync(at(90), tickets([&new]))
            .scan(at(120), new.printed(), used(&new, step(0)))
            .online(welcome(&new))
            .end(),
        case("listed_as_cancelled", "The list may say that it should not have entered.")
            .scan(at(60), new.printed(), flagged())
            .online(refuse(Reason::Unlisted))
            .sync(at(90), tickets([&cancelled]))
            .scan(at(120), new.printed(), refuse_ticket(Reason::Cancelled, &new))
            .end(),
        case("listed_as_group", "The list may say that it holds more.")
            .only_at_doors(once)
            .scan(at(60), group.printed(), flagged())
            .sync(at(90), tickets([&group]))
            .scan(at(120), group.printed(), welcome(&group).left(0).people(3))
            .people(3)
            .end(),
        case("unlisted_group", "It holds as many people as were admitted at once.")
            .only_at_doors(once)
            .scan(at(60), group.printed(), flagged().people(3))
            .people(3)
            .scan(at(120), group.printed(), used(&group, step(0)).unknown().doubting(&UNLISTED))
            .end(),
        case("unlisted_exit", "Out it goes, amber, whether or not it was seen coming in.")
            .only_at_doors(once)
            .scan(at(60), new.printed(), flagged())
            .exit(at(120), new.printed(), goodbye(&new).unknown().amber(&UNLISTED))
            .exit(at(180), guest(3, Kind::Day).printed(), goodbye(&new).unknown().amber(&UNSEEN))
            .end(),
    ]
}

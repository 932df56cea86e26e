//! When tickets and codes are valid.

use liventix_core::rules::{Flag, Reason, TicketStatus};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::case;
use crate::venue::{HOUR, Kind, NOW, at, guest};
use crate::verdicts::{goodbye, refuse_ticket, welcome};

const UNCERTAIN: [Flag; 1] = [Flag::ClockUncertain];

pub(crate) fn cases() -> Vec<WrittenCase> {
    let evening = guest(1, Kind::Evening);
    let opens = NOW + HOUR;
    let closes = NOW + 5 * HOUR;
    let early_bird = guest(2, Kind::Evening).with(|entry| entry.valid_from = Some(NOW));
    let leaves_early = guest(3, Kind::Evening).with(|entry| entry.valid_until = Some(NOW + 2 * HOUR));
    let bounded = guest(4, Kind::Day).with(|entry| entry.valid_until = Some(NOW + HOUR));
    let short = guest(5, Kind::Day).expiring(at(1_800));
    let dear = short.clone().status(TicketStatus::Cancelled);
    let premature = guest(6, Kind::Day).with(|entry| entry.code_issued_at = at(3_600));
    vec![
        case("too_early", "Before its type's window a ticket is not valid yet.")
            .ticket(&evening)
            .scan(at(60), evening.printed(), refuse_ticket(Reason::NotYetValid, &evening))
            .scan(opens - 1_000, evening.printed(), refuse_ticket(Reason::NotYetValid, &evening))
            .end(),
        case("window_open", "Within its type's window it enters.")
            .ticket(&evening)
            .scan(opens + 60_000, evening.printed(), welcome(&evening))
            .end(),
        case(
            "window_opens_now",
            "In the first moment the scanner's clock may still be early: amber, not red.",
        )
        .ticket(&evening)
        .scan(opens, evening.printed(), welcome(&evening).amber(&UNCERTAIN))
        .online(welcome(&evening))
        .end(),
        case(
            "window_closes_now",
            "In the first moment after it the scanner's clock may be late: amber. The server's is not.",
        )
        .ticket(&evening)
        .scan(closes, evening.printed(), welcome(&evening).amber(&UNCERTAIN))
        .online(refuse_ticket(Reason::Expired, &evening))
        .end(),
        case("too_late", "After its type's window a ticket has expired.")
            .ticket(&evening)
            .scan(closes + 60_000, evening.printed(), refuse_ticket(Reason::Expired, &evening))
            .end(),
        case("own_start", "A ticket's own start counts instead of its type's.")
            .ticket(&early_bird)
            .scan(at(60), early_bird.printed(), welcome(&early_bird))
            .end(),
        case("own_end", "So does its own end, and the type's start goes on counting.")
            .ticket(&leaves_early)
            .scan(at(60), leaves_early.printed(), refuse_ticket(Reason::NotYetValid, &leaves_early))
            .scan(opens + 2 * HOUR, leaves_early.printed(), refuse_ticket(Reason::Expired, &leaves_early))
            .end(),
        case("own_end_only", "A ticket may end where its type does not.")
            .ticket(&bounded)
            .scan(at(3_660), bounded.printed(), refuse_ticket(Reason::Expired, &bounded))
            .end(),
        case("code_still_good", "A code with an expiry enters before it.")
            .ticket(&short)
            .scan(at(1_790), short.printed(), welcome(&short))
            .end(),
        case("code_expired", "A code past its own expiry is refused.")
            .ticket(&short)
            .scan(at(1_810), short.printed(), refuse_ticket(Reason::Expired, &short))
            .end(),
        case(
            "code_expired_but_typed",
            "A manual code carries no expiry: the ticket's validity alone counts.",
        )
        .ticket(&short)
        .scan(at(1_810), short.manual(), welcome(&short))
        .end(),
        case("code_expired_may_leave", "Nobody is kept inside by a date.")
            .ticket(&short)
            .scan(at(60), short.printed(), welcome(&short))
            .exit(at(7_200), short.printed(), goodbye(&short))
            .end(),
        case("window_closed_may_leave", "Nor by the end of the ticket's window.")
            .ticket(&evening)
            .passage(evening.entered(1, at(-60)))
            .exit(closes + HOUR, evening.printed(), goodbye(&evening))
            .end(),
        case("expired_before_cancelled", "What the code itself says comes first.")
            .ticket(&dear)
            .scan(at(1_810), short.printed(), refuse_ticket(Reason::Expired, &short))
            .end(),
        case("expired_before_used", "A used ticket that has expired is called expired.")
            .ticket(&evening)
            .passage(evening.entered(1, at(-60)))
            .scan(closes + 60_000, evening.printed(), refuse_ticket(Reason::Expired, &evening))
            .end(),
        case("issued_in_the_future", "A code issued an hour from now is not valid yet.")
            .ticket(&premature)
            .scan(at(60), premature.printed(), refuse_ticket(Reason::NotYetValid, &premature))
            .end(),
    ]
}

//! Tickets for several people.

use liventix_core::rules::{Direction, Flag, Reason};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::case;
use crate::venue::{Guest, Kind, at, guest};
use crate::verdicts::{admit, elsewhere, error, goodbye, refuse_ticket, repeated, step, used, welcome};

const UNSEEN: [Flag; 1] = [Flag::ExitWithoutEntry];

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = entering();
    cases.extend(leaving());
    cases.extend(numbers());
    cases
}

fn entering() -> Vec<WrittenCase> {
    let four = guest(1, Kind::Group);
    let pair = guest(2, Kind::Group).with(|entry| entry.admits = Some(2));
    let elsewhere_two = {
        let mut passage = four.entered(1, at(-300));
        passage.passage.people = 2;
        passage
    };
    vec![
        case("group_at_once", "A whole group enters with one scan.")
            .ticket(&four)
            .scan(at(60), four.printed(), welcome(&four).people(4))
            .people(4)
            .scan(at(120), four.printed(), used(&four, step(0)))
            .end(),
        case("group_in_parts", "Or in parts, up to what is left.")
            .ticket(&four)
            .scan(at(60), four.printed(), welcome(&four).people(3).left(1))
            .people(3)
            .scan(at(120), four.printed(), refuse_ticket(Reason::GroupExceeded, &four).left(1).first(step(0)))
            .people(2)
            .scan(at(180), four.printed(), welcome(&four))
            .scan(at(240), four.printed(), used(&four, step(0)))
            .end(),
        case("group_one_by_one", "One after the other within seconds is no repeat, until nobody is left.")
            .ticket(&four)
            .scan(at(60), four.printed(), welcome(&four).left(3))
            .scan(at(61), four.printed(), welcome(&four).left(2))
            .scan(at(62), four.printed(), welcome(&four).left(1))
            .scan(at(63), four.printed(), welcome(&four).left(0))
            .scan(at(64), four.printed(), repeated(&four, step(3)))
            .scan(at(120), four.printed(), used(&four, step(0)))
            .end(),
        case("group_too_many", "More than it holds do not enter, not even some of them.")
            .ticket(&four)
            .scan(at(60), four.printed(), refuse_ticket(Reason::GroupExceeded, &four).left(4))
            .people(5)
            .scan(at(65), four.printed(), welcome(&four).people(4))
            .people(4)
            .end(),
        case("group_of_its_own_size", "A ticket's own number counts instead of its type's.")
            .ticket(&pair)
            .scan(at(60), pair.printed(), refuse_ticket(Reason::GroupExceeded, &pair).left(2))
            .people(3)
            .scan(at(70), pair.printed(), welcome(&pair).people(2))
            .people(2)
            .end(),
        case("group_at_two_doors", "What entered at another door is not left here.")
            .ticket(&four)
            .passage(elsewhere_two)
            .scan(
                at(60),
                four.printed(),
                refuse_ticket(Reason::GroupExceeded, &four).left(2).first(elsewhere(1, at(-300))),
            )
            .people(3)
            .scan(at(70), four.printed(), welcome(&four).people(2))
            .people(2)
            .scan(at(120), four.printed(), used(&four, elsewhere(1, at(-300))))
            .end(),
    ]
}

fn leaving() -> Vec<WrittenCase> {
    let family = guest(1, Kind::Family);
    let four = guest(2, Kind::Group);
    let back = |guest: &Guest| admit(Reason::Reentered, guest);
    let one_out = |guest: &Guest| goodbye(guest).amber(&UNSEEN);
    vec![
        case("family_returns", "So many may come back as went out.")
            .ticket(&family)
            .scan(at(60), family.printed(), welcome(&family).people(5))
            .people(5)
            .exit(at(120), family.printed(), goodbye(&family).people(2))
            .people(2)
            .scan(
                at(150),
                family.printed(),
                refuse_ticket(Reason::GroupExceeded, &family).left(2).first(step(0)),
            )
            .people(3)
            .scan(at(180), family.printed(), back(&family).people(2))
            .people(2)
            .scan(at(240), family.printed(), used(&family, step(0)))
            .end(),
        case(
            "family_returns_with_more",
            "Those coming back and those coming for the first time pass together.",
        )
        .ticket(&family)
        .scan(at(60), family.printed(), welcome(&family).people(3).left(2))
        .people(3)
        .exit(at(120), family.printed(), goodbye(&family))
        .scan(at(180), family.printed(), back(&family).people(3))
        .people(3)
        .scan(at(240), family.printed(), used(&family, step(0)))
        .end(),
        case(
            "group_does_not_return",
            "Where re-entry is not allowed, an exit gives nothing back to a group either.",
        )
        .ticket(&four)
        .scan(at(60), four.printed(), welcome(&four).people(4))
        .people(4)
        .exit(at(120), four.printed(), goodbye(&four).people(2))
        .people(2)
        .scan(at(180), four.printed(), used(&four, step(0)))
        .end(),
        case("more_out_than_in", "More may go out than were seen coming in: amber.")
            .ticket(&family)
            .scan(at(60), family.printed(), welcome(&family).people(2).left(3))
            .people(2)
            .exit(at(120), family.printed(), one_out(&family).people(3))
            .people(3)
            .end(),
        case(
            "family_leaves_unseen",
            "A group whose entry was not seen leaves one by one; then all of it is out.",
        )
        .ticket(&family)
        .exit(at(60), family.printed(), one_out(&family))
        .exit(at(61), family.printed(), one_out(&family))
        .exit(at(62), family.printed(), one_out(&family))
        .exit(at(63), family.printed(), one_out(&family))
        .exit(at(64), family.printed(), one_out(&family))
        .exit(at(65), family.printed(), refuse_ticket(Reason::AlreadyOut, &family).first(step(4)))
        .scan(at(120), family.printed(), back(&family).people(5))
        .people(5)
        .end(),
        case("exit_of_a_group_elsewhere", "An exit at another door counts with all its people.")
            .ticket(&family)
            .passage({
                let mut passage = family.passage(1, at(-300), Direction::Entry);
                passage.passage.people = 5;
                passage
            })
            .passage({
                let mut passage = family.passage(2, at(-200), Direction::Exit);
                passage.passage.people = 4;
                passage
            })
            .scan(at(60), family.printed(), back(&family).people(3).left(1))
            .people(3)
            .end(),
    ]
}

fn numbers() -> Vec<WrittenCase> {
    let four = guest(1, Kind::Group);
    vec![
        case("nobody", "No scan is for nobody.")
            .ticket(&four)
            .scan(at(60), four.printed(), error("people_out_of_range"))
            .people(0)
            .online(error("invalid_field"))
            .scan(at(61), four.printed(), welcome(&four).left(3))
            .end(),
        case("a_crowd", "Nor for more than a thousand.")
            .ticket(&four)
            .scan(at(60), four.printed(), error("people_out_of_range"))
            .people(1_001)
            .online(error("invalid_field"))
            .scan(at(61), four.printed(), refuse_ticket(Reason::GroupExceeded, &four).left(4))
            .people(1_000)
            .end(),
    ]
}

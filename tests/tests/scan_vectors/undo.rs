//! Passages taken back, here and at other doors.

use liventix_core::rules::{Direction, Flag, Reason, TicketStatus};
use liventix_core::sync::wire::ForeignPassage;
use liventix_tests::conformance::format::{News, WrittenCase};

use crate::draft::{case, passages, tickets};
use crate::venue::{HOUR, Kind, NOW, assignment, at, device_id, guest, scan_id, south, supervising};
use crate::verdicts::{admit, elsewhere, error, forced, goodbye, refuse_ticket, step, undone, used, welcome};

const NOTE: &str = "Scanned the wrong ticket";

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = taken_back();
    cases.extend(refused());
    cases.extend(windows());
    cases.extend(elsewhere_undone());
    cases
}

fn taken_back() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let pass = guest(2, Kind::Festival);
    let four = guest(3, Kind::Group);
    let season = guest(4, Kind::Season);
    let unpaid = day.clone().status(TicketStatus::Unpaid);
    let unlisted = welcome(&day).unlimited().unknown().amber(&[Flag::Unlisted]);
    vec![
        case("undo", "A passage taken back never was: the ticket enters again, even at once.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(65), step(0), NOTE, undone(1, Direction::Entry, Some(1)))
            .scan(at(70), day.printed(), welcome(&day))
            .scan(at(120), day.printed(), used(&day, step(2)))
            .end(),
        case("undo_exit", "An exit taken back: the guest is inside.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .exit(at(120), pass.printed(), goodbye(&pass))
            .undo(at(130), step(1), NOTE, undone(1, Direction::Exit, Some(0)))
            .scan(at(180), pass.printed(), used(&pass, step(0)))
            .exit(at(240), pass.printed(), goodbye(&pass))
            .scan(at(300), pass.printed(), admit(Reason::Reentered, &pass))
            .end(),
        case("undo_group", "Of a group, all that passed with that scan.")
            .ticket(&four)
            .scan(at(60), four.printed(), welcome(&four).left(3))
            .scan(at(62), four.printed(), welcome(&four).people(3))
            .people(3)
            .undo(at(70), step(1), NOTE, undone(3, Direction::Entry, Some(3)))
            .scan(at(80), four.printed(), welcome(&four).people(2).left(1))
            .people(2)
            .end(),
        case("undo_season", "Of an unlimited ticket.")
            .ticket(&season)
            .scan(at(60), season.printed(), welcome(&season).unlimited())
            .undo(at(65), step(0), NOTE, undone(1, Direction::Entry, None))
            .scan(at(70), season.printed(), welcome(&season).unlimited())
            .end(),
        case("undo_first_of_two", "The admission that is left becomes the first.")
            .ticket(&guest(5, Kind::ThreeVisits))
            .scan(
                at(60),
                guest(5, Kind::ThreeVisits).printed(),
                welcome(&guest(5, Kind::ThreeVisits)).left(2),
            )
            .scan(
                at(90),
                guest(5, Kind::ThreeVisits).printed(),
                welcome(&guest(5, Kind::ThreeVisits)).left(1),
            )
            .undo(at(100), step(0), NOTE, undone(1, Direction::Entry, Some(2)))
            .scan(
                at(120),
                guest(5, Kind::ThreeVisits).printed(),
                welcome(&guest(5, Kind::ThreeVisits)).left(1),
            )
            .scan(
                at(150),
                guest(5, Kind::ThreeVisits).printed(),
                welcome(&guest(5, Kind::ThreeVisits)).left(0),
            )
            .scan(at(180), guest(5, Kind::ThreeVisits).printed(), used(&guest(5, Kind::ThreeVisits), step(1)))
            .end(),
        case("undo_forced", "What a supervisor did may be taken back too.")
            .assigned(supervising())
            .ticket(&unpaid)
            .scan(at(60), day.printed(), forced(Reason::Unpaid, &day))
            .force("Paid at the desk")
            .undo(at(65), step(0), NOTE, undone(1, Direction::Entry, Some(1)))
            .sync(at(90), tickets([&day]))
            .scan(at(100), day.printed(), welcome(&day))
            .end(),
        case("undo_unlisted", "And the entry of a ticket that is not on the list.")
            .only_at_doors("The server admits no unlisted ticket, so there is nothing to take back.")
            .scan(at(60), day.printed(), unlisted.clone())
            .undo(at(65), step(0), NOTE, undone(1, Direction::Entry, None))
            .scan(at(70), day.printed(), unlisted)
            .end(),
        case("undo_used_elsewhere", "Taken back here, it is still used where another door admitted it.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .sync(at(90), passages([day.entered(1, at(80))]))
            .undo(at(100), step(0), NOTE, undone(1, Direction::Entry, Some(0)))
            .scan(at(120), day.printed(), used(&day, elsewhere(1, at(80))))
            .end(),
        case("undo_comes_back", "Passage and undo that come back from the server change nothing.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(65), step(0), NOTE, undone(1, Direction::Entry, Some(1)))
            .sync(at(90), News { own_passages: vec![0, 1], ..News::default() })
            .scan(at(120), day.printed(), welcome(&day))
            .end(),
    ]
}

fn refused() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let unpaid = guest(2, Kind::Day).status(TicketStatus::Unpaid);
    let elsewhere_only = News { assignments: Some(vec![assignment(&[south()])]), ..News::default() };
    vec![
        case("undo_twice", "Nothing is taken back twice.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(65), step(0), NOTE, undone(1, Direction::Entry, Some(1)))
            .undo(at(70), step(0), NOTE, error("undo_already"))
            .end(),
        case("undo_an_undo", "Nor is an undo: the guest is scanned again.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(65), step(0), NOTE, undone(1, Direction::Entry, Some(1)))
            .undo(at(70), step(1), NOTE, error("undo_not_a_passage"))
            .end(),
        case("undo_a_refusal", "With a refusal nobody passed.")
            .ticket(&unpaid)
            .scan(at(60), unpaid.printed(), refuse_ticket(Reason::Unpaid, &unpaid))
            .undo(at(65), step(0), NOTE, error("undo_not_a_passage"))
            .end(),
        case("undo_unknown", "A scan that nobody made.")
            .undo(at(65), elsewhere(77, at(60)), NOTE, error("undo_unknown"))
            .end(),
        case("undo_of_another_door", "A scan that another scanner made is taken back there.")
            .ticket(&day)
            .passage(day.entered(1, at(-10)))
            .undo(at(5), elsewhere(1, at(-10)), NOTE, error("undo_unknown"))
            .scan(at(60), day.printed(), used(&day, elsewhere(1, at(-10))))
            .end(),
        case("undo_needs_a_reason", "Whoever takes back says why, in one line.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(65), step(0), " ", error("note_invalid"))
            .online(error("invalid_field"))
            .undo(at(66), step(0), "wrong\nticket", error("note_invalid"))
            .online(error("invalid_field"))
            .scan(at(90), day.printed(), used(&day, step(0)))
            .end(),
        case("undo_unassigned", "A scanner that may no longer scan there takes nothing back there.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .sync(at(70), elsewhere_only)
            .undo(at(75), step(0), NOTE, error("not_assigned"))
            .online(error("gate_not_assigned"))
            .end(),
    ]
}

/// A passage may be taken back for 120 seconds unless the event says otherwise.
fn windows() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    vec![
        case("undo_in_time", "To the last moment of its window.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(180), step(0), NOTE, undone(1, Direction::Entry, Some(1)))
            .end(),
        case("undo_too_late", "Afterwards it stands.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(181), step(0), NOTE, error("undo_too_late"))
            .scan(at(200), day.printed(), used(&day, step(0)))
            .end(),
        case("undo_short_window", "The event sets the window.")
            .policy(|policy| policy.undo_seconds = 10)
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(75), step(0), NOTE, error("undo_too_late"))
            .end(),
        case("undo_off", "The event may switch it off.")
            .policy(|policy| policy.undo_seconds = 0)
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .undo(at(61), step(0), NOTE, error("undo_off"))
            .end(),
        case("undo_after_clock_change", "A wall clock set by hand does not move the window.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .wall(at(65), NOW + 3 * HOUR)
            .undo(at(70), step(0), NOTE, undone(1, Direction::Entry, Some(1)))
            .end(),
        case("undo_after_clock_set_back", "In neither direction.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .wall(at(65), NOW - 3 * HOUR)
            .undo(at(190), step(0), NOTE, error("undo_too_late"))
            .end(),
    ]
}

/// What other doors took back.
fn elsewhere_undone() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let pass = guest(2, Kind::Festival);
    let take_back = |entry: &ForeignPassage, number: u8, at: i64| {
        let mut undo = *entry;
        undo.passage.scan_id = scan_id(number, at);
        undo.passage.at = at;
        undo.passage.undoes = Some(entry.passage.scan_id);
        undo
    };
    let entered = day.entered(1, at(-300));
    let undo = take_back(&entered, 2, at(-290));
    let stranger = {
        let mut undo = undo;
        undo.passage.device_id = device_id();
        undo
    };
    let left = pass.left(2, at(-200));
    vec![
        case("undone_elsewhere", "An entry that another door took back never was.")
            .ticket(&day)
            .passage(entered)
            .passage(undo)
            .scan(at(60), day.printed(), welcome(&day))
            .end(),
        case("undone_elsewhere_meanwhile", "From the sync on that brings it.")
            .ticket(&day)
            .passage(entered)
            .scan(at(30), day.printed(), used(&day, elsewhere(1, at(-300))))
            .sync(at(50), passages([undo]))
            .scan(at(60), day.printed(), welcome(&day))
            .end(),
        case("undone_before_it_was_known", "The undo may be learnt of before the entry.")
            .ticket(&day)
            .passage(undo)
            .sync(at(30), passages([entered]))
            .scan(at(60), day.printed(), welcome(&day))
            .end(),
        case(
            "undone_by_another_scanner",
            "A scanner takes back its own only: what names another's has no effect.",
        )
        .only_at_doors("A server takes in no such undo.")
        .ticket(&day)
        .passage(entered)
        .passage(stranger)
        .scan(at(60), day.printed(), used(&day, elsewhere(1, at(-300))))
        .end(),
        case("exit_undone_elsewhere", "An exit that was taken back gives no right to return.")
            .ticket(&pass)
            .passage(pass.entered(1, at(-300)))
            .passage(left)
            .passage(take_back(&left, 3, at(-190)))
            .scan(at(60), pass.printed(), used(&pass, elsewhere(1, at(-300))))
            .end(),
    ]
}

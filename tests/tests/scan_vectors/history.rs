//! Passages of other doors, early, late, twice and at the same moment.

use liventix_core::rules::Reason;
use liventix_core::sync::wire::ForeignPassage;
use liventix_tests::conformance::format::{News, WrittenCase};

use crate::draft::{case, passages};
use crate::venue::{Kind, at, device_id, guest, north};
use crate::verdicts::{admit, elsewhere, repeated, step, used, welcome};

/// The same by the scanner of the case, under another ledger.
fn by_this_scanner(mut passage: ForeignPassage) -> ForeignPassage {
    passage.passage.device_id = device_id();
    passage.passage.gate_id = north();
    passage
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = arriving();
    cases.extend(ties());
    cases.extend(repeats());
    cases.extend(clocks());
    cases
}

/// Passages of other doors, known from the start or learnt later.
fn arriving() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let pass = guest(2, Kind::Festival);
    let season = guest(3, Kind::Season);
    let back = || admit(Reason::Reentered, &pass);
    vec![
        case("used_elsewhere", "An admission at another door is named with its time, gate and scanner.")
            .ticket(&day)
            .passage(day.entered(1, at(-300)))
            .scan(at(60), day.printed(), used(&day, elsewhere(1, at(-300))))
            .end(),
        case("used_elsewhere_meanwhile", "Learnt of at a sync, it counts from then on.")
            .ticket(&day)
            .sync(at(60), passages([day.entered(1, at(30))]))
            .scan(at(90), day.printed(), used(&day, elsewhere(1, at(30))))
            .end(),
        case("older_arrives_late", "An older admission that arrives late becomes the first.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .sync(at(90), passages([day.entered(1, at(30))]))
            .scan(at(120), day.printed(), used(&day, elsewhere(1, at(30))))
            .end(),
        case("newer_arrives_late", "A newer one does not.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .sync(at(90), passages([day.entered(1, at(70))]))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
        case("oldest_of_three", "Of many the earliest is named, in whatever order they came.")
            .ticket(&day)
            .passage(day.entered(1, at(-100)))
            .passage(day.entered(2, at(-300)))
            .sync(at(60), passages([day.entered(3, at(-200))]))
            .scan(at(90), day.printed(), used(&day, elsewhere(2, at(-300))))
            .end(),
        case("left_elsewhere", "Who went out at another door may come back here.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .sync(at(120), passages([pass.left(1, at(100))]))
            .scan(at(180), pass.printed(), back())
            .end(),
        case("returned_elsewhere", "Who came back at another door is inside.")
            .ticket(&pass)
            .passage(pass.entered(1, at(-300)))
            .passage(pass.left(2, at(-200)))
            .passage(pass.entered(3, at(-100)))
            .scan(at(60), pass.printed(), used(&pass, elsewhere(1, at(-300))))
            .end(),
        case(
            "exit_arrives_before_entry",
            "An exit may be learnt of before its entry: the outcome is the same.",
        )
        .ticket(&pass)
        .passage(pass.left(2, at(-50)))
        .sync(at(30), passages([pass.entered(1, at(-100))]))
        .scan(at(60), pass.printed(), back())
        .scan(at(120), pass.printed(), used(&pass, elsewhere(1, at(-100))))
        .end(),
        case(
            "exit_arrives_late",
            "An exit before the last entry gives nothing back, however late it arrives.",
        )
        .ticket(&pass)
        .passage(pass.entered(1, at(-300)))
        .passage(pass.entered(3, at(-100)))
        .sync(at(30), passages([pass.left(2, at(-200))]))
        .scan(at(60), pass.printed(), used(&pass, elsewhere(1, at(-300))))
        .end(),
        case("season_pass_elsewhere", "An unlimited ticket is not used up by any number of passages.")
            .ticket(&season)
            .passage(season.entered(1, at(-300)))
            .passage(season.entered(2, at(-200)))
            .scan(at(60), season.printed(), welcome(&season).unlimited())
            .end(),
    ]
}

/// Passages of the same millisecond.
fn ties() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let pass = guest(2, Kind::Festival);
    let then = at(-300);
    vec![
        case("tie", "Of two admissions in one millisecond the lower scan id is the first.")
            .ticket(&day)
            .passage(day.entered(2, then))
            .passage(day.entered(1, then))
            .scan(at(60), day.printed(), used(&day, elsewhere(1, then)))
            .end(),
        case("tie_with_this_scanner", "Also if one of them was made here.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .sync(at(90), passages([day.entered(1, at(60))]))
            .scan(at(120), day.printed(), used(&day, elsewhere(1, at(60))))
            .end(),
        case("tie_in_then_out", "In and out in one millisecond: by their ids he came in and went out.")
            .ticket(&pass)
            .passage(pass.left(2, then))
            .passage(pass.entered(1, then))
            .scan(at(60), pass.printed(), admit(Reason::Reentered, &pass))
            .end(),
        case("tie_out_then_in", "By their ids he went out and came back.")
            .ticket(&pass)
            .passage(pass.entered(2, then))
            .passage(pass.left(1, then))
            .scan(at(60), pass.printed(), used(&pass, elsewhere(2, then)))
            .end(),
    ]
}

/// The same evidence twice.
fn repeats() -> Vec<WrittenCase> {
    let card = guest(1, Kind::ThreeVisits);
    let pass = guest(2, Kind::Festival);
    vec![
        case("evidence_twice", "A passage that is sent twice counts once.")
            .ticket(&card)
            .passage(card.entered(1, at(-300)))
            .sync(at(30), passages([card.entered(1, at(-300))]))
            .scan(at(60), card.printed(), welcome(&card).left(1))
            .end(),
        case("exit_evidence_twice", "An exit too.")
            .ticket(&pass)
            .passage(pass.entered(1, at(-300)))
            .passage(pass.left(2, at(-200)))
            .sync(at(30), passages([pass.left(2, at(-200)), pass.entered(1, at(-300))]))
            .scan(at(60), pass.printed(), admit(Reason::Reentered, &pass))
            .scan(at(120), pass.printed(), used(&pass, elsewhere(1, at(-300))))
            .end(),
        case("own_scan_comes_back", "A passage made here that comes back under its scan id counts once.")
            .ticket(&card)
            .scan(at(60), card.printed(), welcome(&card).left(2))
            .sync(at(90), News { own_passages: vec![0], ..News::default() })
            .scan(at(120), card.printed(), welcome(&card).left(1))
            .end(),
    ]
}

/// Passages dated by clocks that were wrong, and by this very scanner before it lost its ledger.
fn clocks() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    vec![
        case("history_ahead", "A history that is ahead of this clock counts all the same.")
            .ticket(&day)
            .passage(day.entered(1, at(1_800)))
            .scan(at(60), day.printed(), used(&day, elsewhere(1, at(1_800))))
            .end(),
        case("history_ahead_of_own_scan", "A scan made here before it stands first.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .sync(at(90), passages([day.entered(1, at(1_800))]))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
        case("rapid_elsewhere", "A scan at another scanner a moment ago is a duplicate, no repeat.")
            .ticket(&day)
            .passage(day.entered(1, at(-2)))
            .scan(at(2), day.printed(), used(&day, elsewhere(1, at(-2))))
            .end(),
        case("rapid_by_an_older_ledger", "One at this scanner is a repeat, though it comes from the server.")
            .ticket(&day)
            .passage(by_this_scanner(day.entered(1, at(-2))))
            .scan(at(2), day.printed(), repeated(&day, elsewhere(1, at(-2))))
            .end(),
        case("own_history_ahead", "But not one that this scanner dated into the future.")
            .ticket(&day)
            .passage(by_this_scanner(day.entered(1, at(1_800))))
            .scan(at(60), day.printed(), used(&day, elsewhere(1, at(1_800))))
            .end(),
    ]
}

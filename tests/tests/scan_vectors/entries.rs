//! How often a ticket for one person enters, leaves and comes back.

use liventix_core::rules::{Flag, Reason};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::case;
use crate::venue::{Kind, at, guest, south};
use crate::verdicts::{admit, goodbye, refuse_ticket, repeated, step, used, welcome};

const UNSEEN: [Flag; 1] = [Flag::ExitWithoutEntry];

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = single();
    cases.extend(returning());
    cases.extend(several());
    cases.extend(rapid());
    cases
}

fn single() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    vec![
        case("single_entry", "A single-entry ticket enters once; the refusal names the first admission.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .scan(at(3_600), day.printed(), used(&day, step(0)))
            .end(),
        case("no_return", "Going out gives nothing back where re-entry is not allowed.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .exit(at(120), day.printed(), goodbye(&day))
            .scan(at(180), day.printed(), used(&day, step(0)))
            .end(),
        case("exit_only", "Who goes out must have come in: that entry is used, though nobody saw it.")
            .ticket(&day)
            .exit(at(60), day.printed(), goodbye(&day).amber(&UNSEEN))
            .scan(at(120), day.printed(), refuse_ticket(Reason::AlreadyUsed, &day).left(0))
            .end(),
        case("exit_twice", "Nobody goes out twice; the refusal names the exit.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .exit(at(120), day.printed(), goodbye(&day))
            .exit(at(180), day.printed(), refuse_ticket(Reason::AlreadyOut, &day).first(step(1)))
            .end(),
        case("used_at_the_other_gate", "The gate does not matter to how often.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .gate(south())
            .end(),
    ]
}

fn returning() -> Vec<WrittenCase> {
    let pass = guest(1, Kind::Festival);
    let back = || admit(Reason::Reentered, &pass);
    vec![
        case("return", "Who was scanned out may come back, as often as that happens.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .exit(at(120), pass.printed(), goodbye(&pass))
            .scan(at(180), pass.printed(), back())
            .exit(at(240), pass.printed(), goodbye(&pass))
            .scan(at(300), pass.printed(), back())
            .end(),
        case("return_without_exit", "Without an exit it is a second entry.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .scan(at(120), pass.printed(), used(&pass, step(0)))
            .exit(at(180), pass.printed(), goodbye(&pass))
            .scan(at(240), pass.printed(), back())
            .scan(at(300), pass.printed(), used(&pass, step(0)))
            .end(),
        case("return_after_exit_only", "An exit without an entry gives the right to come back once.")
            .ticket(&pass)
            .exit(at(60), pass.printed(), goodbye(&pass).amber(&UNSEEN))
            .scan(at(120), pass.printed(), back())
            .scan(at(180), pass.printed(), used(&pass, step(1)))
            .end(),
        case("return_out_twice", "A second exit is refused and gives no second return.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .exit(at(120), pass.printed(), goodbye(&pass))
            .exit(at(180), pass.printed(), refuse_ticket(Reason::AlreadyOut, &pass).first(step(1)))
            .scan(at(240), pass.printed(), back())
            .scan(at(300), pass.printed(), used(&pass, step(0)))
            .end(),
    ]
}

fn several() -> Vec<WrittenCase> {
    let card = guest(1, Kind::ThreeVisits);
    let season = guest(2, Kind::Season);
    vec![
        case("three_visits", "A multi-entry ticket counts down.")
            .ticket(&card)
            .scan(at(60), card.printed(), welcome(&card).left(2))
            .scan(at(120), card.printed(), welcome(&card).left(1))
            .scan(at(180), card.printed(), welcome(&card).left(0))
            .scan(at(240), card.printed(), used(&card, step(0)))
            .end(),
        case("three_visits_with_exits", "Its exits give nothing back.")
            .ticket(&card)
            .scan(at(60), card.printed(), welcome(&card).left(2))
            .exit(at(120), card.printed(), goodbye(&card))
            .scan(at(180), card.printed(), welcome(&card).left(1))
            .exit(at(240), card.printed(), goodbye(&card))
            .scan(at(300), card.printed(), welcome(&card).left(0))
            .exit(at(360), card.printed(), goodbye(&card))
            .scan(at(420), card.printed(), used(&card, step(0)))
            .end(),
        case("three_visits_exit_only", "An exit that nobody saw enter is one of its visits.")
            .ticket(&card)
            .exit(at(60), card.printed(), goodbye(&card).amber(&UNSEEN))
            .scan(at(120), card.printed(), welcome(&card).left(1))
            .end(),
        case("season_pass", "An unlimited ticket enters again and again.")
            .ticket(&season)
            .scan(at(60), season.printed(), welcome(&season).unlimited())
            .scan(at(120), season.printed(), welcome(&season).unlimited())
            .scan(at(180), season.printed(), welcome(&season).unlimited())
            .end(),
    ]
}

/// The same ticket again within 15 seconds at one scanner.
fn rapid() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let pass = guest(2, Kind::Festival);
    let card = guest(3, Kind::ThreeVisits);
    let season = guest(4, Kind::Season);
    vec![
        case("rapid", "Scanned again at once, nobody is accused: amber.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(65), day.printed(), repeated(&day, step(0)))
            .end(),
        case("rapid_is_over", "After fifteen seconds it is a duplicate.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(74), day.printed(), repeated(&day, step(0)))
            .scan(at(75), day.printed(), used(&day, step(0)))
            .end(),
        case("rapid_off", "An event may switch that off.")
            .policy(|policy| policy.rapid_rescan_seconds = 0)
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(61), day.printed(), used(&day, step(0)))
            .end(),
        case("rapid_visit", "A repeat does not use up another entry.")
            .ticket(&card)
            .scan(at(60), card.printed(), welcome(&card).left(2))
            .scan(at(62), card.printed(), repeated(&card, step(0)).left(2))
            .scan(at(120), card.printed(), welcome(&card).left(1))
            .end(),
        case("rapid_season", "Not even where there are any number of them.")
            .ticket(&season)
            .scan(at(60), season.printed(), welcome(&season).unlimited())
            .scan(at(62), season.printed(), repeated(&season, step(0)).unlimited())
            .end(),
        case("rapid_exit", "An exit scanned twice is a repeat too.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .exit(at(120), pass.printed(), goodbye(&pass))
            .exit(at(125), pass.printed(), repeated(&pass, step(1)).left(1))
            .end(),
        case("rapid_turn", "Straight out and in again is no repeat.")
            .ticket(&pass)
            .scan(at(60), pass.printed(), welcome(&pass))
            .exit(at(62), pass.printed(), goodbye(&pass))
            .scan(at(64), pass.printed(), admit(Reason::Reentered, &pass))
            .end(),
    ]
}

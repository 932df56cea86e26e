//! Typed codes.

use liventix_core::rules::Reason;
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::case;
use crate::venue::{Guest, Kind, at, guest};
use crate::verdicts::{refuse, repeated, step, used, welcome};

/// The first guest whose manual code is of use here.
fn whose_code(fits: impl Fn(&str) -> bool) -> Guest {
    let guests = (1..=u8::MAX).map(|number| guest(number, Kind::Day));
    guests.into_iter().find(|guest| fits(&guest.manual())).expect("such a code")
}

/// The code with its first symbol mistyped.
pub(crate) fn mistyped(code: &str) -> String {
    let wrong = if code.starts_with('A') { 'B' } else { 'A' };
    format!("{wrong}{}", &code[1..])
}

/// The code with its first two symbols in each other's place.
fn swapped(code: &str) -> String {
    format!("{}{}{}", &code[1..2], &code[..1], &code[2..])
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let code = day.manual();
    let round = whose_code(|code| code.contains('0') && code.contains('1'));
    let twin = guest(2, Kind::Day).with(|entry| entry.manual_tag = day.entry.manual_tag);
    let typo = || refuse(Reason::ManualTypo);
    vec![
        case("manual", "As it stands on the ticket.")
            .ticket(&day)
            .scan(at(60), code.clone(), welcome(&day))
            .end(),
        case("manual_as_people_type", "In lower case, with spaces for hyphens, or with neither.")
            .ticket(&day)
            .ticket(&round)
            .scan(at(60), format!(" {} ", code.to_lowercase().replace('-', " ")), welcome(&day))
            .scan(at(70), round.manual().replace('-', ""), welcome(&round))
            .end(),
        case("manual_lookalikes", "With the letters that look like 0 and 1.")
            .ticket(&round)
            .scan(at(60), round.manual().replace('0', "O").replace('1', "l"), welcome(&round))
            .end(),
        case("manual_typo", "With one wrong symbol.")
            .ticket(&day)
            .scan(at(60), mistyped(&code), typo())
            .scan(at(70), code.clone(), welcome(&day))
            .end(),
        case("manual_swapped", "With two symbols in each other's place.")
            .ticket(&day)
            .scan(at(60), swapped(&code), typo())
            .end(),
        case("manual_too_short", "With one symbol missing.")
            .ticket(&day)
            .scan(at(60), &code[..13], typo())
            .end(),
        case("manual_too_long", "With one symbol too many.")
            .ticket(&day)
            .scan(at(60), format!("{code}7"), typo())
            .end(),
        case("manual_unknown", "Rightly typed, but no ticket's.")
            .ticket(&day)
            .scan(at(60), guest(200, Kind::Day).manual(), refuse(Reason::ManualUnknown))
            .end(),
        case("manual_and_scanned", "Typed and scanned it is one ticket.")
            .ticket(&day)
            .scan(at(60), code.clone(), welcome(&day))
            .scan(at(65), day.printed(), repeated(&day, step(0)))
            .scan(at(120), code.clone(), used(&day, step(0)))
            .end(),
        case("manual_of_two", "A code that fits two tickets names neither.")
            .only_at_doors("A server's tickets have manual codes of their own.")
            .ticket(&day)
            .ticket(&twin)
            .scan(at(60), code, refuse(Reason::ManualUnknown))
            .end(),
    ]
}

//! Texts, forgeries, keys and reissues.

use data_encoding::BASE64URL_NOPAD;
use liventix_core::rules::{Flag, Reason};
use liventix_core::ticket::{Algorithm, Claims, KeyBytes, KeyId, KeyState, MasterKey, SignedCode};
use liventix_tests::conformance::format::WrittenCase;

use crate::draft::{case, rekeyed, tickets};
use crate::venue::{HOUR, Kind, NOW, at, event_id, guest, key_states, master, other_event_id};
use crate::verdicts::{goodbye, refuse, refuse_ticket, step, used, welcome};

const HMAC: Algorithm = Algorithm::HmacSha256;
const ED25519: Algorithm = Algorithm::Ed25519;

fn state(id: u8, algorithm: Algorithm, accept_until: Option<i64>) -> KeyState {
    KeyState { key_id: KeyId(id), algorithm, accept_until }
}

/// The bytes of a code with one of them changed, as text.
pub(crate) fn altered(text: &str, place: usize) -> String {
    let mut bytes = bytes_of(text);
    bytes[place] ^= 1;
    SignedCode::from_bytes(&bytes).expect("still well-formed").text()
}

fn bytes_of(text: &str) -> Vec<u8> {
    match liventix_core::ticket::read(text) {
        Ok(liventix_core::ticket::Scanned::Signed(code)) => code.as_bytes().to_vec(),
        other => panic!("{text} is {other:?}"),
    }
}

pub(crate) fn cases() -> Vec<WrittenCase> {
    let mut cases = texts();
    cases.extend(forgeries());
    cases.extend(keys());
    cases.extend(reissues());
    cases
}

/// How a good code may be written, and what is no code.
fn texts() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let modern = guest(2, Kind::Day).signed(2, ED25519);
    let link = BASE64URL_NOPAD.encode(&bytes_of(&day.printed()));
    vec![
        case("hmac", "A code signed with HMAC.")
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .end(),
        case("ed25519", "A code signed with Ed25519.")
            .ticket(&modern)
            .scan(at(60), modern.printed(), welcome(&modern))
            .scan(at(120), modern.printed(), used(&modern, step(0)))
            .end(),
        case("link_form", "The form of links is the same code.")
            .ticket(&day)
            .scan(at(60), link.clone(), welcome(&day))
            .scan(at(120), day.printed(), used(&day, step(0)))
            .end(),
        case("scanner_noise", "What scanners put around a code does not matter.")
            .ticket(&day)
            .scan(at(60), format!("]Q3\\000026{}\r\n", day.printed()), welcome(&day))
            .end(),
        case("lower_case", "Nor does a keyboard that writes everything in lower case.")
            .ticket(&day)
            .scan(at(60), day.printed().to_lowercase(), welcome(&day))
            .end(),
        case("not_a_ticket", "A link on a menu is no ticket.")
            .ticket(&day)
            .scan(at(60), "https://harbour.example/menu", refuse(Reason::NotATicket))
            .end(),
        case("nothing", "Neither are blanks.").scan(at(60), "  \r\n", refuse(Reason::NotATicket)).end(),
        case("shopping", "Nor the bar code of a bottle.")
            .scan(at(60), "4006381333931", refuse(Reason::NotATicket))
            .end(),
        case("newer_version", "A version of the format that is not known yet.")
            .ticket(&day)
            .scan(at(60), day.printed().replacen("LX1:", "LX2:", 1), refuse(Reason::UnknownVersion))
            .end(),
        case("cut_off", "Half a code is damaged.")
            .ticket(&day)
            .scan(at(60), &day.printed()[..40], refuse(Reason::BadSignature))
            .end(),
    ]
}

fn forgeries() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let modern = guest(2, Kind::Day).signed(2, ED25519);
    let confused = guest(3, Kind::Day).signed(2, HMAC);
    let elsewhere = Claims { event_id: other_event_id(), ..day.claims() };
    let foreign = master().signing_key(other_event_id(), KeyId(1), HMAC).printed(&elsewhere).text();
    let stranger = MasterKey::new(KeyBytes::new([9; 32]));
    let forged = stranger.signing_key(event_id(), KeyId(1), HMAC).printed(&day.claims()).text();
    let live = day.live(at(50));
    vec![
        case("other_event", "A good code of another event of the organiser.")
            .ticket(&day)
            .scan(at(60), foreign, refuse(Reason::OtherEvent))
            .end(),
        case("altered_ticket", "A code whose ticket id was changed.")
            .ticket(&day)
            .scan(at(60), altered(&day.printed(), 23), refuse(Reason::BadSignature))
            .end(),
        case("altered_expiry", "A code whose expiry was changed.")
            .ticket(&day)
            .scan(at(60), altered(&day.printed(), 29), refuse(Reason::BadSignature))
            .end(),
        case("altered_ed25519", "A code whose Ed25519 signature was changed.")
            .ticket(&modern)
            .scan(at(60), altered(&modern.printed(), 50), refuse(Reason::BadSignature))
            .end(),
        case("altered_minting", "A live code made younger than it is.")
            .ticket(&day)
            .scan(at(60), altered(&live, 51), refuse(Reason::BadSignature))
            .end(),
        case("other_organiser", "A code for this event by somebody else's key.")
            .ticket(&day)
            .scan(at(60), forged, refuse(Reason::BadSignature))
            .end(),
        case("confused_algorithm", "A code that claims HMAC for a key that signs with Ed25519.")
            .ticket(&confused)
            .scan(at(60), confused.printed(), refuse(Reason::BadSignature))
            .end(),
    ]
}

fn keys() -> Vec<WrittenCase> {
    let day = guest(1, Kind::Day);
    let tomorrow = guest(2, Kind::Day).signed(3, HMAC);
    let mut with_new = key_states();
    with_new.push(state(3, HMAC, None));
    let ended = [state(1, HMAC, Some(NOW - HOUR)), state(2, ED25519, None)];
    let ending = [state(1, HMAC, Some(at(1_800))), state(2, ED25519, None)];
    let withdrawn = [state(1, HMAC, Some(at(100))), state(2, ED25519, None)];
    vec![
        case("unknown_key", "A code signed with a key that is not known.")
            .ticket(&tomorrow)
            .scan(at(60), tomorrow.printed(), refuse(Reason::UnknownKey))
            .end(),
        case("key_arrives", "The next sync brings the key.")
            .ticket(&tomorrow)
            .scan(at(60), tomorrow.printed(), refuse(Reason::UnknownKey))
            .sync(at(120), rekeyed(&with_new))
            .scan(at(130), tomorrow.printed(), welcome(&tomorrow))
            .end(),
        case("withdrawn_key", "A code signed with a withdrawn key.")
            .keys(&ended)
            .ticket(&day)
            .scan(at(60), day.printed(), refuse(Reason::RetiredKey))
            .end(),
        case("key_in_its_last_hour", "A key that was rotated out is good until its time.")
            .keys(&ending)
            .ticket(&day)
            .scan(at(60), day.printed(), welcome(&day))
            .scan(at(1_860), day.printed(), refuse(Reason::RetiredKey))
            .end(),
        case(
            "key_withdrawn_meanwhile",
            "A withdrawal counts from the sync that brings it; guests still go out.",
        )
        .ticket(&day)
        .scan(at(60), day.printed(), welcome(&day))
        .sync(at(120), rekeyed(&withdrawn))
        .scan(at(130), day.printed(), refuse(Reason::RetiredKey))
        .exit(at(180), day.printed(), goodbye(&day))
        .end(),
        case("withdrawn_key_but_typed", "A manual code does not depend on a signing key.")
            .keys(&ended)
            .ticket(&day)
            .scan(at(60), day.manual(), welcome(&day))
            .end(),
    ]
}

fn reissues() -> Vec<WrittenCase> {
    let old = guest(1, Kind::Day);
    let new = old.clone().with(|entry| entry.code_issued_at = NOW - HOUR);
    vec![
        case("replaced", "The code before a reissue is refused, the new one enters.")
            .ticket(&new)
            .scan(at(60), old.printed(), refuse_ticket(Reason::Replaced, &old))
            .scan(at(70), new.printed(), welcome(&new))
            .end(),
        case("replaced_meanwhile", "From the sync on that brings the reissue.")
            .ticket(&old)
            .sync(at(60), tickets([&new]))
            .scan(at(70), old.printed(), refuse_ticket(Reason::Replaced, &old))
            .end(),
        case("replaced_may_leave", "Who came in with the old code goes out with it.")
            .ticket(&old)
            .scan(at(60), old.printed(), welcome(&old))
            .sync(at(90), tickets([&new]))
            .exit(at(120), old.printed(), goodbye(&old))
            .end(),
        case("reissued_after_use", "A reissue gives no second entry.")
            .ticket(&old)
            .scan(at(60), old.printed(), welcome(&old))
            .sync(at(90), tickets([&new]))
            .scan(at(120), new.printed(), used(&new, step(0)))
            .end(),
        case("reissue_not_learnt_yet", "A code newer than the list says that the list is behind: amber.")
            .only_at_doors("The server reissued the code and so knows of it.")
            .ticket(&old)
            .scan(at(60), new.printed(), welcome(&new).amber(&[Flag::ListStale]))
            .end(),
    ]
}

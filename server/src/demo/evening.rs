//! Who comes to the doors, with what, and what should come of it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use liventix_core::entropy::OsEntropy;
use liventix_core::rules::{Confidence, Direction, Outcome, Reason};
use liventix_core::scan::Verdict;
use liventix_core::ticket::Claims;
use liventix_core::ticket::keys::{Algorithm, KeyId, MasterKey};

use super::codes::{GuestTicket, decode, draw};
use super::festival::{Festival, Late};

/// What somebody holds up.
pub(super) enum Show {
    /// A QR code, as a picture file.
    Picture(PathBuf),
    /// A manual code, read out to the staff.
    Typed(String),
}

impl Show {
    /// The text in it.
    pub(super) fn read(&self) -> anyhow::Result<String> {
        match self {
            Self::Picture(path) => decode(path),
            Self::Typed(text) => Ok(text.clone()),
        }
    }
}

/// One scan of the evening.
pub(super) struct Act {
    /// At the north gate, or else at the harbour gate.
    pub(super) at_north: bool,
    /// How many minutes after the one before.
    pub(super) minutes: i64,
    /// What is held up.
    pub(super) show: Show,
    /// The story behind it; none for the many who just come in.
    pub(super) story: Option<&'static str>,
    pub(super) direction: Direction,
    pub(super) people: u16,
    expect: (Outcome, Reason, Confidence),
}

/// Fails if the verdict is not the one that the story calls for.
pub(super) fn check(act: &Act, verdict: &Verdict) -> anyhow::Result<()> {
    let decision = &verdict.decision;
    let got = (decision.outcome, decision.reason, decision.confidence);
    let story = act.story.unwrap_or("a guest");
    ensure!(got == act.expect, "{story}: expected {:?}, got {got:?} ({})", act.expect, verdict.line);
    Ok(())
}

const WELCOME: (Outcome, Reason, Confidence) = (Outcome::Admit, Reason::Entered, Confidence::Green);
const NORTH: bool = true;
const HARBOUR: bool = false;

const fn refused(reason: Reason) -> (Outcome, Reason, Confidence) {
    (Outcome::Refuse, reason, Confidence::Red)
}

const fn amber(reason: Reason) -> (Outcome, Reason, Confidence) {
    (Outcome::Admit, reason, Confidence::Amber)
}

/// Puts acts together, and draws the pictures that no ticket has.
struct Programme<'a> {
    festival: &'a Festival,
    codes: &'a [GuestTicket],
    folder: &'a Path,
    used: usize,
    acts: Vec<Act>,
}

/// The whole evening, in order.
pub(super) fn programme(
    festival: &Festival,
    codes: &[GuestTicket],
    late: &Late,
    folder: &Path,
) -> anyhow::Result<Vec<Act>> {
    let mut evening = Programme { festival, codes, folder, used: 0, acts: Vec::new() };
    evening.crowd(30)?;
    evening.the_same_ticket_at_both_doors()?;
    evening.regulars()?;
    evening.crowd(30)?;
    evening.wrong_tickets()?;
    evening.forgeries()?;
    evening.unusual_but_welcome(late)?;
    evening.the_same_ticket_at_both_doors()?;
    Ok(evening.acts)
}

impl Programme<'_> {
    fn act(&mut self, at_north: bool, show: Show, expect: (Outcome, Reason, Confidence)) -> &mut Act {
        let act =
            Act { at_north, minutes: 1, show, story: None, direction: Direction::Entry, people: 1, expect };
        self.acts.push(act);
        // Just pushed, so there is a last one.
        let last = self.acts.len() - 1;
        &mut self.acts[last]
    }

    fn tell(
        &mut self,
        at_north: bool,
        story: &'static str,
        show: Show,
        expect: (Outcome, Reason, Confidence),
    ) {
        self.act(at_north, show, expect).story = Some(story);
    }

    /// The next ticket of a type and status that nobody has used. Tickets of one import are in no order, so the
    /// guest who will come with last year's ticket may be anywhere among them, and is passed over.
    fn next(&mut self, type_name: &str, status: &str) -> anyhow::Result<GuestTicket> {
        let kind = self.festival.type_id(type_name)?;
        let old_hand = &self.festival.old_hand.attendee_name;
        let found = self.codes.iter().enumerate().skip(self.used).find(|(_, ticket)| {
            ticket.ticket_type_id == kind
                && ticket.status == status
                && ticket.attendee_name.as_ref().is_some_and(|name| name != old_hand)
        });
        let (place, ticket) =
            found.with_context(|| format!("no {status} {type_name} left on the guest list"))?;
        self.used = place + 1;
        Ok(ticket.clone())
    }

    fn picture(&self, ticket: &GuestTicket) -> Show {
        Show::Picture(ticket.picture(self.folder))
    }

    fn drawn(&self, name: &str, text: &str) -> anyhow::Result<Show> {
        let path = self.folder.join(format!("{name}.png"));
        draw(text, &path)?;
        Ok(Show::Picture(path))
    }

    fn crowd(&mut self, guests: usize) -> anyhow::Result<()> {
        for number in 0..guests {
            let ticket = self.next("Friday", "valid")?;
            let show = self.picture(&ticket);
            self.act(number % 2 == 0, show, WELCOME).minutes = i64::from(number % 3 == 0);
        }
        Ok(())
    }

    fn the_same_ticket_at_both_doors(&mut self) -> anyhow::Result<()> {
        let ticket = self.next("Friday", "valid")?;
        let (first, second) = (self.picture(&ticket), self.picture(&ticket));
        self.tell(NORTH, "a ticket that was forwarded to a friend", first, WELCOME);
        self.tell(HARBOUR, "the friend, at the other door", second, WELCOME);
        Ok(())
    }

    fn regulars(&mut self) -> anyhow::Result<()> {
        let ticket = self.next("Friday", "valid")?;
        let shows = [self.picture(&ticket), self.picture(&ticket), self.picture(&ticket)];
        let [first, again, later] = shows;
        let repeat = (Outcome::Refuse, Reason::RapidRescan, Confidence::Amber);
        self.tell(NORTH, "a guest", first, WELCOME);
        self.act(NORTH, again, repeat).minutes = 0;
        self.acts.last_mut().context("an act")?.story = Some("the scanner beeped twice");
        self.tell(NORTH, "the same ticket, handed back over the fence", later, refused(Reason::AlreadyUsed));
        self.acts.last_mut().context("an act")?.minutes = 12;

        let pass = self.next("Weekend pass", "valid")?;
        let shows = [self.picture(&pass), self.picture(&pass), self.picture(&pass)];
        let [first, out, back] = shows;
        self.tell(HARBOUR, "a weekend pass", first, WELCOME);
        self.tell(HARBOUR, "leaves for dinner", out, (Outcome::Admit, Reason::Exited, Confidence::Green));
        self.acts.last_mut().context("an act")?.direction = Direction::Exit;
        self.tell(HARBOUR, "and comes back", back, (Outcome::Admit, Reason::Reentered, Confidence::Green));

        let family = self.next("Family (4 people)", "valid")?;
        for (story, people, expect) in [
            ("half of a family of four", 2, WELCOME),
            ("three more on the same ticket", 3, refused(Reason::GroupExceeded)),
            ("the other half", 2, WELCOME),
        ] {
            let show = self.picture(&family);
            self.tell(NORTH, story, show, expect);
            self.acts.last_mut().context("an act")?.people = people;
        }
        Ok(())
    }

    fn wrong_tickets(&mut self) -> anyhow::Result<()> {
        let festival = self.festival;
        let expired = self.drawn("expired", &festival.expired.code)?;
        self.tell(NORTH, "a guest pass that ran out", expired, refused(Reason::Expired));
        let revoked = self.drawn("revoked", &festival.revoked.code)?;
        self.tell(HARBOUR, "a ticket the organiser blocked", revoked, refused(Reason::Revoked));
        let replaced = self.drawn("replaced", &festival.replaced.code)?;
        self.tell(HARBOUR, "a lost ticket that was reissued", replaced, refused(Reason::Replaced));
        let elsewhere = self.drawn("other-event", &festival.elsewhere.code)?;
        self.tell(NORTH, "a ticket for the winter party", elsewhere, refused(Reason::OtherEvent));
        for (at_north, kind, status, story, reason) in [
            (NORTH, "Weekend pass", "unpaid", "an order nobody paid", Reason::Unpaid),
            (HARBOUR, "Weekend pass", "cancelled", "a ticket that was refunded", Reason::Cancelled),
            (NORTH, "Saturday", "valid", "a day too early", Reason::NotYetValid),
            (HARBOUR, "Backstage", "valid", "backstage is at the north gate", Reason::WrongGate),
        ] {
            let ticket = self.next(kind, status)?;
            let show = self.picture(&ticket);
            self.tell(at_north, story, show, refused(reason));
        }
        Ok(())
    }

    fn forgeries(&mut self) -> anyhow::Result<()> {
        let ticket = self.next("Friday", "valid")?;
        let claims = Claims {
            event_id: self.festival.event_id,
            ticket_id: ticket.ticket_id.parse()?,
            issued_at: self.festival.opened_at(),
            expires_at: None,
        };
        let master = MasterKey::generate(&OsEntropy);
        let key = master.signing_key(claims.event_id, KeyId(self.festival.key_id), Algorithm::HmacSha256);
        let forged = self.drawn("forged", &key.printed(&claims).text())?;
        self.tell(HARBOUR, "a code made by somebody without the key", forged, refused(Reason::BadSignature));
        let altered = self.drawn("altered", &altered(&ticket.code))?;
        self.tell(NORTH, "a real code with one character changed", altered, refused(Reason::BadSignature));
        let menu = self.drawn("menu", "https://example.org/menu")?;
        self.tell(NORTH, "the menu of the noodle stand", menu, refused(Reason::NotATicket));
        Ok(())
    }

    fn unusual_but_welcome(&mut self, late: &Late) -> anyhow::Result<()> {
        let legacy = self.drawn("legacy", &self.festival.old_hand.legacy_code)?;
        self.tell(HARBOUR, "last year's ticket system, no signature", legacy, amber(Reason::Entered));
        let sold_late = self.drawn("late", &late.ticket.code)?;
        self.tell(NORTH, "sold at the box office after the last sync", sold_late, amber(Reason::Entered));
        let kind = self.festival.type_id(super::shop::ONLINE)?;
        let is_hers = |name: &String| name == super::shop::BUYER;
        let online = self.codes.iter().find(|ticket| {
            ticket.ticket_type_id == kind && ticket.attendee_name.as_ref().is_some_and(is_hers)
        });
        let show = self.picture(online.context("nobody bought a ticket online")?);
        self.tell(NORTH, "bought online this afternoon, from a phone", show, WELCOME);
        let cracked = self.next("Friday", "valid")?;
        let spoken = Show::Typed(cracked.manual_code.to_lowercase().replace('-', " "));
        self.tell(HARBOUR, "a cracked display: the manual code, typed", spoken, WELCOME);
        Ok(())
    }
}

/// The code with one character of its body changed.
fn altered(code: &str) -> String {
    let place = code.len() / 2;
    code.chars()
        .enumerate()
        .map(|(at, character)| match (at == place, character) {
            (true, '7') => '8',
            (true, _) => '7',
            (false, same) => same,
        })
        .collect()
}

//! Finds tickets by the names of those who hold them.

use std::collections::BinaryHeap;

use rusqlite::Connection;

use super::cache::KnownEvent;
use super::history::passages;
use super::manifest::{KnownTicket, ticket_row};
use super::names::{fold_into, folded};
use super::{Ledger, LedgerError};
use crate::ids::{EventId, TicketId};
use crate::rules::{Standing, TicketStatus};

/// The most tickets that one search finds.
pub const MAX_FOUND: usize = 50;

/// A ticket on the list, and how far it is used, as far as this device knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTicket {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Who holds it.
    pub attendee_name: String,
    /// What people call its type.
    pub type_name: String,
    /// Where it stands.
    pub status: TicketStatus,
    /// How many people may still enter on it; none where unlimited.
    pub remaining: Option<u32>,
    /// People inside on it now.
    pub inside: u32,
    /// When it last passed, in or out (server time, UTC milliseconds); none if never.
    pub last_passage_at: Option<i64>,
}

impl Ledger {
    /// Tickets by the name of who holds them, best first, at most `limit` (and [`MAX_FOUND`]). Every
    /// word of `text` must be in the name: at the start of one of its words, which counts for more, or
    /// inside. Upper and lower case and accents make no difference; a text without letters or digits
    /// finds nothing.
    ///
    /// Works offline, on the list this device has.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn search(
        &self,
        event_id: EventId,
        text: &str,
        limit: usize,
    ) -> Result<Vec<FoundTicket>, LedgerError> {
        let typed = folded(text);
        let words: Vec<&str> = typed.split_whitespace().collect();
        let limit = limit.min(MAX_FOUND);
        let Some(event) = self.known_event(&self.connection, event_id)? else { return Ok(Vec::new()) };
        if words.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let best = best_matches(&self.connection, event.number, &words, limit)?;
        let found = best.into_iter().map(|hit| describe(&self.connection, &event, hit.ticket_id));
        found.filter_map(Result::transpose).collect()
    }
}

/// A name that fits, ordered from the best fit to the worst.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    rank: Rank,
    name: String,
    ticket_id: TicketId,
}

/// How well a name fits; the least is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Typed words that no word of the name starts with.
    inside: usize,
    /// Typed words that are no whole word of the name.
    partial: usize,
    /// The name does not start with what was typed first.
    later: bool,
}

/// Reads every name of the event. One pass without an index: 20 to 40 ms at 100 000 tickets, most of it
/// SQLite's, on the rare occasion that somebody types a name.
fn best_matches(
    connection: &Connection,
    event: i64,
    words: &[&str],
    limit: usize,
) -> Result<Vec<Hit>, LedgerError> {
    let mut select = connection.prepare_cached(
        "SELECT ticket_id, attendee_name FROM tickets WHERE event = ?1 AND attendee_name IS NOT NULL",
    )?;
    let mut rows = select.query([event])?;
    // The worst of those kept is on top.
    let mut kept: BinaryHeap<Hit> = BinaryHeap::with_capacity(limit + 1);
    let mut name = String::new();
    while let Some(row) = rows.next()? {
        name.clear();
        fold_into(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?, &mut name);
        let Some(rank) = rank(&name, words) else { continue };
        if kept.len() == limit && kept.peek().is_some_and(|worst| (worst.rank, &worst.name) < (rank, &name)) {
            continue;
        }
        kept.push(Hit { rank, name: name.clone(), ticket_id: row.get(0)? });
        if kept.len() > limit {
            kept.pop();
        }
    }
    Ok(kept.into_sorted_vec())
}

/// How well a folded name fits folded words; none if one of them is not in it.
fn rank(name: &str, words: &[&str]) -> Option<Rank> {
    let mut rank = Rank { inside: 0, partial: 0, later: false };
    for (place, word) in words.iter().enumerate() {
        let mut starts = false;
        let mut whole = false;
        let mut found = false;
        for at in places(name.as_bytes(), word.as_bytes()) {
            found = true;
            if at == 0 || name.as_bytes().get(at - 1) == Some(&b' ') {
                starts = true;
                whole |= matches!(name.as_bytes().get(at + word.len()), None | Some(b' '));
            }
        }
        if !found {
            return None;
        }
        rank.inside += usize::from(!starts);
        rank.partial += usize::from(!whole);
        rank.later |= place == 0 && !name.starts_with(word);
    }
    Some(rank)
}

/// Where `word` is in `name`. The standard library's search prepares itself for long texts, which takes
/// longer than all of a name.
fn places<'a>(name: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let fits = move |window: &[u8]| window.first() == word.first() && window == word;
    let windows = name.windows(word.len().max(1)).enumerate();
    windows.filter(move |(_, window)| fits(window)).map(|(at, _)| at)
}

fn describe(
    connection: &Connection,
    event: &KnownEvent,
    ticket_id: TicketId,
) -> Result<Option<FoundTicket>, LedgerError> {
    let Some(entry) = ticket_row(connection, event.number, ticket_id)? else { return Ok(None) };
    let known = KnownTicket::new(event, entry);
    let allowance = known.facts().allowance();
    let standing = Standing::fold(allowance, &passages(connection, event.number, ticket_id)?);
    Ok(Some(FoundTicket {
        ticket_id,
        type_name: known.type_name().to_owned(),
        status: known.entry.status,
        remaining: standing.remaining(allowance),
        inside: standing.inside,
        last_passage_at: standing.last.map(|passage| passage.at),
        attendee_name: known.entry.attendee_name.unwrap_or_default(),
    }))
}

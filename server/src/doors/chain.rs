//! The hash chain of a ledger, as far as the server has seen it: unbroken runs of scans, each of which
//! follows the one before. A whole chain is one run from the first scan on.
//!
//! Which runs there are does not depend on the order in which scans came: two scans are in one run whenever
//! one follows the other, and of several that follow the same one, one does.

use liventix_core::ids::{EventId, LedgerId};
use liventix_core::ledger::record::{Hash, ScanRecord, genesis};
use serde::{Deserialize, Serialize};

use crate::anomalies::{Break, BreakKind};

/// Runs kept of a ledger. An honest one has one or two; of one that falls into more, nothing more is learnt.
const MAX_RUNS: usize = 200;

/// Scans that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    first_seq: i64,
    last_seq: i64,
    /// What the first scan follows.
    follows: Hash,
    /// The hash of the last one.
    last_hash: Hash,
    /// The event and the time of the first one.
    event_id: EventId,
    at: i64,
}

impl Run {
    fn of(scan: &ScanRecord, event_id: EventId) -> Self {
        Self {
            first_seq: scan.seq,
            last_seq: scan.seq,
            follows: scan.prev_hash,
            last_hash: scan.hash,
            event_id,
            at: scan.at(),
        }
    }

    fn goes_on_with(&self, later: &Self) -> bool {
        self.last_seq.checked_add(1) == Some(later.first_seq) && self.last_hash == later.follows
    }

    const fn covers(&self, seq: i64) -> bool {
        self.first_seq <= seq && seq <= self.last_seq
    }
}

/// All runs of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Chain(Vec<Run>);

impl Chain {
    /// An unbroken chain up to a scan, as earlier versions noted it.
    pub(super) fn unbroken(ledger: LedgerId, last_seq: i64, last_hash: Hash, event_id: EventId) -> Self {
        let follows = genesis(ledger);
        Self(vec![Run { first_seq: 1, last_seq, follows, last_hash, event_id, at: 0 }])
    }

    /// Takes in a scan that was not seen before.
    pub(super) fn add(&mut self, scan: &ScanRecord, event_id: EventId) {
        self.join(Run::of(scan, event_id));
    }

    fn join(&mut self, mut run: Run) {
        if let Some(place) = self.0.iter().position(|before| before.goes_on_with(&run)) {
            let before = self.0.swap_remove(place);
            run = Run { last_seq: run.last_seq, last_hash: run.last_hash, ..before };
        }
        if let Some(place) = self.0.iter().position(|later| run.goes_on_with(later)) {
            let later = self.0.swap_remove(place);
            run = Run { last_seq: later.last_seq, last_hash: later.last_hash, ..run };
        }
        if self.0.len() < MAX_RUNS {
            self.0.push(run);
        }
    }

    /// The furthest scan seen, and its hash.
    pub(super) fn last(&self) -> Option<(i64, Hash)> {
        self.0
            .iter()
            .max_by_key(|run| (run.last_seq, run.last_hash.0))
            .map(|run| (run.last_seq, run.last_hash))
    }

    /// Where it is broken: at the beginning of every run but the one that begins the ledger.
    pub(super) fn breaks(&self, ledger: LedgerId) -> Vec<Break> {
        let genesis = genesis(ledger);
        let begins = |run: &&Run| run.first_seq == 1 && run.follows == genesis;
        let beginning = self.0.iter().position(|run| begins(&run));
        let places = self.0.iter().enumerate().filter(|(place, _)| Some(*place) != beginning);
        let mut breaks: Vec<Break> = places.map(|(place, run)| self.break_before(place, run)).collect();
        breaks.sort_unstable();
        breaks
    }

    fn break_before(&self, place: usize, run: &Run) -> Break {
        let seq = run.first_seq;
        let others = || self.0.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, run)| run);
        let before = seq.saturating_sub(1);
        let (broken, missing_from) = if others().any(|other| other.covers(seq)) {
            (BreakKind::Fork, None)
        } else if seq == 1 || others().any(|other| other.covers(before)) {
            (BreakKind::WrongPredecessor, None)
        } else {
            let last_before = others().filter(|other| other.last_seq < seq).map(|other| other.last_seq).max();
            (BreakKind::Gap, Some(last_before.unwrap_or(0).saturating_add(1)))
        };
        Break { at: run.at, seq, broken, missing_from, event_id: run.event_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: LedgerId = LedgerId::from_bytes([1; 16]);
    const EVENT: EventId = EventId::from_bytes([2; 16]);

    /// A link of a chain: only what the runs look at differs.
    fn link(seq: i64, prev: u8, hash: u8) -> Run {
        let follows = if prev == 0 { genesis(LEDGER) } else { Hash([prev; 32]) };
        Run { first_seq: seq, last_seq: seq, follows, last_hash: Hash([hash; 32]), event_id: EVENT, at: 0 }
    }

    fn broken(links: &[Run]) -> Vec<(i64, BreakKind, Option<i64>)> {
        let mut chain = Chain::default();
        links.iter().for_each(|link| chain.join(*link));
        let breaks = chain.breaks(LEDGER).into_iter();
        breaks.map(|found| (found.seq, found.broken, found.missing_from)).collect()
    }

    fn orders(links: &[Run]) -> Vec<Vec<Run>> {
        if links.len() < 2 {
            return vec![links.to_vec()];
        }
        let mut all = Vec::new();
        for place in 0..links.len() {
            let mut rest = links.to_vec();
            let first = rest.remove(place);
            for mut order in orders(&rest) {
                order.insert(0, first);
                all.push(order);
            }
        }
        all
    }

    #[test]
    fn breaks_are_the_same_in_every_order() {
        use BreakKind::{Fork, Gap, WrongPredecessor};
        let cases = [
            (vec![link(1, 0, 1), link(2, 1, 2), link(3, 2, 3)], vec![]),
            (vec![link(1, 0, 1), link(4, 3, 4), link(5, 4, 5)], vec![(4, Gap, Some(2))]),
            (vec![link(3, 2, 3)], vec![(3, Gap, Some(1))]),
            // Two follow the first; one of them goes on.
            (vec![link(1, 0, 1), link(2, 1, 2), link(2, 1, 9), link(3, 2, 3)], vec![(2, Fork, None)]),
            (
                vec![link(1, 0, 1), link(2, 1, 2), link(2, 1, 9), link(3, 9, 3), link(3, 2, 4)],
                vec![(2, Fork, None)],
            ),
            (vec![link(1, 0, 1), link(2, 8, 2), link(3, 2, 3)], vec![(2, WrongPredecessor, None)]),
            (vec![link(1, 7, 1), link(2, 1, 2)], vec![(1, WrongPredecessor, None)]),
            (
                vec![link(1, 0, 1), link(3, 2, 3), link(3, 2, 4), link(5, 4, 5)],
                vec![(3, Fork, None), (3, Fork, None), (5, Gap, Some(4))],
            ),
        ];
        for (links, wanted) in cases {
            for order in orders(&links) {
                assert_eq!(broken(&order), wanted, "{order:?}");
            }
        }
    }

    #[test]
    fn runs_are_bounded() {
        let mut chain = Chain::default();
        for seq in 0..1_000 {
            chain.join(link(seq * 2, 1, 2));
        }
        assert_eq!(chain.0.len(), MAX_RUNS);
        let json = serde_json::to_string(&chain).unwrap();
        assert_eq!(serde_json::from_str::<Chain>(&json).unwrap(), chain);
    }
}

//! One ticket at two gates faster than anybody walks.

use super::super::finding::{Facts, Finding};
use super::super::settings::TravelSettings;
use crate::scanning::seen::Seen;

/// Every time a ticket was seen at a gate too soon after another one, out of all its passages and refusals
/// of the used ticket, in any order. `people` is how many the ticket admits: the members of a group may
/// be at several gates at once, as long as there are enough of them.
///
/// A scan that was taken back, or that a supervisor forced, tells nothing of where the ticket was: somebody
/// looked at it. A scan whose time nobody knows proves nothing either.
#[must_use]
pub fn too_fast(seen: &[Seen], people: u16, settings: &TravelSettings) -> Vec<Finding> {
    let mut seen: Vec<&Seen> = seen.iter().filter(|scan| counts(scan, seen)).collect();
    seen.sort_unstable_by_key(|scan| (scan.at, scan.scan_id));
    seen.dedup_by_key(|scan| scan.scan_id);
    let longest = settings.longest_ms();
    let mut findings = Vec::new();
    for (place, later) in seen.iter().enumerate() {
        // The nearest one before it that it contradicts; errors only make the time between longer.
        let earlier = seen.get(..place).unwrap_or_default().iter().rev();
        let near = earlier.take_while(|earlier| later.at.saturating_sub(earlier.at) < longest);
        findings.extend(near.filter_map(|earlier| contradiction(earlier, later, people, settings)).next());
    }
    findings
}

fn counts(scan: &Seen, all: &[Seen]) -> bool {
    let undone =
        || all.iter().any(|other| other.undoes == Some(scan.scan_id) && other.device_id == scan.device_id);
    scan.error_ms.is_some() && !scan.forced && scan.undoes.is_none() && !undone()
}

fn contradiction(earlier: &Seen, later: &Seen, people: u16, settings: &TravelSettings) -> Option<Finding> {
    // Whoever was refused was there as well.
    let there = |scan: &Seen| u32::from(scan.people.max(1));
    if there(earlier) + there(later) <= u32::from(people) {
        return None;
    }
    let walk_ms = settings.walk_ms(earlier.gate_id, later.gate_id);
    let error_ms = earlier.error_ms?.saturating_add(later.error_ms?);
    let apart_ms = later.at.saturating_sub(earlier.at).saturating_add(error_ms);
    (apart_ms < walk_ms).then(|| Finding {
        at: later.at,
        facts: Facts::TooFast { apart_ms, walk_ms },
        scans: vec![earlier.clone(), later.clone()],
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::settings::Walk;
    use super::super::samples::{gate, seen};
    use super::*;

    fn at_gate(number: u8, at: i64, gate_number: u8) -> Seen {
        Seen { gate_id: gate(gate_number), ..seen(number, at) }
    }

    fn found(seen: &[Seen], people: u16) -> Vec<(i64, i64)> {
        let walks = vec![Walk { gate_ids: [gate(1), gate(3)], seconds: 300 }];
        let settings = TravelSettings { min_seconds: 20, walks };
        let apart = |finding: &Finding| match finding.facts {
            Facts::TooFast { apart_ms, walk_ms } => (apart_ms, walk_ms),
            _ => panic!("{finding:?}"),
        };
        let found = too_fast(seen, people, &settings);
        let reversed: Vec<Seen> = seen.iter().rev().cloned().collect();
        assert_eq!(found, too_fast(&reversed, people, &settings), "the order matters");
        found.iter().map(apart).collect()
    }

    #[test]
    fn gates_and_seconds_decide() {
        let here = at_gate(1, 0, 1);
        for (gate, seconds, wanted) in [
            (1, 0, vec![]),
            (2, 19, vec![(19_000, 20_000)]),
            (2, 20, vec![]),
            // A pair that is named, either way round.
            (3, 299, vec![(299_000, 300_000)]),
            (3, 300, vec![]),
        ] {
            let there = at_gate(2, seconds * 1_000, gate);
            assert_eq!(found(&[here.clone(), there.clone()], 1), wanted, "gate {gate}, {seconds} s");
            let (mut here, mut there) = (here.clone(), there);
            std::mem::swap(&mut here.gate_id, &mut there.gate_id);
            assert_eq!(found(&[here, there], 1), wanted, "back, gate {gate}, {seconds} s");
        }
    }

    /// At every pair of errors that leaves one possible moment, nobody is accused.
    #[test]
    fn a_clocks_error_never_accuses() {
        for (first, second) in [(0, 10_000), (10_000, 0), (5_000, 5_000), (60_000, 60_000)] {
            let mut scans = [at_gate(1, 0, 1), at_gate(2, 10_000, 2)];
            (scans[0].error_ms, scans[1].error_ms) = (Some(first), Some(second));
            assert!(found(&scans, 1).is_empty(), "{first} {second}");
        }
        let mut scans = [at_gate(1, 0, 1), at_gate(2, 10_000, 2)];
        scans[1].error_ms = Some(9_999);
        assert_eq!(found(&scans, 1), [(19_999, 20_000)]);
        scans[1].error_ms = None;
        assert!(found(&scans, 1).is_empty());
    }

    #[test]
    fn the_members_of_a_group_may_be_at_several_gates() {
        let two = |number, at, gate| Seen { people: 2, ..at_gate(number, at, gate) };
        assert!(found(&[two(1, 0, 1), two(2, 0, 2)], 4).is_empty());
        assert_eq!(found(&[two(1, 0, 1), two(2, 0, 2)], 3).len(), 1);
        // Refused, people count 0, but somebody stood there.
        let refused = Seen { people: 0, ..at_gate(2, 0, 2) };
        assert_eq!(found(&[Seen { people: 4, ..at_gate(1, 0, 1) }, refused], 4).len(), 1);
    }

    #[test]
    fn what_was_taken_back_or_forced_tells_nothing() {
        let scans = [at_gate(1, 0, 1), at_gate(2, 1_000, 2)];
        let undo = Seen { undoes: Some(scans[1].scan_id), ..at_gate(3, 2_000, 2) };
        assert!(found(&[scans[0].clone(), scans[1].clone(), undo], 1).is_empty());
        let forced = Seen { forced: true, ..scans[1].clone() };
        assert!(found(&[scans[0].clone(), forced], 1).is_empty());
    }
}

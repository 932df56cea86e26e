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

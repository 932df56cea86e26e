//! Bursts of codes that are not authentic.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::super::kinds::SubjectKind;
use super::super::settings::ForgedSettings;
use crate::scanning::seen::Seen;

/// A device, a gate or an event at which too many different codes were not authentic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// Which of the three it is.
    pub subject_kind: SubjectKind,
    /// Its id.
    pub subject: [u8; 16],
    /// The scans, as they happened.
    pub scans: Vec<Seen>,
}

/// The bursts among scans of one event whose codes were not authentic, in any order.
///
/// A burst is told where it is narrowest: at a gate only if no device alone explains it, at the event only if
/// no gate does. One code shown again and again counts once: that is a damaged print.
#[must_use]
pub fn bursts(forged: &[Seen], settings: &ForgedSettings) -> Vec<Burst> {
    let mut sorted: Vec<&Seen> = forged.iter().filter(|scan| scan.is_forged()).collect();
    sorted.sort_unstable_by_key(|scan| (scan.at, scan.scan_id));
    sorted.dedup_by_key(|scan| scan.scan_id);
    let window_ms = i64::from(settings.window_seconds) * 1_000;
    let one = |_: &Seen| ();
    let mut found = Vec::new();
    for (device, scans) in grouped(&sorted, |scan| *scan.device_id.as_bytes()) {
        let scans = within(&scans, window_ms, settings.per_device, 1, one);
        found.push(Burst { subject_kind: SubjectKind::Device, subject: device, scans });
    }
    for (gate, scans) in grouped(&sorted, |scan| *scan.gate_id.as_bytes()) {
        let scans = within(&scans, window_ms, settings.per_gate, 2, |scan| scan.device_id);
        found.push(Burst { subject_kind: SubjectKind::Gate, subject: gate, scans });
    }
    for (event, scans) in grouped(&sorted, |scan| *scan.event_id.as_bytes()) {
        let scans = within(&scans, window_ms, settings.per_event, 2, |scan| scan.gate_id);
        found.push(Burst { subject_kind: SubjectKind::Event, subject: event, scans });
    }
    found.retain(|burst| !burst.scans.is_empty());
    found
}

fn grouped<'a>(sorted: &[&'a Seen], key: impl Fn(&Seen) -> [u8; 16]) -> BTreeMap<[u8; 16], Vec<&'a Seen>> {
    let mut groups: BTreeMap<[u8; 16], Vec<&Seen>> = BTreeMap::new();
    for scan in sorted {
        groups.entry(key(scan)).or_default().push(scan);
    }
    groups
}

/// Those of the sorted scans that lie in a window with at least `least` different codes from at least
/// `sources` different sources.
fn within<S: Eq + Hash>(
    sorted: &[&Seen],
    window_ms: i64,
    least: u32,
    sources: usize,
    source: impl Fn(&Seen) -> S,
) -> Vec<Seen> {
    let least = usize::try_from(least).unwrap_or(usize::MAX);
    if least == 0 {
        return Vec::new();
    }
    let (mut codes, mut from) = (Tally::default(), Tally::default());
    // The window begins at `first`; what is before `taken` is found already.
    let (mut first, mut taken) = (0, 0);
    let mut found = Vec::new();
    for (place, scan) in sorted.iter().enumerate() {
        codes.add(scan.fingerprint.0);
        from.add(source(scan));
        while let Some(oldest) =
            sorted.get(first).filter(|oldest| scan.at.saturating_sub(oldest.at) >= window_ms)
        {
            codes.remove(&oldest.fingerprint.0);
            from.remove(&source(oldest));
            first += 1;
        }
        if codes.different() >= least && from.different() >= sources {
            let new = sorted.get(first.max(taken)..=place).unwrap_or_default();
            found.extend(new.iter().map(|scan| (*scan).clone()));
            taken = place + 1;
        }
    }
    found
}

/// How many of each there are.
struct Tally<T>(HashMap<T, usize>);

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash> Tally<T> {
    fn add(&mut self, one: T) {
        *self.0.entry(one).or_default() += 1;
    }

    fn remove(&mut self, one: &T) {
        if let Some(count) = self.0.get_mut(one) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(one);
            }
        }
    }

    fn different(&self) -> usize {
        self.0.len()
    }
}

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

#[cfg(test)]
mod tests {
    use liventix_core::ids::DeviceId;
    use liventix_core::ledger::record::Fingerprint;
    use liventix_core::rules::Reason;

    use super::super::samples::{gate, seen};
    use super::*;

    fn forged(number: u8, at: i64, device: u8, gate_number: u8) -> Seen {
        Seen {
            reason: Reason::BadSignature,
            device_id: DeviceId::from_bytes([device; 16]),
            gate_id: gate(gate_number),
            ..seen(number, at)
        }
    }

    fn settings() -> ForgedSettings {
        ForgedSettings { window_seconds: 10, per_device: 3, per_gate: 4, per_event: 5 }
    }

    fn told(scans: &[Seen]) -> Vec<(SubjectKind, usize)> {
        bursts(scans, &settings()).iter().map(|burst| (burst.subject_kind, burst.scans.len())).collect()
    }

    #[test]
    fn different_codes_in_one_window_are_a_burst() {
        let at = |times: &[i64]| -> Vec<Seen> {
            times.iter().zip(1..).map(|(at, number)| forged(number, *at, 1, 1)).collect()
        };
        assert_eq!(told(&at(&[0, 5_000, 9_999])), [(SubjectKind::Device, 3)]);
        assert_eq!(told(&at(&[0, 5_000, 10_000])), []);
        // It lasts as long as every window is full, and a second one is another.
        assert_eq!(
            told(&at(&[0, 4_000, 8_000, 12_000, 40_000, 80_000, 81_000, 82_000])),
            [(SubjectKind::Device, 7)]
        );
    }

    #[test]
    fn one_code_again_and_again_is_a_torn_print_and_other_reasons_do_not_count() {
        let torn = |number| Seen { fingerprint: Fingerprint([9; 16]), ..forged(number, 0, 1, 1) };
        assert_eq!(told(&(1..20).map(torn).collect::<Vec<_>>()), []);
        let honest = |number| Seen { reason: Reason::RetiredKey, ..forged(number, 0, 1, 1) };
        assert_eq!(told(&(1..20).map(honest).collect::<Vec<_>>()), []);
    }

    #[test]
    fn a_burst_is_told_where_it_is_narrowest() {
        let scans = |sources: &[(u8, u8)]| -> Vec<Seen> {
            sources
                .iter()
                .zip(1..)
                .map(|((device, gate), number)| forged(number, 0, *device, *gate))
                .collect()
        };
        assert_eq!(told(&scans(&[(1, 1), (1, 1), (2, 1), (2, 1)])), [(SubjectKind::Gate, 4)]);
        assert_eq!(told(&scans(&[(1, 1), (1, 1), (2, 2), (2, 2), (3, 3)])), [(SubjectKind::Event, 5)]);
        // One device at one gate: neither the gate's nor the event's.
        assert_eq!(told(&scans(&[(1, 1); 9])), [(SubjectKind::Device, 9)]);
    }

    #[test]
    fn zero_is_never() {
        let scans: Vec<Seen> = (1..50).map(|number| forged(number, 0, number % 5, number % 3)).collect();
        let off = ForgedSettings { per_device: 0, per_gate: 0, per_event: 0, ..settings() };
        assert_eq!(bursts(&scans, &off), []);
    }
}

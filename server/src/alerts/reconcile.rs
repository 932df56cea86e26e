//! What is wrong now beside what was known to be wrong: what opens, goes on and ends. No clock, no database.

use super::types::Finding;
use crate::platform::ids::AlertId;

/// An alert ends when nothing was found of it for this long: what comes and goes is one alert, not many.
pub(super) const QUIET_MS: i64 = 5 * 60_000;
/// Somebody is told again after this long, unless somebody looks after it.
pub(super) const REMIND_MS: i64 = 24 * 3_600_000;

/// An alert that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) alert_id: AlertId,
    /// As it was found last.
    pub(super) finding: Finding,
    pub(super) opened_at: i64,
    pub(super) seen_at: i64,
    pub(super) told_at: i64,
    pub(super) is_acknowledged: bool,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Something new is wrong.
    Opens(Finding),
    /// It is still so; whether somebody is told again.
    GoesOn { open: Open, finding: Finding, tell: bool },
    /// It has not been so for a while.
    Ends(Open),
}

/// Compares the two at `now`.
pub(super) fn reconcile(open: Vec<Open>, mut found: Vec<Finding>, now: i64) -> Vec<Change> {
    let mut changes = Vec::new();
    for alert in open {
        let same = |finding: &Finding| {
            (finding.rule, &finding.subject) == (alert.finding.rule, &alert.finding.subject)
        };
        if let Some(place) = found.iter().position(same) {
            let mut finding = found.swap_remove(place);
            let worse = finding.severity > alert.finding.severity;
            // What became milder is as severe as it was, until it ends.
            finding.severity = finding.severity.max(alert.finding.severity);
            let due = !alert.is_acknowledged && now - alert.told_at >= REMIND_MS;
            changes.push(Change::GoesOn { open: alert, finding, tell: worse || due });
        } else if now - alert.seen_at >= QUIET_MS {
            changes.push(Change::Ends(alert));
        }
    }
    changes.extend(found.into_iter().map(Change::Opens));
    changes
}

#[cfg(test)]
mod tests {
    use super::super::types::Rule;
    use super::*;
    use crate::platform::severity::Severity;

    const NOW: i64 = 1_000_000_000;

    fn finding(subject: &str, severity: Severity) -> Finding {
        Finding { rule: Rule::QueueLate, subject: subject.into(), severity, sentence: "It is late.".into() }
    }

    fn open(subject: &str) -> Open {
        Open {
            alert_id: AlertId::from_bytes([1; 16]),
            finding: finding(subject, Severity::Warning),
            opened_at: NOW - 1_000,
            seen_at: NOW - 1_000,
            told_at: NOW - 1_000,
            is_acknowledged: false,
        }
    }

    fn told(open: Open, finding: Finding) -> bool {
        match reconcile(vec![open], vec![finding], NOW).as_slice() {
            [Change::GoesOn { tell, .. }] => *tell,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_again_is_told_once() {
        let found = vec![finding("a", Severity::Warning), finding("b", Severity::Warning)];
        let changes = reconcile(vec![open("a")], found, NOW);
        assert!(matches!(changes[0], Change::GoesOn { tell: false, .. }));
        assert_eq!(changes[1], Change::Opens(finding("b", Severity::Warning)));
    }

    #[test]
    fn it_ends_after_a_while_of_quiet() {
        assert_eq!(reconcile(vec![open("a")], vec![], NOW), []);
        let quiet = Open { seen_at: NOW - QUIET_MS, ..open("a") };
        assert_eq!(reconcile(vec![quiet.clone()], vec![], NOW), [Change::Ends(quiet)]);
    }

    #[test]
    fn it_is_told_again_when_it_is_worse_and_each_day_unless_somebody_looks_after_it() {
        assert!(told(open("a"), finding("a", Severity::Critical)));
        assert!(!told(open("a"), finding("a", Severity::Notice)));
        let old = Open { told_at: NOW - REMIND_MS, ..open("a") };
        assert!(told(old.clone(), finding("a", Severity::Warning)));
        assert!(!told(Open { is_acknowledged: true, ..old }, finding("a", Severity::Warning)));
    }
}

//! What a decision cannot be sure of.

use super::decide::Request;
use super::outcome::{Confidence, Decision, Flag, Outcome, Reason};
use crate::clock::TimeBounds;

/// What the decision cannot be sure of, collected on the way.
pub(super) struct Doubts {
    bounds: TimeBounds,
    flags: Vec<Flag>,
}

impl Doubts {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let policy = &request.event.policy;
        let mut doubts = Self { bounds: request.time.bounds(), flags: Vec::new() };
        let list_max_age_ms = i64::from(policy.list_max_age_minutes) * 60_000;
        if request.list_age_ms.is_none_or(|age| age > list_max_age_ms) {
            doubts.add(Flag::ListStale);
        }
        if request.time.error_ms.is_none_or(|error| error > i64::from(policy.clock_max_error_ms)) {
            doubts.add(Flag::ClockUncertain);
        }
        doubts
    }

    pub(super) fn add(&mut self, flag: Flag) {
        if let Err(place) = self.flags.binary_search(&flag) {
            self.flags.insert(place, flag);
        }
    }

    /// The true time must be `moment` or later.
    pub(super) fn not_before(&mut self, moment: i64, reason: Reason) -> Result<(), Reason> {
        if self.bounds.latest < moment {
            return Err(reason);
        }
        if self.bounds.earliest < moment {
            self.add(Flag::ClockUncertain);
        }
        Ok(())
    }

    /// The true time must be earlier than `moment`.
    pub(super) fn before(&mut self, moment: i64, reason: Reason) -> Result<(), Reason> {
        if self.bounds.earliest >= moment {
            return Err(reason);
        }
        if self.bounds.latest >= moment {
            self.add(Flag::ClockUncertain);
        }
        Ok(())
    }

    pub(super) fn colour(self, decision: Decision) -> Decision {
        let confidence = match (decision.outcome, self.flags.is_empty()) {
            (Outcome::Admit, true) => Confidence::Green,
            (Outcome::Admit, false) | (Outcome::Ask, _) => Confidence::Amber,
            (Outcome::Refuse, _) => decision.confidence,
        };
        Decision { confidence, flags: self.flags, ..decision }
    }
}

//! Whether an app may ask to send notifications, and what it shows where it may not: pure functions.
//!
//! Whoever says no is asked again after a month at the earliest, whatever the app restarts in between. Whoever asks for
//! notifications themselves, by the app's own switch, is never kept waiting.

use serde::{Deserialize, Serialize};

/// For so long after a prompt, none comes unasked: 30 days, in milliseconds.
pub const PROMPT_PAUSE_MS: i64 = 30 * 86_400_000;
/// So many refusals are remembered, the newest.
pub const MAX_REFUSALS: usize = 24;

/// What the system says of notifications of this app, right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Nobody has been asked: iOS `notDetermined`; Android 13 and later before its first prompt.
    NotAsked,
    /// Refused, but the system would ask again: Android's `shouldShowRequestPermissionRationale`.
    RefusedOnce,
    /// Refused. Only the system's settings change it.
    Refused,
    /// Allowed without having been asked, and shown quietly: iOS `provisional`.
    Quiet,
    /// Allowed.
    Allowed,
}

impl Permission {
    /// Whether messages are shown at all.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::Allowed | Self::Quiet)
    }
}

/// Why somebody wants no notifications, as they say where the app asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// Not now.
    Later,
    /// There would be too many.
    TooMany,
    /// They would not be about what matters to them.
    NotUseful,
    /// They do not want to be known.
    Privacy,
    /// They did not say.
    Unsaid,
}

/// Somebody said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When (UTC milliseconds).
    pub at: i64,
    /// Why.
    pub reason: RefusalReason,
}

/// What happened before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptHistory {
    /// When the app last asked unasked, in its own words or the system's (UTC milliseconds).
    pub prompted_at: Option<i64>,
    /// Refusals, the oldest first.
    pub refusals: Vec<Refusal>,
}

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// By the system's own prompt.
    System,
    /// In the app's words, with a link to the system's settings: nothing else changes it.
    Settings,
}

/// What the app shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionAdvice {
    /// Whether messages are shown at all; where not, the app shows *Enable notifications*.
    pub is_on: bool,
    /// What happens where somebody taps *Enable notifications*, however long ago they were asked; nothing where all is on.
    pub on_tap: Option<Ask>,
    /// How the app may ask by itself now; not at all if this is none.
    pub prompt: Option<Ask>,
    /// When it may ask by itself again (UTC milliseconds), if it may not now and ever would.
    pub prompt_at: Option<i64>,
}

/// What to show, given what the system says and what happened before.
#[must_use]
pub fn advise(permission: Permission, history: &PromptHistory, now: i64) -> PermissionAdvice {
    let on_tap = match permission {
        Permission::Allowed => None,
        Permission::NotAsked | Permission::RefusedOnce | Permission::Quiet => Some(Ask::System),
        Permission::Refused => Some(Ask::Settings),
    };
    let due_at = history.prompt_due_at();
    let is_due = due_at.is_none_or(|at| at <= now);
    PermissionAdvice {
        is_on: permission.is_on(),
        on_tap,
        prompt: on_tap.filter(|_| is_due),
        prompt_at: on_tap.and(due_at).filter(|_| !is_due),
    }
}

impl PromptHistory {
    /// When the app may ask by itself again (UTC milliseconds); at once, if it never did.
    fn prompt_due_at(&self) -> Option<i64> {
        let refused = self.refusals.last().map(|refusal| refusal.at);
        self.prompted_at.max(refused).map(|at| at.saturating_add(PROMPT_PAUSE_MS))
    }

    /// The app asked by itself.
    pub fn prompted(&mut self, now: i64) {
        self.set_right(now);
        self.prompted_at = Some(now);
    }

    /// Somebody said no.
    pub fn refused(&mut self, reason: RefusalReason, now: i64) {
        self.set_right(now);
        self.refusals.push(Refusal { at: now, reason });
        let too_many = self.refusals.len().saturating_sub(MAX_REFUSALS);
        self.refusals.drain(..too_many);
    }

    /// What lies ahead was written by a clock that was wrong: it counts from now on, so that a phone that once believed in
    /// 2040 does ask again before.
    pub fn set_right(&mut self, now: i64) {
        self.prompted_at = self.prompted_at.map(|at| at.min(now));
        for refusal in &mut self.refusals {
            refusal.at = refusal.at.min(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_785_500_000_000;
    const ALL: [Permission; 5] = [
        Permission::NotAsked,
        Permission::RefusedOnce,
        Permission::Refused,
        Permission::Quiet,
        Permission::Allowed,
    ];

    fn asked(at: i64) -> PromptHistory {
        PromptHistory { prompted_at: Some(at), ..PromptHistory::default() }
    }

    #[test]
    fn each_permission_has_its_way() {
        let new = PromptHistory::default();
        let ways = ALL.map(|permission| {
            let advice = advise(permission, &new, NOW);
            (advice.is_on, advice.on_tap, advice.prompt, advice.prompt_at)
        });
        let system = Some(Ask::System);
        let settings = Some(Ask::Settings);
        assert_eq!(
            ways,
            [
                (false, system, system, None),
                (false, system, system, None),
                (false, settings, settings, None),
                (true, system, system, None),
                (true, None, None, None),
            ]
        );
    }

    #[test]
    fn nobody_is_asked_twice_within_a_month_but_may_ask_at_any_time() {
        let history = asked(NOW);
        let early = advise(Permission::Refused, &history, NOW + PROMPT_PAUSE_MS - 1);
        assert_eq!((early.prompt, early.prompt_at), (None, Some(NOW + PROMPT_PAUSE_MS)));
        assert_eq!(early.on_tap, Some(Ask::Settings));
        let due = advise(Permission::Refused, &history, NOW + PROMPT_PAUSE_MS);
        assert_eq!((due.prompt, due.prompt_at), (Some(Ask::Settings), None));
    }

    #[test]
    fn a_refusal_counts_as_having_been_asked() {
        let mut history = asked(NOW);
        history.refused(RefusalReason::TooMany, NOW + 5_000);
        let advice = advise(Permission::RefusedOnce, &history, NOW + PROMPT_PAUSE_MS);
        assert_eq!(advice.prompt_at, Some(NOW + 5_000 + PROMPT_PAUSE_MS));
        for number in 0..30 {
            history.refused(RefusalReason::Later, NOW + 10_000 + number);
        }
        assert_eq!(history.refusals.len(), MAX_REFUSALS);
        assert_eq!(history.refusals.last().unwrap().at, NOW + 10_029);
    }

    #[test]
    fn a_clock_that_was_wrong_silences_nobody_for_years() {
        let mut history = asked(NOW + 20 * 365 * 86_400_000);
        history.refused(RefusalReason::Privacy, NOW);
        assert_eq!(history.prompted_at, Some(NOW));
        assert!(advise(Permission::NotAsked, &history, NOW + PROMPT_PAUSE_MS).prompt.is_some());
    }

    proptest! {
        #[test]
        fn an_app_that_follows_never_asks_twice_within_a_month(
            steps in prop::collection::vec((0_usize..5, 0_i64..40 * 86_400_000, any::<bool>()), 1..60)
        ) {
            let (mut history, mut now, mut last) = (PromptHistory::default(), NOW, None::<i64>);
            for (permission, wait, says_no) in steps {
                now += wait;
                let advice = advise(ALL[permission], &history, now);
                prop_assert!(advice.prompt.is_none() || advice.prompt == advice.on_tap);
                prop_assert!(advice.prompt.is_none() || advice.prompt_at.is_none());
                if advice.prompt.is_some() {
                    prop_assert!(last.is_none_or(|last| now - last >= PROMPT_PAUSE_MS));
                    history.prompted(now);
                    if says_no {
                        history.refused(RefusalReason::Unsaid, now);
                    }
                    last = Some(now);
                }
                // It survives a restart.
                let text = serde_json::to_string(&history).unwrap();
                prop_assert_eq!(&serde_json::from_str::<PromptHistory>(&text).unwrap(), &history);
            }
        }
    }
}

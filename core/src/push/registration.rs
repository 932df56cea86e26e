//! Where the registration of a push token at a server stands: a pure state machine that outlives restarts.
//!
//! What is kept is what is wanted (the token the app has), what the server holds, and how trying goes. The state follows
//! from these and is never stored, so it cannot contradict them.

use serde::{Deserialize, Serialize};

use super::token::TokenFingerprint;
use crate::entropy::Entropy;
use crate::resilience::{GaveUp, Retry, RetryPolicy};

/// A round: three attempts, for whoever waits for it.
pub const AT_ONCE: RetryPolicy = RetryPolicy::new("push_registration", 2, &[1_000, 4_000]);
/// Between rounds, for as long as it takes: after 1, 5 and 30 minutes, 2 and 12 hours, and then daily. A server that asks
/// for more is asked once a day all the same.
const PATIENTLY: RetryPolicy = RetryPolicy::new(
    "push_registration_later",
    u32::MAX,
    &[60_000, 300_000, 1_800_000, 7_200_000, 43_200_000, DAY_MS.unsigned_abs()],
)
.waiting_up_to(DAY_MS.unsigned_abs());
const DAY_MS: i64 = 86_400_000;
/// Longer than any wait between rounds, jitter included (milliseconds): whoever seems to wait longer wrote that down by a
/// clock that was wrong.
const LONGEST_WAIT_MS: i64 = 2 * DAY_MS;
/// A token is registered anew after this, in milliseconds. Firebase advises once a month at least
/// (<https://firebase.google.com/docs/cloud-messaging/manage-tokens>); weekly, a server that gave the phone up, for whatever
/// reason, is told within a week that it is there.
pub const REFRESH_MS: i64 = 7 * DAY_MS;
/// So far a clock may be set back before a registration counts as old (milliseconds).
const CLOCK_SLACK_MS: i64 = 3_600_000;

/// Where a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationState {
    /// No messages are wanted: no token, no permission, or signed out.
    Unregistered,
    /// The server does not know the token yet.
    Pending,
    /// The server has the token.
    Registered,
    /// The server has another token, or was told this one long ago.
    RefreshNeeded,
    /// The last round failed. There is another one, unless it [is given up](Registration::is_given_up).
    Failed,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Tell the server this token.
    Register(TokenFingerprint),
    /// Tell the server to forget the token.
    Withdraw,
}

/// Why the last round failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The stable code of the error.
    pub code: String,
    /// What happened and what to do, for people.
    pub detail: String,
    /// When (UTC milliseconds).
    pub at: i64,
}

/// When the next round is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "when", content = "at")]
enum Next {
    /// As soon as somebody asks.
    #[default]
    Now,
    /// Not before this (UTC milliseconds), unless the network comes back.
    After(i64),
    /// Not before this (UTC milliseconds): the server asked for it.
    Asked(i64),
    /// Never, for this token.
    Never,
}

/// The registration of one app at one server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    wanted: Option<TokenFingerprint>,
    held: Option<TokenFingerprint>,
    /// When the server last said so (UTC milliseconds); none if it said otherwise since.
    confirmed_at: Option<i64>,
    /// It was told a token, and nobody knows whether it heard.
    may_hold: bool,
    failed_rounds: u32,
    next: Next,
    trouble: Option<Trouble>,
}

impl Registration {
    /// Of a server of which nobody knows whether it has a token: it is told one, or to forget it.
    #[must_use]
    pub fn unsure() -> Self {
        Self { may_hold: true, ..Self::default() }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self, now: i64) -> RegistrationState {
        match (self.wanted, self.held) {
            (None, _) => RegistrationState::Unregistered,
            _ if self.trouble.is_some() => RegistrationState::Failed,
            (Some(_), None) => RegistrationState::Pending,
            (wanted, held) if wanted == held && self.is_fresh(now) => RegistrationState::Registered,
            _ => RegistrationState::RefreshNeeded,
        }
    }

    /// Why the last round failed, if it did and nothing has changed since.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Trying again cannot help: only another token, or an app that does otherwise.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.next == Next::Never
    }

    /// Whether there is nothing to remember: nothing is wanted, and the server has nothing.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.wanted.is_none() && self.held.is_none() && !self.may_hold
    }

    /// When the next round is due by itself (UTC milliseconds): for the app's background task. None if nothing is to be
    /// done, or nothing can be.
    #[must_use]
    pub fn due_at(&self, now: i64) -> Option<i64> {
        self.open_step(now)?;
        match self.next {
            Next::Now => Some(now),
            Next::After(at) | Next::Asked(at) => {
                Some(if at.saturating_sub(now) > LONGEST_WAIT_MS { now } else { at.max(now) })
            }
            Next::Never => None,
        }
    }

    /// What to do now, if anything.
    #[must_use]
    pub fn step(&self, now: i64) -> Option<Step> {
        self.open_step(now).filter(|_| self.due_at(now).is_some_and(|at| at <= now))
    }

    fn open_step(&self, now: i64) -> Option<Step> {
        match (self.wanted, self.held) {
            (None, None) if !self.may_hold => None,
            (None, _) => Some(Step::Withdraw),
            (wanted, held) if wanted == held && self.is_fresh(now) => None,
            (Some(wanted), _) => Some(Step::Register(wanted)),
        }
    }

    fn is_fresh(&self, now: i64) -> bool {
        self.confirmed_at.is_some_and(|at| (-CLOCK_SLACK_MS..REFRESH_MS).contains(&now.saturating_sub(at)))
    }

    /// The app has a token, new or as before. The same one told again, as at every start of an app, changes nothing.
    pub fn want(&mut self, token: TokenFingerprint) {
        if self.wanted != Some(token) {
            self.wanted = Some(token);
            self.begin_anew();
        }
    }

    /// No messages are wanted any more: somebody signed out, or took the permission back. The server is told, as soon as it
    /// can be.
    pub fn unwant(&mut self) {
        if self.wanted.take().is_some() {
            self.begin_anew();
        }
    }

    /// A step is about to be taken. Kept before it is: if its answer gets lost, the server may have the token all the same,
    /// and has to be told when it is not wanted any more.
    pub fn begin(&mut self, step: Step) {
        self.may_hold |= matches!(step, Step::Register(_));
    }

    /// The server has this token now.
    pub fn took(&mut self, token: TokenFingerprint, now: i64) {
        self.held = Some(token);
        self.confirmed_at = Some(now);
        self.may_hold = false;
        if self.wanted.is_none_or(|wanted| wanted == token) {
            self.begin_anew();
        }
    }

    /// The server has no token of this app any more.
    pub fn let_go(&mut self) {
        self.held = None;
        self.confirmed_at = None;
        self.may_hold = false;
        if self.wanted.is_none() {
            self.begin_anew();
        }
    }

    /// The server says that the token does not work any more, or knows nothing of it.
    pub fn doubt(&mut self) {
        self.confirmed_at = None;
    }

    /// Every attempt of a round failed; `code` and `detail` say why. One that was about what is not to be done any more says
    /// nothing.
    pub fn failed(
        &mut self,
        step: Step,
        verdict: Retry,
        (code, detail): (&str, &str),
        (now, entropy): (i64, &dyn Entropy),
    ) {
        if self.open_step(now) != Some(step) {
            return;
        }
        self.failed_rounds = self.failed_rounds.saturating_add(1);
        self.next = match (PATIENTLY.after(self.failed_rounds, verdict, entropy), verdict) {
            (Ok(wait), Retry::After(_)) => Next::Asked(later(now, wait)),
            (Ok(wait), _) => Next::After(later(now, wait)),
            (Err(GaveUp::WaitTooLong { .. }), _) => Next::Asked(now.saturating_add(DAY_MS)),
            (Err(_), _) => Next::Never,
        };
        self.trouble = Some(Trouble { code: code.to_owned(), detail: detail.to_owned(), at: now });
        if self.is_given_up() && step == Step::Withdraw {
            // It knows nothing of us, so there is nothing to take back.
            self.let_go();
        }
    }

    /// The network is back: nobody waits longer than a server asked for.
    pub fn network_is_back(&mut self) {
        if matches!(self.next, Next::After(_)) {
            self.next = Next::Now;
        }
    }

    fn begin_anew(&mut self) {
        self.failed_rounds = 0;
        self.next = Next::Now;
        self.trouble = None;
    }
}

fn later(now: i64, wait: u64) -> i64 {
    now.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;

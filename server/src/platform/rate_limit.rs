//! Rate limits by an exact sliding window: at most `limit` in *any* `window`, not per calendar minute.
//!
//! The counters are in the database: they hold for all processes together, and over a restart. Whoever is
//! checked holds its key until its transaction ends, so that of any number at once exactly as many are allowed
//! as there is room for. A check is one statement and a count another, in a transaction of its own
//! ([`RateLimiter::check`]) or in the caller's ([`RateLimiter::check_in`]), where it shares the caller's commit
//! and is undone with it.
//!
//! **Invariant:** limits are checked before anything else is locked, and several in one call: then no two
//! transactions wait for each other.
//!
//! Windows are measured by the servers' clocks, which therefore have to agree to within much less than a
//! window. For one key time never runs backwards ([`window`]).

mod counters;
mod headers;
mod memory;
mod store;
mod window;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use liventix_core::clock::Clock;
use sha2::{Digest as _, Sha256};

use super::db::{Db, DbError, StoreFuture, Tx};
use super::problem::{ApiError, ApiResult, Code};
use memory::Memory;

pub use counters::Counters;
pub use headers::{POLICY, STATE, layer};

/// The longest window: a day. Longer ones are cut to it.
const MAX_WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Whether this one may go on. It is counted only if so.
    pub allowed: bool,
    /// How many more may follow now.
    pub remaining: u32,
    /// When one more is free (UTC milliseconds): the first that counts leaves the window then. Now, if nothing
    /// counts.
    pub reset_at: i64,
}

impl Rate {
    /// Whole seconds until one more is free, rounded up: whoever waits that long does not come too early.
    fn seconds(&self, now: i64) -> i64 {
        (self.reset_at.saturating_sub(now).max(0).saturating_add(999) / 1_000).max(1)
    }
}

/// At most `count` in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: u32,
    /// In how long: a millisecond to a day.
    pub window: Duration,
}

impl Limit {
    /// `count` in any minute.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self { count, window: Duration::from_secs(60) }
    }

    /// `count` in any hour.
    #[must_use]
    pub const fn per_hour(count: u32) -> Self {
        Self { count, window: Duration::from_secs(3_600) }
    }

    fn window_ms(self) -> i64 {
        i64::try_from(self.window.as_millis()).unwrap_or(MAX_WINDOW_MS).clamp(1, MAX_WINDOW_MS)
    }
}

/// What is limited, and for whom. Kept as a hash: no address and no name of anybody is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    purpose: &'static str,
    hash: [u8; 32],
    is_stranger: bool,
}

impl Key {
    /// `purpose` (letters, digits and `_`; callers see it in headers) for `subject`: somebody known, such as a
    /// device, or something known, such as an account.
    #[must_use]
    pub fn new(purpose: &'static str, subject: &[u8]) -> Self {
        let hasher = Sha256::new().chain_update("liventix rate limit v1\0");
        let hash = hasher.chain_update(purpose).chain_update([0]).chain_update(subject).finalize().into();
        Self { purpose, hash, is_stranger: false }
    }

    /// `purpose` for whoever comes from `address`. All strangers together are held to what the disk takes.
    #[must_use]
    pub fn of_address(purpose: &'static str, address: IpAddr) -> Self {
        Self { is_stranger: true, ..Self::new(purpose, address.to_string().as_bytes()) }
    }
}

/// One limit that a request comes under.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    key: Key,
    limit: Limit,
    counts: bool,
    why: &'static str,
}

impl Check {
    /// The request counts, if it is allowed.
    #[must_use]
    pub const fn count(key: Key, limit: Limit) -> Self {
        Self { key, limit, counts: true, why: "Too many of these requests." }
    }

    /// The request is refused if there is no room. Whether it counts is not known yet: see
    /// [`Counters::count`].
    #[must_use]
    pub const fn look(key: Key, limit: Limit) -> Self {
        Self { counts: false, ..Self::count(key, limit) }
    }

    /// What those who are refused are told.
    #[must_use]
    pub const fn saying(self, why: &'static str) -> Self {
        Self { why, ..self }
    }
}

/// What several checks at once found. All of them are counted, or none.
#[derive(Debug, Clone)]
#[must_use = "hand it to `settle` after the commit"]
pub struct Checked(Vec<(Check, Rate)>);

impl Checked {
    /// What was found for each, in their order.
    pub fn rates(&self) -> impl Iterator<Item = Rate> + '_ {
        self.0.iter().map(|(_, rate)| *rate)
    }

    /// Whether every limit has room.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.rates().all(|rate| rate.allowed)
    }
}

/// All counters. Cheap to clone.
#[derive(Clone)]
pub struct RateLimiter {
    db: Db,
    clock: Arc<dyn Clock>,
    memory: Arc<Memory>,
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RateLimiter")
    }
}

impl RateLimiter {
    /// The counters in `db`.
    #[must_use]
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock, memory: Arc::default() }
    }

    /// Counts one for `key`, if `limit` in any `window` allows.
    ///
    /// # Errors
    /// When the database fails. Then nothing is counted.
    pub async fn check(&self, key: &Key, limit: u32, window: Duration) -> Result<Rate, DbError> {
        let check = Check::count(*key, Limit { count: limit, window });
        self.run(check).await
    }

    /// Counts one, or answers 429 with `Retry-After`. It stays counted whatever comes of the request.
    ///
    /// # Errors
    /// `rate_limited`.
    pub async fn require(&self, key: Key, limit: Limit) -> ApiResult<()> {
        let check = Check::count(key, limit);
        let rate = self.run(check).await?;
        self.answer(check, rate)
    }

    async fn run(&self, check: Check) -> Result<Rate, DbError> {
        let now = self.clock.wall_ms();
        let known = self.memory.refusal(&check.key, check.limit, now);
        if let Some(refused) = known.or_else(|| self.memory.stranger(&check.key, now)) {
            return Ok(refused);
        }
        let this = self.clone();
        let checked =
            self.db.write(move |tx| Box::pin(async move { this.check_in(tx, &[check]).await })).await?;
        self.remember(&checked);
        let rate = checked.rates().next();
        rate.ok_or_else(|| DbError::Statement("a check without a result".to_owned()))
    }

    /// Answers 429 where this process knows without asking that one of the checks would be refused. For the
    /// time before a transaction that is then saved.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn precheck(&self, checks: &[Check]) -> ApiResult<()> {
        let now = self.clock.wall_ms();
        for check in checks {
            if let Some(refused) = self.memory.refusal(&check.key, check.limit, now) {
                self.answer(*check, refused)?;
            }
        }
        Ok(())
    }

    /// Runs `work` in a write transaction of `db` if every check has room: limits, decision and what is decided
    /// share one commit. A request that fails by its own fault stays counted, so `work` fails that way only
    /// before it has changed anything; where the server fails, or the database refused a statement, nothing stays.
    ///
    /// # Errors
    /// `rate_limited`, or what `work` returns.
    pub async fn write<T, F>(&self, db: &Db, checks: Vec<Check>, work: F) -> ApiResult<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> StoreFuture<'t, T, ApiError> + Send + 'static,
    {
        self.precheck(&checks)?;
        let this = self.clone();
        let (checked, result) = db
            .write(move |tx| {
                Box::pin(async move {
                    let checked = this.check_in(tx, &checks).await?;
                    if !checked.allowed() {
                        return Ok((checked, None));
                    }
                    match work(tx).await {
                        Err(error) if tx.is_spoilt() || !error.is_the_callers() => Err(error),
                        result => Ok((checked, Some(result))),
                    }
                })
            })
            .await?;
        self.settle(&checked, result)
    }

    /// Checks several limits in the caller's transaction, which must not hold any lock yet. If all have room,
    /// those that count are counted, and stay so if the transaction commits. Where it is refused, the caller
    /// does nothing else; in any case it hands what was found to [`RateLimiter::settle`] after the commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_in(&self, tx: &mut Tx, checks: &[Check]) -> Result<Checked, DbError> {
        let mut counters = self.open(tx, checks).await?;
        let checked = counters.check(checks);
        counters.save(tx).await?;
        Ok(checked)
    }

    /// The counters of all these checks, held until the caller's transaction ends: for several requests that
    /// share a transaction. One statement reads them, and one writes them, however many they are. The
    /// transaction must not hold any lock yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(
        &self,
        tx: &mut Tx,
        checks: impl IntoIterator<Item = &Check>,
    ) -> Result<Counters, DbError> {
        Counters::open(tx, checks, self.clock.wall_ms()).await
    }

    /// After the commit: says in the answer's headers where the request stands, and gives `result`, or 429 if
    /// a limit had no room.
    ///
    /// # Errors
    /// `rate_limited`, or what `result` holds.
    pub fn settle<T>(&self, checked: &Checked, result: Option<ApiResult<T>>) -> ApiResult<T> {
        self.remember(checked);
        // Those that refuse last, so that the headers of the others are there as well.
        let (allowed, refused): (Vec<_>, Vec<_>) =
            checked.0.iter().copied().partition(|(_, rate)| rate.allowed);
        for (check, rate) in allowed.into_iter().chain(refused) {
            self.answer(check, rate)?;
        }
        result.unwrap_or_else(|| Err(ApiError::internal("nothing was done though every limit had room")))
    }

    fn remember(&self, checked: &Checked) {
        let now = self.clock.wall_ms();
        for (check, rate) in checked.0.iter().filter(|(_, rate)| !rate.allowed) {
            self.memory.remember(&check.key, *rate, now);
        }
    }

    fn answer(&self, check: Check, rate: Rate) -> ApiResult<()> {
        let now = self.clock.wall_ms();
        headers::note(check, rate, now);
        if rate.allowed {
            return Ok(());
        }
        let seconds = rate.seconds(now);
        let detail = format!("{} Try again in {seconds} s.", check.why);
        Err(ApiError::new(Code::RateLimited, detail).retry_after(seconds))
    }

    /// Deletes the counters that have run out, a few hundred in one transaction. Says how many. New keys clear
    /// away old ones as they come; this is for the rest, every few minutes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<u64, DbError> {
        let now = self.clock.wall_ms();
        let (mut from, mut deleted) = (Vec::new(), 0);
        loop {
            let after = from.clone();
            let end = self.db.read(move |conn| Box::pin(async move { store::batch_end(conn, &after).await }));
            let end: Option<Vec<u8>> = end.await?;
            let Some(to) = end else { return Ok(deleted) };
            let next = to.clone();
            let sweep =
                self.db.write(move |tx| Box::pin(async move { store::sweep(tx, &from, &to, now).await }));
            deleted += sweep.await?;
            from = next;
        }
    }
}

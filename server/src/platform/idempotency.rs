//! Calls that can be repeated safely: `Idempotency-Key: operation_type:stable_id:uuid`.
//!
//! The first request with a key claims it, does its work and keeps the answer; every later one gets the same
//! answer, byte for byte. What is kept is sealed: answers hold tokens and tickets.
//!
//! **What holds, whatever crashes when.** A handler keeps its answer in the transaction of its last step
//! ([`Attempt::finish_in`]), and after each earlier step where it is to go on ([`Attempt::reach_in`]). So work
//! is never done twice: a try that dies before its transaction has done nothing, and one that dies after it is
//! finished. A try has the operation for as long as a request may take; if it takes longer, another may take
//! over, and then the first can commit nothing more, because each commit asks whether it still has it.
//!
//! [The draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/) and Stripe's API
//! are followed, with the differences in `docs/http.md`.

mod answer;
mod attempt;
mod fingerprint;
mod key;
mod request;
mod store;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use liventix_core::clock::Clock;
use liventix_core::entropy::Entropy;
use liventix_core::ids::OrganiserId;

use super::db::{Db, DbError, Tx};
use super::problem::{ApiError, ApiResult, Code};
use super::vault::Vault;
use answer::Answer;
use attempt::{Claimed, Point, unseal};
use key::OperationId;
use store::{Known, New, Which};

pub use answer::REPLAYED;
pub use attempt::Attempt;
pub use request::{Csv, Idempotent, KEY, Operation, Payload};

/// How long an answer is kept: a day. Afterwards the key stands for a new operation.
const LIFE_MS: i64 = 24 * 60 * 60 * 1_000;

/// All operations with a key. Cheap to clone.
#[derive(Clone)]
pub struct Idempotency {
    db: Db,
    vault: Vault,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    lock_ms: i64,
}

impl std::fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Idempotency")
    }
}

/// What a request with a key finds.
enum Begun {
    /// The answer given before.
    Answered(Answer),
    /// The operation is this request's.
    Claimed(Claim),
}

/// What a row allows.
enum Found {
    Answered(Vec<u8>),
    Reused,
    InProgress,
    Ours { point: Option<(String, Vec<u8>)> },
}

impl Idempotency {
    /// The operations in `db`. A try has its operation for `lock`: as long as a request may take.
    #[must_use]
    pub fn new(
        db: Db,
        vault: Vault,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        lock: Duration,
    ) -> Self {
        let lock_ms = i64::try_from(lock.as_millis()).unwrap_or(i64::MAX);
        Self { db, vault, clock, entropy, lock_ms }
    }

    /// Claims an operation, or finds its answer.
    async fn begin(
        &self,
        organiser: OrganiserId,
        operation_type: &'static str,
        OperationId(operation_id): OperationId,
        fingerprint: [u8; 32],
    ) -> ApiResult<Begun> {
        let which = Which { organiser, operation_type, operation_id };
        let new = self.new_try(fingerprint);
        let (asked, lock_ms) = (which.clone(), self.lock_ms);
        let found =
            self.db.write(move |tx| Box::pin(async move { find(tx, &asked, new, lock_ms).await })).await?;
        match found {
            Found::Answered(sealed) => {
                Answer::unpack(&unseal(self, &which, "response", &sealed)?).map(Begun::Answered)
            }
            Found::Reused => {
                let detail = "This Idempotency-Key was used for another request. Make a new key for each \
                              operation, and repeat a request exactly as it was.";
                Err(ApiError::new(Code::IdempotencyKeyReused, detail))
            }
            Found::InProgress => {
                let detail =
                    "A request with this Idempotency-Key is being answered. Repeat it for the answer.";
                Err(ApiError::new(Code::IdempotencyInProgress, detail).retry_after(1))
            }
            Found::Ours { point } => {
                let open = |(name, sealed): (String, Vec<u8>)| {
                    Ok::<_, ApiError>(Point { name, data: unseal(self, &which, "recovery", &sealed)? })
                };
                let point = point.map(open).transpose()?;
                let answer = Mutex::default();
                let claimed = Claimed { idempotency: self.clone(), which, try_id: new.try_id, point, answer };
                Ok(Begun::Claimed(Claim { claimed: Arc::new(claimed), ended: false }))
            }
        }
    }

    fn new_try(&self, fingerprint: [u8; 32]) -> New {
        let mut try_id = [0; 16];
        self.entropy.fill(&mut try_id);
        let now = self.clock.wall_ms();
        let (locked_until, expires_at) = (now.saturating_add(self.lock_ms), now.saturating_add(LIFE_MS));
        New { try_id, fingerprint, now, locked_until, expires_at }
    }

    /// Deletes operations that have expired. Says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<u64, DbError> {
        let now = self.clock.wall_ms();
        let mut deleted = 0;
        loop {
            let batch = self.db.write(move |tx| Box::pin(async move { store::sweep(tx, now).await }));
            let batch: u64 = batch.await?;
            deleted += batch;
            if store::was_last(batch) {
                return Ok(deleted);
            }
        }
    }
}

async fn find(tx: &mut Tx, which: &Which, new: New, lock_ms: i64) -> Result<Found, DbError> {
    if store::insert(tx, which, new).await? {
        return Ok(Found::Ours { point: None });
    }
    // Gone already: it has just been swept. The next try makes it anew.
    let Some(known) = store::hold(tx, which).await? else { return Ok(Found::InProgress) };
    if known.expires_at <= new.now {
        store::delete(tx, which).await?;
        store::insert(tx, which, new).await?;
        return Ok(Found::Ours { point: None });
    }
    let Known { sealed_response, recovery_point, sealed_recovery, .. } = known;
    if known.fingerprint != new.fingerprint {
        return Ok(Found::Reused);
    }
    if let Some(sealed) = sealed_response {
        return Ok(Found::Answered(sealed));
    }
    // A lock that ends later than any can is from before a clock was set back.
    if (1..=lock_ms).contains(&known.locked_until.saturating_sub(new.now)) {
        return Ok(Found::InProgress);
    }
    store::take_over(tx, which, new).await?;
    Ok(Found::Ours { point: recovery_point.zip(sealed_recovery) })
}

/// An operation that this request has. Dropped without an end, because the caller hung up or the request took
/// too long, it lets go of the operation.
#[derive(Debug)]
struct Claim {
    claimed: Arc<Claimed>,
    ended: bool,
}

impl Claim {
    fn attempt(&self) -> Attempt {
        Attempt::claimed(Arc::clone(&self.claimed))
    }

    /// Keeps the answer if it settles the operation, and gives it; lets go of the operation otherwise.
    async fn end<T: IntoResponse>(mut self, result: ApiResult<T>) -> ApiResult<Response> {
        let answered = match result {
            Ok(done) => match self.claimed.answer() {
                Some(answer) => {
                    self.ended = true;
                    return answer.into_response();
                }
                None => Ok(done.into_response()),
            },
            Err(error) if error.code() == Code::IdempotencyInProgress => return Err(error),
            Err(error) if answer::settles(&error) => Ok(error.into_response()),
            Err(error) => Err(error),
        };
        let response = match answered {
            Ok(response) if answer::is_final(response.status()) => response,
            other => {
                self.release().await;
                return other;
            }
        };
        let answer = Answer::of(response).await?;
        let (claimed, kept) = (Arc::clone(&self.claimed), answer.clone());
        let keep = self
            .claimed
            .idempotency
            .db
            .write(move |tx| Box::pin(async move { claimed.finish_in(tx, kept).await }));
        keep.await?;
        self.ended = true;
        answer.into_response()
    }

    async fn release(&mut self) {
        self.ended = true;
        release(Arc::clone(&self.claimed)).await;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.ended
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(release(Arc::clone(&self.claimed)));
        }
    }
}

async fn release(claimed: Arc<Claimed>) {
    let db = claimed.idempotency.db.clone();
    let released =
        db.write(move |tx| Box::pin(async move { store::release(tx, &claimed.which, claimed.try_id).await }));
    // Otherwise the lock runs out by itself.
    if let Err(error) = released.await {
        tracing::debug!(cause = error.to_string(), "an operation's lock was not released");
    }
}

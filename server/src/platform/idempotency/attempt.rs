//! One try at an operation: what it resumes from, and what it leaves behind.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Idempotency;
use super::answer::Answer;
use super::store::{self, TryId, Which};
use crate::platform::db::Tx;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// A try at an operation, or at one without a key, for which all of this does nothing. Cheap to clone, so that
/// a transaction can have it.
#[derive(Debug, Clone)]
pub struct Attempt(Option<Arc<Claimed>>);

#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) idempotency: Idempotency,
    pub(super) which: Which,
    pub(super) try_id: TryId,
    pub(super) point: Option<Point>,
    /// Set by [`Attempt::finish_in`]: good if the transaction was committed.
    pub(super) answer: Mutex<Option<Answer>>,
}

/// The last step done by an earlier try.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) name: String,
    pub(super) data: Vec<u8>,
}

impl Which {
    /// What a value of this operation is sealed for.
    pub(super) fn context(&self, what: &str) -> Vec<u8> {
        let (kind, id) = (self.operation_type, &self.operation_id);
        [format!("idempotent {what} {kind}:{id} ").as_bytes(), self.organiser.as_bytes()].concat()
    }
}

impl Attempt {
    /// A try at something that has no key.
    #[must_use]
    pub const fn without_key() -> Self {
        Self(None)
    }

    pub(super) const fn claimed(claimed: Arc<Claimed>) -> Self {
        Self(Some(claimed))
    }

    /// Whether an earlier try got as far as some step.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.0.as_ref().is_some_and(|claimed| claimed.point.is_some())
    }

    /// What an earlier try left at `point`, if that was its last step: work goes on from there.
    ///
    /// # Errors
    /// When what it left is not a `T`.
    pub fn resumed<T: DeserializeOwned>(&self, point: &str) -> ApiResult<Option<T>> {
        let reached = self.0.as_ref().and_then(|claimed| claimed.point.as_ref());
        let Some(reached) = reached.filter(|reached| reached.name == point) else { return Ok(None) };
        serde_json::from_slice(&reached.data).map(Some).map_err(ApiError::internal)
    }

    /// Notes, in the transaction of a step, that it is done, with what the steps after it need. From then on
    /// another try [resumes](Self::resumed) there.
    ///
    /// # Errors
    /// `idempotency_in_progress` if another try has taken over, because this one took too long: then the step
    /// must not be committed.
    pub async fn reach_in(&self, tx: &mut Tx, point: &'static str, data: &impl Serialize) -> ApiResult<()> {
        let Some(claimed) = &self.0 else { return Ok(()) };
        let data = serde_json::to_vec(data).map_err(ApiError::internal)?;
        let sealed = claimed.seal("recovery", &data)?;
        let ours = store::reach(tx, &claimed.which, claimed.try_id, point, sealed).await?;
        if ours { Ok(()) } else { Err(lost()) }
    }

    /// Keeps the answer in the transaction of the last step: either both are there or neither, so that no crash
    /// comes between what was done and that it was.
    ///
    /// # Errors
    /// `idempotency_in_progress` if another try has taken over: then the step must not be committed.
    pub async fn finish_in(&self, tx: &mut Tx, status: StatusCode, body: &impl Serialize) -> ApiResult<()> {
        let Some(claimed) = &self.0 else { return Ok(()) };
        claimed.finish_in(tx, Answer::json(status, body)?).await
    }
}

impl Claimed {
    pub(super) async fn finish_in(&self, tx: &mut Tx, answer: Answer) -> ApiResult<()> {
        let sealed = self.seal("response", &answer.pack()?)?;
        if !store::finish(tx, &self.which, self.try_id, sealed).await? {
            return Err(lost());
        }
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        Ok(())
    }

    /// The answer that the work has kept itself.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn seal(&self, what: &str, data: &[u8]) -> ApiResult<Vec<u8>> {
        self.idempotency.vault.seal(&self.which.context(what), data).map_err(ApiError::internal)
    }
}

/// Opens what was sealed for this operation.
pub(super) fn unseal(
    idempotency: &Idempotency,
    which: &Which,
    what: &str,
    sealed: &[u8],
) -> ApiResult<Vec<u8>> {
    let opened = idempotency.vault.unseal(&which.context(what), sealed).map_err(ApiError::internal)?;
    Ok(opened.expose_secret().clone())
}

fn lost() -> ApiError {
    let detail = "This took too long, and another request with the same Idempotency-Key has taken over. Nothing \
                  was done here; repeat the request for its answer.";
    ApiError::new(Code::IdempotencyInProgress, detail).retry_after(1)
}

//! One call: request, retries, and the answer as a typed value.

use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroize;

use super::engine::SyncEngine;
use super::error::SyncError;
use super::progress::SyncReport;
use super::transport::{Method, Request, Response, Transport};
use crate::resilience::{AsyncSleeper, Retry, RetryPolicy, retry};

/// Long enough for a full page over a bad mobile network.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Waits between the tries of one request. A door that is offline shall hear it within seconds; the
/// watch loop keeps trying after that.
const BACKOFF_MS: &[u64] = &[250, 1_000, 3_000];
const MAX_RETRIES: u32 = 3;
/// A server that asks for a longer pause than this gets it, but not from a sync that someone watches.
const PATIENCE_MS: u64 = 30_000;
/// An error answer has no business being longer.
const MAX_PROBLEM_BYTES: usize = 64 * 1024;

/// One call of the protocol.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) request: Request,
}

impl Call {
    pub(super) fn get(name: &'static str, path: String, bearer: Option<SecretString>) -> Self {
        Self { name, request: Request { method: Method::Get, path, bearer, body: None, timeout: TIMEOUT } }
    }

    pub(super) fn post(
        name: &'static str,
        path: String,
        bearer: Option<SecretString>,
        body: &impl Serialize,
    ) -> Result<Self, SyncError> {
        let body = serde_json::to_vec(body)
            .map_err(|error| SyncError::Protocol { call: name, detail: error.to_string() })?;
        let request = Request { method: Method::Post, path, bearer, body: Some(body), timeout: TIMEOUT };
        Ok(Self { name, request })
    }

    /// Waits this much longer for the answer, because the server was asked to hold it back.
    pub(super) fn waiting(mut self, wait: Duration) -> Self {
        self.request.timeout = wait + Duration::from_secs(10);
        self
    }

    pub(super) fn protocol(&self, detail: &str) -> SyncError {
        SyncError::Protocol { call: self.name, detail: detail.to_owned() }
    }

    fn decode<A: DeserializeOwned>(&self, mut response: Response) -> Result<(A, u64), SyncError> {
        let decoded = self.read(&response);
        let bytes = response.body.len() as u64;
        // Tokens and keys pass through here.
        response.body.zeroize();
        Ok((decoded?, bytes))
    }

    fn read<A: DeserializeOwned>(&self, response: &Response) -> Result<A, SyncError> {
        match response.status {
            200..300 if !response.is_json => Err(SyncError::Intercepted),
            200..300 => serde_json::from_slice(&response.body).map_err(|error| {
                // Where, not what: serde's text could quote the answer.
                self.protocol(&format!(
                    "line {} column {}: {:?} error",
                    error.line(),
                    error.column(),
                    error.classify()
                ))
            }),
            300..400 | 511 => Err(SyncError::Intercepted),
            status => {
                let readable = response.is_json && response.body.len() <= MAX_PROBLEM_BYTES;
                let problem = readable.then(|| serde_json::from_slice(&response.body).ok()).flatten();
                Err(SyncError::of_status(status, problem, response.retry_after))
            }
        }
    }
}

impl<T: Transport, S: AsyncSleeper> SyncEngine<T, S> {
    /// One try.
    pub(super) async fn once<A: DeserializeOwned>(&self, call: &Call) -> Result<(A, u64), SyncError> {
        let response = self.transport.send(call.request.clone()).await?;
        call.decode(response)
    }

    /// A few tries, as long as the failure is of a kind that passes.
    pub(super) async fn call<A: DeserializeOwned + Send>(&self, call: &Call) -> Result<(A, u64), SyncError> {
        let policy = RetryPolicy {
            max_retry_after_ms: PATIENCE_MS,
            ..RetryPolicy::new(call.name, MAX_RETRIES, BACKOFF_MS)
        };
        retry(&policy, &self.sleeper, &*self.parts.entropy, |_attempt| self.once(call), judge)
            .await
            .map_err(|failure| failure.error)
    }

    /// [`Self::call`], its bytes counted.
    pub(super) async fn counted<A: DeserializeOwned + Send>(
        &self,
        call: &Call,
        report: &mut SyncReport,
    ) -> Result<A, SyncError> {
        let (answer, bytes) = self.call(call).await?;
        report.bytes += bytes;
        Ok(answer)
    }
}

fn judge(error: &SyncError) -> Retry {
    match error.retry_after() {
        _ if !error.is_retryable() => Retry::No,
        Some(wait) => Retry::After(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        None => Retry::Backoff,
    }
}

//! One call: request, retries, and the answer as a typed value. Doors and wallets share it.

mod error;

use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroize;

use super::transport::{Method, Request, Response, Transport};
use super::wire::ServerTime;
use crate::clock::{Clock, RoundTrip};
use crate::entropy::Entropy;
use crate::resilience::{AsyncSleeper, Retry, RetryPolicy, retry};

pub(crate) use error::CallError;

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
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) request: Request,
}

impl Call {
    pub(crate) fn get(name: &'static str, path: String, bearer: Option<SecretString>) -> Self {
        Self::bare(name, Method::Get, path, bearer)
    }

    pub(crate) fn delete(name: &'static str, path: String, bearer: Option<SecretString>) -> Self {
        Self::bare(name, Method::Delete, path, bearer)
    }

    fn bare(name: &'static str, method: Method, path: String, bearer: Option<SecretString>) -> Self {
        Self { name, request: Request { method, path, bearer, body: None, timeout: TIMEOUT } }
    }

    pub(crate) fn post(
        name: &'static str,
        path: String,
        bearer: Option<SecretString>,
        body: &impl Serialize,
    ) -> Result<Self, CallError> {
        Self::with_body(name, Method::Post, (path, bearer), body)
    }

    pub(crate) fn put(
        name: &'static str,
        path: String,
        bearer: Option<SecretString>,
        body: &impl Serialize,
    ) -> Result<Self, CallError> {
        Self::with_body(name, Method::Put, (path, bearer), body)
    }

    fn with_body(
        name: &'static str,
        method: Method,
        (path, bearer): (String, Option<SecretString>),
        body: &impl Serialize,
    ) -> Result<Self, CallError> {
        let body = serde_json::to_vec(body)
            .map_err(|error| CallError::Protocol { call: name, detail: error.to_string() })?;
        Ok(Self { name, request: Request { method, path, bearer, body: Some(body), timeout: TIMEOUT } })
    }

    /// Waits this much longer for the answer, because the server was asked to hold it back.
    pub(crate) fn waiting(mut self, wait: Duration) -> Self {
        self.request.timeout = wait + Duration::from_secs(10);
        self
    }

    pub(crate) fn protocol(&self, detail: &str) -> CallError {
        CallError::Protocol { call: self.name, detail: detail.to_owned() }
    }

    fn decode<A: DeserializeOwned>(&self, mut response: Response) -> Result<(A, u64), CallError> {
        let decoded = self.read(&response);
        let bytes = response.body.len() as u64;
        // Tokens and keys pass through here.
        response.body.zeroize();
        Ok((decoded?, bytes))
    }

    fn read<A: DeserializeOwned>(&self, response: &Response) -> Result<A, CallError> {
        match response.status {
            // Nothing to say, if nothing was expected.
            204 => serde_json::from_slice(b"null").map_err(|_| CallError::Intercepted),
            200..300 if !response.is_json => Err(CallError::Intercepted),
            200..300 => serde_json::from_slice(&response.body).map_err(|error| {
                // Where, not what: serde's text could quote the answer.
                self.protocol(&format!(
                    "line {} column {}: {:?} error",
                    error.line(),
                    error.column(),
                    error.classify()
                ))
            }),
            300..400 | 511 => Err(CallError::Intercepted),
            status => {
                let readable = response.is_json && response.body.len() <= MAX_PROBLEM_BYTES;
                let problem = readable.then(|| serde_json::from_slice(&response.body).ok()).flatten();
                Err(CallError::of_status(status, problem, response.retry_after))
            }
        }
    }
}

/// Makes calls over one transport.
pub(crate) struct Caller<'a, T, S> {
    pub(crate) transport: &'a T,
    pub(crate) sleeper: &'a S,
    pub(crate) entropy: &'a dyn Entropy,
}

impl<T: Transport, S: AsyncSleeper> Caller<'_, T, S> {
    /// One try. The answer, and how many bytes it had.
    pub(crate) async fn once<A: DeserializeOwned>(&self, call: &Call) -> Result<(A, u64), CallError> {
        let response = self.transport.send(call.request.clone()).await?;
        call.decode(response)
    }

    /// A few tries, as long as the failure is of a kind that passes.
    pub(crate) async fn call<A: DeserializeOwned + Send>(&self, call: &Call) -> Result<(A, u64), CallError> {
        self.call_by(&RetryPolicy::new(call.name, MAX_RETRIES, BACKOFF_MS), call).await
    }

    /// As many tries as the policy has, as long as the failure is of a kind that passes.
    pub(crate) async fn call_by<A: DeserializeOwned + Send>(
        &self,
        policy: &RetryPolicy,
        call: &Call,
    ) -> Result<(A, u64), CallError> {
        let policy = policy.clone().waiting_up_to(PATIENCE_MS);
        retry(&policy, self.sleeper, self.entropy, |_attempt| self.once(call), judge)
            .await
            .map_err(|failure| failure.error)
    }

    /// Opens the connection, so that the round trips after it measure the network and not a handshake.
    pub(crate) async fn warm_up(&self) -> Result<u64, CallError> {
        let (_, bytes): (ServerTime, u64) = self.call(&time_call()).await?;
        Ok(bytes)
    }

    /// Measures one round trip. Tried once: a repeated one would measure the pause.
    pub(crate) async fn round_trip(&self, clock: &dyn Clock) -> Result<(RoundTrip, u64), CallError> {
        let sent = clock.sample();
        let (answer, bytes): (ServerTime, u64) = self.once(&time_call()).await?;
        let received = clock.sample();
        Ok((RoundTrip { sent, received, server_ms: answer.server_ms }, bytes))
    }
}

fn time_call() -> Call {
    Call::get("time", "/v1/time".to_owned(), None)
}

fn judge(error: &CallError) -> Retry {
    match error.retry_after() {
        _ if !error.is_retryable() => Retry::No,
        Some(wait) => wait.into(),
        None => Retry::Backoff,
    }
}

//! The extractor for calls that may carry a key.

use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use liventix_core::ids::OrganiserId;
use serde::de::DeserializeOwned;

use super::attempt::Attempt;
use super::key::OperationId;
use super::{Begun, fingerprint};
use crate::app::AppState;
use crate::platform::body::{Json, bytes_problem};
use crate::platform::http::MAX_BODY;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// The request's header.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A kind of operation, as part of its handler's type.
pub trait Operation: Send + Sync + 'static {
    /// What its keys begin with, e.g. `create_ticket` (lower case and `_`).
    const NAME: &'static str;
    /// Whether a key must be sent: where repeating costs somebody money.
    const REQUIRED: bool = false;

    /// What the OpenAPI document says of it: the handler's extension `x-idempotent`.
    #[must_use]
    fn document() -> serde_json::Value {
        serde_json::json!({"operation": Self::NAME, "required": Self::REQUIRED})
    }
}

/// Declares kinds of operation: `operations! { CreateTicket = "create_ticket"; Refund = "refund", required; }`.
#[macro_export]
macro_rules! operations {
    (@required) => { true };
    ($($name:ident = $text:literal $(, $required:ident)?;)*) => {$(
        #[doc = concat!("Operations whose keys begin with `", $text, "`.")]
        #[derive(Debug, Clone, Copy)]
        pub(crate) enum $name {}
        impl $crate::platform::idempotency::Operation for $name {
            const NAME: &'static str = $text;
            $(const REQUIRED: bool = $crate::operations!(@$required);)?
        }
    )*};
}

/// A body that an idempotent call takes.
pub trait Payload: Sized + Send {
    /// Reads it.
    ///
    /// # Errors
    /// The problem with it.
    fn read(headers: &HeaderMap, bytes: Bytes) -> ApiResult<Self>;
}

impl<T: DeserializeOwned + Send> Payload for Json<T> {
    fn read(headers: &HeaderMap, bytes: Bytes) -> ApiResult<Self> {
        Self::of(headers, &bytes)
    }
}

/// A table.
#[derive(Debug)]
pub struct Csv(pub Bytes);

impl Payload for Csv {
    fn read(headers: &HeaderMap, bytes: Bytes) -> ApiResult<Self> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/csv")) {
            return Ok(Self(bytes));
        }
        Err(ApiError::new(Code::UnsupportedMediaType, "Send the table with content-type: text/csv."))
    }
}

/// A call of the kind `O` with the body `B`, and perhaps with an `Idempotency-Key`.
#[derive(Debug)]
pub struct Idempotent<O, B> {
    key: Option<OperationId>,
    fingerprint: [u8; 32],
    headers: HeaderMap,
    body: Bytes,
    kind: PhantomData<fn() -> (O, B)>,
}

impl<O: Operation, B: Payload, S: Send + Sync> FromRequest<S> for Idempotent<O, B> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let key = key::<O>(request.headers())?;
        let (method, uri, headers) =
            (request.method().clone(), request.uri().clone(), request.headers().clone());
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| bytes_problem(rejection.status(), rejection.body_text()))?;
        let fingerprint = match &key {
            // Without a key nothing is compared.
            None => [0; 32],
            Some(_) if body.len() <= MAX_BODY => fingerprint::of(&method, &uri, &body),
            // Long enough to hold up other requests.
            Some(_) => {
                let body = body.clone();
                let hash = tokio::task::spawn_blocking(move || fingerprint::of(&method, &uri, &body));
                hash.await.map_err(ApiError::internal)?
            }
        };
        Ok(Self { key, fingerprint, headers, body, kind: PhantomData })
    }
}

fn key<O: Operation>(headers: &HeaderMap) -> ApiResult<Option<OperationId>> {
    let mut values = headers.get_all(KEY).iter();
    match (values.next(), values.next()) {
        (None, _) if O::REQUIRED => {
            let detail = format!(
                "This call needs an Idempotency-Key, so that it can be repeated safely: `{}:<id>:<uuid>`.",
                O::NAME
            );
            Err(ApiError::new(Code::IdempotencyKeyMissing, detail))
        }
        (None, _) => Ok(None),
        (Some(value), None) => OperationId::parse(O::NAME, value.to_str().unwrap_or_default()).map(Some),
        (Some(_), Some(_)) => {
            Err(ApiError::new(Code::IdempotencyKeyInvalid, "Send one Idempotency-Key, not several."))
        }
    }
}

impl<O: Operation, T: DeserializeOwned + Send> Idempotent<O, Json<T>> {
    /// The same call as `POST path` with this key and body, for a page's form.
    ///
    /// # Errors
    /// `idempotency_key_invalid`.
    pub(crate) fn of_form(key: &str, path: &str, body: &serde_json::Value) -> ApiResult<Self> {
        let key = OperationId::parse(O::NAME, key)?;
        let body = Bytes::from(body.to_string());
        let uri = path.parse().map_err(ApiError::internal)?;
        let fingerprint = fingerprint::of(&Method::POST, &uri, &body);
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
        Ok(Self { key: Some(key), fingerprint, headers, body, kind: PhantomData })
    }
}

impl<O: Operation, B: Payload> Idempotent<O, B> {
    /// Answers the call: with what `work` answers, or with what was answered before. Only the tenant that an
    /// extractor found goes in here.
    ///
    /// # Errors
    /// `idempotency_key_reused`, `idempotency_in_progress`, or what `work` returns.
    pub async fn run<T, W, F>(self, app: &AppState, organiser: OrganiserId, work: W) -> ApiResult<Response>
    where
        W: FnOnce(B, Attempt) -> F,
        F: Future<Output = ApiResult<T>>,
        T: IntoResponse,
    {
        let Self { key, fingerprint, headers, body, .. } = self;
        let Some(operation_id) = key else {
            let body = B::read(&headers, body)?;
            return work(body, Attempt::without_key()).await.map(IntoResponse::into_response);
        };
        match app.idempotency().begin(organiser, O::NAME, operation_id, fingerprint).await? {
            Begun::Answered(answer) => answer.replay(),
            Begun::Claimed(claim) => {
                let result = match B::read(&headers, body) {
                    Ok(body) => work(body, claim.attempt()).await,
                    Err(error) => Err(error),
                };
                claim.end(result).await
            }
        }
    }
}

//! Error answers: RFC 9457 `application/problem+json`, each with a stable code.
//!
//! Two kinds of error meet here. What a client may know is an [`ApiError`] with a [`Code`] and a detail
//! that tells what to do. Everything else becomes `internal_error`; its cause goes to the log only.

mod codes;

use std::error::Error as StdError;

use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::db::DbError;
use super::request_id;

pub use codes::Code;

/// The longest answer that a page reads, in bytes.
const MAX_ANSWER: usize = 1_024 * 1_024;

/// One thing wrong with what was sent, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Issue {
    /// Where: a CSV row counted from 1 (the header is row 1), where there are rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Where: a column or field name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// The body of every error answer (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status code.
    pub status: u16,
    /// The stable code programs branch on.
    pub code: &'static str,
    /// What happened and what to do next.
    pub detail: String,
    /// The request id, to quote when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether the same request may be sent again as it is; left out where that says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Each thing that is wrong, where there may be several. At most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
}

/// A request that fails.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    detail: String,
    issues: Vec<Issue>,
    retry_after_seconds: Option<i64>,
    retryable: Option<bool>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a handler or service returns.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error with a detail that tells the caller what to do.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (issues, detail) = (Vec::new(), detail.into());
        Self { code, detail, issues, retry_after_seconds: None, retryable: None, cause: None }
    }

    /// One field that is wrong: 422 `invalid_field`.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let issue = Issue { row: None, field: Some(field.to_owned()), message: message.clone() };
        Self::new(Code::InvalidField, format!("{field}: {message}")).with_issues(vec![issue])
    }

    /// A failure of the server; `cause` is logged, never sent.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let detail =
            "The server failed. Nothing was changed; try again, and quote the request id if it stays so.";
        Self { cause: Some(cause.into()), ..Self::new(Code::InternalError, detail) }
    }

    /// Adds the list of what is wrong.
    #[must_use]
    pub fn with_issues(self, issues: Vec<Issue>) -> Self {
        Self { issues, ..self }
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// Says that the same request may be sent again as it is.
    #[must_use]
    pub fn retryable(self) -> Self {
        Self { retryable: Some(true), ..self }
    }

    /// What is wrong, item by item.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// What happened and what to do next.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What a call through [`Idempotent`](super::idempotency::Idempotent) answered, for a page: its JSON, or the
    /// refusal that it is, which was kept as an answer.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) async fn of_answer(response: Response) -> ApiResult<Value> {
        let is_success = response.status().is_success();
        let body = to_bytes(response.into_body(), MAX_ANSWER).await.map_err(Self::internal)?;
        let answer: Value = serde_json::from_slice(&body).map_err(Self::internal)?;
        if is_success {
            return Ok(answer);
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let code = Code::ALL.iter().find(|code| answer["code"] == code.as_str()).copied();
        let issues = answer["issues"].as_array().into_iter().flatten().map(|issue| Issue {
            row: None,
            field: issue["field"].as_str().map(str::to_owned),
            message: text(&issue["message"]),
        });
        let error = Self::new(code.unwrap_or(Code::InternalError), text(&answer["detail"]));
        Err(error.with_issues(issues.collect()))
    }

    /// The failure of the database behind it, if it is one.
    pub(crate) fn database(&self) -> Option<&DbError> {
        self.cause.as_deref()?.downcast_ref()
    }

    /// Whether the request itself is at fault, and not the server.
    #[must_use]
    pub fn is_the_callers(&self) -> bool {
        self.code.status().is_client_error()
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl StdError for ApiError {}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Closed => {
                Self::new(Code::ShuttingDown, "The server is shutting down. Try again in a moment.")
                    .retry_after(2)
            }
            DbError::Busy(_) | DbError::TimedOut(_) => {
                let detail = "The server has too much to do. Nothing was changed; try again in a moment.";
                Self { cause: Some(Box::new(error)), ..Self::new(Code::Busy, detail).retry_after(1) }
            }
            other => Self::internal(other),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.code.status();
        if let Some(cause) = &self.cause {
            tracing::error!(code = self.code.as_str(), cause = cause.to_string(), "request failed");
        }
        let problem = Problem {
            kind: format!("urn:liventix:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: self.detail,
            request_id: request_id::current(),
            retryable: self.retryable,
            issues: self.issues,
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

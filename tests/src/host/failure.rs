//! Errors of the host, in the form of every other Liventix error.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use liventix_core::sync::wire::Problem;

/// Why a request could not be answered.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Failure {
    /// There is no such thing.
    pub(super) fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code, detail: detail.into() }
    }

    /// A server did not do what it was asked for.
    pub(super) fn server(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_GATEWAY, code: "server_failed", detail: detail.into() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: self.code.to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail,
            request_id: None,
        };
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, Json(problem)).into_response()
    }
}

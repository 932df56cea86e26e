//! Answers that are kept and given again, byte for byte.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::platform::problem::{ApiError, ApiResult, Code};

/// Says that an answer was given before, and nothing was done now.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// What belongs to an answer. The other headers belong to the connection, or to the request at hand.
const KEPT: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::CONTENT_DISPOSITION];
/// Our own answers are far shorter.
const MAX_BODY: usize = 16 * 1_024 * 1_024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    head: Head,
    body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// A JSON body, as `axum::Json` writes it.
    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> ApiResult<Self> {
        let headers = vec![(header::CONTENT_TYPE.to_string(), "application/json".to_owned())];
        let body = serde_json::to_vec(body).map_err(ApiError::internal)?;
        Ok(Self { head: Head { status: status.as_u16(), headers }, body })
    }

    /// Reads a response to its end.
    pub(super) async fn of(response: Response) -> ApiResult<Self> {
        let (parts, body) = response.into_parts();
        let kept = |name: &HeaderName| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        };
        let headers = KEPT.iter().filter_map(kept).collect();
        let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(ApiError::internal)?;
        Ok(Self { head: Head { status: parts.status.as_u16(), headers }, body: body.into() })
    }

    /// As it was.
    pub(super) fn into_response(self) -> ApiResult<Response> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.head.status).map_err(ApiError::internal)?;
        for (name, value) in self.head.headers {
            let name: HeaderName = name.parse().map_err(ApiError::internal)?;
            response.headers_mut().insert(name, value.parse().map_err(ApiError::internal)?);
        }
        Ok(response)
    }

    /// As it was, and marked as given again.
    pub(super) fn replay(self) -> ApiResult<Response> {
        let mut response = self.into_response()?;
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }

    /// As bytes, for sealing: the head as one line of JSON, then the body.
    pub(super) fn pack(&self) -> ApiResult<Vec<u8>> {
        let mut bytes = serde_json::to_vec(&self.head).map_err(ApiError::internal)?;
        bytes.push(b'\n');
        bytes.extend(&self.body);
        Ok(bytes)
    }

    pub(super) fn unpack(bytes: &[u8]) -> ApiResult<Self> {
        let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
        let head = serde_json::from_slice(parts.next().unwrap_or_default()).map_err(ApiError::internal)?;
        Ok(Self { head, body: parts.next().unwrap_or_default().to_vec() })
    }
}

/// Whether an answer settles the operation. Not if the server failed (it may do better next time), nor if the
/// request did not get as far as being tried: unreadable, of another type, too large, too often.
pub(super) fn is_final(status: StatusCode) -> bool {
    let untried = [
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    !status.is_server_error() && !untried.contains(&status)
}

/// Whether a failure does. What clashed with a change at the same moment is to be tried again.
pub(super) fn settles(error: &ApiError) -> bool {
    is_final(error.code().status()) && error.code() != Code::StatusConflict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_byte_for_byte() {
        let head = Head { status: 201, headers: vec![("etag".into(), "\"a\nb\"".into())] };
        for body in [b"".to_vec(), b"\n\n{}\n".to_vec(), (0..=255).collect()] {
            let answer = Answer { head: head.clone(), body };
            assert_eq!(Answer::unpack(&answer.pack().unwrap()).unwrap(), answer);
        }
        assert!(Answer::unpack(b"nonsense").is_err());
    }
}

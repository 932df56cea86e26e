//! What carries a request to the server and its answer back. The sync engine does no I/O itself.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use secrecy::SecretString;

/// The most bytes an answer may have. A full manifest page has about 2 MB of JSON.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Writes; every POST of the protocols except enrolment may be repeated safely.
    Post,
    /// Says how something is from now on; may be repeated safely.
    Put,
    /// Takes something back; may be repeated safely.
    Delete,
}

/// One request to the server.
#[derive(Clone)]
pub struct Request {
    /// Read or write.
    pub method: Method,
    /// Path and query below the server's base URL, starting with `/`.
    pub path: String,
    /// The token of the device or wallet, for every call but enrolment and time.
    pub bearer: Option<SecretString>,
    /// A JSON body.
    pub body: Option<Vec<u8>>,
    /// Give up after this long, counted from the first byte sent to the last received.
    pub timeout: Duration,
}

impl fmt::Debug for Request {
    /// Without the body, which may hold an enrolment code or a ticket's link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The server's answer, whatever its status.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Whether the `content-type` says JSON (`application/json`, `application/problem+json`).
    pub is_json: bool,
    /// How long the `retry-after` header asks to wait.
    pub retry_after: Option<Duration>,
    /// The body, decompressed, at most [`MAX_ANSWER_BYTES`].
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    /// Without the body, which may hold a token or keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("is_json", &self.is_json)
            .field("retry_after", &self.retry_after)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The server was not reached: no network, unknown host, connection refused. Nothing was sent.
    #[error("the server was not reached: {detail}")]
    Unreachable {
        /// The cause, for the log.
        detail: String,
    },
    /// No complete answer in time. The server may have acted on the request.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke off. The server may have acted on the request.
    #[error("the connection broke off: {detail}")]
    Interrupted {
        /// The cause, for the log.
        detail: String,
    },
    /// The server's certificate was not accepted.
    #[error("no secure connection: {detail}")]
    Tls {
        /// The cause, for the log.
        detail: String,
    },
    /// The answer is larger than [`MAX_ANSWER_BYTES`].
    #[error("the answer is too large")]
    TooLarge,
    /// The request could not be formed: a base URL or a token with forbidden characters.
    #[error("the request could not be formed: {detail}")]
    Malformed {
        /// The cause, for the log.
        detail: String,
    },
}

/// Carries requests. Implementations do not retry: the engine does, and knows when it is safe.
pub trait Transport: Send + Sync {
    /// Sends one request and reads the whole answer. Dropping the future gives the request up.
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send;
}

impl<T: Transport> Transport for std::sync::Arc<T> {
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send {
        self.as_ref().send(request)
    }
}

/// Leads to servers by their base URL: a wallet may hold tickets of several. Any function that makes a
/// transport is one, for example `HttpTransport::new`.
pub trait Connect: Send + Sync {
    /// What carries the requests.
    type Transport: Transport;

    /// A transport to the server at `base_url`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`TransportError`] if no transport can be made.
    fn connect(&self, base_url: &str) -> Result<Self::Transport, TransportError>;
}

impl<T: Transport, F: Fn(&str) -> Result<T, TransportError> + Send + Sync> Connect for F {
    type Transport = T;

    fn connect(&self, base_url: &str) -> Result<T, TransportError> {
        self(base_url)
    }
}

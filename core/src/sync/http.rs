//! The real transport: HTTP/1.1 over TLS by reqwest, rustls and ring.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, redirect};
use secrecy::ExposeSecret;

use super::transport::{MAX_ANSWER_BYTES, Method, Request, Response, Transport, TransportError};
use crate::resilience::parse_retry_after;

/// Names and TLS handshakes on a crowded venue network take their time, but not more than this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Kept warm between syncs, so that time probes measure the network and not a handshake.
const IDLE_CONNECTION: Duration = Duration::from_secs(90);

/// Talks to one server over HTTP, with connections kept open, gzip answers and no redirects.
///
/// A redirect never comes from a Liventix server: it is the venue's sign-in page, and following it
/// would hand the device token to a stranger.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    base_url: String,
}

impl HttpTransport {
    /// A transport for the server at `base_url` (from [`super::EnrolmentCode::base_url`]
    /// or [`crate::wallet::ClaimLink::base_url`]).
    ///
    /// TLS uses ring and the system's certificate store (on Android, Mozilla's list, compiled in), for this
    /// client alone: no process-wide crypto provider is installed or needed.
    ///
    /// # Errors
    /// [`TransportError::Tls`] if the system offers no certificates to check servers with.
    pub fn new(base_url: &str) -> Result<Self, TransportError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls_config()?)
            .user_agent(concat!("liventix/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| TransportError::Tls { detail: root_cause(&error) })?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned() })
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let url = format!("{}{}", self.base_url, request.path);
        let mut builder = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
            Method::Put => self.client.put(url),
            Method::Delete => self.client.delete(url),
        };
        if let Some(token) = &request.bearer {
            builder = builder.bearer_auth(token.expose_secret());
        }
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut answer = builder.timeout(request.timeout).send().await.map_err(|error| classify(&error))?;
        let mut response = Response {
            status: answer.status().as_u16(),
            is_json: is_json(answer.headers()),
            retry_after: retry_after(answer.headers()),
            body: Vec::new(),
        };
        while let Some(chunk) = answer.chunk().await.map_err(|error| classify(&error))? {
            if response.body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(TransportError::TooLarge);
            }
            response.body.extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.exchange(request).await
    }
}

fn tls_config() -> Result<rustls::ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(trusting)
        .map_err(|error| TransportError::Tls { detail: error.to_string() })
}

type Builder = rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>;

/// Trusts what the system trusts.
#[cfg(not(target_os = "android"))]
fn trusting(builder: Builder) -> Result<rustls::ClientConfig, rustls::Error> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    builder.with_platform_verifier().map(|config| config.with_no_client_auth())
}

#[cfg(target_os = "android")]
use trusting_mozilla as trusting;

/// Trusts Mozilla's list of authorities, as it was when this was built.
#[cfg(any(target_os = "android", test))]
fn trusting_mozilla(builder: Builder) -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect::<rustls::RootCertStore>();
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json") || media.eq_ignore_ascii_case("application/problem+json")
}

/// A date in it is compared with the server's own: the phone's clock may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let now_ms = text(DATE).and_then(|date| parse_retry_after(date, 0)).unwrap_or(u64::MAX);
    let wait_ms = parse_retry_after(text(RETRY_AFTER)?, i64::try_from(now_ms).unwrap_or(i64::MAX))?;
    Some(Duration::from_millis(wait_ms))
}

fn classify(error: &reqwest::Error) -> TransportError {
    let detail = root_cause(error);
    if is_tls(error) {
        TransportError::Tls { detail }
    } else if error.is_builder() {
        TransportError::Malformed { detail }
    } else if error.is_connect() {
        // Also a timeout of the connect itself: nothing was sent.
        TransportError::Unreachable { detail }
    } else if error.is_timeout() {
        TransportError::Timeout
    } else {
        TransportError::Interrupted { detail }
    }
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        cause.downcast_ref::<rustls::Error>().is_some()
            // tokio-rustls hands TLS failures up inside an I/O error.
            || cause
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref)
                .is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some())
    })
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// What it comes down to, in words for people: the innermost cause. The whole chain goes to the log;
/// the URL (path, never a token) is part of it.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let chain: Vec<String> = causes(error).map(ToString::to_string).collect();
    tracing::debug!(error = chain.join(": "), "request failed");
    chain.last().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_for_android_can_be_used() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider);
        assert!(trusting_mozilla(builder.with_safe_default_protocol_versions().unwrap()).is_ok());
    }

    #[test]
    fn a_retry_date_counts_from_the_server_s_own_date() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::ZERO), "no date to compare with");
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(60)));
    }
}

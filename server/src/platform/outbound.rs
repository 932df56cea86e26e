//! Calls to other services: TLS, and one client for all, with bounds.

use std::sync::Arc;
use std::time::Duration;

use rustls_platform_verifier::BuilderVerifierExt as _;

/// How long a call may take, from its beginning to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// TLS as everywhere in Liventix, checked against the system's authorities.
///
/// # Errors
/// When those cannot be had.
pub fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(rustls::ConfigBuilder::with_platform_verifier)
        .map(|config| config.with_no_client_auth())
}

/// An HTTP client that trusts what the system trusts, follows nobody elsewhere and waits for nobody long.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls().map_err(|error| error.to_string())?)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .user_agent(concat!("liventix/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}

/// Why a call got no answer, without the address that was called.
#[must_use]
pub fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "It did not answer in time.".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_connect() {
        format!("It cannot be reached: {cause}.")
    } else {
        format!("The call broke: {cause}.")
    }
}

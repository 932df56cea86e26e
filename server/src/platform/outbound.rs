//! Calls to other services: TLS, and one client for all, with bounds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use super::config::ConfigError;

/// How long a call may take, from its beginning to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// TLS as everywhere in Liventix, checked against the system's authorities.
///
/// # Errors
/// When those cannot be had.
pub fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    tls_with(Vec::new())
}

/// The same, where the word of `authorities` counts as well.
///
/// # Errors
/// As [`tls`].
pub fn tls_with(authorities: Vec<CertificateDer<'static>>) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(&provider))?;
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// An HTTP client that trusts what the system trusts, follows nobody elsewhere and waits for nobody long.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client() -> Result<reqwest::Client, String> {
    let tls = tls().map_err(|error| error.to_string())?;
    builder(tls).build().map_err(|error| error.to_string())
}

/// The same, to be set further.
pub fn builder(tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .user_agent(concat!("liventix/", env!("CARGO_PKG_VERSION")))
}

/// The certificates of authorities in a file (PEM) that the setting `key` names.
///
/// # Errors
/// When it cannot be read, or has none.
pub fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let wrong =
        |reason: String| ConfigError::new(key, format!("must be a file of certificates (PEM): {reason}"));
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(wrong("it has none".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(error.to_string())),
    }
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

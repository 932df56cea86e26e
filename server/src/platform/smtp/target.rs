//! Which mail server, and how it is spoken to: what `smtp_url` says.

use std::path::Path;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use reqwest::Url;
use rustls::pki_types::ServerName;

use super::super::config::{ConfigError, is_near};
use super::super::outbound;

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// From its first byte.
    Always,
    /// After `STARTTLS` (RFC 3207), before anything else is said.
    Required,
    /// The same, if the server offers it.
    IfOffered,
    /// Never.
    Never,
}

/// A mail server.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    pub(super) credentials: Option<Credentials>,
    /// What we call ourselves.
    pub(super) hello: ClientId,
    pub(super) tls: TlsParameters,
    /// For one step.
    pub(super) timeout: Duration,
}

fn wrong(reason: &str) -> ConfigError {
    ConfigError::new("smtp_url", reason)
}

/// Checks that `url` names a mail server, and that nothing would leave this machine in the open.
pub(in super::super) fn check(url: &str) -> Result<(), ConfigError> {
    parse(url).map(drop)
}

fn parse(url: &str) -> Result<(Url, Encryption), ConfigError> {
    let unlike = "must be smtps://user:password@host:465, or smtp://user:password@host:587?tls=required";
    let url = Url::parse(url).map_err(|_| wrong(unlike))?;
    let tls: Vec<String> =
        url.query_pairs().filter(|(key, _)| key == "tls").map(|(_, how)| how.into_owned()).collect();
    let encryption = match (url.scheme(), tls.first().map(String::as_str), tls.len()) {
        ("smtps", ..) => Encryption::Always,
        ("smtp", Some("required"), 1) => Encryption::Required,
        ("smtp", Some("opportunistic"), 1) => Encryption::IfOffered,
        ("smtp", None, _) => Encryption::Never,
        _ => return Err(wrong(unlike)),
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong(unlike));
    }
    if matches!(encryption, Encryption::IfOffered | Encryption::Never) && !is_near(&url) {
        return Err(wrong("would send mails in the open: use smtps://… or add ?tls=required"));
    }
    Ok((url, encryption))
}

impl Target {
    pub(super) fn new(url: &str, ca_file: Option<&Path>, timeout: Duration) -> Result<Self, ConfigError> {
        let (url, encryption) = parse(url)?;
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
        ServerName::try_from(host.clone()).map_err(|_| wrong("names no host"))?;
        let port = url.port().unwrap_or(match encryption {
            Encryption::Always => 465,
            Encryption::Required | Encryption::IfOffered => 587,
            Encryption::Never => 25,
        });
        let credentials =
            url.password().map(|password| Ok(Credentials::new(decode(url.username())?, decode(password)?)));
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST),
            name if name.bytes().all(|byte| byte.is_ascii_graphic()) => ClientId::Domain(name.to_owned()),
            _ => return Err(wrong("has a path that is no name of a host")),
        };
        let mut tls = TlsParameters::builder(host.clone());
        for authority in
            ca_file.map(|path| outbound::certificates("smtp_ca_file", path)).transpose()?.unwrap_or_default()
        {
            let unusable = |error| ConfigError::new("smtp_ca_file", format!("cannot be used: {error}"));
            tls = tls.add_root_certificate(Certificate::from_der(authority.to_vec()).map_err(unusable)?);
        }
        let tls = tls.build_rustls().map_err(|error| wrong(&format!("no TLS with it: {error}")))?;
        Ok(Self { host, port, encryption, credentials: credentials.transpose()?, hello, tls, timeout })
    }
}

fn decode(text: &str) -> Result<String, ConfigError> {
    // A form is decoded as an address is, but for these.
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let decoded = form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned());
    let decoded = decoded.unwrap_or_default();
    if decoded.contains('\0') {
        return Err(wrong("has a user or a password with a sign that none has"));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, ConfigError> {
        Target::new(url, None, Duration::from_secs(1))
    }

    #[test]
    fn an_address_says_how() {
        for (url, host, port, encryption) in [
            ("smtps://mail.example.org", "mail.example.org", 465, Encryption::Always),
            ("smtp://mail.example.org?tls=required", "mail.example.org", 587, Encryption::Required),
            ("smtp://mail.example.org:2525?tls=required", "mail.example.org", 2525, Encryption::Required),
            ("smtp://localhost", "localhost", 25, Encryption::Never),
            ("smtp://[::1]:26", "::1", 26, Encryption::Never),
            ("smtp://127.0.0.1?tls=opportunistic", "127.0.0.1", 587, Encryption::IfOffered),
        ] {
            let target = target(url).unwrap();
            assert_eq!((target.host.as_str(), target.port, target.encryption), (host, port, encryption));
            assert!(target.credentials.is_none());
        }
    }

    #[test]
    fn a_user_and_a_name_of_our_own_are_taken_from_it() {
        let target =
            target("smtps://ida%40example.org:p%25+%26=w@mail.example.org/tickets.example.org").unwrap();
        let expected = Credentials::new("ida@example.org".to_owned(), "p%+&=w".to_owned());
        assert!(target.credentials.unwrap() == expected);
        assert_eq!(target.hello.to_string(), "tickets.example.org");
    }

    #[test]
    fn what_would_go_in_the_open_is_refused() {
        for url in [
            "http://localhost",
            "smtp://",
            "smtp://mail.example.org",
            "smtp://mail.example.org?tls=opportunistic",
            "smtp://mail.example.org?x=tls=required",
            "smtp://mail.example.org?tls=opportunistic&tls=required",
            "smtp://localhost.example.org",
        ] {
            assert_eq!(target(url).err().unwrap().key, "smtp_url", "{url}");
        }
        let missing = Target::new("smtps://mail.example.org", Some(Path::new("/nowhere")), TIMEOUT);
        assert_eq!(missing.err().unwrap().key, "smtp_ca_file");
    }

    const TIMEOUT: Duration = Duration::from_secs(1);
}

//! The enrolment code: what the organiser's QR says and a new device reads.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::address::{self, AddressError};

/// What every enrolment QR starts with.
pub const PREFIX: &str = "LIVENTIX-ENROL:";
/// No enrolment text is longer: bounds the work on whatever a scanner read.
const MAX_TEXT: usize = 512;
/// No one-time code is longer.
const MAX_CODE: usize = 128;

/// A server to enrol at and the one-time code that it wants to see: `LIVENTIX-ENROL:<base url>#<code>`.
#[derive(Clone)]
pub struct EnrolmentCode {
    base_url: String,
    code: SecretString,
}

/// A text is not an enrolment code, or not a safe one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentCodeError {
    /// Something else was read.
    #[error("this is not an enrolment code: show the QR from the organiser's Devices page")]
    NotAnEnrolmentCode,
    /// It starts like one, but its address or its one-time part is damaged.
    #[error("the enrolment code is damaged ({part}): read it again, or make a new one")]
    Damaged {
        /// Which part.
        part: &'static str,
    },
    /// A public server without TLS: the device token and the event keys would travel in the open.
    #[error(
        "the server {host} is addressed by http, so that anyone on the network could take the event's \
         keys: use https, or allow http explicitly on a network you trust"
    )]
    Insecure {
        /// The host.
        host: String,
    },
}

impl EnrolmentCodeError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAnEnrolmentCode => "not_an_enrolment_code",
            Self::Damaged { .. } => "enrolment_code_damaged",
            Self::Insecure { .. } => "enrolment_insecure",
        }
    }
}

impl From<AddressError> for EnrolmentCodeError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Damaged => Self::Damaged { part: "address" },
            AddressError::Insecure { host } => Self::Insecure { host },
        }
    }
}

impl EnrolmentCode {
    /// Reads an enrolment text. White space anywhere is ignored (mail programs break lines), and
    /// so is the case of the prefix, the scheme and the host.
    ///
    /// Plain `http` is accepted for loopback, private and `.local` hosts only, unless `allow_http`.
    ///
    /// # Errors
    /// [`EnrolmentCodeError`]: something else, damaged, or insecure.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, EnrolmentCodeError> {
        if text.len() > MAX_TEXT {
            return Err(EnrolmentCodeError::NotAnEnrolmentCode);
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let rest = address::strip_prefix_ignoring_case(&text, PREFIX)
            .ok_or(EnrolmentCodeError::NotAnEnrolmentCode)?;
        let (url, code) = rest.rsplit_once('#').ok_or(EnrolmentCodeError::Damaged { part: "no code" })?;
        let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        if code.is_empty() || code.len() > MAX_CODE || !code.chars().all(is_code) {
            return Err(EnrolmentCodeError::Damaged { part: "code" });
        }
        Ok(Self { base_url: address::check(url, allow_http)?, code: SecretString::from(code) })
    }

    /// Where the server is: scheme, host, port and path, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The one-time code. Secret until it is used.
    #[must_use]
    pub const fn secret(&self) -> &SecretString {
        &self.code
    }

    /// The text for the QR, secret and all.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        SecretString::from(format!("{PREFIX}{}#{}", self.base_url, self.code.expose_secret()))
    }
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentCode").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, String), EnrolmentCodeError> {
        EnrolmentCode::parse(text, false)
            .map(|c| (c.base_url().to_owned(), c.secret().expose_secret().to_owned()))
    }

    #[test]
    fn reads_what_the_server_prints_and_what_people_make_of_it() {
        let expected = Ok(("https://tickets.example.org".to_owned(), "AbC-123_x".to_owned()));
        for text in [
            "LIVENTIX-ENROL:https://tickets.example.org#AbC-123_x",
            "  liventix-enrol:HTTPS://Tickets.Example.org/#AbC-123_x\r\n",
            "LIVENTIX-ENROL:\n https://tickets.\n example.org#AbC-\t123_x",
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
        let (url, _) = parse("LIVENTIX-ENROL:https://example.org:8443/liventix/#c").unwrap();
        assert_eq!(url, "https://example.org:8443/liventix");
    }

    #[test]
    fn plain_http_is_for_near_hosts_only() {
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:80", "192.168.1.4", "10.0.0.9", "door.local"]
        {
            assert!(parse(&format!("LIVENTIX-ENROL:http://{host}#c")).is_ok(), "{host}");
        }
        for host in
            ["example.org", "8.8.8.8", "127.0.0.1.example.org", "[2001:db8::1]", "localhost.example.org"]
        {
            let text = format!("LIVENTIX-ENROL:http://{host}#c");
            assert!(matches!(parse(&text), Err(EnrolmentCodeError::Insecure { .. })), "{host}");
            assert!(EnrolmentCode::parse(&text, true).is_ok(), "{host}");
        }
    }

    #[test]
    fn refuses_everything_else_without_a_panic() {
        assert_eq!(parse("LX1:ABC"), Err(EnrolmentCodeError::NotAnEnrolmentCode));
        assert_eq!(parse(&"L".repeat(10_000)), Err(EnrolmentCodeError::NotAnEnrolmentCode));
        assert_eq!(parse("ŁIVENTIX-ENROŁ:https://a#b"), Err(EnrolmentCodeError::NotAnEnrolmentCode));
        for text in [
            "",
            "#",
            "ftp://a#b",
            "https://#b",
            "https://a",
            "https://a#",
            "https://a:99999#b",
            "https://a:0#b",
            "https://user@a#b",
            "https://a?x=1#b",
            "https://[::1#b",
            "https://a:b:c#d",
            "https://[a]#b",
            "https://a#b c#ü",
            "https://a%20b#c",
        ] {
            let result = parse(&format!("LIVENTIX-ENROL:{text}"));
            assert!(matches!(result, Err(EnrolmentCodeError::Damaged { .. })), "{text}: {result:?}");
        }
    }

    #[test]
    fn never_shows_its_secret() {
        let code = EnrolmentCode::parse("LIVENTIX-ENROL:https://a.example#topsecret", false).unwrap();
        assert!(!format!("{code:?}").contains("topsecret"));
        let text = code.to_text();
        assert!(EnrolmentCode::parse(text.expose_secret(), false).is_ok());
    }
}

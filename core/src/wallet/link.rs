//! The ticket link: what an attendee gets by mail and opens on their phone.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::ids::TicketId;
use crate::sync::address::{self, AddressError};

/// Between the server's address and the token.
const PATH: &str = "/t/";
/// What every token of a ticket link starts with.
pub const TOKEN_PREFIX: &str = "lxt_";
/// Ticket id as hex, `_`, 32 bytes as base64url.
const TOKEN_BYTES: usize = TOKEN_PREFIX.len() + 32 + 1 + 43;
/// No link is longer, with what mail programs hang on to it: bounds the work on whatever was pasted.
const MAX_TEXT: usize = 2_048;

/// A ticket at a server, and the secret that opens it: `<base url>/t/lxt_<ticket id>_<secret>`.
#[derive(Clone)]
pub struct ClaimLink {
    base_url: String,
    ticket_id: TicketId,
    token: SecretString,
}

/// A text is not a ticket link, or not a safe one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimLinkError {
    /// Something else was opened.
    #[error("this is not a ticket link: open the link from the organiser's mail")]
    NotATicketLink,
    /// It looks like one, but its address or its secret part is damaged.
    #[error("the ticket link is damaged ({part}): copy the whole link from the mail and open it again")]
    Damaged {
        /// Which part.
        part: &'static str,
    },
    /// A public server without TLS: the ticket would travel in the open.
    #[error(
        "the server {host} is addressed by http, so that anyone on the network could take the ticket: \
         ask the organiser for an https link"
    )]
    Insecure {
        /// The host.
        host: String,
    },
}

impl ClaimLinkError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotATicketLink => "not_a_ticket_link",
            Self::Damaged { .. } => "ticket_link_damaged",
            Self::Insecure { .. } => "ticket_link_insecure",
        }
    }
}

impl From<AddressError> for ClaimLinkError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Damaged => Self::Damaged { part: "address" },
            AddressError::Insecure { host } => Self::Insecure { host },
        }
    }
}

impl ClaimLink {
    /// Reads a ticket link. White space anywhere, `<…>` around it, and a query or fragment that a mail
    /// program hung on to it are ignored, and so is the case of scheme and host.
    ///
    /// Plain `http` is accepted for loopback, private and `.local` hosts only, unless `allow_http`.
    ///
    /// # Errors
    /// [`ClaimLinkError`]: something else, damaged, or insecure.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, ClaimLinkError> {
        if text.len() > MAX_TEXT {
            return Err(ClaimLinkError::NotATicketLink);
        }
        let plain: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect());
        let plain = plain.trim_start_matches('<').trim_end_matches('>');
        let plain = plain.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let (url, token) = plain.rsplit_once(PATH).ok_or(ClaimLinkError::NotATicketLink)?;
        if !token.starts_with(TOKEN_PREFIX) {
            return Err(ClaimLinkError::NotATicketLink);
        }
        let ticket_id = ticket_of(token).ok_or(ClaimLinkError::Damaged { part: "token" })?;
        // Pasted twice: what is kept and logged as the server's address would hold the secret.
        if url.to_ascii_lowercase().contains(TOKEN_PREFIX) {
            return Err(ClaimLinkError::Damaged { part: "two links in one" });
        }
        Ok(Self { base_url: address::check(url, allow_http)?, ticket_id, token: SecretString::from(token) })
    }

    /// Where the server is: scheme, host, port and path, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The ticket.
    #[must_use]
    pub const fn ticket_id(&self) -> TicketId {
        self.ticket_id
    }

    /// What the server wants to see. Whoever has it can claim the ticket.
    #[must_use]
    pub const fn token(&self) -> &SecretString {
        &self.token
    }

    /// The link again, secret and all.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        SecretString::from(format!("{}{PATH}{}", self.base_url, self.token.expose_secret()))
    }
}

impl fmt::Debug for ClaimLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimLink")
            .field("base_url", &self.base_url)
            .field("ticket_id", &self.ticket_id)
            .finish_non_exhaustive()
    }
}

/// The ticket a well-formed token names.
fn ticket_of(token: &str) -> Option<TicketId> {
    if token.len() != TOKEN_BYTES {
        return None;
    }
    let (id, secret) = token.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
    let secret = Zeroizing::new(BASE64URL_NOPAD.decode(secret.as_bytes()).ok()?);
    let id: [u8; 16] = HEXLOWER.decode(id.as_bytes()).ok()?.try_into().ok()?;
    (secret.len() == 32).then(|| TicketId::from_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "lxt_0198f5c27a007c3e9b1d4e6f8091a2b3_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

    fn parse(text: &str) -> Result<(String, String), ClaimLinkError> {
        ClaimLink::parse(text, false)
            .map(|link| (link.base_url().to_owned(), link.token().expose_secret().to_owned()))
    }

    #[test]
    fn reads_what_the_server_prints_and_what_mail_programs_make_of_it() {
        let expected = Ok(("https://tickets.example.org".to_owned(), TOKEN.to_owned()));
        let (start, end) = TOKEN.split_at(30);
        for text in [
            format!("https://tickets.example.org/t/{TOKEN}"),
            format!("  <HTTPS://Tickets.Example.org/t/{start}\r\n {end}>\n"),
            format!("https://tickets.example.org/t/{TOKEN}/?utm_source=mail&x=/t/#top"),
        ] {
            assert_eq!(parse(&text), expected, "{text:?}");
        }
        let (url, _) = parse(&format!("https://example.org:8443/t/liventix/t/{TOKEN}")).unwrap();
        assert_eq!(url, "https://example.org:8443/t/liventix");
    }

    #[test]
    fn plain_http_is_for_near_hosts_only() {
        for (host, near) in [("127.0.0.1:8080", true), ("door.local", true), ("example.org", false)] {
            let text = format!("http://{host}/t/{TOKEN}");
            assert_eq!(ClaimLink::parse(&text, false).is_ok(), near, "{host}");
            assert!(ClaimLink::parse(&text, true).is_ok(), "{host}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let not_a_link = [
            String::new(),
            "https://example.org/".to_owned(),
            "https://example.org/t/".to_owned(),
            TOKEN.to_owned(),
            "LX1:ABC".to_owned(),
            format!("https://example.org/t/{}", TOKEN.replacen("lxt", "lxw", 1)),
            format!("https://example.org/t/{TOKEN}{}", "x".repeat(MAX_TEXT)),
        ];
        for text in not_a_link {
            assert_eq!(parse(&text), Err(ClaimLinkError::NotATicketLink), "{text}");
        }
        let damaged = [
            format!("https://example.org/t/{}", &TOKEN[..TOKEN.len() - 1]),
            format!("https://example.org/t/{TOKEN}x"),
            format!("https://example.org/t/{}", TOKEN.replacen('f', "F", 1)),
            // The last symbol has two bits to spare: they must be zero.
            format!("https://example.org/t/{}d", &TOKEN[..TOKEN.len() - 1]),
            format!("https://user@example.org/t/{TOKEN}"),
            format!("ftp://example.org/t/{TOKEN}"),
            format!("/t/{TOKEN}"),
            // Pasted twice: the first token must not end up in the address, which is no secret.
            format!("https://example.org/t/{TOKEN}/t/{TOKEN}"),
            format!("https://example.org/t/{TOKEN} https://example.org/t/{TOKEN}"),
            format!("https://{TOKEN}.example.org/t/{TOKEN}"),
            format!("https://example.org/T/{}/t/{TOKEN}", TOKEN.to_uppercase()),
        ];
        for text in damaged {
            assert!(
                matches!(parse(&text), Err(ClaimLinkError::Damaged { .. })),
                "{text}: {:?}",
                parse(&text)
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn every_link_reads_back_and_nothing_else_panics(
            url in "https?://[a-z]{1,8}\\.local(:[1-9][0-9]{0,3})?(/[a-z/]{0,8}[a-z])?",
            id in proptest::prelude::any::<[u8; 16]>(),
            secret in proptest::prelude::any::<[u8; 32]>(),
            noise in "\\PC{0,4}",
            at in 0_usize..120,
        ) {
            let token = format!("lxt_{}_{}", HEXLOWER.encode(&id), BASE64URL_NOPAD.encode(&secret));
            let text = format!("{url}/t/{token}");
            let link = ClaimLink::parse(&text, false).unwrap();
            proptest::prop_assert_eq!(link.to_text().expose_secret().to_owned(), text.clone());
            proptest::prop_assert_eq!(link.base_url(), &url);
            proptest::prop_assert_eq!(link.ticket_id(), TicketId::from_bytes(id));
            let mut spoilt = text.clone();
            spoilt.insert_str(at.min(text.len()), &noise);
            if let Ok(other) = ClaimLink::parse(&spoilt, false) {
                let again = ClaimLink::parse(other.to_text().expose_secret(), false).unwrap();
                proptest::prop_assert_eq!(again.base_url(), other.base_url());
            }
        }
    }

    #[test]
    fn never_shows_its_secret() {
        let link = ClaimLink::parse(&format!("https://a.example/t/{TOKEN}"), false).unwrap();
        assert!(!format!("{link:?}").contains("BwcH"));
        let again = ClaimLink::parse(link.to_text().expose_secret(), false).unwrap();
        assert_eq!(again.ticket_id(), link.ticket_id());
    }
}

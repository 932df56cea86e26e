//! What a mail says, and the message that it becomes.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::header;
use crate::app::AppState;
use crate::platform::ids::EmailId;
use crate::platform::problem::{ApiError, ApiResult};

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// One line.
    pub(crate) subject: String,
    /// For those who read text; always there.
    pub(crate) text: String,
    /// For those who read HTML. None, where it could not be made: the text says the same.
    pub(crate) html: Option<String>,
    /// Pictures that the HTML shows, and files.
    pub(crate) parts: Vec<Part>,
    /// Where whoever wants no such mails says so (RFC 8058), for mails that nobody has to get.
    #[serde(default)]
    pub(crate) unsubscribe: Option<String>,
    /// What it was written with, if that is not simply ours.
    #[serde(default)]
    pub(crate) template: Option<String>,
}

/// A file in a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Its MIME type.
    pub(crate) kind: String,
    #[serde(with = "base64")]
    pub(crate) bytes: Vec<u8>,
    /// What the HTML calls it (`cid:`); none: it is attached.
    pub(crate) cid: Option<String>,
}

mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64.decode(String::deserialize(deserializer)?.as_bytes()).map_err(de::Error::custom)
    }
}

fn context(id: EmailId) -> Vec<u8> {
    [b"email ".as_slice(), id.as_bytes()].concat()
}

impl Content {
    /// As it is kept until it is sent: it holds tickets.
    pub(super) fn seal(&self, app: &AppState, id: EmailId) -> ApiResult<Vec<u8>> {
        let json = serde_json::to_vec(self).map_err(ApiError::internal)?;
        app.vault().seal(&context(id), &json).map_err(ApiError::internal)
    }

    pub(super) fn open(app: &AppState, id: EmailId, sealed: &[u8]) -> ApiResult<Self> {
        let json = app.vault().unseal(&context(id), sealed).map_err(ApiError::internal)?;
        serde_json::from_slice(json.expose_secret()).map_err(ApiError::internal)
    }
}

/// RFC 2369, 3.2.
#[derive(Debug, Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// That one `POST` there does it (RFC 8058, 3.1).
#[derive(Debug, Clone)]
struct OneClick;

impl OneClick {
    const VALUE: &str = "List-Unsubscribe=One-Click";
}

impl Header for OneClick {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), Self::VALUE.to_owned())
    }
}

/// A mail on its way: at every try the same, but for who takes it.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) id: EmailId,
    pub(super) from: &'a Mailbox,
    pub(super) to: Mailbox,
    pub(super) content: &'a Content,
    /// When it was written (UTC milliseconds).
    pub(super) at: i64,
}

impl Outgoing<'_> {
    /// The same for all tries, so that what comes twice can be told.
    pub(super) fn message_id(&self) -> String {
        format!("<{}@{}>", self.id, self.from.email.domain())
    }

    /// The headers that it has beside the usual ones.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Message-ID", self.message_id())];
        if let Some(address) = &self.content.unsubscribe {
            headers.push(("List-Unsubscribe", format!("<{address}>")));
            headers.push(("List-Unsubscribe-Post", OneClick::VALUE.to_owned()));
        }
        headers
    }

    /// The message (RFC 5322), with its parts (RFC 2045 and on).
    ///
    /// # Errors
    /// When a part has no MIME type, or a line cannot stand in a header.
    pub(super) fn message(&self) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
        let Content { subject, text, html, parts, unsubscribe, .. } = self.content;
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.at).unwrap_or_default());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .raw_header(header::subject(subject))
            .date(at)
            .message_id(Some(self.message_id()));
        if let Some(address) = unsubscribe {
            builder = builder.header(ListUnsubscribe(format!("<{address}>"))).header(OneClick);
        }
        let body = match html {
            Some(html) => MultiPart::alternative_plain_html(text.clone(), html.clone()),
            None => MultiPart::alternative().singlepart(SinglePart::plain(text.clone())),
        };
        let (mut related, mut mixed) = (MultiPart::related().multipart(body), Vec::new());
        for part in parts {
            let kind = ContentType::parse(&part.kind)?;
            match &part.cid {
                Some(cid) => {
                    let inline = Attachment::new_inline_with_name(cid.clone(), part.name.clone());
                    related = related.singlepart(inline.body(part.bytes.clone(), kind));
                }
                None => mixed.push(Attachment::new(part.name.clone()).body(part.bytes.clone(), kind)),
            }
        }
        let whole = mixed.into_iter().fold(MultiPart::mixed().multipart(related), MultiPart::singlepart);
        Ok(builder.multipart(whole)?)
    }
}

//! Ids of what only the server knows: UUIDv7 like those of the core, a type each.

use std::fmt;
use std::str::FromStr;

use liventix_core::entropy::Entropy;
use liventix_core::ids::{IdError, LedgerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::db::{FromValue, Value};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        // The core's ids are one type with many names: this is its reading, writing and making.
        pub struct $name(LedgerId);

        impl $name {
            /// A new one for the moment `unix_ms` (UTC milliseconds).
            #[must_use]
            pub fn generate(unix_ms: i64, entropy: &dyn Entropy) -> Self {
                Self(LedgerId::generate(unix_ms, entropy))
            }

            /// The id with these 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(LedgerId::from_bytes(bytes))
            }

            /// Its 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self).map_err(|_| IdError { kind: $kind })
            }
        }

        impl From<$name> for Value {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl FromValue for $name {
            fn from_value(value: &Value) -> Option<Self> {
                LedgerId::from_value(value).map(Self)
            }
        }
    };
}

id!(/// A person who signs in.
    UserId, "user id");
id!(/// One sign-in of a person, until it ends.
    SessionId, "session id");
id!(/// An invitation to an organiser.
    InvitationId, "invitation id");
id!(/// A link that signs somebody in.
    SignInLinkId, "sign-in link id");
id!(/// Something that scans tell beyond their verdicts.
    AnomalyId, "anomaly id");
id!(/// One entry of the audit trail.
    AuditId, "audit id");
id!(/// One job of a queue.
    JobId, "job id");
id!(/// One claim of jobs by a worker.
    LeaseId, "lease id");
id!(/// One alert, from its opening to its end.
    AlertId, "alert id");
id!(/// One message about an alert or an anomaly, to one channel.
    NoticeId, "notice id");
id!(/// What somebody buys at one go.
    OrderId, "order id");
id!(/// One payment of an order.
    PaymentId, "payment id");
id!(/// One call to a provider.
    CallId, "call id");
id!(/// One entry of the books.
    EntryId, "entry id");
id!(/// Money that goes back to a buyer.
    RefundId, "refund id");
id!(/// One mail.
    EmailId, "email id");
id!(/// An address that no mail goes to.
    SuppressionId, "suppression id");
id!(/// What mails were written for together.
    CauseId, "cause id");
id!(/// What an organiser writes to the buyers of an event.
    AnnouncementId, "announcement id");
id!(/// What an organiser tells the phones of an event's attendees.
    CampaignId, "campaign id");
id!(/// Money that goes on to an organiser.
    PayoutId, "payout id");
id!(/// What brings people to an event.
    AdCampaignId, "ad campaign id");
id!(/// One of the things that an advertising campaign shows.
    CreativeId, "creative id");
id!(/// Facts of one transaction that are to be counted.
    InboxId, "inbox id");
id!(/// What of several a fact is about: a ticket type, a gate.
    SubjectId, "subject id");
id!(/// One time that facts were counted.
    RoundId, "round id");
id!(/// A question that had no answer.
    FailureId, "failure id");

//! What callers send and get.

use liventix_core::ids::{TicketId, TicketTypeId};
use liventix_core::rules::TicketStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A ticket in a list: nothing in it lets anyone in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TicketView {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Its type.
    pub ticket_type_id: TicketTypeId,
    /// Where it stands.
    pub status: TicketStatus,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendee_name: Option<String>,
    /// Where to reach them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The order or booking it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When its current code was issued (UTC milliseconds).
    pub code_issued_at: i64,
    /// When that code stops being good (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_expires_at: Option<i64>,
    /// The key that signed it.
    pub code_key_id: u8,
    /// Whether the attendee's phone has activated live codes.
    pub live_activated: bool,
    /// Overrides the type's window start (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<i64>,
    /// Overrides the type's window end (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
    /// Overrides how many people the type admits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admits: Option<u16>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
}

/// A ticket with its codes. Whoever has them is let in.
#[derive(Clone, Serialize, ToSchema)]
pub struct TicketWithCode {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: TicketView,
    /// The text of its QR code.
    pub code: String,
    /// The same code for links: base64url without padding.
    pub code_base64url: String,
    /// For typing in where a QR code cannot be read.
    pub manual_code: String,
}

/// A request for a ticket.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// Its type.
    pub ticket_type_id: TicketTypeId,
    /// Who holds it (up to 120 characters).
    #[serde(default)]
    pub attendee_name: Option<String>,
    /// Where to reach them (up to 254 characters).
    #[serde(default)]
    pub email: Option<String>,
    /// The order or booking it belongs to (up to 80 characters).
    #[serde(default)]
    pub reference: Option<String>,
    /// Where it stands. An unpaid one does not enter until it is marked paid.
    #[serde(default)]
    pub status: TicketStatus,
    /// Overrides the type's window start (UTC milliseconds).
    #[serde(default)]
    pub valid_from: Option<i64>,
    /// Overrides the type's window end (UTC milliseconds).
    #[serde(default)]
    pub valid_until: Option<i64>,
    /// Overrides how many people the type admits (1 to 1 000).
    #[serde(default)]
    pub admits: Option<u16>,
    /// When its code stops being good (UTC milliseconds, inside the signature). None: never by itself.
    #[serde(default)]
    pub code_expires_at: Option<i64>,
    /// Its code in the system Liventix replaces (up to 1 000 characters).
    #[serde(default)]
    pub legacy_code: Option<String>,
}

impl NewTicket {
    /// A good ticket of this type, of nobody in particular.
    pub(crate) const fn of(ticket_type_id: TicketTypeId) -> Self {
        Self {
            ticket_type_id,
            attendee_name: None,
            email: None,
            reference: None,
            status: TicketStatus::Valid,
            valid_from: None,
            valid_until: None,
            admits: None,
            code_expires_at: None,
            legacy_code: None,
        }
    }
}

/// A request for a new code.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reissue {
    /// When the new code stops being good (UTC milliseconds). None: never by itself.
    pub code_expires_at: Option<i64>,
}

/// Which tickets to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TicketQuery {
    /// Where the last page ended: its `next_cursor`.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
    /// Only tickets whose attendee's name or reference contains this (2 to 80 characters, any case).
    pub search: Option<String>,
}

/// How to import.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// `true`: check the table and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportReport {
    /// Whether nothing was changed on purpose.
    pub dry_run: bool,
    /// Tickets issued, or that would be.
    pub tickets: u64,
    /// How many of each type, in the order of the event's types.
    pub by_type: Vec<TypeCount>,
}

/// How many tickets of one type.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TypeCount {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Its name.
    pub name: String,
    /// How many.
    pub tickets: u64,
}

/// How large to draw a QR code.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QrQuery {
    /// Pixels per module (1 to 32; 8 unless told).
    pub scale: Option<u16>,
    /// Error correction: `L`, `M` (unless told), `Q` or `H`.
    pub ecc: Option<String>,
}

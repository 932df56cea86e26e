//! From a wish for a ticket to its row: checks, codes, tags.

use liventix_core::entropy::Entropy;
use liventix_core::ids::{TicketId, TicketTypeId};
use liventix_core::rules::TicketStatus;
use liventix_core::ticket::{Claims, LiveBase, LookupKey, ManualCode, SigningKey};

use super::store::TicketRow;
use super::types::{NewTicket, TicketView, TicketWithCode};
use crate::events::snapshot::Snapshot;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::text;
use crate::platform::vault::Vault;
use secrecy::ExposeSecret as _;

/// A checked wish for a ticket.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) ticket_type_id: TicketTypeId,
    pub(super) attendee_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) status: TicketStatus,
    pub(super) valid_from: Option<i64>,
    pub(super) valid_until: Option<i64>,
    pub(super) admits: Option<u16>,
    pub(super) code_expires_at: Option<i64>,
    pub(super) legacy_code: Option<String>,
}

impl Draft {
    /// Checks everything that does not need the event.
    pub(super) fn check(new: NewTicket, now: i64) -> ApiResult<Self> {
        if new.admits.is_some_and(|admits| !(1..=1_000).contains(&admits)) {
            return Err(ApiError::field("admits", "must be between 1 and 1 000"));
        }
        if let (Some(from), Some(until)) = (new.valid_from, new.valid_until)
            && until <= from
        {
            return Err(ApiError::field("valid_until", "must be after valid_from"));
        }
        check_expiry(new.code_expires_at, now)?;
        Ok(Self {
            ticket_type_id: new.ticket_type_id,
            attendee_name: text::optional_line("attendee_name", new.attendee_name.as_deref(), 120)?,
            email: text::email("email", new.email.as_deref())?,
            reference: text::optional_line("reference", new.reference.as_deref(), 80)?,
            status: new.status,
            valid_from: new.valid_from,
            valid_until: new.valid_until,
            admits: new.admits,
            code_expires_at: new.code_expires_at,
            legacy_code: text::optional_line("legacy_code", new.legacy_code.as_deref(), 1_000)?,
        })
    }
}

/// Codes hold 32-bit seconds: until early 2106.
pub(super) fn check_expiry(expires_at: Option<i64>, now: i64) -> ApiResult<()> {
    match expires_at {
        Some(at) if at <= now || at >= i64::from(u32::MAX) * 1_000 => Err(ApiError::field(
            "code_expires_at",
            "must be in the future and before 2106 (UTC milliseconds)",
        )),
        _ => Ok(()),
    }
}

/// What a ticket's sealed manual code is sealed for.
fn manual_code_context(ticket: TicketId) -> Vec<u8> {
    [b"manual code ".as_slice(), ticket.as_bytes()].concat()
}

/// Makes rows of one event.
pub(crate) struct Issuer<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) vault: &'a Vault,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) lookup: LookupKey,
    pub(super) now: i64,
}

impl<'a> Issuer<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, vault: &'a Vault, entropy: &'a dyn Entropy, now: i64) -> Self {
        Self { snapshot, vault, entropy, lookup: snapshot.lookup_key(), now }
    }

    /// A new ticket's row; its change number comes later.
    pub(super) fn row(&self, draft: Draft) -> ApiResult<TicketRow> {
        let ticket_id = TicketId::generate(self.now, self.entropy);
        let legacy_tag = draft.legacy_code.as_deref().map(|code| self.lookup.legacy_tag(code));
        let view = TicketView {
            ticket_id,
            ticket_type_id: draft.ticket_type_id,
            status: draft.status,
            attendee_name: draft.attendee_name,
            email: draft.email,
            reference: draft.reference,
            code_issued_at: whole_second(self.now),
            code_expires_at: draft.code_expires_at,
            code_key_id: self.snapshot.current_key()?.key_id.0,
            live_activated: false,
            valid_from: draft.valid_from,
            valid_until: draft.valid_until,
            admits: draft.admits,
            created_at: self.now,
        };
        let (sealed_manual_code, manual_tag) = self.manual_code(ticket_id)?;
        let paid = draft.status != TicketStatus::Unpaid;
        Ok(TicketRow { view, paid, sealed_manual_code, manual_tag, legacy_tag })
    }

    /// A new manual code, sealed, and its tag.
    fn manual_code(&self, ticket: TicketId) -> ApiResult<(Vec<u8>, liventix_core::ticket::LookupTag)> {
        let code = ManualCode::generate(self.entropy);
        let sealed = self
            .vault
            .seal(&manual_code_context(ticket), code.to_string().as_bytes())
            .map_err(ApiError::internal)?;
        Ok((sealed, self.lookup.manual_tag(&code)))
    }

    /// Gives a ticket new codes. Every old one is refused from now on: the signed and the live codes by their
    /// time, which strictly grows (codes hold whole seconds), the manual and the old system's code by their
    /// tags. Until a phone activates live codes again, the printed one counts.
    pub(crate) fn renew(&self, row: &mut TicketRow, expires_at: Option<i64>) -> ApiResult<()> {
        row.view.code_issued_at = whole_second(self.now).max(row.view.code_issued_at + 1_000);
        row.view.code_expires_at = expires_at;
        row.view.code_key_id = self.snapshot.current_key()?.key_id.0;
        (row.sealed_manual_code, row.manual_tag) = self.manual_code(row.view.ticket_id)?;
        row.legacy_tag = None;
        row.view.live_activated = false;
        Ok(())
    }

    /// A ticket with its codes, made anew from the keys: codes are not stored.
    pub(crate) fn with_code(&self, row: &TicketRow) -> ApiResult<TicketWithCode> {
        let code = self.signing_key(row)?.printed(&self.claims(row));
        Ok(TicketWithCode {
            ticket: row.view.clone(),
            code: code.text(),
            code_base64url: code.base64url(),
            manual_code: open_manual_code(self.vault, row)?,
        })
    }

    /// What the ticket's phone mints live codes from.
    pub(crate) fn live_base(&self, row: &TicketRow) -> ApiResult<LiveBase> {
        Ok(self.signing_key(row)?.live_base(&self.claims(row)))
    }

    fn signing_key(&self, row: &TicketRow) -> ApiResult<SigningKey> {
        let state = self.snapshot.key(row.view.code_key_id);
        let state =
            state.ok_or_else(|| ApiError::internal("a ticket signed by a key the event does not have"))?;
        Ok(self.snapshot.signing_key(state))
    }

    fn claims(&self, row: &TicketRow) -> Claims {
        Claims {
            event_id: self.snapshot.info.event_id,
            ticket_id: row.view.ticket_id,
            issued_at: row.view.code_issued_at,
            expires_at: row.view.code_expires_at,
        }
    }
}

fn open_manual_code(vault: &Vault, row: &TicketRow) -> ApiResult<String> {
    let opened = vault
        .unseal(&manual_code_context(row.view.ticket_id), &row.sealed_manual_code)
        .map_err(ApiError::internal)?;
    String::from_utf8(opened.expose_secret().clone()).map_err(ApiError::internal)
}

const fn whole_second(ms: i64) -> i64 {
    ms.div_euclid(1_000) * 1_000
}

//! What suppressions are made of.

use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::coded::coded;
use crate::platform::ids::SuppressionId;

const DAY_MS: i64 = 86_400_000;

coded! {
    /// Why no mail goes to an address.
    Reason {
        /// Its mail server has no such mailbox, or takes nothing for it.
        Bounced = "bounced",
        /// Whoever reads there called a mail spam.
        Complained = "complained",
    }
}

impl Reason {
    /// For how long: mailboxes come back sooner than tempers.
    pub(super) const fn lasts_ms(self) -> i64 {
        match self {
            Self::Bounced => 90 * DAY_MS,
            Self::Complained => 365 * DAY_MS,
        }
    }

    /// What stands with a mail that did not go.
    pub(in crate::email) const fn why(self) -> &'static str {
        match self {
            Self::Bounced => {
                "Mails to this address came back. Once it works again, an operator can lift this."
            }
            Self::Complained => "A mail was called spam there. An operator can lift this.",
        }
    }
}

/// An address that no mail goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SuppressionView {
    /// Its id.
    pub suppression_id: SuppressionId,
    /// The address, in small letters.
    pub address: String,
    /// Why.
    pub reason: Reason,
    /// What its mail server said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Since when (UTC milliseconds).
    pub since: i64,
    /// Until when (UTC milliseconds), if nobody lifts it.
    pub until: i64,
    /// Whether it holds now.
    pub is_active: bool,
    /// When it was lifted (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<i64>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifted_by: Option<String>,
    /// What came of asking the provider to forget it: `done`, `not_there`, `failed`; `asking` as long as that is not
    /// known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

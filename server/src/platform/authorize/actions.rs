//! The one table of what may be done, and who may do it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::auth::Scope;

/// What a person is to an organiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, and the only one who decides about people and API keys.
    Owner,
    /// Runs events; perhaps only some of them.
    EventManager,
    /// Lets people in; perhaps only at some events.
    EventScanner,
    /// Sees figures and marks tickets paid.
    Finance,
    /// Helps attendees: finds, resends, reissues, blocks tickets.
    Support,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Owner, Self::EventManager, Self::EventScanner, Self::Finance, Self::Support];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::EventManager => "event_manager",
            Self::EventScanner => "event_scanner",
            Self::Finance => "finance",
            Self::Support => "support",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it can be for some events only.
    #[must_use]
    pub const fn may_be_limited(self) -> bool {
        matches!(self, Self::EventManager | Self::EventScanner)
    }
}

/// How far an action reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One event, or a list of which everybody sees their part.
    Event,
    /// The organiser as a whole: not for those limited to some events.
    Organiser,
}

macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $reach:ident, [$($role:ident)*], $scope:expr;)*) => {
        /// One thing that may be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable name.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// How far it reaches.
            #[must_use]
            pub const fn reach(self) -> Reach {
                match self { $(Self::$name => Reach::$reach),* }
            }

            /// The roles that may.
            #[must_use]
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role),*]),* }
            }

            /// The scope an API key needs; none: no API key may.
            #[must_use]
            pub const fn scope(self) -> Option<Scope> {
                match self { $(Self::$name => $scope),* }
            }

            /// What it is, for people.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),* }
            }
        }

        /// Actions as types: what a handler is for stands in its [`Caller`](crate::platform::auth::Caller).
        pub mod may {
            $(
                $(#[doc = $doc])+
                #[derive(Debug, Clone, Copy)]
                pub enum $name {}
                impl super::Acts for $name {
                    const ACTION: super::Action = super::Action::$name;
                }
            )*
        }
    };
}

/// An action as a type.
pub trait Acts: Send + Sync + 'static {
    /// The action.
    const ACTION: Action;
}

actions! {
    #[doc = " See the organiser's name"]
    SeeOrganiser = "organiser.see", Event, [Owner EventManager EventScanner Finance Support], Some(Scope::Read);
    #[doc = " Change what an organiser is set to"]
    EditOrganiser = "organiser.edit", Organiser, [Owner], Some(Scope::Manage);
    #[doc = " See events, their gates, types, keys without secrets, and counts"]
    SeeEvents = "event.see", Event, [Owner EventManager EventScanner Finance Support], Some(Scope::Read);
    #[doc = " Create events"]
    CreateEvent = "event.create", Organiser, [Owner EventManager], Some(Scope::Manage);
    #[doc = " Change an event, its gates, ticket types and policy"]
    EditEvent = "event.edit", Event, [Owner EventManager], Some(Scope::Manage);
    #[doc = " Give an event a new signing key"]
    RotateKeys = "event.rotate_keys", Event, [Owner EventManager], Some(Scope::Manage);
    #[doc = " See tickets and the phones that hold them, without codes"]
    SeeTickets = "ticket.see", Event, [Owner EventManager Finance Support], Some(Scope::Read);
    #[doc = " See a ticket's codes and its link"]
    SeeCodes = "ticket.see_codes", Event, [Owner EventManager Support], Some(Scope::Manage);
    #[doc = " Issue and import tickets"]
    IssueTickets = "ticket.issue", Event, [Owner EventManager], Some(Scope::Manage);
    #[doc = " Reissue, block, unblock, cancel tickets, free their claims"]
    ChangeTickets = "ticket.change", Event, [Owner EventManager Support], Some(Scope::Manage);
    #[doc = " Mark tickets paid"]
    MarkPaid = "ticket.mark_paid", Event, [Owner EventManager Finance], Some(Scope::Manage);
    #[doc = " See orders and their payments"]
    SeeOrders = "order.see", Event, [Owner EventManager Finance Support], Some(Scope::Read);
    #[doc = " Give up orders that are not paid, and settle those that need a person"]
    ManageOrders = "order.manage", Event, [Owner EventManager Finance Support], Some(Scope::Manage);
    #[doc = " Give money back"]
    Refund = "order.refund", Event, [Owner Finance], Some(Scope::Manage);
    #[doc = " See disputes, balances and payouts"]
    SeeMoney = "money.see", Organiser, [Owner Finance], Some(Scope::Read);
    #[doc = " Have money paid out"]
    PayOut = "money.pay_out", Organiser, [Owner Finance], Some(Scope::Manage);
    #[doc = " See figures: sales, doors, mails and push messages over time"]
    SeeFigures = "figures.see", Event, [Owner EventManager Finance], Some(Scope::Read);
    #[doc = " Say who saw advertising, and who followed it"]
    TrackAds = "ads.track", Organiser, [Owner EventManager], Some(Scope::Track);
    #[doc = " See scans, conflicts, anomalies and what was set aside"]
    SeeScans = "scan.see", Event, [Owner EventManager EventScanner Support], Some(Scope::Read);
    #[doc = " Settle anomalies and conflicts"]
    Settle = "scan.settle", Event, [Owner EventManager Support], Some(Scope::Manage);
    #[doc = " Redeem tickets online, and take it back"]
    Redeem = "scan.redeem", Event, [Owner EventManager EventScanner], Some(Scope::Redeem);
    #[doc = " Let people pass in spite of a refusal"]
    Supervise = "scan.supervise", Event, [Owner EventManager], Some(Scope::Supervise);
    #[doc = " See devices"]
    SeeDevices = "device.see", Event, [Owner EventManager EventScanner], Some(Scope::Read);
    #[doc = " Enrol and revoke devices"]
    ManageDevices = "device.manage", Event, [Owner EventManager], Some(Scope::Manage);
    #[doc = " See, create and revoke API keys"]
    ManageApiKeys = "api_key.manage", Organiser, [Owner], Some(Scope::Manage);
    #[doc = " See members and invitations"]
    SeeMembers = "member.see", Organiser, [Owner EventManager Finance Support], Some(Scope::Manage);
    #[doc = " Invite, change and remove members"]
    ManageMembers = "member.manage", Organiser, [Owner], None;
    #[doc = " See and change the texts of mails"]
    EditMails = "mail.edit", Organiser, [Owner EventManager], Some(Scope::Manage);
    #[doc = " See the audit trail"]
    SeeAudit = "audit.see", Organiser, [Owner], Some(Scope::Manage);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as the documentation has it.
    fn table() -> String {
        let mut out = String::from(
            "| action | owner | event_manager | event_scanner | finance | support | API key | for |\n|---|---|---|---|---|---|---|---|\n",
        );
        for action in Action::ALL {
            let mark = |role: &Role| if action.roles().contains(role) { "yes" } else { "–" };
            let roles: Vec<&str> = Role::ALL.iter().map(mark).collect();
            let scope = action.scope().map_or("–".to_owned(), |scope| format!("`{}`", scope.name()));
            let reach = match action.reach() {
                Reach::Event => "each event",
                Reach::Organiser => "the whole organiser",
            };
            out += &format!(
                "| `{}`: {} | {} | {scope} | {reach} |\n",
                action.code(),
                action.words().trim(),
                roles.join(" | "),
            );
        }
        out
    }

    #[test]
    fn the_documentation_has_this_table() {
        let document = include_str!("../../../../docs/accounts.md");
        let table = table();
        assert!(document.contains(&table), "docs/accounts.md should have:\n{table}");
    }

    #[test]
    fn an_owner_may_everything_and_names_come_once() {
        let mut codes: Vec<&str> = Action::ALL.iter().map(|action| action.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Action::ALL.len());
        assert!(Action::ALL.iter().all(|action| action.roles().contains(&Role::Owner)));
    }
}

//! The one table of what goes on record.

macro_rules! names {
    ($(#[$doc:meta])* $type:ident, $method:ident: $($name:ident = $code:literal, $words:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $(#[doc = $words] $name,)*
        }

        impl $type {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable name.
            #[must_use]
            pub const fn $method(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// For people.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words),* }
            }

            /// The one with this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|item| item.$method() == name)
            }
        }
    };
}

names! {
    /// What was done. The codes are stable.
    Deed, code:
    OrganiserCreated = "organiser.created", "Organiser created";
    OrganiserChanged = "organiser.changed", "Organiser changed";
    ApiKeyCreated = "api_key.created", "API key created";
    ApiKeyRevoked = "api_key.revoked", "API key revoked";
    EventCreated = "event.created", "Event created";
    EventChanged = "event.changed", "Event changed";
    EventCancelled = "event.cancelled", "Event called off";
    BuyersWritten = "event.buyers_written", "Buyers written to";
    CampaignStarted = "event.campaign_started", "Phones of attendees told";
    CampaignPaused = "event.campaign_paused", "Campaign paused";
    CampaignResumed = "event.campaign_resumed", "Campaign goes on";
    CampaignCancelled = "event.campaign_cancelled", "Campaign called off";
    AdCampaignCreated = "event.ad_campaign_created", "Advertising campaign created";
    CreativeCreated = "event.creative_created", "Creative created";
    AdSpendSet = "event.ad_spend_set", "Cost of advertising set";
    KeysRotated = "event.keys_rotated", "Signing key rotated";
    GateCreated = "gate.created", "Gate added";
    GateRenamed = "gate.renamed", "Gate renamed";
    GateDeleted = "gate.deleted", "Gate deleted";
    TicketTypeCreated = "ticket_type.created", "Ticket type added";
    TicketTypeChanged = "ticket_type.changed", "Ticket type changed";
    TicketTypeDeleted = "ticket_type.deleted", "Ticket type deleted";
    FeeSet = "organiser.fee_set", "Fee set";
    SalesChanged = "sales.changed", "Sale of an event changed";
    TypeSaleChanged = "sales.type_changed", "Price of a ticket type changed";
    TypeSaleEnded = "sales.type_ended", "Ticket type taken off sale";
    OrderCancelled = "order.cancelled", "Order given up";
    OrderRefunded = "order.refunded", "Money given back";
    TicketsSent = "order.tickets_sent", "Tickets sent again";
    OrderSettled = "order.settled", "Order looked after";
    PayoutTermsSet = "organiser.payout_terms_set", "Payout terms set";
    PayoutBegun = "payout.begun", "Payout asked for";
    PayoutPaid = "payout.paid", "Payout made";
    PayoutRefused = "payout.refused", "Payout refused by the provider";
    PayoutReversed = "payout.reversed", "Payout taken back";
    TicketIssued = "ticket.issued", "Ticket issued";
    TicketsImported = "ticket.imported", "Tickets imported";
    TicketReissued = "ticket.reissued", "Ticket reissued";
    TicketBlocked = "ticket.blocked", "Ticket blocked";
    TicketUnblocked = "ticket.unblocked", "Ticket unblocked";
    TicketCancelled = "ticket.cancelled", "Ticket cancelled";
    TicketPaid = "ticket.paid", "Ticket marked paid";
    LinkMade = "ticket.link_made", "Ticket link made";
    ClaimsFreed = "ticket.claims_freed", "Ticket taken off every phone";
    TicketClaimed = "ticket.claimed", "Ticket claimed on a phone";
    TicketReleased = "ticket.released", "Ticket released by a phone";
    TicketHandedOn = "ticket.handed_on", "Ticket handed on";
    AnomalyAcknowledged = "anomaly.acknowledged", "Anomaly acknowledged";
    AnomalyResolved = "anomaly.resolved", "Anomaly resolved";
    ConflictResolved = "conflict.resolved", "Conflict settled";
    EnrolmentCreated = "enrolment.created", "Enrolment code made";
    DeviceEnrolled = "device.enrolled", "Device enrolled";
    DeviceRevoked = "device.revoked", "Device revoked";
    MailTextSaved = "mail.text_saved", "Text of a mail saved";
    MailTextReset = "mail.text_reset", "Our text of a mail used again";
    MemberInvited = "member.invited", "Member invited";
    InvitationWithdrawn = "invitation.withdrawn", "Invitation withdrawn";
    MemberJoined = "member.joined", "Member joined";
    MemberAdded = "member.added", "Member added";
    MemberChanged = "member.changed", "Member changed";
    MemberRemoved = "member.removed", "Member removed";
    UserCreated = "user.created", "Account created";
    OperatorNamed = "operator.named", "Operator named";
    OperatorDismissed = "operator.dismissed", "Operator dismissed";
    PasswordChanged = "user.password_changed", "Password changed";
    SignedIn = "session.signed_in", "Signed in";
    SignInLinkAsked = "session.link_asked", "Sign-in link asked for";
    SignInFailed = "session.failed", "Sign-in failed";
    SignedOut = "session.signed_out", "Signed out";
    SessionEnded = "session.ended", "Session ended";
    JobReplayed = "job.replayed", "Dead letter tried again";
    JobDiscarded = "job.discarded", "Dead letter thrown away";
    JobsPurged = "job.purged", "Old dead letters thrown away";
    SuppressionLifted = "email.suppression_lifted", "Address given mail again";
    QueuePaused = "queue.paused", "Queue paused";
    QueueResumed = "queue.resumed", "Queue resumed";
    AlertAcknowledged = "alert.acknowledged", "Alert acknowledged";
    AlertsTested = "alert.tested", "Alert channels tested";
}

names! {
    /// What it was done to.
    Target, name:
    Organiser = "organiser", "Organiser";
    ApiKey = "api_key", "API key";
    Event = "event", "Event";
    Gate = "gate", "Gate";
    TicketType = "ticket_type", "Ticket type";
    Ticket = "ticket", "Ticket";
    Order = "order", "Order";
    Payout = "payout", "Payout";
    Anomaly = "anomaly", "Anomaly";
    Scan = "scan", "Scan";
    Enrolment = "enrolment", "Enrolment code";
    Device = "device", "Device";
    User = "user", "Person";
    Invitation = "invitation", "Invitation";
    Session = "session", "Session";
    Job = "job", "Job";
    Alert = "alert", "Alert";
    AdCampaign = "ad_campaign", "Advertising campaign";
    Creative = "creative", "Creative";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_once_and_are_documented() {
        let document = include_str!("../../../docs/accounts.md");
        let mut codes: Vec<&str> = Deed::ALL.iter().map(|deed| deed.code()).collect();
        for code in &codes {
            assert!(document.contains(&format!("`{code}`")), "docs/accounts.md should name `{code}`");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Deed::ALL.len());
    }
}

//! What was done, said on the next page: a name in its address, of which only these are known.

macro_rules! flashes {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        /// A message after a redirect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Flash {
            $($name,)*
        }

        impl Flash {
            const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in an address.
            pub(super) const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What it says.
            pub(super) const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

flashes! {
    SignedOut = "signed-out", "You have signed out.";
    SignInLinkAsked = "link-asked", "If there is an account for this address, a link is on its way. It works once, for 15 minutes.";
    SignedInByLink = "signed-in-by-link", "You are signed in. If you have forgotten your password, choose a new one here.";
    PasswordChanged = "password-changed", "Your password is changed, and every session has ended. Sign in with the new one.";
    SessionEnded = "session-ended", "The session has ended.";
    Joined = "joined", "Welcome: you are a member now.";
    MemberChanged = "member-changed", "The member is changed.";
    MemberRemoved = "member-removed", "The member is removed, and may do nothing more.";
    ConflictSettled = "conflict-settled", "The conflict is settled, with what you said about it.";
    AnomalyAcknowledged = "anomaly-acknowledged", "It is yours now: others see that you look after it.";
    AnomalyResolved = "anomaly-resolved", "The anomaly is resolved.";
    DeviceRevoked = "device-revoked", "The device is revoked: it may do nothing more but hand in the scans it made before.";
    TicketReissued = "ticket-reissued", "The ticket has a new code. Whoever shows the old one is refused.";
    TicketBlocked = "ticket-blocked", "The ticket is blocked: doors refuse it as soon as they hear of it.";
    TicketUnblocked = "ticket-unblocked", "The ticket is not blocked any more.";
    TicketCancelled = "ticket-cancelled", "The ticket is cancelled for good.";
    TicketPaid = "ticket-paid", "The ticket is paid.";
    OrderCancelled = "order-cancelled", "The order is given up. Its tickets are for sale again once it surely cannot be paid.";
    OrderSettled = "order-settled", "The order is looked after, with what you said about it.";
    OrderChecked = "order-checked", "The payment provider was asked. What it said stands below.";
    RefundBegun = "refund-begun", "The money is on its way back, or what came of it stands below.";
    SalesChanged = "sales-changed", "It is changed, for orders from now on.";
    TypeOffSale = "type-off-sale", "The ticket type is off sale.";
    TermsSet = "terms-set", "The terms are set, for payouts from now on.";
    TermsEnded = "terms-ended", "The organiser is not paid out any more, until there are terms again.";
    MailTested = "mail-tested", "A mail is on its way. Look here again in a moment.";
    MailGoesAgain = "mail-goes-again", "Mail goes there again. What was withheld is on its way.";
    BuyersWritten = "buyers-written", "It is on its way to everybody who has tickets.";
    PhonesTold = "phones-told", "It is on its way to their phones.";
    CampaignPaused = "campaign-paused", "Nothing more goes until you let it go on.";
    CampaignResumed = "campaign-resumed", "It goes on.";
    CampaignCancelled = "campaign-cancelled", "It is called off. Nothing more of it goes.";
    EventCalledOff = "event-called-off", "The event is called off. Nothing of it is sold any more.";
    TicketsSent = "tickets-sent", "The tickets are on their way once more.";
    MailTextSaved = "mail-text-saved", "The text is saved. From now on your buyers get it.";
    MailTextReset = "mail-text-reset", "From now on your buyers get our text again.";
    FeeSet = "fee-set", "The fee is set, for orders from now on.";
    PayoutBegun = "payout-begun", "The money is on its way to you, or what came of it stands below.";
    FiguresCounted = "figures-counted", "Everything that has happened is counted.";
    FiguresUnderWay = "figures-under-way", "It is being counted. Look here again in a moment.";
    FiguresTooOften = "figures-too-often", "That was asked for several times in this minute. Try again in a moment.";
    FiguresAnew = "figures-anew", "Everything is being counted anew. Look here again in a while.";
    KeysRotated = "keys-rotated", "The event has a new key. New codes are signed with it.";
    KeysWithdrawn = "keys-withdrawn", "The old keys are withdrawn. Tickets signed with them are refused: reissue them.";
    QueuePaused = "queue-paused", "The queue is paused: no server takes jobs from it. What runs goes on to its end.";
    QueueResumed = "queue-resumed", "The queue goes on.";
    LetterReplayed = "letter-replayed", "It is tried again.";
    LettersReplayed = "letters-replayed", "They are tried again. Those whose work another job does by now stay here.";
    LetterDiscarded = "letter-discarded", "It is thrown away.";
    LettersPurged = "letters-purged", "The old ones are thrown away, up to 1,000 of them.";
    AlertAcknowledged = "alert-acknowledged", "It is yours now: nobody is told again, unless it becomes worse.";
    AlertsTested = "alerts-tested", "A test message is on its way to every channel. Look here again in a moment.";
    InvitationWithdrawn = "invitation-withdrawn", "The invitation is withdrawn: its link works no more.";
}

impl Flash {
    /// The message with this name.
    pub(super) fn named(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|flash| flash.code() == code)
    }
}

//! The one table of error codes.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        /// A stable error code with its HTTP status and title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as programs see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The kind of problem in words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// The HTTP status it is sent with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }
        }
    };
}

codes! {
    InvalidJson = BAD_REQUEST, "invalid_json", "The body is not JSON";
    InvalidQuery = BAD_REQUEST, "invalid_query", "A query parameter is wrong";
    InvalidPath = BAD_REQUEST, "invalid_path", "The path holds something that is not an id";
    InvalidBody = UNPROCESSABLE_ENTITY, "invalid_body", "The body has the wrong shape";
    InvalidField = UNPROCESSABLE_ENTITY, "invalid_field", "A field has a value that is not allowed";
    InvalidCsv = UNPROCESSABLE_ENTITY, "invalid_csv", "The table cannot be imported";
    UnknownCursor = UNPROCESSABLE_ENTITY, "unknown_cursor", "The cursor was not given out by this server";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body is of another type";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
    NotFound = NOT_FOUND, "not_found", "There is nothing at this address";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not take that method";

    Unauthenticated = UNAUTHORIZED, "unauthenticated", "No valid token was given";
    AdminDisabled = FORBIDDEN, "admin_disabled", "No admin token is configured";
    AlertNotFound = NOT_FOUND, "alert_not_found", "No such alert is open";
    MetricsClosed = FORBIDDEN, "metrics_closed", "The numbers are for this machine only";
    ScopeMissing = FORBIDDEN, "scope_missing", "The API key may not do this";
    RoleMissing = FORBIDDEN, "role_missing", "Your role does not allow this";
    OrganiserNeeded = BAD_REQUEST, "organiser_needed", "It is not clear which organiser is meant";
    SignInFailed = UNAUTHORIZED, "sign_in_failed", "The address or the password is wrong";
    DeviceRevoked = FORBIDDEN, "device_revoked", "The device was revoked";
    EventNotAssigned = FORBIDDEN, "event_not_assigned", "The device may not scan this event";
    GateNotAssigned = FORBIDDEN, "gate_not_assigned", "The device may not scan at this gate";
    NotSupervisor = FORBIDDEN, "not_supervisor", "The scanner may not overrule a refusal";
    RateLimited = TOO_MANY_REQUESTS, "rate_limited", "Too many requests";

    OrganiserNotFound = NOT_FOUND, "organiser_not_found", "There is no such organiser";
    ApiKeyNotFound = NOT_FOUND, "api_key_not_found", "There is no such API key";
    EventNotFound = NOT_FOUND, "event_not_found", "There is no such event";
    GateNotFound = NOT_FOUND, "gate_not_found", "The event has no such gate";
    TicketTypeNotFound = NOT_FOUND, "ticket_type_not_found", "The event has no such ticket type";
    TicketNotFound = NOT_FOUND, "ticket_not_found", "The event has no such ticket";
    AnomalyNotFound = NOT_FOUND, "anomaly_not_found", "The event has no such anomaly";
    ConflictNotFound = NOT_FOUND, "conflict_not_found", "The event has no such conflict";
    DeviceNotFound = NOT_FOUND, "device_not_found", "There is no such device";
    EnrolmentCodeUnknown = NOT_FOUND, "enrolment_code_unknown", "The enrolment code is not known";
    EnrolmentCodeUsed = CONFLICT, "enrolment_code_used", "The enrolment code was used already";
    EnrolmentCodeExpired = GONE, "enrolment_code_expired", "The enrolment code has expired";

    PushTokenInvalid = UNPROCESSABLE_ENTITY, "push_token_invalid", "The push token is none of its service";
    PushDeviceNotFound = NOT_FOUND, "push_device_not_found", "No push token of this wallet is known";
    PushOff = SERVICE_UNAVAILABLE, "push_off", "This server sends no push messages to such apps";
    MessageNotFound = NOT_FOUND, "message_not_found", "No such push message";
    MessageEnded = CONFLICT, "message_ended", "The push message is over";
    CampaignNotFound = NOT_FOUND, "campaign_not_found", "No such campaign";
    CampaignEnded = CONFLICT, "campaign_ended", "The campaign is over";
    LinkUnknown = NOT_FOUND, "link_unknown", "The link is not known";
    LinkUsed = GONE, "link_used", "The link was used or replaced";
    LinkExpired = GONE, "link_expired", "The link has expired";
    AlreadyClaimed = CONFLICT, "already_claimed", "Another phone holds the ticket";
    TransferRefused = FORBIDDEN, "transfer_refused", "The organiser does not allow tickets to be handed on";
    TicketUsed = CONFLICT, "ticket_used", "The ticket was used already";
    TicketNotValid = CONFLICT, "ticket_not_valid", "The ticket is not good for entry";

    IdempotencyKeyMissing = BAD_REQUEST, "idempotency_key_missing", "The call needs an Idempotency-Key";
    IdempotencyKeyInvalid = BAD_REQUEST, "idempotency_key_invalid", "The Idempotency-Key has the wrong form";
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The Idempotency-Key was used for another request";
    IdempotencyInProgress = CONFLICT, "idempotency_in_progress", "A request with this Idempotency-Key is being answered";

    UserNotFound = NOT_FOUND, "user_not_found", "Nobody has an account with this address";
    MemberNotFound = NOT_FOUND, "member_not_found", "The organiser has no such member";
    SessionNotFound = NOT_FOUND, "session_not_found", "There is no such session of yours";
    InvitationNotFound = NOT_FOUND, "invitation_not_found", "There is no such invitation";
    InvitationUnknown = NOT_FOUND, "invitation_unknown", "The invitation is not known";
    InvitationEnded = GONE, "invitation_ended", "The invitation was used, replaced or withdrawn, or has expired";
    InvitedElse = FORBIDDEN, "invited_somebody_else", "The invitation is for somebody else";
    AccountExists = CONFLICT, "account_exists", "There is an account with this address already";
    AlreadyMember = CONFLICT, "already_member", "They are a member already";
    LastOwner = CONFLICT, "last_owner", "The organiser would be left without an owner";

    JobNotFound = NOT_FOUND, "job_not_found", "There is no such dead letter";
    JobSuperseded = CONFLICT, "job_superseded", "Another job does the same";

    NameTaken = CONFLICT, "name_taken", "The name is taken";
    InUse = CONFLICT, "in_use", "It is in use and cannot be deleted";
    LegacyCodeTaken = CONFLICT, "legacy_code_taken", "Another ticket of the event has this old code";
    StatusConflict = CONFLICT, "status_conflict", "The ticket's status does not allow this";
    AlreadyResolved = CONFLICT, "already_resolved", "It was resolved before";
    TooMany = CONFLICT, "too_many", "There are as many as there may be";
    ScanIdConflict = CONFLICT, "scan_id_conflict", "This scan id belongs to another scan";
    UndoUnknown = NOT_FOUND, "undo_unknown", "This scanner made no such scan";
    UndoNotAPassage = CONFLICT, "undo_not_a_passage", "Nobody passed with that scan";
    UndoAlready = CONFLICT, "undo_already", "The scan was taken back before";
    UndoTooLate = CONFLICT, "undo_too_late", "The scan is too long ago to take it back";
    UndoOff = CONFLICT, "undo_off", "The event does not allow scans to be taken back";

    SalesNotSetUp = NOT_FOUND, "sales_not_set_up", "The event sells nothing yet";
    NothingOnSale = NOT_FOUND, "nothing_on_sale", "No such event sells tickets";
    PaymentTimeout = GATEWAY_TIMEOUT, "TIMEOUT", "The payment provider did not answer";
    PaymentRefused = UNPROCESSABLE_ENTITY, "payment_refused", "The payment provider refused";
    PaymentsOff = SERVICE_UNAVAILABLE, "payments_off", "Nobody takes payments here";
    RefundTooMuch = CONFLICT, "refund_too_much", "It is more than is left of what was paid";
    NothingToRefund = CONFLICT, "nothing_to_refund", "There is nothing to give back";
    SuppressionNotFound = NOT_FOUND, "suppression_not_found", "No mail is withheld from that address";
    OrderWithoutTickets = CONFLICT, "order_without_tickets", "The order has no tickets";
    MailTextInvalid = UNPROCESSABLE_ENTITY, "mail_text_invalid", "The text cannot be used for this mail";
    EventOver = CONFLICT, "event_over", "The event is over";
    MailsOff = SERVICE_UNAVAILABLE, "mails_off", "No mail is sent here";
    PayoutsNotSetUp = NOT_FOUND, "payouts_not_set_up", "Nobody has said where the money goes";
    PayoutTooMuch = CONFLICT, "payout_too_much", "It is more than can be paid out now";
    NothingToPayOut = CONFLICT, "nothing_to_pay_out", "There is nothing to pay out";
    SignatureInvalid = BAD_REQUEST, "signature_invalid", "The signature does not fit";
    NotOnSale = CONFLICT, "not_on_sale", "The ticket type cannot be bought now";
    SoldOut = CONFLICT, "sold_out", "There are not as many tickets left";
    PriceChanged = CONFLICT, "price_changed", "It costs something else now";
    OrderNotFound = NOT_FOUND, "order_not_found", "There is no such order";
    OrderOver = CONFLICT, "order_over", "The order has been paid or has ended";
    CapacityTaken = CONFLICT, "capacity_taken", "More tickets are taken than there would be";

    AdCampaignNotFound = NOT_FOUND, "ad_campaign_not_found", "The event has no such advertising campaign";
    CreativeNotFound = NOT_FOUND, "creative_not_found", "The event has no such creative";
    FiguresUnavailable = SERVICE_UNAVAILABLE, "figures_unavailable", "The figures cannot be read now";
    QrUnavailable = SERVICE_UNAVAILABLE, "qr_unavailable", "The QR code cannot be drawn";
    Busy = SERVICE_UNAVAILABLE, "busy", "The server has too much to do";
    ShuttingDown = SERVICE_UNAVAILABLE, "shutting_down", "The server is shutting down";
    NotReady = SERVICE_UNAVAILABLE, "not_ready", "The server is not ready";
    TimedOut = GATEWAY_TIMEOUT, "timed_out", "The request took too long";
    InternalError = INTERNAL_SERVER_ERROR, "internal_error", "The server failed";
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_is_used_once() {
        let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}

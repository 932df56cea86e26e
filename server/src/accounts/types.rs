//! What callers send and get.

use liventix_core::ids::{EventId, OrganiserId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::authorize::Role;
use crate::platform::ids::{InvitationId, SessionId, UserId};

/// A new account.
#[derive(Debug)]
pub struct NewUser {
    /// The address they sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: SecretString,
}

/// Who is to become a member, and as what.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// Their address.
    pub email: String,
    /// What they are to the organiser.
    pub role: Role,
    /// The only events they may reach (`event_manager` and `event_scanner`; 200 at most); left out for all.
    #[serde(default)]
    pub event_ids: Option<Vec<EventId>>,
}

/// What a member is from now on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// What they are to the organiser.
    pub role: Role,
    /// The only events they may reach (`event_manager` and `event_scanner`; 200 at most); left out for all.
    #[serde(default)]
    pub event_ids: Option<Vec<EventId>>,
}

/// A member of an organiser.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberView {
    /// The person.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// What they are to the organiser.
    pub role: Role,
    /// The only events they may reach; missing if they may reach every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<EventId>>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
}

/// An invitation that is open.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InvitationView {
    /// Its id.
    pub invitation_id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: Role,
    /// The only events they may reach; missing if they may reach every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<EventId>>,
    /// Who invited them.
    pub invited_by: String,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// Until when it can be accepted (UTC milliseconds).
    pub expires_at: i64,
}

/// A new invitation. The only time its link is ever shown.
#[derive(Serialize, ToSchema)]
pub struct NewInvitationView {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: InvitationView,
    /// The link to send them. Secret: whoever has it can accept.
    pub url: String,
    /// Whether a mail brings it to them.
    pub mailed: bool,
}

/// Accepting an invitation.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// What stands at the end of the link, `lxi_…`.
    #[schema(value_type = String)]
    pub token: SecretString,
    /// Their name (1 to 120 characters); for those without an account.
    #[serde(default)]
    pub name: Option<String>,
    /// The password for their new account (12 to 200 characters). Who has an account signs in instead, and
    /// sends the session's token along.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password")]
    pub password: Option<SecretString>,
}

/// What an accepted invitation made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Joined {
    /// The person.
    pub user_id: UserId,
    /// Where they are a member now.
    pub organiser_id: OrganiserId,
    /// Its name.
    pub organiser_name: String,
    /// As what.
    pub role: Role,
}

/// Signing in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address.
    pub email: String,
    /// The password.
    #[schema(value_type = String, format = "password")]
    pub password: SecretString,
    /// For 30 days (7 unused) instead of 12 hours (2 unused).
    #[serde(default)]
    pub remember: bool,
}

/// A new session. The only time its token is ever shown.
#[derive(Serialize, ToSchema)]
pub struct NewSessionView {
    /// Its id.
    pub session_id: SessionId,
    /// The bearer token. Secret.
    pub token: String,
    /// Until when at most (UTC milliseconds).
    pub expires_at: i64,
}

/// A wish for a link that signs in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSignInLink {
    /// The address of the account.
    pub email: String,
}

/// Signing in by a link.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemSignInLink {
    /// What stands at the end of the link, `lxl_…`.
    #[schema(value_type = String)]
    pub token: SecretString,
}

/// One of a person's sessions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub session_id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the browser or program calls itself.
    pub agent: String,
    /// The network it signed in from: three bytes of an IPv4 address, 48 bits of an IPv6 one.
    pub network: String,
    /// When it signed in (UTC milliseconds).
    pub created_at: i64,
    /// When it was last used, to the minute (UTC milliseconds).
    pub seen_at: i64,
    /// Until when at most (UTC milliseconds).
    pub expires_at: i64,
}

/// Who somebody is, and where they are a member.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Myself {
    /// The person.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Where they are a member, by name.
    pub organisers: Vec<Membership>,
}

/// A membership, as the member sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Membership {
    /// The organiser: name it in the header `Liventix-Organiser` if there are several.
    pub organiser_id: OrganiserId,
    /// Its name.
    pub name: String,
    /// What they are to it.
    pub role: Role,
    /// Whether they may reach some events only.
    pub limited: bool,
}

/// A new password.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one so far. May be left out for 15 minutes by whoever has signed in by a link.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password")]
    pub current_password: Option<SecretString>,
    /// The one from now on (12 to 200 characters).
    #[schema(value_type = String, format = "password")]
    pub new_password: SecretString,
}

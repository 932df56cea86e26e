//! The vocabulary of push messages, mirrored from the core. Each mirror must match it to the letter: if one
//! drifts, this does not compile.

use liventix_core::push::wire::{CategoryPreference, PushCategory, PushPreferences, QuietHours};
use liventix_core::push::{PushService, RefusalReason, RegistrationState};

// In a host's one namespace, the core's names would say too little.
pub use liventix_core::push::Ask as PermissionAsk;
pub use liventix_core::push::Permission as PushPermission;

/// Which service carries messages to an app, and what it knows the app by.
#[uniffi::remote(Enum)]
pub enum PushService {
    /// Apple's push service, for apps from the App Store, TestFlight and ad hoc builds. Its token is handed over
    /// as hex digits.
    Apns,
    /// Apple's push service for apps that Xcode put on the phone: with its own tokens, unknown to the other one.
    ApnsSandbox,
    /// Firebase Cloud Messaging, by a registration token.
    Fcm,
    /// Firebase Cloud Messaging, by a Firebase installation id.
    FcmInstallation,
}

/// What the system says of notifications of this app, right now.
#[uniffi::remote(Enum)]
pub enum PushPermission {
    /// Nobody has been asked: iOS `notDetermined`; Android 13 and later before its first prompt.
    NotAsked,
    /// Refused, but the system would ask again: Android's `shouldShowRequestPermissionRationale`.
    RefusedOnce,
    /// Refused. Only the system's settings change it.
    Refused,
    /// Allowed without having been asked, and shown quietly: iOS `provisional`.
    Quiet,
    /// Allowed.
    Allowed,
}

/// How to ask for permission.
#[uniffi::remote(Enum)]
pub enum PermissionAsk {
    /// By the system's own prompt.
    System,
    /// In the app's words, with a link to the system's settings: nothing else changes it.
    Settings,
}

/// Why somebody wants no notifications, as they say where the app asks.
#[uniffi::remote(Enum)]
pub enum RefusalReason {
    /// Not now.
    Later,
    /// There would be too many.
    TooMany,
    /// They would not be about what matters to them.
    NotUseful,
    /// They do not want to be known.
    Privacy,
    /// They did not say.
    Unsaid,
}

/// Where the registration of a token stands.
#[uniffi::remote(Enum)]
pub enum RegistrationState {
    /// No messages are wanted: no token, no permission, or signed out.
    Unregistered,
    /// The server does not know the token yet.
    Pending,
    /// The server has the token.
    Registered,
    /// The server has another token, or was told this one long ago.
    RefreshNeeded,
    /// The last round failed. There is another one, unless it is given up.
    Failed,
}

/// What a message is about. People choose by it.
#[uniffi::remote(Enum)]
pub enum PushCategory {
    /// Their own tickets: ready, handed on, given back.
    Tickets,
    /// What happens to their event: moved, called off.
    Changes,
    /// The doors open.
    Gates,
    /// What the organiser has to tell.
    News,
}

/// When nothing is to make a sound, each day, by the phone's time. Over midnight where the end is before the
/// start.
#[uniffi::remote(Record)]
pub struct QuietHours {
    /// From this minute of the day on (0 to 1439).
    pub from_minute: u16,
    /// Until this one (0 to 1439), another one.
    pub until_minute: u16,
}

/// What somebody wants of one category.
#[uniffi::remote(Record)]
pub struct CategoryPreference {
    /// Whether they come at all.
    pub is_on: bool,
    /// When they wait: those of these hours come when the hours are over.
    pub quiet_hours: Option<QuietHours>,
}

/// Which messages somebody wants, and when.
#[uniffi::remote(Record)]
pub struct PushPreferences {
    /// Their own tickets.
    pub tickets: CategoryPreference,
    /// What happens to their event.
    pub changes: CategoryPreference,
    /// The doors open.
    pub gates: CategoryPreference,
    /// What the organiser has to tell.
    pub news: CategoryPreference,
}

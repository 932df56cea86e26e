//! Push notifications: where they reach this app, whether a server knows, and whether people want them.
//!
//! [`PushRegistrar`] is what an app calls. It keeps what there is to keep in the wallet's secret store, and tells every server
//! that the wallet has tickets of. What it works by is pure: [`token`] checks what a push service gave the app,
//! [`registration`] says where telling a server stands and what to do next, [`permission`] says whether the app may ask.
//! [`wire`] is what phone and server say to each other.
//!
//! **It refuses** to put a token into a log, to tell it to a server that this phone has no ticket of, and to leave it with one
//! once nobody wants messages any more.

pub mod error;
mod keeper;
pub mod permission;
mod registrar;
pub mod registration;
pub mod token;
pub mod wire;

pub use error::PushError;
pub use permission::{Ask, Permission, PermissionAdvice, PromptHistory, Refusal, RefusalReason, advise};
pub use registrar::{PushRegistrar, PushSettings, PushStatus, ServerRegistration};
pub use registration::{Registration, RegistrationState, Step, Trouble};
pub use token::{PushService, PushToken, PushTokenError, TokenFingerprint};

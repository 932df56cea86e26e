//! People: accounts, passwords, sessions, membership of organisers, invitations.
//!
//! **It refuses** to keep anything that signs in: of a password there is the Argon2id hash, of a session's
//! token and of the secret in an invitation's or a sign-in link the SHA-256. What a member may do is decided elsewhere, in
//! [`authorize`](crate::platform::authorize), from the rows this module writes.
//!
//! **Invariant:** an organiser that has an owner keeps one: whoever changes members holds its lock.

mod invitations;
pub(crate) mod links;
mod members;
mod passwords;
pub mod routes;
mod sessions;
mod store;
pub mod types;
mod users;

use std::sync::Arc;

use liventix_core::entropy::Entropy;

pub(crate) use invitations::{
    Invited, accept, look_up as look_up_invitation, still_open as invitation_still_open,
};
pub use passwords::Passwords;
pub(crate) use routes::invitation_url;
pub(crate) use sessions::{Browser, NewSession, sign_in};
pub(crate) use store::membership;
pub use types::{Membership, NewMember, NewUser};

use crate::app::AppState;
use crate::audit::Pen;
use crate::platform::db::Db;

/// What accounts stand on; the administrator's commands have it without a running server.
#[derive(Clone, Copy)]
pub struct Accounts<'a> {
    /// The database.
    pub db: &'a Db,
    /// UTC milliseconds.
    pub now: i64,
    /// Ids, salts and secrets.
    pub entropy: &'a Arc<dyn Entropy>,
    /// Hashes passwords.
    pub passwords: &'a Passwords,
}

impl std::fmt::Debug for Accounts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}

impl<'a> Accounts<'a> {
    /// Those of the running server.
    #[must_use]
    pub fn of(app: &'a AppState) -> Self {
        Self { db: app.db(), now: app.now(), entropy: app.entropy(), passwords: app.passwords() }
    }

    fn pen(&self) -> Pen {
        Pen { now: self.now, entropy: Arc::clone(self.entropy) }
    }
}

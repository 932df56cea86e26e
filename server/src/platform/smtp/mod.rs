//! Mail servers (RFC 5321), and who mails come from: for alerts and for mails.
//!
//! lettre speaks with them. What is ours is what its own pool does not say: whether a mail that nobody answered for may
//! be with the server. It may be from the moment on at which its content was sent, and is surely not before. And each
//! step has an end in time.

mod address;
mod connection;
mod target;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::Message;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::call::{CallFailure, Outcome};
use super::config::ConfigError;
pub(crate) use address::{address, sender};
use connection::Connection;
use target::Target;
pub(super) use target::check;

/// How long the server may take for one step, unless that is set.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);
/// So many connections at once: more than this, many servers refuse.
const CONNECTIONS: usize = 10;
/// How long a connection is kept that nobody uses; less than servers wait (RFC 5321, 4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(60);

/// A mail server, by connections that are kept. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer(Arc<Inner>);

struct Inner {
    target: Target,
    room: Semaphore,
    /// Those that nobody uses, and since when.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}

impl Mailer {
    /// The server that `smtp_url` names.
    ///
    /// # Errors
    /// When it names none, or `smtp_ca_file` has no certificates.
    pub(crate) fn new(
        url: &str,
        ca_file: Option<&std::path::Path>,
        timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let target = Target::new(url, ca_file, timeout)?;
        let (room, idle) = (Semaphore::new(CONNECTIONS), Mutex::default());
        Ok(Self(Arc::new(Inner { target, room, idle })))
    }

    /// Gives the server a mail. With which code it took it, and what it said.
    ///
    /// # Errors
    /// [`Outcome::is_uncertain`], where the server may have it all the same.
    pub(crate) async fn send(&self, mail: &Message) -> Result<(u16, String), CallFailure> {
        let closed = |_| CallFailure::new(Outcome::NotCalled, "It is being shut down.");
        let _room = self.0.room.acquire().await.map_err(closed)?;
        let mut connection = self.connection().await?;
        let sent = connection.send(mail.envelope(), &mail.formatted()).await;
        if !connection.is_broken() {
            self.park(connection);
        }
        sent
    }

    /// One that was kept and lives, or a new one.
    async fn connection(&self) -> Result<Connection, CallFailure> {
        while let Some((mut kept, since)) = self.take() {
            if since.elapsed() < IDLE && kept.is_alive().await {
                return Ok(kept);
            }
        }
        Connection::open(&self.0.target).await
    }

    fn take(&self) -> Option<(Connection, Instant)> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn park(&self, connection: Connection) {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Instant::now()));
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let Some(inner) = inner.upgrade() else { return };
            for connection in inner.expired() {
                connection.quit().await;
            }
        });
    }
}

impl Inner {
    /// Takes out what nobody has used for long.
    fn expired(&self) -> Vec<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (old, young) =
            std::mem::take(&mut *idle).into_iter().partition(|(_, since)| since.elapsed() >= IDLE);
        *idle = young;
        let old: Vec<(Connection, Instant)> = old;
        old.into_iter().map(|(connection, _)| connection).collect()
    }
}

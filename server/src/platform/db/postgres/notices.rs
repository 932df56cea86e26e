//! Hints between the processes on one database: `LISTEN` and `NOTIFY`.
//!
//! A hint says "look again", never what is there: one that is lost costs patience, not data. Sent outside the
//! transaction that it tells of, so that a commit never waits for PostgreSQL's queue of notifications.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc};
use tokio::task::AbortHandle;
use tokio_postgres::tls::NoTls;
use tokio_postgres::{AsyncMessage, Client, Connection};

use super::connect::Target;
use crate::platform::db::{DbError, Notice};

const CHANNEL: &str = "liventix";
/// Hints that wait to be sent. When it is full the process is busy enough for polls to find things anyway.
const QUEUE: usize = 4_096;
/// Hints in one notification: PostgreSQL takes 8,000 bytes.
const TOGETHER: usize = 100;
/// Hints heard that a slow listener may be behind by.
const BEHIND: usize = 1_024;
/// Before the listener connects again.
const PAUSE: Duration = Duration::from_secs(1);

/// Both directions. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::platform::db) struct Notices(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    out: mpsc::Sender<String>,
    heard: broadcast::Sender<Notice>,
    tasks: [AbortHandle; 2],
}

impl Notices {
    /// Starts sending and listening.
    pub(super) fn start(target: Target, pool: Pool) -> Self {
        let (out, waiting) = mpsc::channel(QUEUE);
        let (heard, _) = broadcast::channel(BEHIND);
        let tasks = [tokio::spawn(send(pool, waiting)), tokio::spawn(listen(target, heard.clone()))];
        Self(Arc::new(Shared { out, heard, tasks: tasks.map(|task| task.abort_handle()) }))
    }

    pub(in crate::platform::db) fn send(&self, hint: String) {
        // Full or closed: see QUEUE.
        let _ = self.0.out.try_send(hint);
    }

    pub(in crate::platform::db) fn listen(&self) -> broadcast::Receiver<Notice> {
        self.0.heard.subscribe()
    }

    /// Ends both tasks, and with them the listener's connection.
    pub(super) fn close(&self) {
        self.0.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

async fn send(pool: Pool, mut waiting: mpsc::Receiver<String>) {
    let mut hints = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut hints, TOGETHER).await > 0 {
        hints.sort_unstable();
        hints.dedup();
        if let Err(error) = notify(&pool, &hints.join("\n")).await {
            tracing::warn!(error = error.to_string(), "other processes were not told of a change");
        }
        hints.clear();
    }
}

async fn notify(pool: &Pool, text: &str) -> Result<(), DbError> {
    let connection = pool.get().await.map_err(|error| DbError::Busy(error.to_string()))?;
    let statement = connection.prepare_cached("SELECT 1 FROM pg_notify($1, $2)").await?;
    connection.execute(&statement, &[&CHANNEL, &text]).await?;
    Ok(())
}

/// Listens on a connection of its own, and on another one once that breaks.
async fn listen(target: Target, heard: broadcast::Sender<Notice>) {
    loop {
        let ended = if target.encrypted {
            match super::connect::tls() {
                Ok(tls) => hear(&target, tokio_postgres_rustls::MakeRustlsConnect::new(tls), &heard).await,
                Err(error) => Err(error),
            }
        } else {
            hear(&target, NoTls, &heard).await
        };
        if let Err(error) = ended {
            tracing::warn!(
                error = error.to_string(),
                "not hearing of other processes' changes; trying again"
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn hear<T>(target: &Target, tls: T, heard: &broadcast::Sender<Notice>) -> Result<(), DbError>
where
    T: tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket> + Send,
    T::Stream: Send + 'static,
{
    let (client, connection) = target.config.connect(tls).await?;
    let driver = tokio::spawn(drive(connection, heard.clone()));
    let listening = async move |client: &Client| client.batch_execute(&format!("LISTEN {CHANNEL}")).await;
    listening(&client).await?;
    // Whatever was said while nobody listened is lost.
    let _ = heard.send(Notice::Missed);
    // The client has to live: without it the connection ends.
    let _ = driver.await;
    drop(client);
    Ok(())
}

async fn drive<S, T>(mut connection: Connection<S, T>, heard: broadcast::Sender<Notice>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message {
            for hint in notification.payload().lines() {
                // Nobody listens: then nobody misses it.
                let _ = heard.send(Notice::Hint(hint.to_owned()));
            }
        }
    }
}

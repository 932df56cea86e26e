//! A TCP relay that dies after a given number of bytes: a bad network, exactly repeatable.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Relays to a server until its byte budget is used up; then every connection is cut, and every new
/// one closed at once, until [`CuttingProxy::heal`].
pub struct CuttingProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    /// Bytes left to relay, both directions together; below zero once cut.
    budget: AtomicI64,
    relayed: AtomicU64,
    cut: watch::Sender<bool>,
}

impl CuttingProxy {
    /// Starts relaying to `target` without a limit.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            target,
            budget: AtomicI64::new(i64::MAX),
            relayed: AtomicU64::new(0),
            cut: watch::Sender::new(false),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !*accepting.cut.borrow() {
                    tokio::spawn(relay(client, Arc::clone(&accepting)));
                }
            }
        });
        Self { address, shared }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many bytes went through since the start.
    pub fn relayed(&self) -> u64 {
        self.shared.relayed.load(Ordering::SeqCst)
    }

    /// Cuts everything after `bytes` more bytes.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.budget.store(i64::try_from(bytes).expect("a sane budget"), Ordering::SeqCst);
    }

    /// Whether the cut has happened.
    pub fn is_cut(&self) -> bool {
        *self.shared.cut.borrow()
    }

    /// Relays again, without a limit. Old connections stay dead.
    pub fn heal(&self) {
        self.shared.budget.store(i64::MAX, Ordering::SeqCst);
        self.shared.cut.send_replace(false);
    }
}

async fn relay(client: TcpStream, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(shared.target).await else { return };
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let mut cut = shared.cut.subscribe();
    tokio::select! {
        _ = copy(client_read, server_write, &shared) => {}
        _ = copy(server_read, client_write, &shared) => {}
        _ = cut.wait_for(|cut| *cut) => {}
    }
}

async fn copy(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut buffer = [0_u8; 4096];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let before = shared.budget.fetch_sub(read as i64, Ordering::SeqCst);
        let allowed = before.clamp(0, read as i64) as usize;
        to.write_all(&buffer[..allowed]).await?;
        to.flush().await?;
        shared.relayed.fetch_add(allowed as u64, Ordering::SeqCst);
        if allowed < read {
            shared.cut.send_replace(true);
            return Ok(());
        }
    }
}

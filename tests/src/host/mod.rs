//! What the binary `liventix-stage` serves to tests in other languages: the scan cases over the real sync
//! protocol ([`cases`]), and real servers that can be switched off and on ([`servers`]).

mod cases;
mod failure;
mod servers;

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use servers::Servers;

/// A host that listens on a free port of this machine.
pub struct Host {
    /// Where.
    pub address: SocketAddr,
    servers: Servers,
    close: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Host {
    /// Starts it.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let servers = Servers::default();
        let router = Router::new().merge(cases::routes(address)).merge(servers::routes(servers.clone()));
        let (close, closing) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let closed = async {
                let _ = closing.await;
            };
            let _ = axum::serve(listener, router).with_graceful_shutdown(closed).await;
        });
        Ok(Self { address, servers, close, task })
    }

    /// How to reach it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it and every server that it started, and removes what they wrote.
    pub async fn shutdown(self) {
        self.servers.remove_all().await;
        let _ = self.close.send(());
        // Whoever keeps a connection open is not waited for.
        self.task.abort();
    }
}

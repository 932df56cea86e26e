//! Connections: how many at once, how long one may take to say what it wants, and how they end.
//!
//! `axum::serve` has no such bounds: whoever opens connections and says nothing would keep them for ever.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one connection may buffer of a request's head, in bytes.
const MAX_HEAD: usize = 64 * 1_024;
/// Between two tries when the system has nothing left for another connection.
const BREATH: Duration = Duration::from_secs(1);

/// Bounds on connections.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many are open at once; others wait.
    pub connections: usize,
    /// How long a connection may take from one answer, or its beginning, to the end of the next request's
    /// head. So it is also how long one stays open unused.
    pub head: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: 4_096, head: Duration::from_secs(60) }
    }
}

/// Serves `router` until `closing`, then lets the requests under way end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    closing: impl Future<Output = ()> + Send,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut closing = pin!(closing);
    loop {
        let (stream, address, place) = tokio::select! {
            biased;
            () = &mut closing => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let inner = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            inner.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.head)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
    // Whoever connects from now on is refused and does not wait in vain.
    drop(listener);
    graceful.shutdown().await;
}

/// The next connection, as soon as there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is one in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address, place),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    async fn server(bounds: Bounds) -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (close, closed) = oneshot::channel();
        let router = Router::new().fallback(async || "hello");
        let closing = async {
            let _ = closed.await;
        };
        (address, close, tokio::spawn(serve(listener, router, bounds, closing)))
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_connection_that_never_says_what_it_wants_is_closed() {
        let bounds = Bounds { head: Duration::from_millis(20), ..Bounds::default() };
        let (address, close, task) = server(bounds).await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        silent.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        assert!(!answer(&mut silent).await.contains("hello"));
        close.send(()).unwrap();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_for_a_place() {
        let (address, close, task) = server(Bounds { connections: 1, ..Bounds::default() }).await;
        let first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert!(second.try_read(&mut [0]).is_err(), "served without a place");
        drop(first);
        assert!(answer(&mut second).await.ends_with("hello"));
        close.send(()).unwrap();
        task.await.unwrap();
    }
}

//! Who alerts go to: a web hook that answers what a test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Nothing on this machine takes so long, unless it never comes.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until there is something; for what a server does by itself.
pub(crate) async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

/// One call of the web hook.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

type Answers = Arc<Mutex<VecDeque<(StatusCode, Option<&'static str>)>>>;

/// A web hook. It answers 204 unless it was told otherwise.
pub(crate) struct Hook {
    pub(crate) url: String,
    answers: Answers,
    calls: mpsc::UnboundedReceiver<Call>,
}

impl Hook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?secret=of-the-address", listener.local_addr().unwrap());
        let (answers, (sender, calls)) = (Answers::default(), mpsc::unbounded_channel());
        let router = Router::new().route("/hook", post(answer)).with_state((Arc::clone(&answers), sender));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, answers, calls }
    }

    /// Answers the next call so.
    pub(crate) fn answer(&self, status: u16, retry_after: Option<&'static str>) {
        self.answers.lock().unwrap().push_back((StatusCode::from_u16(status).unwrap(), retry_after));
    }

    pub(crate) async fn next(&mut self) -> Call {
        tokio::time::timeout(PATIENCE, self.calls.recv()).await.unwrap().unwrap()
    }

    /// Whether nothing came that was not taken yet.
    pub(crate) fn is_quiet(&self) -> bool {
        self.calls.is_empty()
    }
}

async fn answer(
    State((answers, calls)): State<(Answers, mpsc::UnboundedSender<Call>)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> (StatusCode, HeaderMap) {
    let _ = calls.send(Call { headers, bytes });
    let (status, wait) = answers.lock().unwrap().pop_front().unwrap_or((StatusCode::NO_CONTENT, None));
    let mut headers = HeaderMap::new();
    wait.map(|seconds| headers.insert("retry-after", seconds.parse().unwrap()));
    (status, headers)
}

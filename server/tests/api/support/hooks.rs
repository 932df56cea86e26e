//! Who alerts go to: a web hook and a mail server that answer what a test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Nothing on this machine takes so long, unless it never comes.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// A mail server (RFC 5321, as far as one mail needs it). It takes everything unless it was told otherwise.
pub(crate) struct MailServer {
    pub(crate) url: String,
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
    mails: mpsc::UnboundedReceiver<String>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (refusals, (sender, mails)) =
            (Arc::<Mutex<VecDeque<&'static str>>>::default(), mpsc::unbounded_channel());
        let refuse = Arc::clone(&refusals);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that breaks is the client's matter.
                tokio::spawn(talk(stream, Arc::clone(&refuse), sender.clone()));
            }
        });
        Self { url, refusals, mails }
    }

    /// Answers the next mail so, such as `451 busy`.
    pub(crate) fn refuse(&self, reply: &'static str) {
        self.refusals.lock().unwrap().push_back(reply);
    }

    /// The next mail, with its headers; no line is folded.
    pub(crate) async fn next(&mut self) -> String {
        let mail = tokio::time::timeout(PATIENCE, self.mails.recv()).await.unwrap().unwrap();
        mail.replace("=\r\n", "").replace("\r\n ", " ")
    }

    /// The next mail, as it came.
    pub(crate) async fn raw(&mut self) -> Vec<u8> {
        let mail = tokio::time::timeout(PATIENCE, self.mails.recv()).await.unwrap().unwrap();
        // Dots at the beginning of lines are doubled on the way (RFC 5321, 4.5.2).
        let whole = mail.strip_suffix(".\r\n").unwrap_or(&mail);
        whole.replace("\r\n..", "\r\n.").into_bytes()
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.mails.is_empty()
    }
}

async fn talk(
    mut stream: TcpStream,
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
    mails: mpsc::UnboundedSender<String>,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    writer.write_all(b"220 mail.test ESMTP\r\n").await?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let reply = match line.split([' ', '\r']).next().unwrap_or_default() {
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mail = data(&mut reader).await?;
                let _ = mails.send(mail);
                refusals.lock().unwrap().pop_front().unwrap_or("250 taken")
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 yes",
        };
        writer.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}

async fn data(reader: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n.\r\n") {
        bytes.push(reader.read_u8().await?);
    }
    Ok(String::from_utf8(bytes).unwrap())
}

//! A mail server that misbehaves on command.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::hooks::PATIENCE;

/// Where it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Greeting,
    Ehlo,
    Auth,
    StartTls,
    Recipient,
    /// Instead of asking for the mail.
    Data,
    /// When it has the whole mail.
    Dot,
    /// Anything else.
    Other,
}

/// What it does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It says nothing any more.
    Hang,
    /// It closes the connection.
    Close,
    /// It never ends a line.
    Chatter,
    /// It answers so, with `\n` between lines.
    Say(&'static str),
}

#[derive(Default)]
struct State {
    wrongs: VecDeque<(At, How)>,
    /// What it can.
    extensions: Vec<&'static str>,
    /// What it was told, but for mails.
    lines: Vec<String>,
    connections: usize,
}

/// A mail server (RFC 5321, as far as one mail needs it). It takes everything unless it was told otherwise.
pub(crate) struct MailServer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    mails: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// One that can this as well.
    pub(crate) async fn with(extensions: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let state = State { extensions: extensions.to_vec(), ..State::default() };
        let (state, (sender, mails)) = (Arc::new(Mutex::new(state)), mpsc::unbounded_channel());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                // A connection that breaks is the client's matter.
                tokio::spawn(talk(stream, Arc::clone(&shared), sender.clone()));
            }
        });
        Self { url, state, mails }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Goes wrong once; several wait for several times.
    pub(crate) fn misbehave(&self, at: At, how: How) {
        self.state().wrongs.push_back((at, how));
    }

    /// Answers the next mail so, such as `451 busy`.
    pub(crate) fn refuse(&self, reply: &'static str) {
        self.misbehave(At::Dot, How::Say(reply));
    }

    /// What it was told, but for mails.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.state().connections
    }

    /// The next mail, with its headers; no line is folded.
    pub(crate) async fn next(&mut self) -> String {
        let mail = String::from_utf8(self.raw().await).unwrap();
        mail.replace("=\r\n", "").replace("\r\n ", " ")
    }

    /// The next mail, as it came.
    pub(crate) async fn raw(&mut self) -> Vec<u8> {
        tokio::time::timeout(PATIENCE, self.mails.recv()).await.unwrap().unwrap()
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.mails.is_empty()
    }
}

async fn talk(
    stream: TcpStream,
    state: Arc<Mutex<State>>,
    mails: mpsc::UnboundedSender<Vec<u8>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut at = At::Greeting;
    let mut reply = "220 mail.test ESMTP".to_owned();
    loop {
        let wrong = {
            let mut state = state.lock().unwrap();
            if state.wrongs.front().is_some_and(|(place, _)| *place == at) {
                state.wrongs.pop_front()
            } else {
                None
            }
        };
        let is_mail = at == At::Data && wrong.is_none();
        match wrong.map(|(_, how)| how) {
            Some(How::Hang) => std::future::pending().await,
            Some(How::Close) => return Ok(()),
            Some(How::Chatter) => loop {
                stream.write_all(&[b'2'; 64 * 1_024]).await?;
            },
            Some(How::Say(other)) => reply = other.replace('\n', "\r\n"),
            None => {}
        }
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        if is_mail {
            let _ = mails.send(data(&mut stream).await?);
            (at, reply) = (At::Dot, "250 taken".to_owned());
            continue;
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        state.lock().unwrap().lines.push(line.trim_end().to_owned());
        (at, reply) = match line.split([' ', ':', '\r']).next().unwrap_or_default() {
            "EHLO" => {
                let can = state
                    .lock()
                    .unwrap()
                    .extensions
                    .iter()
                    .map(|it| format!("250-{it}\r\n"))
                    .collect::<String>();
                (At::Ehlo, format!("250-mail.test\r\n{can}250 HELP"))
            }
            "STARTTLS" => (At::StartTls, "220 go on".to_owned()),
            "RCPT" => (At::Recipient, "250 yes".to_owned()),
            "DATA" => (At::Data, "354 go on".to_owned()),
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            "AUTH" | "aWRh" | "aHVudGVyMg==" => (At::Auth, "235 yes".to_owned()),
            _ => (At::Other, "250 yes".to_owned()),
        };
    }
}

/// Dots at the beginning of lines are doubled on the way (RFC 5321, 4.5.2).
async fn data(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let begin = mail.len();
        if stream.read_until(b'\n', &mut mail).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match &mail[begin..] {
            b".\r\n" => {
                mail.truncate(begin);
                return Ok(mail);
            }
            [b'.', ..] => drop(mail.remove(begin)),
            _ => {}
        }
    }
}

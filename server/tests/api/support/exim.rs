//! A mail server that others use: Exim, for each test one, set up by `tests/toolchains/smtp`.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// The folder of the one that can be started.
const VARIABLE: &str = "LIVENTIX_TEST_SMTP";

/// It takes mails of `ida`, who knows the password, for everybody but `nobody`.
pub(crate) struct Exim {
    port: u16,
    is_encrypted: bool,
    mails: TempDir,
    /// Each connection is a process.
    connections: Arc<Mutex<Vec<Child>>>,
}

/// Where it and its certificates are.
fn setup() -> PathBuf {
    let hint = "no mail server to test with: run `tests/toolchains/smtp cargo test …`";
    std::env::var(VARIABLE).unwrap_or_else(|_| panic!("{hint}")).into()
}

/// Who vouches for its certificate.
pub(crate) fn ca_file() -> PathBuf {
    setup().join("ca.pem")
}

/// Somebody who does not.
pub(crate) fn other_ca_file() -> PathBuf {
    setup().join("other.pem")
}

fn serve(stream: TcpStream, is_encrypted: bool, mails: &Path) -> Child {
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    let (input, output) = (OwnedFd::from(stream.try_clone().unwrap()), OwnedFd::from(stream));
    let mut command = Command::new(setup().join("serve"));
    command.args(is_encrypted.then_some("-tls-on-connect")).env("MAIL_FOLDER", mails);
    command.stdin(input).stdout(output).stderr(Stdio::null()).spawn().unwrap()
}

impl Exim {
    /// With STARTTLS, which it insists on, or encrypted from the first byte.
    pub(crate) async fn start(is_encrypted: bool) -> Self {
        let mails = tempfile::tempdir().unwrap();
        // It gives up being root.
        std::fs::set_permissions(mails.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<Mutex<Vec<Child>>>::default();
        let (kept, folder) = (Arc::clone(&connections), mails.path().to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                kept.lock().unwrap().push(serve(stream, is_encrypted, &folder));
            }
        });
        Self { port, is_encrypted, mails, connections }
    }

    /// Its address for who signs in so.
    pub(crate) fn url_of(&self, host: &str, user: &str) -> String {
        let (scheme, tls) = if self.is_encrypted { ("smtps", "") } else { ("smtp", "?tls=required") };
        format!("{scheme}://{user}@{host}:{}{tls}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("localhost", "ida:pass%25word")
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// Ends all connections, as when it is started anew.
    pub(crate) fn restart(&self) {
        for connection in &mut *self.connections.lock().unwrap() {
            // One may have ended by itself.
            let _ = connection.kill();
            connection.wait().unwrap();
        }
    }

    /// Every mail that was delivered, the first one first.
    pub(crate) fn mails(&self) -> Vec<Vec<u8>> {
        let Ok(found) = std::fs::read_dir(self.mails.path().join("mail/new")) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = found.map(|file| file.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        self.restart();
    }
}

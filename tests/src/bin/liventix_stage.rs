//! `liventix-stage`: what tests in other languages test against. `tests/vectors/scan/README.md` and
//! `tests/README.md` say what it serves.
//!
//! It prints where it listens as one line of JSON, and ends when its standard input closes, so that it
//! never outlives the test that started it, or at SIGTERM.

use std::io::Read as _;
use std::process::ExitCode;

use liventix_tests::host::Host;
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> ExitCode {
    let host = match Host::start().await {
        Ok(host) => host,
        Err(error) => {
            eprintln!("liventix-stage cannot listen: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", serde_json::json!({ "url": host.url() }));
    tokio::select! {
        () = input_closed() => {}
        () = terminated() => {}
    }
    host.shutdown().await;
    ExitCode::SUCCESS
}

/// On a thread of its own, which a waiting read cannot keep from ending with the process.
async fn input_closed() {
    let (closed, wait) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut ignored = [0; 256];
        while matches!(std::io::stdin().read(&mut ignored), Ok(1..)) {}
        let _ = closed.send(());
    });
    let _ = wait.await;
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

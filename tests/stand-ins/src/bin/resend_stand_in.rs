//! The stand-in for Resend as a program: says where it is, and ends with its standard input.

use std::io::Read as _;

use liventix_stand_ins::resend::Resend;

#[tokio::main]
async fn main() {
    let resend = Resend::start().await;
    println!("{{\"url\": \"{}\"}}", resend.url());
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = waiting.await;
}

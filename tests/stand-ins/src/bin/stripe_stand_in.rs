//! The stand-in as a program: prints its address as JSON, and ends with its standard input.

use std::io::Read as _;

use liventix_stand_ins::stripe::Stripe;

#[tokio::main]
async fn main() {
    let stripe = Stripe::start().await;
    println!("{}", serde_json::json!({"url": stripe.url()}));
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = wait.await;
}

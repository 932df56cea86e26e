//! The stand-ins for Apple's and Google's push services as a program: says where they are, and ends with its standard input.

use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use liventix_stand_ins::push::{KEY_ID, PushServices, TEAM_ID, TOPIC};

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[tokio::main]
async fn main() {
    let services = PushServices::start(now).await;
    let about = serde_json::json!({
        "apns_url": services.apns_url(), "fcm_url": services.fcm_url(), "ca_file": services.ca_file(),
        "apns_key_file": services.apns_key_file(), "account_file": services.account_file(), "key_id": KEY_ID,
        "team_id": TEAM_ID, "topic": TOPIC,
    });
    println!("{about}");
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = waiting.await;
}

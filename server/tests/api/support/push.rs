//! A server that sends push messages, and phones that get them.

use std::sync::{Arc, OnceLock};

use liventix_core::clock::{Clock as _, ManualClock};
use liventix_server::platform::config::{Config, PushConfig};
use liventix_server::platform::queue::QueueStats;
use liventix_stand_ins::push::{KEY_ID, PushServices, TEAM_ID, TOPIC, Taken};
use serde_json::{Value, json};

use super::{Event, NOW, Organiser, Phone, Server, text, until};

/// A server whose messages the stand-ins carry, with an event.
pub(crate) struct PushWorld {
    pub(crate) server: Server,
    pub(crate) services: PushServices,
    pub(crate) organiser: Organiser,
    pub(crate) event: Event,
}

pub(crate) fn config(services: &PushServices) -> PushConfig {
    PushConfig {
        apns_key_file: Some(services.apns_key_file()),
        apns_key_id: Some(KEY_ID.to_owned()),
        apns_team_id: Some(TEAM_ID.to_owned()),
        apns_topic: Some(TOPIC.to_owned()),
        apns_url: services.apns_url().to_owned(),
        apns_sandbox_url: services.apns_url().to_owned(),
        fcm_service_account_file: Some(services.account_file()),
        fcm_url: services.fcm_url().to_owned(),
        ca_file: Some(services.ca_file()),
        timeout: std::time::Duration::from_secs(2),
        ..PushConfig::default()
    }
}

/// A token of Apple's, each of another number.
pub(crate) fn apns_token(number: u64) -> String {
    format!("{number:064x}")
}

/// One of Google's.
pub(crate) fn fcm_token(number: u64) -> String {
    format!("fT3x{number:07}:APA91b{}", "Zz0_-".repeat(27))
}

impl PushWorld {
    pub(crate) async fn start() -> Self {
        Self::start_set(|_| {}).await
    }

    pub(crate) async fn start_set(change: impl FnOnce(&mut Config)) -> Self {
        // The server's, once there is one.
        let clock = Arc::new(OnceLock::<Arc<ManualClock>>::new());
        let by = Arc::clone(&clock);
        let services = PushServices::start(move || by.get().map_or(NOW, |clock| clock.wall_ms())).await;
        let push = config(&services);
        let server = Server::start_set(move |config| {
            config.push = push;
            change(config);
        })
        .await;
        let _ = clock.set(server.clock.clone());
        let organiser = Organiser::create(&server, "A").await;
        let event = organiser.event(&server).await;
        Self { server, services, organiser, event }
    }

    /// A phone with a ticket.
    pub(crate) async fn phone(&self) -> Phone {
        self.phone_of(&self.event).await
    }

    pub(crate) async fn phone_of(&self, event: &Event) -> Phone {
        let ticket = self.organiser.ticket(&self.server, event).await;
        let link = self.organiser.link(&self.server, event, &ticket).await;
        let phone = Phone::new("A phone");
        phone.claim(&self.server, &link).await.expect(200);
        phone
    }

    /// Tells the server the phone's token.
    pub(crate) async fn register(&self, phone: &Phone, service: &str, token: &str) -> Value {
        let body = json!({ "service": service, "token": token, "time_zone": "Europe/Paris" });
        self.server.call("PUT", "/v1/wallet/push", &phone.token, &body).await.expect(200)
    }

    /// Asks for a test message: its id.
    pub(crate) async fn test(&self, phone: &Phone) -> String {
        let sent = self.server.post("/v1/wallet/push/test", &phone.token, &json!({})).await.expect(202);
        text(&sent["message_id"])
    }

    /// Messages go; where all that is left waits for its time, the next one's comes.
    pub(crate) async fn pass_time(&self) {
        self.server.pass_time("push").await;
    }

    /// Waits until everything that was put in is done, or waits for its time.
    pub(crate) async fn settled(&self) {
        until(async || {
            for queue in ["notices", "push"] {
                self.server.app().queue().wake(queue);
            }
            let stats = self.server.app().queue().stats().await.unwrap();
            let is_idle = |it: &QueueStats| it.running == 0 && (it.ready == 0 || it.paused_at.is_some());
            stats.iter().all(is_idle).then_some(())
        })
        .await;
    }

    /// Time passes, between one piece of work and the next: a clock that jumps in the middle of one is none that there is.
    pub(crate) async fn advance(&self, ms: i64) {
        self.settled().await;
        self.server.clock.advance(ms);
    }

    /// Work goes on until `look` finds something.
    pub(crate) async fn comes<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        until(async || {
            self.server.app().queue().wake("push");
            look().await
        })
        .await
    }

    /// What a phone shows, once it shows so many.
    pub(crate) async fn shows(&self, token: &str, count: usize) -> Vec<Taken> {
        self.comes(async || {
            let shown = self.services.shown().remove(token).unwrap_or_default();
            (shown.len() >= count).then(|| shown.into_values().collect())
        })
        .await
    }
}

//! Sending messages: the job.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use liventix_core::ids::PushMessageId;
use liventix_core::push::PushService;
use liventix_core::push::wire::PushPayload;
use secrecy::{ExposeSecret as _, SecretString};

use super::devices::store as devices;
use super::outbox::BATCH;
use super::prepare::{self, Ready};
use super::providers::{NotTaken, Outgoing, Taken};
use super::{QUEUE, settle};
use crate::app::AppState;
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::db::DbError;
use crate::platform::queue::{Claimed, Failure};
use crate::platform::telemetry::context;

/// A message whose service was asked, and what it said.
pub(super) type Asked = (Ready, Result<Taken, NotTaken>);

/// Sends what may go of a batch. Where it is one message alone, its failure is the job's, and it is tried again with it; one
/// of many gets a job of its own.
pub(super) async fn send(app: &AppState, job: &Claimed) -> Result<(), Failure> {
    let ids = job.payload.get("messages").cloned().unwrap_or_default();
    let ids: Vec<PushMessageId> = serde_json::from_value(ids)
        .map_err(|error| Failure::permanent("payload", format!("The job names no messages: {error}.")))?;
    let permits = prepare::permits(app).await?;
    let (app_in, of_job) = (app.clone(), ids.clone());
    let prepared = app
        .db()
        .write(move |tx| Box::pin(async move { prepare::prepare(tx, &app_in, &of_job, &permits).await }));
    let prepared: Result<_, DbError> = prepared.await;
    let prepared = prepared?;
    let is_alone = ids.len() == 1;
    if is_alone && let Some((_, reason, at)) = prepared.held.first() {
        return Err(Failure::not_before(reason.code(), "The message has to wait.", *at));
    }
    let mut asked: Vec<Asked> = futures_util::stream::iter(prepared.ready)
        .map(|ready| async {
            let result = ask(app, &ready).await;
            (ready, result)
        })
        .buffer_unordered(BATCH)
        .collect()
        .await;
    // In one order everywhere, so that nobody waits for each other.
    asked.sort_by_key(|(ready, _)| (ready.message.wallet_id.to_bytes(), ready.message.message_id));
    let is_last = QUEUE.retry.max_retries < job.attempt;
    settle::settle(app, asked, (is_alone, is_last)).await
}

async fn ask(app: &AppState, ready: &Ready) -> Result<Taken, NotTaken> {
    let outgoing = outgoing(app, ready)?;
    let service = super::breaker_of(ready.device.service);
    context::provider(service, "push.send", app.push().send(app, &outgoing)).await
}

fn outgoing(app: &AppState, ready: &Ready) -> Result<Outgoing, NotTaken> {
    let Ready { message, device, .. } = ready;
    let broken = |detail: &str| CallFailure::new(Outcome::Refused, detail);
    let opened = app.vault().unseal(&devices::context(&device.fingerprint), &device.sealed_token);
    let opened = opened.map_err(|_| broken("The phone's token does not open."))?;
    let token = std::str::from_utf8(opened.expose_secret()).map_err(|_| broken("The token is no text."))?;
    let payload = PushPayload {
        message_id: message.message_id,
        server_url: app.public_url().to_owned(),
        category: message.kind.category(),
        kind: message.kind.code().to_owned(),
        event_id: message.event_id,
        ticket_id: message.ticket_id,
    };
    let payload = serde_json::to_string(&payload).map_err(|error| broken(&error.to_string()))?;
    Ok(Outgoing {
        id: message.message_id.to_string(),
        service: device.service,
        token: SecretString::from(token),
        title: message.title.clone(),
        body: message.body.clone(),
        thread: message.group_key.clone(),
        payload,
        is_urgent: message.kind.is_urgent(),
        expires_at: message.expires_at / 1_000,
        lives_for: ((message.expires_at - app.now()) / 1_000).clamp(0, MAX_TTL_S),
    })
}

/// Google keeps messages for four weeks at most.
const MAX_TTL_S: i64 = 28 * 86_400;

/// What each service said of its part of a batch: whether one went well, and how many outages there were.
pub(super) fn by_service(asked: &[Asked]) -> BTreeMap<PushService, (bool, usize, bool)> {
    let mut all = BTreeMap::new();
    for (ready, result) in asked {
        let entry = all.entry(ready.device.service).or_insert((false, 0, false));
        match result {
            // Whatever it says, it is there.
            Ok(_) => entry.0 = true,
            Err(not) if not.failure.outcome.is_outage() => entry.1 += 1,
            Err(not) => entry.0 |= not.failure.status.is_some(),
        }
        entry.2 |= ready.had_failures;
    }
    all
}

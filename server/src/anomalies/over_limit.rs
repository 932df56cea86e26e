//! Scanners that send more than they may. Refusing costs nothing, and so must noting it: at most one write
//! per scanner and a few seconds, however many requests come.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use liventix_core::ids::{DeviceId, EventId, GateId};

use super::detect::of_device;
use super::finding::{Facts, Finding};
use super::kinds::Kind;
use super::store::{self, Context};
use crate::app::AppState;
use crate::events::snapshot;
use crate::platform::auth::Scanner;
use crate::platform::problem::ApiError;

/// The least time between two notes of one scanner at one event.
const EVERY_MS: i64 = 10_000;
/// Events of one scanner noted in that time. A token names events as it likes; more than a few are made up.
const MAX_EVENTS: usize = 4;
/// Scanners remembered. An honest event has fewer; beyond that all are forgotten, and noted once more.
const MAX_SCANNERS: usize = 10_000;

#[derive(Debug, Default)]
struct Refused {
    since: i64,
    /// Requests by event: not noted yet, and whether there was a note since.
    events: HashMap<EventId, (i64, bool)>,
}

impl Refused {
    /// Counts one; how many to note now, if it is time.
    fn count(&mut self, event: EventId, now: i64) -> Option<i64> {
        // A time in the future is one from before the clock was set back.
        if !(0..EVERY_MS).contains(&(now - self.since)) {
            self.since = now;
            self.events.retain(|_, (requests, _)| *requests > 0);
            self.events.values_mut().for_each(|(_, noted)| *noted = false);
        }
        if self.events.len() >= MAX_EVENTS && !self.events.contains_key(&event) {
            return None;
        }
        let (requests, noted) = self.events.entry(event).or_default();
        *requests += 1;
        (!std::mem::replace(noted, true)).then(|| std::mem::take(requests))
    }
}

/// Requests that were refused and are not noted yet.
#[derive(Debug, Default)]
pub struct OverLimits(Mutex<HashMap<DeviceId, Refused>>);

impl OverLimits {
    fn count(&self, scanner: DeviceId, event: EventId, now: i64) -> Option<i64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_SCANNERS && !all.contains_key(&scanner) {
            all.clear();
        }
        all.entry(scanner).or_default().count(event, now)
    }
}

/// Notes that a scanner was refused a redeem at `gate` because it sent too many. Never fails: the scanner gets
/// its 429 either way.
pub(crate) async fn over_limit(app: &AppState, scanner: Scanner, event: EventId, gate: GateId) {
    let now = app.now();
    let Some(requests) = app.over_limits().count(scanner.scanner_id, event, now) else { return };
    let app_in = app.clone();
    let noted = app
        .db_of(scanner.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                // Of an event that is not the organiser's, nothing is noted.
                snapshot::hold(&app_in, tx, scanner.organiser_id, event).await?;
                let subject = of_device(event, Kind::ScannerOverLimit, scanner.scanner_id);
                let facts = Facts::OverLimit { requests, gate_id: gate };
                let finding = Finding { at: now, facts, scans: Vec::new() };
                let context = Context { organiser_id: scanner.organiser_id, now };
                store::grow(tx, context, subject, vec![finding], Some(requests)).await?;
                Ok::<_, ApiError>(())
            })
        })
        .await;
    if let Err(error) = noted {
        tracing::debug!(code = error.code().as_str(), "a scanner over its limit was not noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCANNER: DeviceId = DeviceId::from_bytes([1; 16]);

    #[test]
    fn a_flood_is_noted_now_and_then_and_every_request_counted() {
        let limits = OverLimits::default();
        let event = EventId::from_bytes([2; 16]);
        let notes: Vec<i64> =
            (0..=50_000).filter_map(|ms| limits.count(SCANNER, event, 100_000 + ms)).collect();
        assert_eq!(notes, [1, 10_000, 10_000, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn events_made_up_cost_a_few_notes() {
        let limits = OverLimits::default();
        let note = |number: u32| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            limits.count(SCANNER, EventId::from_bytes(id), 100_000 + i64::from(number) / 1_000)
        };
        assert_eq!((0..1_000_000).filter_map(note).count(), MAX_EVENTS);
        // And they do not hide the true one for longer than that.
        assert!(limits.count(SCANNER, EventId::from_bytes([9; 16]), 110_000).is_some());
    }
}

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
/// Scanners remembered. An honest event has fewer; beyond that all are forgotten, and noted once more.
const MAX_SCANNERS: usize = 10_000;

#[derive(Debug, Default)]
struct Refused {
    /// Since the last note.
    requests: i64,
    noted_at: Option<i64>,
}

/// Requests that were refused, by scanner and event, and are not noted yet.
#[derive(Debug, Default)]
pub struct OverLimits(Mutex<HashMap<(DeviceId, EventId), Refused>>);

impl OverLimits {
    /// Counts one; how many to note now, if it is time.
    fn count(&self, scanner: DeviceId, event: EventId, now: i64) -> Option<i64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_SCANNERS && !all.contains_key(&(scanner, event)) {
            all.clear();
        }
        let refused = all.entry((scanner, event)).or_default();
        refused.requests += 1;
        // A time in the future is one from before the clock was set back.
        if refused.noted_at.is_some_and(|noted_at| (0..EVERY_MS).contains(&(now - noted_at))) {
            return None;
        }
        refused.noted_at = Some(now);
        Some(std::mem::take(&mut refused.requests))
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

    #[test]
    fn a_flood_is_noted_now_and_then_and_every_request_counted() {
        let limits = OverLimits::default();
        let (scanner, event) = (DeviceId::from_bytes([1; 16]), EventId::from_bytes([2; 16]));
        let counted: i64 = (0..=50_000).filter_map(|ms| limits.count(scanner, event, 1_000 + ms)).sum();
        // All but those after the last note.
        assert_eq!(counted, 50_001);
        let notes = (0..50_000).filter_map(|ms| limits.count(scanner, event, 100_000 + ms)).count();
        assert_eq!(notes, 5);
    }
}

//! A link without a network: time, pages and keys are handed to the ledger as the sync engine would.

use liventix_core::clock::{Clock, RoundTrip};
use liventix_core::ids::ScanId;
use liventix_core::ledger::{DeviceState, Ledger};
use liventix_core::sync::wire::{Assignment, ForeignPassage, ManifestPage};
use liventix_core::ticket::KeyRing;

use super::door::{Door, Link, Machine};
use super::format::{Case, Facts, News};

/// Hands the news of a case over.
pub struct Direct {
    facts: Facts,
    machine: Machine,
    keys: KeyRing,
    cursor: i64,
}

impl Direct {
    /// A case's scanner, linked in this way.
    pub async fn door(case: &Case) -> Door<Self> {
        let facts = case.facts.clone();
        Door::open(case, async |machine| Self { facts, machine, keys: KeyRing::new(), cursor: 0 }).await
    }

    /// A round trip of no time.
    fn set_time(&self, ledger: &mut Ledger, server_ms: i64) {
        let sample = self.machine.clock.sample();
        ledger
            .observe_time(&RoundTrip { sent: sample, received: sample, server_ms })
            .expect("a written time");
    }

    fn assign(&self, ledger: &mut Ledger, assignments: &[Assignment]) {
        let device = &self.facts.device;
        let state = DeviceState {
            device_id: device.device_id,
            device_name: device.device_name.clone(),
            organiser_name: device.organiser_name.clone(),
            server_url: "https://tickets.example".to_owned(),
            assignments: assignments.to_vec(),
            revoked: false,
        };
        ledger.set_device(&state).expect("a written device");
    }

    fn page(&self, at: i64, news: &News) -> ManifestPage {
        ManifestPage {
            event_id: self.facts.event.event_id,
            event: news.event.clone(),
            tickets: news.tickets.clone(),
            passages: news.passages.clone(),
            next_cursor: self.cursor + 1,
            has_more: false,
            pending_rows: 0,
            server_ms: at,
        }
    }
}

impl Link for Direct {
    async fn begin(&mut self) {
        let Facts { event, tickets, passages, keys, clock, device, .. } = self.facts.clone();
        let news = News {
            event: Some(event),
            keys: Some(keys),
            assignments: Some(device.assignments),
            tickets,
            passages,
            own_passages: Vec::new(),
        };
        self.sync(clock.starts_at, &news, &[]).await;
    }

    async fn sync(&mut self, at: i64, news: &News, own: &[ScanId]) {
        let machine = self.machine.clone();
        let mut ledger = machine.ledger();
        self.set_time(&mut ledger, at);
        if let Some(assignments) = &news.assignments {
            self.assign(&mut ledger, assignments);
        }
        if let Some(keys) = &news.keys {
            self.keys.insert(keys).expect("usable keys");
        }
        let mut page = self.page(at, news);
        page.passages.extend(own_passages(&ledger, own));
        let applied = ledger.apply_page_after(self.cursor, &page).expect("an applied page");
        assert!(!applied.outdated, "the page was left out");
        self.cursor = page.next_cursor;
    }

    fn keys(&self) -> KeyRing {
        self.keys.clone()
    }
}

/// The passages that these scans were.
fn own_passages(ledger: &Ledger, own: &[ScanId]) -> Vec<ForeignPassage> {
    let scans = ledger.scans(0, usize::MAX).expect("readable scans");
    let wanted = scans.iter().filter(|scan| own.contains(&scan.scan_id));
    wanted
        .map(|scan| ForeignPassage {
            ticket_id: scan.ticket_id.expect("a passage has a ticket"),
            passage: scan.passage().expect("a scan that let people pass"),
        })
        .collect()
}

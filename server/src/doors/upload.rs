//! Taking in a batch of scans: a receipt for each, and none that is bad holds up the others.

use std::collections::{BTreeMap, HashMap, HashSet};

use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId};
use liventix_core::ledger::record::ScanRecord;
use liventix_core::rules::{EventInfo, Outcome};
use liventix_core::sync::wire::{ForeignPassage, MAX_UPLOAD_SCANS, Receipt, ReceiptStatus, UploadResponse};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::ledger::Ledger;
use super::quarantine::{self, Entry};
use super::{enrolment, scope};
use crate::anomalies::{self, Context};
use crate::app::AppState;
use crate::events::snapshot;
use crate::params;
use crate::platform::auth::AnyDevice;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::rate_limit::Key;
use crate::scanning::{ScanRow, ingest};
use crate::tickets;

/// The batch, with each scan still as it came: one of a newer door that does not read is set aside by
/// itself.
#[derive(Debug, Deserialize)]
pub(super) struct Batch {
    ledger_id: LedgerId,
    scans: Vec<Json>,
}

/// One scan of the batch.
struct Item {
    scan_id: ScanId,
    /// Of its text, for telling a repeat of something set aside.
    record_hash: [u8; 32],
    text: String,
    /// The record, if it reads and its hash fits; otherwise why not.
    record: Result<ScanRecord, &'static str>,
    event_id: Option<EventId>,
}

/// The longest record set aside as it came, in bytes. One of ours has about 1 kB.
const MAX_ASIDE_BYTES: usize = 8 * 1_024;

fn items(batch: Batch) -> ApiResult<Vec<Item>> {
    if !(1..=MAX_UPLOAD_SCANS).contains(&batch.scans.len()) {
        return Err(ApiError::field("scans", format!("must hold 1 to {MAX_UPLOAD_SCANS} scans")));
    }
    batch.scans.into_iter().enumerate().map(|(place, value)| item(place, value)).collect()
}

fn item(place: usize, value: Json) -> ApiResult<Item> {
    let id = |name: &str| value.get(name).and_then(Json::as_str);
    let scan_id = id("scan_id").and_then(|text| text.parse().ok()).ok_or_else(|| {
        ApiError::field(&format!("scans[{place}].scan_id"), "must be a UUID: without it there is no receipt")
    })?;
    let event_id = id("event_id").and_then(|text| text.parse().ok());
    let text = value.to_string();
    let record = match serde_json::from_value::<ScanRecord>(value) {
        Err(_) => Err("malformed_scan"),
        Ok(record) if !record.is_intact() => Err("hash_mismatch"),
        Ok(record) => Ok(record),
    };
    let record_hash = Sha256::digest(text.as_bytes()).into();
    Ok(Item { scan_id, record_hash, text: kept(text), record, event_id })
}

/// What is kept of a record that is set aside: of one longer than any door writes, only that it came.
fn kept(text: String) -> String {
    if text.len() <= MAX_ASIDE_BYTES { text } else { json!({ "too_long_bytes": text.len() }).to_string() }
}

pub(super) async fn upload(app: &AppState, device: AnyDevice, batch: Batch) -> ApiResult<UploadResponse> {
    let uploaded = receive(app, device, batch).await;
    app.metrics().uploaded(match &uploaded {
        Ok(_) => "ok",
        Err(error) if error.is_the_callers() => "refused",
        Err(_) => "error",
    });
    uploaded
}

/// Counts what became of each scan, and how late the new ones are.
fn measure(app: &AppState, receipts: &[Receipt], made_at: &[Option<i64>], now: i64) {
    for (receipt, at) in receipts.iter().zip(made_at) {
        app.metrics().receipt(match receipt.status {
            ReceiptStatus::Accepted => "accepted",
            ReceiptStatus::Duplicate => "duplicate",
            ReceiptStatus::Quarantined => "quarantined",
        });
        if let (ReceiptStatus::Accepted, Some(at)) = (receipt.status, at) {
            app.metrics().lag(now - at);
        }
    }
}

async fn receive(app: &AppState, device: AnyDevice, batch: Batch) -> ApiResult<UploadResponse> {
    let limit = app.config().limits.upload;
    app.limiter().require(Key::new("upload", device.device_id.as_bytes()), limit).await?;
    let ledger_id = batch.ledger_id;
    // Parsing and hashing a thousand scans is work; the writer thread should not do it.
    let items = tokio::task::spawn_blocking(move || items(batch)).await.map_err(ApiError::internal)??;
    let elsewhere = stored_elsewhere(app, &items).await?;
    let made_at: Vec<Option<i64>> =
        items.iter().map(|item| item.record.as_ref().ok().map(ScanRecord::at)).collect();
    let (app_in, now) = (app.clone(), app.now());
    let given = Given { device, ledger_id, items, elsewhere };
    let (receipts, changed) = app
        .db_of(device.organiser_id)
        .write(move |tx| Box::pin(async move { take_in(tx, &app_in, given, now).await }))
        .await?;
    changed.into_iter().for_each(|event| app.ring(event));
    measure(app, &receipts, &made_at, now);
    Ok(UploadResponse { receipts })
}

/// What came, and what was known before.
struct Given {
    device: AnyDevice,
    ledger_id: LedgerId,
    items: Vec<Item>,
    elsewhere: HashMap<ScanId, [u8; 32]>,
}

/// Scans with the same ids, of any organiser: the transaction itself sees the device's organiser's only.
async fn stored_elsewhere(app: &AppState, items: &[Item]) -> ApiResult<HashMap<ScanId, [u8; 32]>> {
    let ids: Vec<ScanId> = items.iter().map(|item| item.scan_id).collect();
    app.db()
        .read(move |conn| Box::pin(async move { Ok::<_, ApiError>(ingest::known_hashes(conn, &ids).await?) }))
        .await
}

async fn take_in(
    tx: &mut Tx,
    app: &AppState,
    given: Given,
    now: i64,
) -> ApiResult<(Vec<Receipt>, Vec<EventId>)> {
    let Given { mut device, ledger_id, items, elsewhere } = given;
    hold(tx, device.device_id, ledger_id, &items).await?;
    // A slow upload may have been revoked since its first byte.
    device.revoked_at = scope::revoked_at(tx, device.device_id).await?;
    let ledger = Ledger::load(tx, ledger_id).await?;
    let own_ledger = ledger.device_id.is_none_or(|owner| owner == device.device_id);
    let mut facts = Facts::load(tx, app, device, ledger_id, own_ledger, &items).await?;
    for (id, hash) in elsewhere {
        facts.stored.entry(id).or_insert(hash);
    }
    let mut sorted = Sorted::default();
    for item in &items {
        sorted.sort(&facts, item, now);
    }
    let changed = sorted.changed();
    let context = Context { organiser_id: device.organiser_id, now };
    ingest::store_scans(tx, context, &facts.events, sorted.accepted).await?;
    quarantine::insert(tx, device.organiser_id, device.device_id, &sorted.aside, now).await?;
    if let Some(revoked_at) = device.revoked_at {
        anomalies::revoked(tx, context, device.device_id, revoked_at, sorted.revoked).await?;
    }
    if own_ledger && !sorted.chain.is_empty() {
        ledger.follow(tx, context, device.device_id, &sorted.chain, |scan| facts.event_of(scan)).await?;
    }
    let sql = "UPDATE devices SET last_upload_at = $2, last_seen_at = $2 WHERE device_id = $1";
    tx.execute(sql, params![device.device_id, now]).await?;
    Ok((sorted.receipts, changed))
}

/// Keeps what the batch is checked against as it is until the transaction ends: the device's events, in the
/// order of their ids, and the ledger.
async fn hold(tx: &mut Tx, device: DeviceId, ledger: LedgerId, items: &[Item]) -> Result<(), DbError> {
    let named: HashSet<EventId> = items.iter().filter_map(|item| item.event_id).collect();
    // In the order of their ids, as everybody takes them.
    for assignment in enrolment::assignments(tx, device).await? {
        if named.contains(&assignment.event_id) {
            snapshot::lock(tx, assignment.event_id).await?;
        }
    }
    tx.lock("ledger", ledger.as_bytes()).await
}

/// Everything the checks need, read in a few statements for the whole batch.
struct Facts {
    device: AnyDevice,
    ledger_id: LedgerId,
    own_ledger: bool,
    events: HashMap<EventId, EventInfo>,
    gates: HashMap<EventId, Vec<GateId>>,
    /// The events at which a supervisor holds the device.
    supervised: HashSet<EventId>,
    /// Passages stored before that scans of the batch take back.
    undone: HashMap<ScanId, ForeignPassage>,
    tickets: HashMap<TicketId, EventId>,
    stored: HashMap<ScanId, [u8; 32]>,
    aside: HashMap<(ScanId, [u8; 32]), String>,
}

impl Facts {
    async fn load(
        conn: &mut Conn,
        app: &AppState,
        device: AnyDevice,
        ledger_id: LedgerId,
        own_ledger: bool,
        items: &[Item],
    ) -> ApiResult<Self> {
        let mut events = HashMap::new();
        let mut gates = HashMap::new();
        let mut supervised = HashSet::new();
        for assignment in enrolment::assignments(conn, device.device_id).await? {
            let event = assignment.event_id;
            let snapshot = snapshot::load(app, conn, device.organiser_id, event).await?;
            events.insert(event, snapshot.info.clone());
            gates.insert(event, assignment.gate_ids);
            if assignment.supervisor {
                supervised.insert(event);
            }
        }
        let ids: Vec<ScanId> = items.iter().map(|item| item.scan_id).collect();
        let records = || items.iter().filter_map(|item| item.record.as_ref().ok());
        let ticket_ids: HashSet<TicketId> = records().filter_map(|record| record.ticket_id).collect();
        let ticket_ids: Vec<TicketId> = ticket_ids.into_iter().collect();
        let undone: Vec<ScanId> = records().filter_map(|record| record.undoes).collect();
        Ok(Self {
            device,
            ledger_id,
            own_ledger,
            events,
            gates,
            supervised,
            undone: ingest::known_passages(conn, &undone).await?,
            tickets: tickets::events_of(conn, &ticket_ids).await?,
            stored: ingest::known_hashes(conn, &ids).await?,
            aside: quarantine::known(conn, device.device_id, &ids).await?,
        })
    }

    /// The event that a scan is told under: its own, or another one of the device's if it named a strange one.
    fn event_of(&self, record: &ScanRecord) -> EventId {
        let own = self.events.contains_key(&record.event_id).then_some(record.event_id);
        own.or_else(|| self.events.keys().min().copied()).unwrap_or(record.event_id)
    }

    /// Why a scan cannot be merged, if it cannot.
    fn objection(&self, record: &ScanRecord) -> Option<&'static str> {
        if record.device_id != self.device.device_id || record.ledger_id != self.ledger_id || !self.own_ledger
        {
            return Some("foreign_device");
        }
        let (Some(info), Some(gates)) = (self.events.get(&record.event_id), self.gates.get(&record.event_id))
        else {
            return Some("event_not_assigned");
        };
        if info.gate(record.gate_id).is_none() {
            return Some("unknown_gate");
        }
        if !gates.is_empty() && !gates.contains(&record.gate_id) {
            return Some("gate_not_assigned");
        }
        if self.device.revoked_at.is_some_and(|revoked_at| record.at() >= revoked_at) {
            return Some("device_revoked");
        }
        // A refused code may name anything, a forged one above all; only who passed must be known.
        let passed = record.outcome == Outcome::Admit;
        let known = record.ticket_id.is_none_or(|id| self.tickets.get(&id) == Some(&record.event_id));
        if passed && !known {
            return Some("unknown_ticket");
        }
        if !record.is_consistent() {
            return Some("malformed_scan");
        }
        if record.overruled.is_some() && !self.supervised.contains(&record.event_id) {
            return Some("force_not_allowed");
        }
        None
    }
}

/// The batch, sorted into what is merged, what is set aside, and what was there before.
#[derive(Default)]
struct Sorted<'a> {
    receipts: Vec<Receipt>,
    accepted: BTreeMap<EventId, Vec<ScanRow>>,
    accepted_hashes: HashMap<ScanId, [u8; 32]>,
    /// Those of them that let people pass.
    passages: HashMap<ScanId, ForeignPassage>,
    aside: Vec<Entry>,
    /// Those of them that were made after the device was revoked.
    revoked: BTreeMap<EventId, Vec<ScanRow>>,
    /// New intact scans of this ledger, merged or not: the chain runs through all of them.
    chain: Vec<&'a ScanRecord>,
}

impl<'a> Sorted<'a> {
    fn sort(&mut self, facts: &Facts, item: &'a Item, now: i64) {
        let (status, code) = self.judge(facts, item, now);
        self.receipts.push(Receipt { scan_id: item.scan_id, status, code });
    }

    fn judge(&mut self, facts: &Facts, item: &'a Item, now: i64) -> (ReceiptStatus, Option<String>) {
        // Receipts are final: what was set aside once stays there, though its cause may be gone.
        if let Some(code) = facts.aside.get(&(item.scan_id, item.record_hash)) {
            return (ReceiptStatus::Quarantined, Some(code.clone()));
        }
        let record = match &item.record {
            Ok(record) => record,
            Err(code) => return self.set_aside(item, code),
        };
        let before = facts.stored.get(&item.scan_id).or_else(|| self.accepted_hashes.get(&item.scan_id));
        if let Some(hash) = before {
            if *hash == record.hash.0 {
                return (ReceiptStatus::Duplicate, None);
            }
            return self.set_aside(item, "scan_id_conflict");
        }
        let objection = facts.objection(record).or_else(|| self.undoes_nothing(facts, record));
        if objection != Some("foreign_device") {
            self.chain.push(record);
        }
        if objection == Some("device_revoked") {
            let row = ScanRow::of_device(record, now);
            self.revoked.entry(record.event_id).or_default().push(row);
        }
        if let Some(code) = objection {
            return self.set_aside(item, code);
        }
        self.accepted_hashes.insert(record.scan_id, record.hash.0);
        if let (Some(ticket_id), Some(passage)) = (record.ticket_id, record.passage()) {
            self.passages.insert(record.scan_id, ForeignPassage { ticket_id, passage });
        }
        self.accepted.entry(record.event_id).or_default().push(ScanRow::of_device(record, now));
        (ReceiptStatus::Accepted, None)
    }

    /// A device takes back its own passages: of the same ticket, and merged before, here or in an earlier
    /// batch. What is set aside cannot be taken back.
    fn undoes_nothing(&self, facts: &Facts, record: &ScanRecord) -> Option<&'static str> {
        let undoes = record.undoes?;
        let before = facts.undone.get(&undoes).or_else(|| self.passages.get(&undoes));
        let fits = before.is_some_and(|before| {
            before.passage.device_id == record.device_id
                && Some(before.ticket_id) == record.ticket_id
                && before.passage.undoes.is_none()
        });
        (!fits).then_some("undo_unknown")
    }

    fn set_aside(&mut self, item: &Item, code: &'static str) -> (ReceiptStatus, Option<String>) {
        self.aside.push(Entry {
            scan_id: item.scan_id,
            event_id: item.event_id,
            record_hash: item.record_hash,
            code,
            record: item.text.clone(),
        });
        (ReceiptStatus::Quarantined, Some(code.to_owned()))
    }

    /// The events whose feed grows.
    fn changed(&self) -> Vec<EventId> {
        let passed = |rows: &Vec<ScanRow>| rows.iter().any(ScanRow::is_passage);
        self.accepted.iter().filter(|(_, rows)| passed(rows)).map(|(event, _)| *event).collect()
    }
}

//! Scans set aside: kept as they came, shown to the organiser, merged with nothing.

use std::collections::HashMap;

use liventix_core::ids::{DeviceId, EventId, OrganiserId, ScanId};
use sha2::{Digest as _, Sha256};

use crate::platform::db::{Conn, DbError, Tx, Value, in_list, values_rows};
use crate::platform::problem::{ApiError, ApiResult, Code};

const CHUNK: usize = 200;
/// The most scans set aside for one device: more than an honest door makes in a season. A stolen one
/// must not fill the disk.
const MAX_OF_DEVICE: i64 = 20_000;

/// A scan to set aside.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) scan_id: ScanId,
    pub(super) event_id: Option<EventId>,
    pub(super) record_hash: [u8; 32],
    pub(super) code: &'static str,
    pub(super) record: String,
}

impl Entry {
    /// The same for the same record of the same device, and for nothing else.
    fn id(&self, device: DeviceId) -> [u8; 16] {
        let mut hasher = Sha256::new();
        hasher.update(self.scan_id.as_bytes());
        hasher.update(device.as_bytes());
        hasher.update(self.record_hash);
        let digest: [u8; 32] = hasher.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        id
    }
}

/// The codes under which scans of this device were set aside before, by id and record.
pub(super) async fn known(
    conn: &mut Conn,
    device: DeviceId,
    ids: &[ScanId],
) -> Result<HashMap<(ScanId, [u8; 32]), String>, DbError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let sql = format!(
            "SELECT scan_id, record_hash, code FROM quarantine WHERE device_id = $1 AND scan_id IN ({})",
            in_list(2, chunk.len())
        );
        let mut values = vec![Value::from(device)];
        values.extend(chunk.iter().map(|id| Value::from(*id)));
        for row in conn.query(&sql, &values).await? {
            found.insert((row.get(0)?, row.get(1)?), row.get(2)?);
        }
    }
    Ok(found)
}

/// Refuses the whole upload: no receipt, so that the device keeps its scans.
async fn room_for(conn: &mut Conn, device: DeviceId, more: usize) -> ApiResult<()> {
    let sql = "SELECT COUNT(*) FROM quarantine WHERE device_id = $1";
    let held: i64 = conn.first(sql, &[device.into()]).await?.map_or(Ok(0), |row| row.get(0))?;
    if held.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)) <= MAX_OF_DEVICE {
        return Ok(());
    }
    let detail = format!(
        "{MAX_OF_DEVICE} scans of this device are set aside, and no more are taken. It keeps them: ask the organiser to look."
    );
    Err(ApiError::new(Code::TooMany, detail))
}

pub(super) async fn insert(
    tx: &mut Tx,
    organiser: OrganiserId,
    device: DeviceId,
    entries: &[Entry],
    now: i64,
) -> ApiResult<()> {
    if !entries.is_empty() {
        room_for(tx, device, entries.len()).await?;
    }
    for chunk in entries.chunks(CHUNK) {
        let mut values = Vec::with_capacity(chunk.len() * 9);
        for entry in chunk {
            values.extend([
                entry.id(device).into(),
                entry.scan_id.into(),
                device.into(),
                entry.record_hash.into(),
                organiser.into(),
                entry.event_id.into(),
                entry.code.into(),
                (&entry.record).into(),
                Value::from(now),
            ]);
        }
        let sql = format!(
            "INSERT INTO quarantine \
             (quarantine_id, scan_id, device_id, record_hash, organiser_id, event_id, code, record, received_at) \
             VALUES {} ON CONFLICT (scan_id, device_id, record_hash) DO NOTHING",
            values_rows(9, chunk.len())
        );
        tx.execute(&sql, &values).await?;
    }
    Ok(())
}

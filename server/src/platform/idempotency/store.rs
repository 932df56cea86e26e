//! Rows of idempotent operations.

use liventix_core::ids::OrganiserId;

use crate::params;
use crate::platform::db::{DbError, Engine, Tx};

/// Rows deleted in one transaction at most.
const BATCH: i64 = 500;

/// Which row: unique in the database.
#[derive(Debug, Clone)]
pub(super) struct Which {
    pub(super) organiser: OrganiserId,
    pub(super) operation_type: &'static str,
    pub(super) operation_id: String,
}

/// A row that somebody made before.
pub(super) struct Known {
    pub(super) fingerprint: [u8; 32],
    pub(super) locked_until: i64,
    pub(super) recovery_point: Option<String>,
    pub(super) sealed_recovery: Option<Vec<u8>>,
    pub(super) sealed_response: Option<Vec<u8>>,
    pub(super) expires_at: i64,
}

/// One try: nobody else has its id.
pub(super) type TryId = [u8; 16];

/// A new claim.
#[derive(Debug, Clone, Copy)]
pub(super) struct New {
    pub(super) try_id: TryId,
    pub(super) fingerprint: [u8; 32],
    pub(super) now: i64,
    pub(super) locked_until: i64,
    pub(super) expires_at: i64,
}

/// Makes the row, locked. Says whether it was not there.
pub(super) async fn insert(tx: &mut Tx, which: &Which, new: New) -> Result<bool, DbError> {
    let sql = "INSERT INTO idempotent_operations (organiser_id, operation_type, operation_id, fingerprint, \
               try_id, locked_until, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
               ON CONFLICT (organiser_id, operation_type, operation_id) DO NOTHING";
    let values = params![
        which.organiser,
        which.operation_type,
        &which.operation_id,
        new.fingerprint,
        new.try_id,
        new.locked_until,
        new.now,
        new.expires_at,
    ];
    Ok(tx.execute(sql, values).await? > 0)
}

/// The row, held until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, which: &Which) -> Result<Option<Known>, DbError> {
    let sql = format!(
        "SELECT fingerprint, locked_until, recovery_point, sealed_recovery, sealed_response, \
         expires_at FROM idempotent_operations \
         WHERE organiser_id = $1 AND operation_type = $2 AND operation_id = $3{}",
        match tx.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE",
        }
    );
    let values = params![which.organiser, which.operation_type, &which.operation_id];
    let Some(row) = tx.first(&sql, values).await? else { return Ok(None) };
    Ok(Some(Known {
        fingerprint: row.get(0)?,
        locked_until: row.get(1)?,
        recovery_point: row.get(2)?,
        sealed_recovery: row.get(3)?,
        sealed_response: row.get(4)?,
        expires_at: row.get(5)?,
    }))
}

/// Gives a row that is [held](hold) to the next try.
pub(super) async fn take_over(tx: &mut Tx, which: &Which, new: New) -> Result<(), DbError> {
    let sql = "UPDATE idempotent_operations SET try_id = $4, locked_until = $5 \
               WHERE organiser_id = $1 AND operation_type = $2 AND operation_id = $3";
    let values =
        params![which.organiser, which.operation_type, &which.operation_id, new.try_id, new.locked_until];
    tx.execute(sql, values).await.map(drop)
}

/// Deletes a row, whatever it holds.
pub(super) async fn delete(tx: &mut Tx, which: &Which) -> Result<(), DbError> {
    let sql = "DELETE FROM idempotent_operations \
               WHERE organiser_id = $1 AND operation_type = $2 AND operation_id = $3";
    let values = params![which.organiser, which.operation_type, &which.operation_id];
    tx.execute(sql, values).await.map(drop)
}

/// Notes a step as done. Says whether this try still has the operation.
pub(super) async fn reach(
    tx: &mut Tx,
    which: &Which,
    try_id: TryId,
    point: &'static str,
    sealed: Vec<u8>,
) -> Result<bool, DbError> {
    let sql = "UPDATE idempotent_operations SET recovery_point = $5, sealed_recovery = $6 \
               WHERE organiser_id = $1 AND operation_type = $2 AND operation_id = $3 AND try_id = $4 \
               AND sealed_response IS NULL";
    let values = params![which.organiser, which.operation_type, &which.operation_id, try_id, point, sealed];
    Ok(tx.execute(sql, values).await? > 0)
}

/// Keeps the answer. Says whether this try still has the operation.
pub(super) async fn finish(
    tx: &mut Tx,
    which: &Which,
    try_id: TryId,
    sealed: Vec<u8>,
) -> Result<bool, DbError> {
    let sql = "UPDATE idempotent_operations SET sealed_response = $5, locked_until = 0, \
               recovery_point = NULL, sealed_recovery = NULL \
               WHERE organiser_id = $1 AND operation_type = $2 AND operation_id = $3 AND try_id = $4 \
               AND sealed_response IS NULL";
    let values = params![which.organiser, which.operation_type, &which.operation_id, try_id, sealed];
    Ok(tx.execute(sql, values).await? > 0)
}

/// Lets go of an operation that came to no answer: forgets it if nothing of it is done, or leaves it to be
/// resumed at once.
pub(super) async fn release(tx: &mut Tx, which: &Which, try_id: TryId) -> Result<(), DbError> {
    let ours = "organiser_id = $1 AND operation_type = $2 AND operation_id = $3 AND try_id = $4 \
                AND sealed_response IS NULL";
    let values = params![which.organiser, which.operation_type, &which.operation_id, try_id];
    let sql = format!("DELETE FROM idempotent_operations WHERE {ours} AND recovery_point IS NULL");
    if tx.execute(&sql, values).await? == 0 {
        let sql = format!("UPDATE idempotent_operations SET locked_until = 0 WHERE {ours}");
        tx.execute(&sql, values).await?;
    }
    Ok(())
}

/// Deletes operations that have expired. Says how many; as many as a batch has mean that there may be more.
pub(super) async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, DbError> {
    let sql = format!(
        "DELETE FROM idempotent_operations WHERE (organiser_id, operation_type, operation_id) IN \
         (SELECT organiser_id, operation_type, operation_id FROM idempotent_operations \
         WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2{})",
        tx.engine().skip_locked()
    );
    tx.execute(&sql, params![now, BATCH]).await
}

/// Whether a sweep that deleted so many leaves none.
pub(super) const fn was_last(deleted: u64) -> bool {
    deleted < BATCH.unsigned_abs()
}

//! Work that comes again, once for all processes.

use std::time::Duration;

use crate::params;
use crate::platform::db::{DbError, Tx};

/// Whether the schedule's time has come; if so, the next one is set. The row decides between processes.
pub(super) async fn take_turn(tx: &mut Tx, name: &str, now: i64, every_ms: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO schedules (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE \
               SET next_at = excluded.next_at WHERE schedules.next_at <= $3";
    Ok(tx.execute(sql, params![name, now + every_ms, now]).await? == 1)
}

/// Asks again and again whether it is time, until `closing`: `put_in` puts the next job in if it is. What fails is
/// logged as `missed`, and asked again.
pub async fn keep<F>(
    ask: Duration,
    put_in: impl Fn() -> F,
    missed: &'static str,
    closing: impl Future<Output = ()>,
) where
    F: Future<Output = Result<bool, DbError>>,
{
    let mut closing = std::pin::pin!(closing);
    loop {
        if let Err(error) = put_in().await {
            tracing::warn!(cause = error.to_string(), "{missed}");
        }
        tokio::select! {
            () = &mut closing => return,
            () = tokio::time::sleep(ask) => {}
        }
    }
}

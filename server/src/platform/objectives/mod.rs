//! How well the product does what people come for: indicators (SLIs) against objectives (SLOs), over 28 days.
//!
//! Features say how each event went ([`Recorder`]); what was counted is added to one table every few seconds, by
//! every process; the report is computed from the table whenever somebody asks. See `docs/observability.md`.
//!
//! **Invariant:** counts are only ever added to, and folding old ones changes no sum.

mod recorder;
mod report;
pub mod routes;
mod store;
mod targets;

use std::time::Duration;

pub use recorder::Recorder;
pub use report::{Burn, Day, Latency, Objective, Success, WINDOW_DAYS};
pub use targets::Sli;

use crate::app::AppState;
use crate::platform::db::{Db, DbError};

/// How often counts are added to the table. A process that is killed loses what it counted since.
const EVERY: Duration = Duration::from_secs(10);

/// Writes down what is counted, until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.closing() => return,
        }
        if let Err(error) = app.objectives().flush(app.db()).await {
            tracing::warn!(
                cause = error.to_string(),
                "what was measured was not written; it is kept for later"
            );
        }
        // Between two scrapes, values pile up.
        app.metrics().upkeep();
    }
}

/// Every indicator against its objectives, as of now. What this process counted in the last seconds is in it.
///
/// # Errors
/// When the database fails.
pub async fn report(app: &AppState) -> Result<Vec<Objective>, DbError> {
    app.objectives().flush(app.db()).await?;
    let now = app.now();
    let since = (now - WINDOW_DAYS * store::DAY_MS) / 3_600_000 * 3_600_000;
    let recent = now - store::DAY_MS / 4 - store::PERIOD_MS;
    let counted = app.db().read(move |conn| {
        Box::pin(async move {
            Ok::<_, DbError>((store::by_day(conn, since).await?, store::by_period(conn, recent).await?))
        })
    });
    let (days, periods) = counted.await?;
    Ok(Sli::ALL.into_iter().map(|sli| report::of(sli, &days, &periods, now)).collect())
}

/// Folds what is old, and forgets what is older.
///
/// # Errors
/// When the database fails.
pub async fn sweep(db: &Db, now: i64) -> Result<(), DbError> {
    db.write(move |tx| Box::pin(async move { store::fold(tx, now).await })).await
}

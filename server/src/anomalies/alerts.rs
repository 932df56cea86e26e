//! Telling somebody: when an anomaly opens or becomes worse, and when its cause is gone.
//!
//! An alert that is due is noted in the transaction that finds the anomaly, so that it outlives the process;
//! whoever's turn it is takes it from there and hands it to an [`AlertSink`].

use std::time::Duration;

use liventix_core::ids::{EventId, OrganiserId};

use super::kinds::{Kind, Severity, State};
use crate::app::AppState;
use crate::params;
use crate::platform::db::{Db, DbError, Row, Tx};
use crate::platform::ids::AnomalyId;

/// How often alerts that are due are looked for.
const EVERY: Duration = Duration::from_secs(2);
/// Alerts taken at once.
const TOGETHER: u32 = 100;

/// Something that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The anomaly.
    pub anomaly_id: AnomalyId,
    /// Whose.
    pub organiser_id: OrganiserId,
    /// At which event.
    pub event_id: EventId,
    /// Of which kind.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it is over.
    pub over: bool,
    /// What happened, in one sentence without names.
    pub sentence: String,
}

/// Where alerts go.
pub trait AlertSink: Send + Sync {
    /// Takes an alert. It comes once, unless a process dies at that very moment.
    fn raise(&self, alert: &Alert);
}

/// Into the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogAlerts;

impl AlertSink for LogAlerts {
    fn raise(&self, alert: &Alert) {
        let Alert { anomaly_id, event_id, kind, severity, over, sentence, .. } = alert;
        let (kind, severity) = (kind.code(), severity.code());
        if *over {
            tracing::info!(%anomaly_id, %event_id, kind, severity, "anomaly over: {sentence}");
        } else {
            tracing::warn!(%anomaly_id, %event_id, kind, severity, "anomaly: {sentence}");
        }
    }
}

/// Hands over what is due until the server stops.
pub(crate) async fn run(app: AppState, sink: impl AlertSink) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.closing() => return,
        }
        if let Err(error) = hand_over(app.db(), &sink).await {
            tracing::warn!(%error, "alerts about anomalies cannot be read");
        }
    }
}

/// Hands over what is due now; says how many alerts that were.
///
/// # Errors
/// When the database fails.
pub async fn hand_over(db: &Db, sink: &impl AlertSink) -> Result<usize, DbError> {
    let due = "SELECT 1 FROM anomalies WHERE alert_due = 1 LIMIT 1";
    if db.first(due, &[]).await?.is_none() {
        return Ok(0);
    }
    let alerts = db.write(|tx| Box::pin(async move { take(tx).await })).await?;
    alerts.iter().for_each(|alert| sink.raise(alert));
    Ok(alerts.len())
}

/// Takes the alerts that are due: nobody else gets them.
async fn take(tx: &mut Tx) -> Result<Vec<Alert>, DbError> {
    let sql = format!(
        "SELECT anomaly_id, organiser_id, event_id, kind, severity, state, occurrences FROM anomalies \
         WHERE alert_due = 1 ORDER BY changed_at, anomaly_id LIMIT $1{}",
        tx.engine().skip_locked()
    );
    let mut alerts = Vec::new();
    for row in tx.query(&sql, params![TOGETHER]).await? {
        let alert = read(&row)?;
        let sql = "UPDATE anomalies SET alert_due = 0, alerted = $2 WHERE anomaly_id = $1";
        tx.execute(sql, params![alert.anomaly_id, !alert.over]).await?;
        alerts.push(alert);
    }
    Ok(alerts)
}

fn read(row: &Row) -> Result<Alert, DbError> {
    let unknown = |column, expected| DbError::Column { column, expected };
    let kind = Kind::from_code(&row.get::<String>(3)?).ok_or(unknown(3, "a kind"))?;
    let severity = Severity::from_code(&row.get::<String>(4)?).ok_or(unknown(4, "a severity"))?;
    let state = State::from_code(&row.get::<String>(5)?).ok_or(unknown(5, "a state"))?;
    Ok(Alert {
        anomaly_id: row.get(0)?,
        organiser_id: row.get(1)?,
        event_id: row.get(2)?,
        kind,
        severity,
        over: state == State::Resolved,
        sentence: kind.sentence(row.get(6)?, kind.somebody()),
    })
}

//! Telling somebody: when an anomaly opens or becomes worse, and when its cause is gone.
//!
//! An alert that is due is noted in the transaction that finds the anomaly, so that it outlives the process;
//! whoever's turn it is takes it from there and puts it into the outbox of [`alerts`](crate::alerts).

use std::time::Duration;

use liventix_core::ids::{EventId, OrganiserId};

use super::kinds::{Kind, State};
use crate::alerts::{self, Message, Turn};
use crate::app::AppState;
use crate::params;
use crate::platform::db::{DbError, Row, Tx};
use crate::platform::ids::AnomalyId;
use crate::platform::severity::Severity;

/// How often alerts that are due are looked for.
const EVERY: Duration = Duration::from_secs(2);
/// Alerts taken at once.
const TOGETHER: u32 = 100;

/// Something that people should know.
struct Due {
    anomaly_id: AnomalyId,
    organiser_id: OrganiserId,
    event_id: EventId,
    kind: Kind,
    severity: Severity,
    over: bool,
    sentence: String,
    since: i64,
}

impl Due {
    fn message(self, now: i64) -> Message {
        let (organiser, event, id) = (self.organiser_id, self.event_id, self.anomaly_id);
        Message {
            turn: if self.over { Turn::Resolved } else { Turn::Opened },
            rule: self.kind.code().to_owned(),
            subject: String::new(),
            severity: self.severity,
            sentence: self.sentence,
            next_step: self.kind.next_step().to_owned(),
            page: format!("/console/organisers/{organiser}/events/{event}/anomalies/{id}"),
            about: id.to_string(),
            is_anomaly: true,
            organiser_id: Some(organiser),
            event_id: Some(event),
            since: self.since,
            at: now,
        }
    }
}

/// Hands over what is due until the server stops.
pub(crate) async fn run(app: AppState) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.closing() => return,
        }
        if let Err(error) = hand_over(&app).await {
            tracing::warn!(cause = error.to_string(), "alerts about anomalies cannot be handed over");
        }
    }
}

/// Puts what is due now into the outbox; says how many alerts that were.
///
/// # Errors
/// When the database fails.
pub async fn hand_over(app: &AppState) -> Result<usize, DbError> {
    let due = "SELECT 1 FROM anomalies WHERE alert_due = 1 LIMIT 1";
    if app.db().first(due, &[]).await?.is_none() {
        return Ok(0);
    }
    let app_in = app.clone();
    let told = app.db().write(move |tx| {
        Box::pin(async move {
            let due = take(tx).await?;
            let count = due.len();
            for alert in due {
                let about = *alert.anomaly_id.as_bytes();
                alerts::tell(tx, &app_in, about, &alert.message(app_in.now())).await?;
            }
            Ok::<_, DbError>(count)
        })
    });
    let told = told.await?;
    app.queue().wake(alerts::QUEUE.name);
    Ok(told)
}

/// Takes the alerts that are due: nobody else gets them.
async fn take(tx: &mut Tx) -> Result<Vec<Due>, DbError> {
    let sql = format!(
        "SELECT anomaly_id, organiser_id, event_id, kind, severity, state, occurrences, opened_at FROM anomalies \
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

fn read(row: &Row) -> Result<Due, DbError> {
    let unknown = |column, expected| DbError::Column { column, expected };
    let kind = Kind::from_code(&row.get::<String>(3)?).ok_or(unknown(3, "a kind"))?;
    let severity = Severity::from_code(&row.get::<String>(4)?).ok_or(unknown(4, "a severity"))?;
    let state = State::from_code(&row.get::<String>(5)?).ok_or(unknown(5, "a state"))?;
    Ok(Due {
        anomaly_id: row.get(0)?,
        organiser_id: row.get(1)?,
        event_id: row.get(2)?,
        kind,
        severity,
        over: state == State::Resolved,
        sentence: kind.sentence(row.get(6)?, kind.somebody()),
        since: row.get(7)?,
    })
}

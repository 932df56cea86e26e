//! Into the log, always.

use super::super::types::{Message, Notice, Turn};
use crate::platform::severity::Severity;

/// One line. What begins is at `warn` (what is good to know, at `info`), what ends at `info`.
pub(super) fn write(notice: &Notice) {
    let Message { turn, rule, subject, severity, sentence, about, event_id, is_anomaly, .. } =
        &notice.message;
    let (severity_code, what) = (severity.code(), if *is_anomaly { "anomaly" } else { "alert" });
    let event = event_id.map(|id| id.to_string());
    let event = event.as_deref();
    match turn {
        Turn::Resolved => {
            tracing::info!(
                rule,
                subject,
                severity = severity_code,
                id = about,
                event,
                "{what} over: {sentence}"
            );
        }
        Turn::Test => tracing::info!("test of the alert channels: {sentence}"),
        Turn::Opened | Turn::Open if *severity == Severity::Notice => {
            tracing::info!(rule, subject, severity = severity_code, id = about, event, "{what}: {sentence}");
        }
        Turn::Opened | Turn::Open => {
            tracing::warn!(rule, subject, severity = severity_code, id = about, event, "{what}: {sentence}");
        }
    }
}

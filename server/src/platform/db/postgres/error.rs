//! What the server says, in words and in kinds.

use tokio_postgres::error::SqlState;

use crate::platform::db::DbError;

/// The message of the server with its code; the driver's own text alone is "db error".
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()))
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        let words = words(&error);
        match error.code() {
            Some(code) if code.code().starts_with("23") => Self::Constraint(words),
            Some(code) if *code == SqlState::QUERY_CANCELED => Self::TimedOut(words),
            Some(code) if may_pass(code) => Self::Busy(words),
            // Without a code it did not come from the server: the connection broke.
            None if error.is_closed() => Self::Busy(words),
            _ => Self::Statement(words),
        }
    }
}

/// Whether the connection is gone, and nothing that was not committed has happened.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.code() == Some(&SqlState::ADMIN_SHUTDOWN)
}

/// Whether the same transaction may succeed later.
fn may_pass(code: &SqlState) -> bool {
    let busy = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
    ];
    busy.contains(code) || code.code().starts_with("08")
}

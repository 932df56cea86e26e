//! Whether the books agree with what happened. Every minute, for what was settled of late, order by order; and every
//! hour for everything, since that means reading all of it.

use crate::app::AppState;
use crate::params;
use crate::platform::db::{Conn, DbError, Value};

/// What was settled in this time is looked at every minute: longer than what lies between two looks at everything.
const OF_LATE_MS: i64 = 2 * 3_600_000;
/// How long results are kept.
const KEPT_MS: i64 = 90 * 86_400_000;

/// What a payment or a refund brought, beside what is booked for its order.
const OF_LATE: [&str; 2] = [
    "SELECT CAST(COALESCE(SUM(ABS(off)), 0) AS BIGINT) FROM (SELECT SUM(p.received) - COALESCE((\
         SELECT SUM(l.amount) FROM money_entries e JOIN money_lines l ON l.entry_id = e.entry_id \
         WHERE e.order_id = p.order_id AND l.account = 'provider' AND e.kind IN ('sale', 'unexplained')), 0) AS off \
     FROM payments p WHERE p.status = 'succeeded' AND p.order_id IN \
         (SELECT order_id FROM payments WHERE status = 'succeeded' AND settled_at > $1) GROUP BY p.order_id) orders_off",
    "SELECT CAST(COALESCE(SUM(ABS(off)), 0) AS BIGINT) FROM (SELECT SUM(r.amount) + COALESCE((\
         SELECT SUM(l.amount) FROM money_entries e JOIN money_lines l ON l.entry_id = e.entry_id \
         WHERE e.order_id = r.order_id AND l.account = 'provider' AND e.kind IN ('refund', 'refund_back')), 0) AS off \
     FROM refunds r WHERE r.status = 'succeeded' AND r.order_id IN \
         (SELECT order_id FROM refunds WHERE status = 'succeeded' AND settled_at > $1) GROUP BY r.order_id) orders_off",
];

/// Everything, each with what should be nothing: differences are absolute, so that two do not make up for each other.
const OF_ALL: [&str; 7] = [
    "SELECT COUNT(*) FROM (SELECT entry_id FROM money_lines GROUP BY entry_id HAVING SUM(amount) <> 0) odd",
    "SELECT CAST(ABS((SELECT COALESCE(SUM(received), 0) FROM payments WHERE status = 'succeeded') - \
         (SELECT COALESCE(SUM(l.amount), 0) FROM money_lines l JOIN money_entries e ON e.entry_id = l.entry_id \
          WHERE l.account = 'provider' AND e.kind IN ('sale', 'unexplained'))) AS BIGINT)",
    "SELECT CAST(ABS((SELECT COALESCE(SUM(amount), 0) FROM refunds WHERE status = 'succeeded') + \
         (SELECT COALESCE(SUM(l.amount), 0) FROM money_lines l JOIN money_entries e ON e.entry_id = l.entry_id \
          WHERE l.account = 'provider' AND e.kind IN ('refund', 'refund_back'))) AS BIGINT)",
    "SELECT CAST(ABS((SELECT COALESCE(SUM(amount - reversed), 0) FROM payouts WHERE status IN ('paid', 'reversed')) + \
         (SELECT COALESCE(SUM(l.amount), 0) FROM money_lines l JOIN money_entries e ON e.entry_id = l.entry_id \
          WHERE l.account = 'provider' AND e.kind IN ('payout_paid', 'payout_reversed'))) AS BIGINT)",
    "SELECT CAST(ABS((SELECT COALESCE(SUM(amount), 0) FROM payouts WHERE status IN ('asking', 'unknown')) + \
         (SELECT COALESCE(SUM(amount), 0) FROM money_lines WHERE account = 'payouts')) AS BIGINT)",
    // What is carried on, beside what it should be.
    "SELECT CAST(COALESCE(SUM(ABS(l.amount - COALESCE(b.amount, 0))), 0) AS BIGINT) FROM \
         (SELECT organiser_id, currency, account, SUM(amount) AS amount FROM money_lines \
          GROUP BY organiser_id, currency, account) l LEFT JOIN \
         (SELECT organiser_id, currency, account, SUM(amount) AS amount FROM money_balances \
          GROUP BY organiser_id, currency, account) b \
         ON l.organiser_id = b.organiser_id AND l.currency = b.currency AND l.account = b.account",
    "SELECT CAST(COALESCE(ABS(SUM(amount)), 0) AS BIGINT) FROM money_balances",
];

/// By how much the books are off, in minor units over all currencies, as far as is known now.
///
/// # Errors
/// When the database fails.
pub(super) async fn off_by(conn: &mut Conn, now: i64) -> Result<i64, DbError> {
    let mut off_by = 0;
    for sql in OF_LATE {
        off_by += number(conn, sql, params![now - OF_LATE_MS]).await?;
    }
    let last = "SELECT off_by FROM books_proofs ORDER BY at DESC LIMIT 1";
    Ok(off_by.max(number(conn, last, &[]).await?))
}

async fn number(conn: &mut Conn, sql: &'static str, values: &[Value]) -> Result<i64, DbError> {
    conn.first(sql, values).await?.map_or(Ok(0), |row| row.get(0))
}

/// Looks at everything, and writes down what came of it.
///
/// # Errors
/// When the database fails.
pub(super) async fn prove(app: &AppState) -> Result<(), DbError> {
    let now = app.now();
    let looked = app.db().read(move |conn| {
        Box::pin(async move {
            let mut off_by = 0;
            for sql in OF_ALL {
                off_by += number(conn, sql, &[]).await?;
            }
            Ok::<_, DbError>(off_by)
        })
    });
    let off_by = looked.await?;
    if off_by != 0 {
        tracing::error!(off_by, "the books do not agree with what happened");
    }
    let noted = app.db().write(move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO books_proofs (at, off_by) VALUES ($1, $2) \
                       ON CONFLICT (at) DO UPDATE SET off_by = excluded.off_by";
            tx.execute(sql, params![now, off_by]).await?;
            tx.execute("DELETE FROM books_proofs WHERE at < $1", params![now - KEPT_MS]).await.map(drop)
        })
    });
    noted.await
}

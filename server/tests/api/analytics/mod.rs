//! Figures: that they are what happened, whatever comes late, twice or at the same moment.

mod ads;
mod counting;
mod questions;
mod scale;
pub(crate) mod trouble;

use liventix_server::params;
use liventix_server::platform::db::DbError;
use serde_json::{Value, json};

use crate::support::{Server, new_id};

/// Has everything counted that has happened.
async fn count(server: &Server, key: &str) {
    crate::support::until(async || {
        (server.post("/v1/analytics/refresh", key, &json!({})).await.status == 200).then_some(())
    })
    .await;
}

async fn ask(server: &Server, key: &str, path: &str) -> Value {
    server.get(&format!("/v1/analytics/{path}"), key).await.expect(200)
}

/// Every sum, by everything but its generation; those of nothing are left out.
async fn sums(server: &Server) -> Vec<(Vec<u8>, String, Vec<u8>, i64, i64)> {
    let read = server.app().db().read(|conn| {
        Box::pin(async move {
            let sql = "SELECT event_id, measure, subject, bucket, value FROM rollups r JOIN rollup_state s \
                       ON s.generation = r.generation WHERE value <> 0 ORDER BY 1, 2, 3, 4";
            conn.query(sql, &[]).await
        })
    });
    let rows: Result<Vec<_>, DbError> = read.await;
    let read = rows.unwrap();
    read.iter()
        .map(|row| {
            let get = (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
            (get.0.unwrap(), get.1.unwrap(), get.2.unwrap(), get.3.unwrap(), get.4.unwrap())
        })
        .collect()
}

/// Puts facts in, as a feature would: `(measure, at, value)`.
async fn put(server: &Server, organiser: &str, event: &str, facts: &[(&str, i64, i64)]) {
    let facts: Vec<Value> = facts
        .iter()
        .map(|(measure, at, value)| {
            let is_money = ["gross", "fees", "refunds"].contains(measure);
            let currency = if is_money { json!("EUR") } else { Value::Null };
            json!({"measure": measure, "at": at, "event": event, "value": value, "currency": currency})
        })
        .collect();
    let id = |text: &str| *text.parse::<liventix_core::ids::LedgerId>().unwrap().as_bytes();
    let values = params![id(&new_id()), id(organiser), 0_i64, Value::from(facts).to_string()].to_vec();
    let put = server.app().db().write(move |tx| {
        Box::pin(async move {
            let sql =
                "INSERT INTO fact_inbox (inbox_id, organiser_id, appended_at, facts) VALUES ($1, $2, $3, $4)";
            tx.execute(sql, &values).await
        })
    });
    let put: Result<u64, DbError> = put.await;
    put.unwrap();
}

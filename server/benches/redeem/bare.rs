//! The least a server can do: the SQL of a redeem and nothing else.

use std::net::SocketAddr;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use liventix_core::ids::{EventId, GateId, OrganiserId, ScanId, TicketId};
use liventix_server::params;
use liventix_server::platform::db::{Db, DbError};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Bare {
    pub(crate) db: Db,
    pub(crate) organiser: OrganiserId,
    pub(crate) event: EventId,
}

#[derive(Deserialize)]
struct Request {
    scan_id: ScanId,
    ticket_id: TicketId,
    gate_id: GateId,
}

pub(crate) async fn serve(bare: Bare) -> SocketAddr {
    let router = Router::new().route("/redeem", post(redeem)).with_state(bare);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn redeem(State(bare): State<Bare>, Json(request): Json<Request>) -> Json<Value> {
    let Bare { db, organiser, event } = bare;
    let admitted: Result<bool, DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT ticket_type_id, status, code_issued_at, live_activated, valid_from, valid_until, \
                           admits, attendee_name FROM tickets WHERE ticket_id = $1 AND event_id = $2";
                let ticket = tx.first(sql, params![request.ticket_id, event]).await?;
                let sql = "SELECT scan_id, at, direction, people, gate_id, device_id FROM scans \
                           WHERE change_seq IS NOT NULL AND ticket_id = $1";
                let passages = tx.query(sql, params![request.ticket_id]).await?;
                let admit = ticket.is_some() && passages.is_empty();
                let sql = "INSERT INTO scans (scan_id, organiser_id, event_id, gate_id, device_id, ticket_id, direction, \
                           people, medium, fingerprint, outcome, reason, confidence, flags, wall_ms, mono_ms, \
                           offset_ms, error_ms, hash, at, received_at, change_seq) \
                           VALUES ($1, $2, $3, $4, $5, $6, 'entry', 1, 'printed', $7, $8, 'entered', 'green', '[]', \
                           0, 0, 0, 0, $9, 0, 0, $10)";
                let values = params![
                    request.scan_id,
                    organiser,
                    event,
                    request.gate_id,
                    request.gate_id,
                    request.ticket_id,
                    [0_u8; 16],
                    if admit { "admit" } else { "refuse" },
                    [0_u8; 32],
                    admit.then_some(1_i64),
                ];
                tx.execute(sql, values).await?;
                Ok(admit)
            })
        })
        .await;
    Json(json!({ "outcome": if admitted.unwrap() { "admit" } else { "refuse" } }))
}

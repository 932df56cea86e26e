//! Misbehaving on command, for programs in other languages.

use axum::extract::State as Extract;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, PushServices, Taken, Verdict};

pub(super) fn routes() -> Router<PushServices> {
    Router::new()
        .route("/_control/fail", post(fail))
        .route("/_control/judge", post(judge))
        .route("/_control/taken", get(taken))
}

async fn fail(Extract(services): Extract<PushServices>, Json(fault): Json<Fault>) -> Json<Value> {
    services.fail(fault);
    Json(json!({}))
}

#[derive(Deserialize)]
struct Judge {
    token: String,
    verdict: Option<Verdict>,
}

async fn judge(Extract(services): Extract<PushServices>, Json(wish): Json<Judge>) -> Json<Value> {
    services.judge(&wish.token, wish.verdict);
    Json(json!({}))
}

async fn taken(Extract(services): Extract<PushServices>) -> Json<Vec<Taken>> {
    Json(services.taken())
}

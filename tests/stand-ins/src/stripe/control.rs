//! Commands from other processes and languages: `POST /_control/{command}` with JSON.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Stripe;
use super::events::sign;
use super::faults::{Fault, Operation};
use super::payments::Card;

pub(super) fn routes() -> Router<Stripe> {
    Router::new().route("/_control/{command}", post(command))
}

#[derive(Deserialize)]
#[serde(default)]
struct Wish {
    id: String,
    card: Card,
    amount: i64,
    won: bool,
    on: Option<Operation>,
    fault: Option<Fault>,
    secrets: Vec<String>,
    event: Value,
}

impl Default for Wish {
    fn default() -> Self {
        let (id, secrets) = (String::new(), Vec::new());
        Self {
            id,
            card: Card::Good,
            amount: 0,
            won: false,
            on: None,
            fault: None,
            secrets,
            event: Value::Null,
        }
    }
}

async fn command(
    State(stripe): State<Stripe>,
    Path(command): Path<String>,
    Json(wish): Json<Wish>,
) -> (StatusCode, Json<Value>) {
    let done = |value: Value| (StatusCode::OK, Json(value));
    match command.as_str() {
        "pay" => match stripe.buyer_pays(&wish.id, wish.card) {
            Ok(intent) => done(intent),
            Err(error) => (StatusCode::PAYMENT_REQUIRED, Json(error)),
        },
        "fail" => {
            if let (Some(on), Some(fault)) = (wish.on, wish.fault) {
                stripe.fail(on, fault);
            }
            done(json!({}))
        }
        "dispute" => done(json!({"id": stripe.dispute(&wish.id, wish.amount, "fraudulent")})),
        "dispute_ends" => {
            stripe.dispute_ends(&wish.id, wish.won);
            done(json!({}))
        }
        "refund_fails" => {
            stripe.refund_fails(&wish.id);
            done(json!({}))
        }
        "sign" => {
            let body = wish.event.to_string();
            let secrets: Vec<&str> = wish.secrets.iter().map(String::as_str).collect();
            let signature = sign(body.as_bytes(), stripe.state().now(), &secrets);
            done(json!({"body": body, "signature": signature}))
        }
        _ => (StatusCode::NOT_FOUND, Json(json!({"error": "no such command"}))),
    }
}

//! Disputes: a buyer's bank takes money back, and may give it again. <https://docs.stripe.com/api/disputes>

use serde_json::{Value, json};

use super::events;
use super::state::State;

/// What Stripe charges for each, in the charge's currency.
const FEE: i64 = 1_500;
const DAYS_FOR_EVIDENCE: i64 = 14 * 86_400;

fn movement(state: &mut State, amount: i64, fee: i64, currency: &Value, dispute: &str) -> Value {
    json!({
        "id": state.id("txn"), "object": "balance_transaction", "type": "adjustment",
        "amount": amount, "fee": fee, "net": amount - fee, "currency": currency, "source": dispute,
    })
}

pub(super) fn open(state: &mut State, charge: &str, amount: i64, reason: &str) -> String {
    let mut charge = state.of_kind(charge, "charge").unwrap_or_default();
    let id = state.id("dp");
    let taken = movement(state, -amount, FEE, &charge["currency"], &id);
    let dispute = json!({
        "id": id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [taken],
        "charge": charge["id"],
        "created": state.now(),
        "currency": charge["currency"],
        "evidence_details": {
            "due_by": state.now() + DAYS_FOR_EVIDENCE, "has_evidence": false, "past_due": false, "submission_count": 0,
        },
        "is_charge_refundable": false,
        "livemode": false,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    });
    state.put(&dispute);
    charge["disputed"] = json!(true);
    state.put(&charge);
    events::happened(state, "charge.dispute.created", &dispute);
    events::happened(state, "charge.dispute.funds_withdrawn", &dispute);
    id
}

pub(super) fn close(state: &mut State, id: &str, won: bool) {
    let Some(mut dispute) = state.of_kind(id, "dispute") else { return };
    dispute["status"] = json!(if won { "won" } else { "lost" });
    if won {
        let (amount, currency) =
            (dispute["amount"].as_i64().unwrap_or_default(), dispute["currency"].clone());
        let back = movement(state, amount, -FEE, &currency, id);
        if let Some(movements) = dispute["balance_transactions"].as_array_mut() {
            movements.push(back);
        }
    }
    state.put(&dispute);
    events::happened(state, "charge.dispute.closed", &dispute);
    if won {
        events::happened(state, "charge.dispute.funds_reinstated", &dispute);
    }
}

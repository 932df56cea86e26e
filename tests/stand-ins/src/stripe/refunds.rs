//! Refunds. <https://docs.stripe.com/api/refunds>

use serde_json::{Value, json};

use super::errors::ApiError;
use super::events;
use super::form::Form;
use super::state::State;

fn charge_of(state: &State, form: &Form) -> Result<Value, ApiError> {
    let id = match (form.text("charge"), form.text("payment_intent")) {
        (Some(charge), _) => charge.to_owned(),
        (None, Some(intent)) => {
            let found = state.of_kind(intent, "payment_intent");
            let found = found.ok_or_else(|| ApiError::missing("payment_intent", intent))?;
            if found["status"] != "succeeded" {
                let message = "This PaymentIntent does not have a successful charge to refund.";
                return Err(ApiError::invalid(None, message).about("payment_intent"));
            }
            found["latest_charge"].as_str().unwrap_or_default().to_owned()
        }
        (None, None) => {
            return Err(ApiError::invalid(
                Some("parameter_missing"),
                "One of charge or payment_intent is needed.",
            ));
        }
    };
    state.of_kind(&id, "charge").ok_or_else(|| ApiError::missing("charge", &id))
}

pub(super) fn create(state: &mut State, form: &Form) -> Result<Value, ApiError> {
    let mut charge = charge_of(state, form)?;
    let (all, refunded) = (number(&charge, "amount_captured"), number(&charge, "amount_refunded"));
    let left = all - refunded;
    if left == 0 {
        let message = format!("Charge {} has already been refunded.", charge["id"]);
        return Err(ApiError::invalid(Some("charge_already_refunded"), message));
    }
    if charge["disputed"] == true {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge["id"]);
        return Err(ApiError::invalid(Some("charge_disputed"), message));
    }
    let amount = form.number("amount")?.unwrap_or(left);
    if amount < 1 {
        return Err(
            ApiError::invalid(Some("parameter_invalid_integer"), "Invalid positive integer").about("amount")
        );
    }
    if amount > left {
        let message =
            format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
        return Err(ApiError::invalid(None, message).about("amount"));
    }
    let status = if state.refunds_wait { "pending" } else { "succeeded" };
    let refund = json!({
        "id": state.id("re"),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "created": state.now(),
        "currency": charge["currency"],
        "failure_reason": null,
        "livemode": false,
        "metadata": form.metadata(),
        "payment_intent": charge["payment_intent"],
        "reason": form.text("reason"),
        "status": status,
    });
    state.put(&refund);
    charge["amount_refunded"] = json!(refunded + amount);
    charge["refunded"] = json!(refunded + amount == all);
    state.put(&charge);
    events::happened(state, "refund.created", &refund);
    events::happened(state, "charge.refunded", &charge);
    Ok(refund)
}

fn number(object: &Value, key: &str) -> i64 {
    object[key].as_i64().unwrap_or_default()
}

pub(super) fn succeed(state: &mut State, id: &str) {
    let Some(mut refund) = state.of_kind(id, "refund") else { return };
    refund["status"] = json!("succeeded");
    state.put(&refund);
    events::happened(state, "refund.updated", &refund);
}

/// The money is back with the account.
pub(super) fn fail(state: &mut State, id: &str) {
    let Some(mut refund) = state.of_kind(id, "refund") else { return };
    refund["status"] = json!("failed");
    refund["failure_reason"] = json!("lost_or_stolen_card");
    state.put(&refund);
    let charge = refund["charge"].as_str().unwrap_or_default().to_owned();
    if let Some(mut charge) = state.of_kind(&charge, "charge") {
        charge["amount_refunded"] = json!(number(&charge, "amount_refunded") - number(&refund, "amount"));
        charge["refunded"] = json!(false);
        state.put(&charge);
    }
    events::happened(state, "refund.failed", &refund);
}

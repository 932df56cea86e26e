//! Transfers to connected accounts, and their reversals. <https://docs.stripe.com/api/transfers>

use serde_json::{Value, json};

use super::errors::ApiError;
use super::events;
use super::form::Form;
use super::state::State;

fn number(object: &Value, key: &str) -> i64 {
    object[key].as_i64().unwrap_or_default()
}

/// What the account has in a currency: charges, without what went back, was disputed or went on.
fn funds(state: &State, currency: &str) -> i64 {
    if state.funds_wait {
        return 0;
    }
    let of = |object: &Value| match object["object"].as_str() {
        Some("charge") => number(object, "amount_captured") - number(object, "amount_refunded"),
        Some("transfer") => number(object, "amount_reversed") - number(object, "amount"),
        Some("dispute") => {
            let movements = object["balance_transactions"].as_array();
            movements.into_iter().flatten().map(|movement| number(movement, "net")).sum()
        }
        _ => 0,
    };
    state.objects.values().filter(|object| object["currency"] == currency).map(of).sum()
}

pub(super) fn create(state: &mut State, form: &Form) -> Result<Value, ApiError> {
    form.needed("amount")?;
    let amount = form.number("amount")?.unwrap_or_default();
    let destination = form.needed("destination")?;
    if !destination.starts_with("acct_") {
        return Err(ApiError::missing("destination", destination));
    }
    if amount < 1 {
        return Err(
            ApiError::invalid(Some("parameter_invalid_integer"), "Invalid positive integer").about("amount")
        );
    }
    let currency = form.needed("currency")?.to_ascii_lowercase();
    if funds(state, &currency) < amount {
        let message = "The account has not enough available funds for this transfer.";
        return Err(ApiError::invalid(Some("balance_insufficient"), message));
    }
    let transfer = json!({
        "id": state.id("tr"),
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "created": state.now(),
        "currency": currency,
        "description": form.text("description"),
        "destination": destination,
        "livemode": false,
        "metadata": form.metadata(),
        "reversed": false,
        "transfer_group": form.text("transfer_group"),
    });
    state.put(&transfer);
    events::happened(state, "transfer.created", &transfer);
    Ok(transfer)
}

/// Newest first; of one group, if that is asked for.
pub(super) fn list(state: &State, form: &Form) -> Value {
    let group = form.text("transfer_group");
    let is_wanted =
        |it: &&Value| it["object"] == "transfer" && group.is_none_or(|group| it["transfer_group"] == group);
    let data: Vec<&Value> = state.objects.values().rev().filter(is_wanted).collect();
    json!({"object": "list", "data": data, "has_more": false, "url": "/v1/transfers"})
}

/// Money comes back from the connected account. <https://docs.stripe.com/api/transfer_reversals/create>
pub(super) fn reverse(state: &mut State, id: &str, form: &Form) -> Result<Value, ApiError> {
    let found = state.of_kind(id, "transfer");
    let mut transfer = found.ok_or_else(|| ApiError::missing("transfer", id))?;
    let (all, reversed) = (number(&transfer, "amount"), number(&transfer, "amount_reversed"));
    let amount = form.number("amount")?.unwrap_or(all - reversed);
    if amount < 1 || amount > all - reversed {
        let message = format!("{amount} is not within the {} that was not reversed.", all - reversed);
        return Err(ApiError::invalid(None, message).about("amount"));
    }
    transfer["amount_reversed"] = json!(reversed + amount);
    transfer["reversed"] = json!(reversed + amount == all);
    state.put(&transfer);
    events::happened(state, "transfer.reversed", &transfer);
    Ok(json!({
        "id": state.id("trr"), "object": "transfer_reversal", "amount": amount, "created": state.now(),
        "currency": transfer["currency"], "metadata": form.metadata(), "transfer": id,
    }))
}

//! Transfers to connected accounts. <https://docs.stripe.com/api/transfers>

use serde_json::{Value, json};

use super::errors::ApiError;
use super::events;
use super::form::Form;
use super::state::State;

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
    let transfer = json!({
        "id": state.id("tr"),
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "created": state.now(),
        "currency": form.needed("currency")?.to_ascii_lowercase(),
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

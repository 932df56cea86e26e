//! Payment intents and their charges. <https://docs.stripe.com/payments/paymentintents/lifecycle>

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::ApiError;
use super::events;
use super::form::Form;
use super::state::State;

/// What the bank behind a card says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// Yes.
    Good,
    /// No.
    Declined,
    /// Not enough money.
    Empty,
    /// Only if the buyer proves who they are.
    AsksBuyer,
    /// Later: a bank debit.
    Slow,
}

impl Card {
    /// Stripe's own names for testing: <https://docs.stripe.com/testing>.
    pub(super) fn named(method: &str) -> Result<Self, ApiError> {
        Ok(match method {
            "pm_card_visa" => Self::Good,
            "pm_card_visa_chargeDeclined" => Self::Declined,
            "pm_card_visa_chargeDeclinedInsufficientFunds" => Self::Empty,
            "pm_card_threeDSecure2Required" => Self::AsksBuyer,
            "pm_usBankAccount_success" => Self::Slow,
            other => return Err(ApiError::missing("PaymentMethod", other)),
        })
    }
}

const THREE_DECIMALS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

pub(super) fn create(state: &mut State, form: &Form) -> Result<Value, ApiError> {
    form.needed("amount")?;
    let amount = form.number("amount")?.unwrap_or_default();
    let currency = form.needed("currency")?.to_ascii_lowercase();
    if amount < 1 {
        return Err(ApiError::invalid(
            Some("parameter_invalid_integer"),
            "This value must be greater than or equal to 1.",
        )
        .about("amount"));
    }
    if amount > 99_999_999 {
        return Err(ApiError::invalid(Some("amount_too_large"), "Amount must be no more than 999,999.99.")
            .about("amount"));
    }
    if currency == "eur" && amount < 50 {
        return Err(
            ApiError::invalid(Some("amount_too_small"), "Amount must be at least €0.50 eur.").about("amount")
        );
    }
    if THREE_DECIMALS.contains(&currency.as_str()) && amount % 10 != 0 {
        return Err(
            ApiError::invalid(None, "Amount must be divisible by 10 in this currency.").about("amount")
        );
    }
    let id = state.id("pi");
    let intent = json!({
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": {"enabled": form.text("automatic_payment_methods[enabled]") == Some("true")},
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "automatic_async",
        "client_secret": format!("{id}_secret_{}", state.id("s")),
        "confirmation_method": "automatic",
        "created": state.now(),
        "currency": currency,
        "description": form.text("description"),
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "metadata": form.metadata(),
        "next_action": null,
        "payment_method": null,
        "payment_method_types": ["card"],
        "receipt_email": form.text("receipt_email"),
        "status": "requires_payment_method",
    });
    state.put(&intent);
    events::happened(state, "payment_intent.created", &intent);
    Ok(intent)
}

pub(super) fn retrieve(state: &State, id: &str) -> Result<Value, ApiError> {
    state.of_kind(id, "payment_intent").ok_or_else(|| ApiError::missing("payment_intent", id))
}

/// `metadata['name']:'value'`, which is all that is understood.
pub(super) fn search(state: &mut State, form: &Form) -> Result<Value, ApiError> {
    let query = form.needed("query")?;
    let wrong = || {
        ApiError::invalid(None, format!("We were unable to parse your search query: {query}")).about("query")
    };
    let (name, value) = query
        .strip_prefix("metadata['")
        .and_then(|rest| rest.split_once("']:'"))
        .and_then(|(name, value)| Some((name, value.strip_suffix('\'')?)))
        .ok_or_else(wrong)?;
    let intents: Vec<&Value> = state.objects.values().filter(|it| it["object"] == "payment_intent").collect();
    let known = if state.search_lags { state.indexed.min(intents.len()) } else { intents.len() };
    let found: Vec<Value> =
        intents[..known].iter().filter(|it| it["metadata"][name] == value).map(|it| (*it).clone()).collect();
    state.indexed = known;
    Ok(
        json!({"object": "search_result", "data": found, "has_more": false, "next_page": null, "url": "/v1/payment_intents/search"}),
    )
}

fn unexpected_state(intent: &Value, what: &str) -> ApiError {
    let status = intent["status"].as_str().unwrap_or_default();
    let message = format!("You cannot {what} this PaymentIntent because it has a status of {status}.");
    ApiError::invalid(Some("payment_intent_unexpected_state"), message)
}

pub(super) fn cancel(state: &mut State, id: &str, form: &Form) -> Result<Value, ApiError> {
    let mut intent = retrieve(state, id)?;
    if !intent["status"].as_str().is_some_and(|status| status.starts_with("requires_")) {
        return Err(unexpected_state(&intent, "cancel"));
    }
    intent["status"] = json!("canceled");
    intent["canceled_at"] = json!(state.now());
    intent["cancellation_reason"] = json!(form.text("cancellation_reason"));
    state.put(&intent);
    events::happened(state, "payment_intent.canceled", &intent);
    Ok(intent)
}

/// The buyer pays, or tries to.
pub(super) fn confirm(state: &mut State, id: &str, card: Card) -> Result<Value, ApiError> {
    let mut intent = retrieve(state, id)?;
    if !intent["status"].as_str().is_some_and(|status| status.starts_with("requires_")) {
        return Err(unexpected_state(&intent, "confirm"));
    }
    match card {
        Card::Good => Ok(succeed(state, intent)),
        Card::Declined => Err(decline(state, intent, "generic_decline", "Your card was declined.")),
        Card::Empty => Err(decline(state, intent, "insufficient_funds", "Your card has insufficient funds.")),
        Card::AsksBuyer => {
            intent["status"] = json!("requires_action");
            intent["next_action"] = json!({"type": "use_stripe_sdk"});
            state.put(&intent);
            events::happened(state, "payment_intent.requires_action", &intent);
            Ok(intent)
        }
        Card::Slow => {
            intent["status"] = json!("processing");
            state.put(&intent);
            events::happened(state, "payment_intent.processing", &intent);
            Ok(intent)
        }
    }
}

fn charge(state: &mut State, intent: &Value, paid: bool) -> Value {
    let charge = json!({
        "id": state.id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": if paid { intent["amount"].clone() } else { json!(0) },
        "amount_refunded": 0,
        "captured": paid,
        "created": state.now(),
        "currency": intent["currency"],
        "disputed": false,
        "livemode": false,
        "metadata": intent["metadata"],
        "paid": paid,
        "payment_intent": intent["id"],
        "refunded": false,
        "status": if paid { "succeeded" } else { "failed" },
    });
    state.put(&charge);
    charge
}

fn succeed(state: &mut State, mut intent: Value) -> Value {
    let charge = charge(state, &intent, true);
    intent["status"] = json!("succeeded");
    intent["amount_received"] = intent["amount"].clone();
    intent["latest_charge"] = charge["id"].clone();
    intent["last_payment_error"] = Value::Null;
    intent["next_action"] = Value::Null;
    state.put(&intent);
    events::happened(state, "charge.succeeded", &charge);
    events::happened(state, "payment_intent.succeeded", &intent);
    intent
}

fn decline(state: &mut State, mut intent: Value, code: &str, message: &str) -> ApiError {
    let charge = charge(state, &intent, false);
    intent["status"] = json!("requires_payment_method");
    intent["latest_charge"] = charge["id"].clone();
    intent["last_payment_error"] = json!({
        "type": "card_error", "code": "card_declined", "decline_code": code, "message": message,
        "charge": charge["id"],
    });
    state.put(&intent);
    events::happened(state, "charge.failed", &charge);
    events::happened(state, "payment_intent.payment_failed", &intent);
    ApiError::declined(code, message, intent)
}

pub(super) fn processing_ends(state: &mut State, id: &str, well: bool) {
    let Ok(intent) = retrieve(state, id) else { return };
    if intent["status"] != "processing" {
        return;
    }
    if well {
        succeed(state, intent);
    } else {
        decline(state, intent, "generic_decline", "The bank refused the debit.");
    }
}

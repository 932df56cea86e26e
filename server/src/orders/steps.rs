//! What happened to an order, written in the transaction in which it happened.

use serde_json::Value;

use super::types::StepView;
use crate::params;
use crate::platform::coded::coded;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::OrderId;
use crate::pricing::{Currency, Money};

coded! {
    /// Something that happens to an order.
    Step {
        /// Its tickets are held.
        Placed = "placed",
        /// The payment provider is about to be asked for a payment.
        PaymentBegun = "payment_begun",
        /// The provider did not answer: whether there is a payment is not known.
        PaymentUnknown = "payment_unknown",
        /// There is a payment, which the buyer can make.
        PaymentOpen = "payment_open",
        /// The provider refused to begin a payment.
        PaymentRefused = "payment_refused",
        /// The buyer tried to pay and their bank refused.
        PaymentDeclined = "payment_declined",
        /// The buyer has paid, by a way that takes a while.
        PaymentProcessing = "payment_processing",
        /// The money is there.
        PaymentSucceeded = "payment_succeeded",
        /// The payment can be made no more.
        PaymentCanceled = "payment_canceled",
        /// Tickets were issued.
        TicketsIssued = "tickets_issued",
        /// It is about to end.
        Ending = "ending",
        /// It ended unpaid.
        Ended = "ended",
        /// It was paid after it had ended, and its tickets were still there.
        Revived = "revived",
        /// Money is to go back.
        RefundBegun = "refund_begun",
        /// It went back.
        RefundSucceeded = "refund_succeeded",
        /// The provider refused to give it back.
        RefundRefused = "refund_refused",
        /// It came again.
        RefundFailed = "refund_failed",
        /// The buyer's bank disputes the payment.
        DisputeOpened = "dispute_opened",
        /// It took the money.
        DisputeWithdrawn = "dispute_withdrawn",
        /// It gave the money back.
        DisputeReinstated = "dispute_reinstated",
        /// It is decided.
        DisputeClosed = "dispute_closed",
        /// A person has to look at it.
        AttentionRaised = "attention_raised",
        /// Somebody looked at it.
        AttentionSettled = "attention_settled",
    }
}

/// Notes that something happened. The order is held, so that its steps have an order.
///
/// # Errors
/// When the database fails.
pub(crate) async fn note(
    tx: &mut Tx,
    order: OrderId,
    at: i64,
    step: Step,
    detail: Value,
) -> Result<(), DbError> {
    let sql = "INSERT INTO order_steps (order_id, seq, at, step, detail) \
               SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4 FROM order_steps WHERE order_id = $1";
    tx.execute(sql, params![order, at, step.code(), detail.to_string()]).await.map(drop)
}

/// What happened to an order, oldest first.
pub(super) async fn list(
    conn: &mut Conn,
    order: OrderId,
    currency: Currency,
) -> Result<Vec<StepView>, DbError> {
    let sql = "SELECT at, step, detail FROM order_steps WHERE order_id = $1 ORDER BY seq LIMIT 1000";
    let rows = conn.query(sql, params![order]).await?;
    rows.iter()
        .map(|row| {
            let (step, detail): (String, Value) = (row.get(1)?, row.json(2)?);
            // A newer version's step has no words here, but it happened.
            let sentence =
                Step::from_code(&step).map_or_else(|| step.clone(), |it| it.sentence(&detail, currency));
            Ok(StepView { at: row.get(0)?, step, sentence, detail })
        })
        .collect()
}

impl Step {
    /// What happened, for people.
    fn sentence(self, detail: &Value, currency: Currency) -> String {
        let text = |key: &str| detail.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |key: &str| detail.get(key).and_then(Value::as_i64).unwrap_or_default();
        let money = |key: &str| Money { amount: number(key), currency };
        let because = match text("reason") {
            reason if reason.is_empty() => ".".to_owned(),
            reason => format!(": {reason}"),
        };
        match self {
            Self::Placed => {
                let tickets = number("tickets");
                let are = if tickets == 1 { "1 ticket is" } else { &format!("{tickets} tickets are") };
                format!("{are} held for the buyer, who is to pay {}.", money("total"))
            }
            Self::PaymentBegun => format!("{} is asked for a payment.", provider(&text("provider"))),
            Self::PaymentUnknown => {
                format!(
                    "{} did not answer in time; it is asked again until it is known whether there is a payment. Nothing was charged.",
                    provider(&text("provider"))
                )
            }
            Self::PaymentOpen => format!("The buyer can pay {}.", money("amount")),
            Self::PaymentRefused => format!("The payment could not be begun{because}"),
            Self::PaymentDeclined => format!("The buyer's bank refused{because}"),
            Self::PaymentProcessing => "The buyer has paid; the money is on its way.".to_owned(),
            Self::PaymentSucceeded => format!("{} was paid.", money("amount")),
            Self::PaymentCanceled => "The payment can be made no more.".to_owned(),
            Self::TicketsIssued => match number("tickets") {
                1 => "1 ticket was issued.".to_owned(),
                tickets => format!("{tickets} tickets were issued."),
            },
            Self::Ending => match text("as").as_str() {
                "expired" => "Time is up: the payment is being closed.".to_owned(),
                _ => format!("The order was given up: the payment is being closed{because}"),
            },
            Self::Ended => "The order ended unpaid; its tickets are for sale again.".to_owned(),
            Self::Revived => "It was paid after it had ended; its tickets were still there.".to_owned(),
            Self::RefundBegun => match number("tickets") {
                0 => format!("{} gives {} back{because}", text("by"), money("amount")),
                1 => format!(
                    "{} gives {} back for 1 ticket, which is blocked{because}",
                    text("by"),
                    money("amount")
                ),
                tickets => format!(
                    "{} gives {} back for {tickets} tickets, which are blocked{because}",
                    text("by"),
                    money("amount")
                ),
            },
            Self::RefundSucceeded => format!("{} went back to the buyer.", money("amount")),
            Self::RefundRefused => {
                format!("{} did not go back, and tickets it was for are good again{because}", money("amount"))
            }
            Self::RefundFailed => format!("{} came back from the buyer's bank{because}", money("amount")),
            Self::DisputeOpened => {
                format!("The buyer's bank disputes {}{because}", money("amount"))
            }
            Self::DisputeWithdrawn => {
                format!("The dispute took {}, and cost {}.", money("amount"), money("fee"))
            }
            Self::DisputeReinstated => format!("The dispute gave {} back.", money("amount")),
            Self::DisputeClosed => {
                format!("The dispute about {} is decided: {}.", money("amount"), text("as"))
            }
            Self::AttentionRaised => format!("Somebody has to look at this{because}"),
            Self::AttentionSettled => format!("{} looked at this{because}", text("by")),
        }
    }
}

fn provider(code: &str) -> &str {
    match code {
        "stripe" => "Stripe",
        "test" => "The test provider",
        other => other,
    }
}

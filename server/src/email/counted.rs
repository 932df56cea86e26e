//! What becomes of mails, for their organisers' figures.

use super::types::{Delivery, Email};
use crate::app::AppState;
use crate::facts::{self, Fact, Measure};
use crate::platform::db::{DbError, Tx};

/// A provider took it, at that moment (UTC milliseconds), which was not known before.
pub(super) async fn sent(tx: &mut Tx, app: &AppState, email: &Email, at: i64) -> Result<(), DbError> {
    tell(tx, app, email, vec![Fact::new(Measure::EmailsSent, at, 1)]).await
}

/// It has moved on to `delivery`; `email` is as it was before.
pub(super) async fn moved(
    tx: &mut Tx,
    app: &AppState,
    email: &Email,
    (delivery, at): (Delivery, i64),
) -> Result<(), DbError> {
    let had_arrived = email.delivery == Some(Delivery::Delivered);
    let mut facts = Vec::new();
    match delivery {
        Delivery::Delivered => facts.push(Fact::new(Measure::EmailsDelivered, at, 1)),
        Delivery::Bounced => {
            facts.push(Fact::new(Measure::EmailsBounced, at, 1));
            if had_arrived {
                // So it had not.
                let then = email.delivery_at.unwrap_or(at);
                facts.push(Fact::new(Measure::EmailsDelivered, then, -1));
            }
        }
        Delivery::Complained => {
            facts.push(Fact::new(Measure::EmailsComplained, at, 1));
            if !had_arrived {
                // Who called it spam has it.
                facts.push(Fact::new(Measure::EmailsDelivered, at, 1));
            }
        }
        Delivery::Sent | Delivery::Delayed | Delivery::Failed => {}
    }
    tell(tx, app, email, facts).await
}

/// Mails that are no organiser's count for nobody.
async fn tell(tx: &mut Tx, app: &AppState, email: &Email, facts: Vec<Fact>) -> Result<(), DbError> {
    let Some(organiser) = email.organiser_id else { return Ok(()) };
    let about = |fact: Fact| match email.event_id {
        Some(event) => fact.of(event),
        None => fact,
    };
    facts::append(tx, app, organiser, facts.into_iter().map(about).collect()).await
}

//! What several tickets cost together.

use liventix_core::ids::TicketTypeId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::currency::Currency;
use super::terms::{MAX_AMOUNT, PricingError, TicketPrice};

/// Tickets of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuoteLine {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Its name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// What one of them costs.
    pub each: TicketPrice,
}

/// What an order costs, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// The currency.
    pub currency: Currency,
    /// Tickets by type.
    pub lines: Vec<QuoteLine>,
    /// The prices of all tickets.
    pub subtotal: i64,
    /// The fees that the buyer pays on top.
    pub buyer_fees: i64,
    /// All fees, whoever pays them.
    pub fees: i64,
    /// The tax in `total`.
    pub tax: i64,
    /// What the buyer pays.
    pub total: i64,
}

impl Quote {
    /// Adds up.
    ///
    /// # Errors
    /// [`PricingError::TooMuch`].
    pub fn of(currency: Currency, lines: Vec<QuoteLine>) -> Result<Self, PricingError> {
        let sum = |part: fn(&TicketPrice) -> i64| {
            lines.iter().try_fold(0_i64, |sum, line| {
                part(&line.each)
                    .checked_mul(i64::from(line.quantity))
                    .and_then(|of_line| sum.checked_add(of_line))
            })
        };
        let total = sum(|each| each.total).filter(|total| *total <= MAX_AMOUNT);
        let all = (|| {
            Some((
                sum(|each| each.price)?,
                sum(|each| each.buyer_fee)?,
                sum(|each| each.fee)?,
                sum(|each| each.tax)?,
            ))
        })();
        let (Some(total), Some((subtotal, buyer_fees, fees, tax))) = (total, all) else {
            return Err(PricingError::TooMuch);
        };
        Ok(Self { currency, lines, subtotal, buyer_fees, fees, tax, total })
    }

    /// How many tickets.
    #[must_use]
    pub fn tickets(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(id: u8, quantity: u32, total: i64) -> QuoteLine {
        let each = TicketPrice { price: total, fee: total / 10, buyer_fee: 0, tax: total / 5, total };
        let ticket_type_id = TicketTypeId::from_bytes([id; 16]);
        QuoteLine { ticket_type_id, name: format!("type {id}"), quantity, each }
    }

    #[test]
    fn more_than_can_be_charged_at_once_is_refused() {
        let euro = Currency::from_code("EUR").unwrap();
        assert!(Quote::of(euro, vec![line(1, 1, MAX_AMOUNT)]).is_ok());
        for lines in [vec![line(1, 1, MAX_AMOUNT), line(2, 1, 1)], vec![line(1, u32::MAX, i64::MAX)]] {
            assert_eq!(Quote::of(euro, lines), Err(PricingError::TooMuch));
        }
    }

    proptest! {
        /// Whichever tickets are taken out of an order, what is left and what was taken is the order.
        #[test]
        fn an_order_is_its_tickets(
            lines in prop::collection::vec((1_u32..20, 0_i64..100_000), 1..6),
            taken in prop::collection::vec(0_u32..20, 6),
        ) {
            let euro = Currency::from_code("EUR").unwrap();
            let lines: Vec<QuoteLine> =
                lines.iter().zip(1..).map(|((count, total), id)| line(id, *count, *total)).collect();
            let part = |keep: &dyn Fn(&QuoteLine, u32) -> u32| {
                let of = |(line, taken): (&QuoteLine, &u32)| {
                    QuoteLine { quantity: keep(line, *taken), ..line.clone() }
                };
                Quote::of(euro, lines.iter().zip(&taken).map(of).collect()).unwrap()
            };
            let whole = Quote::of(euro, lines.clone()).unwrap();
            let gone = part(&|line, taken| taken.min(line.quantity));
            let left = part(&|line, taken| line.quantity - taken.min(line.quantity));
            let amounts = |of: &Quote| [of.total, of.fees, of.buyer_fees, of.tax, of.subtotal];
            let sum: Vec<i64> = amounts(&gone).iter().zip(amounts(&left)).map(|(gone, left)| gone + left).collect();
            prop_assert_eq!(sum, amounts(&whole));
        }
    }
}

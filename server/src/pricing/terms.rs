//! What one ticket costs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::currency::Currency;
use crate::platform::coded::coded;

/// A hundred per cent.
const WHOLE_BP: i64 = 10_000;
/// The highest price of a ticket, in minor units: what Stripe charges at most, eight digits.
pub(super) const MAX_AMOUNT: i64 = 99_999_999;
/// Whoever sells keeps at least half of the price.
const MAX_FEE_BP: u32 = 5_000;

coded! {
    /// Who pays the fee.
    FeePayer {
        /// It is added to the price.
        Buyer = "buyer",
        /// It is kept back from what the organiser gets.
        Organiser = "organiser",
    }
}

coded! {
    /// How taxes stand to prices.
    TaxMode {
        /// Prices hold the tax already, as in Europe.
        Included = "included",
        /// It is added at the end, as in North America.
        Added = "added",
    }
}

/// What is charged for selling one ticket. Tickets that cost nothing have no fee.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// For each ticket, in minor units (0 to 99 999 999, a multiple of what can be charged).
    #[serde(default)]
    pub fixed: i64,
    /// And of its price, in hundredths of a per cent (0 to 5 000).
    #[serde(default)]
    pub percent_bp: u32,
    /// Not more than this altogether, in minor units; none: without limit.
    #[serde(default)]
    pub cap: Option<i64>,
}

/// By what an event sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// In which currency.
    pub currency: Currency,
    /// For what fee.
    pub fee: Fee,
    /// Who pays it.
    pub fee_payer: FeePayer,
    /// How taxes stand to prices.
    pub tax_mode: TaxMode,
}

/// What is wrong with an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Less than nothing, or more than can be charged.
    #[error("must be between 0 and {MAX_AMOUNT} minor units")]
    OutOfRange,
    /// Not a multiple of [`Currency::step`].
    #[error("must be a multiple of {0} minor units in this currency")]
    NotChargeable(i64),
    /// A rate of more than it can be.
    #[error("must be between 0 and {0} hundredths of a per cent")]
    Rate(i64),
    /// More in one order than can be charged at once.
    #[error("comes to more than can be charged at once: take fewer tickets")]
    TooMuch,
}

/// What one ticket costs, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketPrice {
    /// The price as the organiser has set it.
    pub price: i64,
    /// What is charged for selling it, whoever pays that.
    pub fee: i64,
    /// The part of the fee that stands on top of the price: all of it or nothing.
    pub buyer_fee: i64,
    /// The tax in `total`.
    pub tax: i64,
    /// What the buyer pays.
    pub total: i64,
}

impl TicketPrice {
    /// What the organiser gets of it, their taxes included.
    #[must_use]
    pub const fn organiser_share(&self) -> i64 {
        self.total - self.fee
    }
}

/// Checks that an amount can be charged.
///
/// # Errors
/// [`PricingError::OutOfRange`], [`PricingError::NotChargeable`].
pub(crate) fn check_amount(amount: i64, currency: Currency) -> Result<(), PricingError> {
    if !(0..=MAX_AMOUNT).contains(&amount) {
        return Err(PricingError::OutOfRange);
    }
    let step = currency.step();
    if amount % step == 0 { Ok(()) } else { Err(PricingError::NotChargeable(step)) }
}

/// Checks a rate of tax.
///
/// # Errors
/// [`PricingError::Rate`].
pub(crate) const fn check_tax_rate(rate_bp: u32) -> Result<(), PricingError> {
    if rate_bp as i64 <= WHOLE_BP { Ok(()) } else { Err(PricingError::Rate(WHOLE_BP)) }
}

impl Fee {
    /// Checks that it can be charged.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, currency: Currency) -> Result<(), PricingError> {
        check_amount(self.fixed, currency)?;
        self.cap.map_or(Ok(()), |cap| check_amount(cap, currency))?;
        if self.percent_bp <= MAX_FEE_BP { Ok(()) } else { Err(PricingError::Rate(i64::from(MAX_FEE_BP))) }
    }

    fn of(&self, price: i64, step: i64) -> i64 {
        let fee = self.fixed + part(price, i64::from(self.percent_bp), WHOLE_BP, step);
        self.cap.map_or(fee, |cap| fee.min(cap))
    }
}

impl Terms {
    /// What a ticket of this price and tax rate (hundredths of a per cent) costs.
    ///
    /// # Errors
    /// When the price cannot be charged, or what it comes to.
    pub fn price(&self, price: i64, tax_rate_bp: u32) -> Result<TicketPrice, PricingError> {
        check_amount(price, self.currency)?;
        check_tax_rate(tax_rate_bp)?;
        self.fee.check(self.currency)?;
        if price == 0 {
            return Ok(TicketPrice::default());
        }
        let (step, rate) = (self.currency.step(), i64::from(tax_rate_bp));
        let (fee, buyer_fee) = match self.fee_payer {
            FeePayer::Buyer => {
                let fee = self.fee.of(price, step);
                (fee, fee)
            }
            // Nobody pays for having sold a ticket.
            FeePayer::Organiser => (self.fee.of(price, step).min(price), 0),
        };
        let base = price + buyer_fee;
        let (tax, total) = match self.tax_mode {
            TaxMode::Included => (part(base, rate, WHOLE_BP + rate, 1), base),
            TaxMode::Added => {
                let tax = part(base, rate, WHOLE_BP, step);
                (tax, base + tax)
            }
        };
        if total > MAX_AMOUNT {
            return Err(PricingError::TooMuch);
        }
        Ok(TicketPrice { price, fee, buyer_fee, tax, total })
    }
}

/// `amount * rate / whole`, to the nearest multiple of `step`; from the middle, up. None of them is negative, and
/// `amount` and `rate` are small enough for their product.
const fn part(amount: i64, rate: i64, whole: i64, step: i64) -> i64 {
    let divisor = whole * step;
    (2 * amount * rate + divisor) / (2 * divisor) * step
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    fn terms(code: &str, fee: Fee, fee_payer: FeePayer, tax_mode: TaxMode) -> Terms {
        Terms { currency: currency(code), fee, fee_payer, tax_mode }
    }

    #[test]
    fn the_examples_of_the_documentation() {
        let fee = Fee { fixed: 50, percent_bp: 250, cap: None };
        let price = |terms: Terms, price, rate| terms.price(price, rate).unwrap();
        let of = |price, fee, buyer_fee, tax, total| TicketPrice { price, fee, buyer_fee, tax, total };
        let europe = terms("EUR", fee, FeePayer::Buyer, TaxMode::Included);
        assert_eq!(price(europe, 4_000, 1_900), of(4_000, 150, 150, 663, 4_150));
        let kept = terms("EUR", fee, FeePayer::Organiser, TaxMode::Included);
        assert_eq!(price(kept, 4_000, 1_900), of(4_000, 150, 0, 639, 4_000));
        let america = terms("USD", fee, FeePayer::Buyer, TaxMode::Added);
        assert_eq!(price(america, 4_000, 875), of(4_000, 150, 150, 363, 4_513));
        let japan =
            terms("JPY", Fee { percent_bp: 333, ..Fee::default() }, FeePayer::Buyer, TaxMode::Included);
        assert_eq!(price(japan, 5_000, 1_000), of(5_000, 167, 167, 470, 5_167));
        let kuwait = terms("KWD", Fee { percent_bp: 250, ..Fee::default() }, FeePayer::Buyer, TaxMode::Added);
        assert_eq!(price(kuwait, 7_500, 500), of(7_500, 190, 190, 380, 8_070));
    }

    #[test]
    fn what_costs_nothing_has_no_fee_and_a_fee_is_never_more_than_the_price_it_is_kept_from() {
        let fee = Fee { fixed: 100, ..Fee::default() };
        let of = |price, payer| terms("EUR", fee, payer, TaxMode::Added).price(price, 700).unwrap();
        assert_eq!(of(0, FeePayer::Buyer), TicketPrice::default());
        assert_eq!(of(30, FeePayer::Organiser).fee, 30);
        assert_eq!(of(30, FeePayer::Buyer).fee, 100);
        let capped = Fee { percent_bp: 1_000, cap: Some(500), ..fee };
        assert_eq!(
            terms("EUR", capped, FeePayer::Buyer, TaxMode::Included).price(90_000, 0).unwrap().fee,
            500
        );
    }

    #[test]
    fn what_cannot_be_charged_is_refused() {
        let free = |code| terms(code, Fee::default(), FeePayer::Buyer, TaxMode::Added);
        assert_eq!(free("EUR").price(-1, 0), Err(PricingError::OutOfRange));
        assert_eq!(free("EUR").price(MAX_AMOUNT + 1, 0), Err(PricingError::OutOfRange));
        assert_eq!(free("EUR").price(MAX_AMOUNT, 1), Err(PricingError::TooMuch));
        assert_eq!(free("EUR").price(1, 10_001), Err(PricingError::Rate(10_000)));
        assert_eq!(free("KWD").price(1_005, 0), Err(PricingError::NotChargeable(10)));
        let greedy = Fee { percent_bp: 5_001, ..Fee::default() };
        assert_eq!(greedy.check(currency("EUR")), Err(PricingError::Rate(5_000)));
    }

    prop_compose! {
        fn any_terms()(
            code in prop::sample::select(vec!["JPY", "EUR", "KWD", "ISK", "USD"]),
            fixed in 0_i64..2_000,
            percent_bp in 0_u32..=MAX_FEE_BP,
            cap in prop::option::of(0_i64..3_000),
            fee_payer in prop::sample::select(FeePayer::ALL.to_vec()),
            tax_mode in prop::sample::select(TaxMode::ALL.to_vec()),
        ) -> Terms {
            let step = currency(code).step();
            let cap = cap.map(|cap| cap * step);
            terms(code, Fee { fixed: fixed * step, percent_bp, cap }, fee_payer, tax_mode)
        }
    }

    proptest! {
        #[test]
        fn a_price_is_its_parts(terms in any_terms(), units in 0_i64..600_000, rate in 0_u32..=10_000) {
            let step = terms.currency.step();
            let cost = terms.price(units * step, rate).unwrap();
            let added = if terms.tax_mode == TaxMode::Added { cost.tax } else { 0 };
            prop_assert_eq!(cost.total, cost.price + cost.buyer_fee + added);
            prop_assert_eq!(cost.total % step, 0);
            prop_assert_eq!(cost.fee % step, 0);
            prop_assert!(cost.fee >= cost.buyer_fee && cost.buyer_fee >= 0 && cost.tax >= 0);
            prop_assert!(cost.organiser_share() >= 0);
        }

        /// Twice the distance from the exact tax, which is a fraction, is at most a step.
        #[test]
        fn tax_is_as_near_as_can_be(terms in any_terms(), units in 1_i64..600_000, rate in 0_u32..=10_000) {
            let cost = terms.price(units * terms.currency.step(), rate).unwrap();
            let (base, rate) = (i128::from(cost.price + cost.buyer_fee), i128::from(rate));
            let (whole, step) = match terms.tax_mode {
                TaxMode::Included => (10_000 + rate, 1),
                TaxMode::Added => (10_000, i128::from(terms.currency.step())),
            };
            let distance = (i128::from(cost.tax) * whole - base * rate).abs();
            prop_assert!(2 * distance <= step * whole, "{cost:?}");
        }

        #[test]
        fn whoever_sets_a_higher_price_gets_no_less(
            terms in any_terms(),
            units in 0_i64..500_000,
            more in 0_i64..1_000,
            rate in 0_u32..=10_000,
        ) {
            let step = terms.currency.step();
            let (less, more) = (terms.price(units * step, rate), terms.price((units + more) * step, rate));
            let (less, more) = (less.unwrap(), more.unwrap());
            prop_assert!(more.total >= less.total);
            // Rounding alone can take one step away from the organiser, never more.
            prop_assert!(more.organiser_share() + step >= less.organiser_share());
        }
    }
}

//! Amounts as Stripe writes them.

use crate::pricing::Currency;

/// Currencies that have no minor units, and that Stripe wants with two decimals that are 00:
/// <https://docs.stripe.com/currencies#special-cases>.
const WITH_ZEROES: [&str; 2] = ["ISK", "UGX"];

fn factor(currency: Currency) -> i64 {
    if WITH_ZEROES.contains(&currency.code()) { 100 } else { 1 }
}

/// An amount of ours, as Stripe writes it.
pub(crate) fn to_stripe(currency: Currency, amount: i64) -> i64 {
    amount * factor(currency)
}

/// An amount of Stripe's, as we write it; none if it is none of ours.
pub(crate) fn from_stripe(currency: Currency, amount: i64) -> Option<i64> {
    let factor = factor(currency);
    (amount % factor == 0).then_some(amount / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_back_as_they_went() {
        for currency in Currency::all() {
            for amount in [0, 1, 10, 99_999_999] {
                assert_eq!(from_stripe(currency, to_stripe(currency, amount)), Some(amount), "{currency}");
            }
        }
        let of = |code: &str, amount| to_stripe(Currency::from_code(code).unwrap(), amount);
        assert_eq!((of("EUR", 1_250), of("JPY", 500), of("KWD", 5_120)), (1_250, 500, 5_120));
        assert_eq!((of("ISK", 5), of("UGX", 5)), (500, 500));
        assert_eq!(from_stripe(Currency::from_code("ISK").unwrap(), 550), None);
    }
}

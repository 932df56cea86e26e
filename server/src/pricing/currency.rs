//! Currencies, and amounts in their minor units.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Currencies without minor units. As ISO 4217 has them, and MGA, whose minor unit is a fifth and which Stripe
/// takes in whole ariary.
const WHOLE: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
/// Currencies with 1 000 minor units.
const THOUSANDTHS: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];
/// Currencies with 100 minor units that Stripe can charge: <https://docs.stripe.com/currencies>.
const HUNDREDTHS: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND",
    "BOB", "BRL", "BSD", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC", "CVE", "CZK", "DKK",
    "DOP", "DZD", "EGP", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL",
    "HTG", "HUF", "IDR", "ILS", "INR", "JMD", "KES", "KGS", "KHR", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "MAD", "MDL", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN",
    "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "SAR", "SBD",
    "SCR", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "STD", "SZL", "THB", "TJS", "TOP", "TRY", "TTD", "TWD",
    "TZS", "UAH", "USD", "UYU", "UZS", "WST", "XCD", "YER", "ZAR", "ZMW",
];

/// A currency of ISO 4217 that can be charged. Written as its code, `EUR`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(&'static str);

impl Currency {
    /// The one with this code, in capitals.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|currency| currency.0 == code)
    }

    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        WHOLE.iter().chain(HUNDREDTHS).chain(THOUSANDTHS).map(|code| Self(code))
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }

    /// How many decimals its amounts are written with: 0, 2 or 3.
    #[must_use]
    pub fn decimals(self) -> u32 {
        if WHOLE.contains(&self.0) {
            0
        } else if THOUSANDTHS.contains(&self.0) {
            3
        } else {
            2
        }
    }

    /// The smallest amount that can be charged, in minor units: whatever is charged is a multiple of it. Card
    /// networks take only ten thousandths at a time, where there are three decimals.
    #[must_use]
    pub fn step(self) -> i64 {
        if THOUSANDTHS.contains(&self.0) { 10 } else { 1 }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| {
            de::Error::custom("must be the code, in capitals, of a currency that can be charged, such as EUR")
        })
    }
}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        let codes = Self::all().map(Self::code);
        let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
        schema.description(Some("A currency of ISO 4217 that can be charged.")).into()
    }
}

impl ToSchema for Currency {}

/// An amount with its currency, to be read by people: `12.50 EUR`, `1500 JPY`, `1.250 KWD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Money {
    /// In minor units.
    pub amount: i64,
    /// Of this currency.
    pub currency: Currency,
}

/// Why a text is no amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an amount such as {}", Money { amount: 12 * 10_i64.pow(.0.decimals()), currency: *.0 }.digits())]
pub(crate) struct NoAmount(Currency);

impl Money {
    /// The amount that somebody typed, in units of the currency, with a point or a comma before its decimals: `12`,
    /// `12.5`, `12,50`. Without a sign, without marks between thousands.
    ///
    /// # Errors
    /// When it is none, has more decimals than the currency, or is too large.
    pub(crate) fn typed(text: &str, currency: Currency) -> Result<i64, NoAmount> {
        let none = NoAmount(currency);
        let (whole, rest) = text.trim().split_once(['.', ',']).unwrap_or((text.trim(), ""));
        let decimals = usize::try_from(currency.decimals()).unwrap_or(2);
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || rest.len() > decimals || !is_number(whole) || !is_number(rest) {
            return Err(none);
        }
        format!("{whole}{rest:0<decimals$}").parse().map_err(|_| none)
    }

    /// Without its currency, as a form shows it and [`typed`](Self::typed) reads it: `12.50`.
    pub(crate) fn digits(&self) -> String {
        let (sign, units) = (if self.amount < 0 { "-" } else { "" }, self.amount.unsigned_abs());
        let decimals = self.currency.decimals();
        if decimals == 0 {
            return format!("{sign}{units}");
        }
        let (whole, width) = (10_u64.pow(decimals), usize::try_from(decimals).unwrap_or(2));
        format!("{sign}{}.{:0width$}", units / whole, units % whole)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.digits(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_it_is_written() {
        let of = |code| Currency::from_code(code).unwrap();
        for (text, code, amount) in [
            ("12.50", "EUR", 1_250),
            (" 12,5 ", "EUR", 1_250),
            ("12", "EUR", 1_200),
            ("0.01", "EUR", 1),
            ("1500", "JPY", 1_500),
            ("1.25", "KWD", 1_250),
            ("1.", "EUR", 100),
        ] {
            assert_eq!(Money::typed(text, of(code)), Ok(amount), "{text} {code}");
        }
        for (text, code) in [
            ("", "EUR"),
            (".5", "EUR"),
            ("12.505", "EUR"),
            ("-1", "EUR"),
            ("1e3", "EUR"),
            ("1 000", "EUR"),
            ("1.0", "JPY"),
            ("1.2.3", "EUR"),
            ("99999999999999999999", "EUR"),
            ("١", "EUR"),
        ] {
            assert!(Money::typed(text, of(code)).is_err(), "{text} {code}");
        }
        assert_eq!(NoAmount(of("EUR")).to_string(), "must be an amount such as 12.00");
        assert_eq!(NoAmount(of("JPY")).to_string(), "must be an amount such as 12");
        for code in ["EUR", "JPY", "KWD"] {
            let money = Money { amount: 12_340, currency: of(code) };
            assert_eq!(Money::typed(&money.digits(), money.currency), Ok(money.amount));
        }
    }

    #[test]
    fn each_has_its_decimals_and_comes_once() {
        let mut codes: Vec<&str> = Currency::all().map(Currency::code).collect();
        assert!(
            codes.iter().all(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
        );
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Currency::all().count());
        let of = |code| Currency::from_code(code).map(|it| (it.decimals(), it.step()));
        assert_eq!(of("JPY"), Some((0, 1)));
        assert_eq!(of("EUR"), Some((2, 1)));
        assert_eq!(of("KWD"), Some((3, 10)));
        assert_eq!(of("eur"), None);
        assert_eq!(of("XXX"), None);
    }

    #[test]
    fn people_read_amounts_as_they_know_them() {
        for (amount, code, text) in [
            (1_250, "EUR", "12.50 EUR"),
            (5, "USD", "0.05 USD"),
            (-199, "GBP", "-1.99 GBP"),
            (1_500, "JPY", "1500 JPY"),
            (1_250, "KWD", "1.250 KWD"),
            (i64::MIN, "JPY", "-9223372036854775808 JPY"),
        ] {
            assert_eq!(Money { amount, currency: Currency::from_code(code).unwrap() }.to_string(), text);
        }
    }
}

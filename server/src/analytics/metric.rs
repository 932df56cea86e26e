//! Figures that may not be there: a share of nothing is no number, and says so. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::coded::coded;

coded! {
    /// Why a figure is not there.
    WhyNone {
        /// No order was begun.
        NoOrdersPlaced = "no_orders_placed",
        /// No order was paid.
        NoOrders = "no_orders",
        /// Nothing was scanned.
        NoScans = "no_scans",
        /// No mail was sent.
        NoEmails = "no_emails",
        /// No push message was sent.
        NoPushes = "no_pushes",
        /// Nobody is expected: there is no valid ticket.
        NoTickets = "no_tickets",
        /// The event is not over: who is not there yet may still come.
        EventNotOver = "event_not_over",
    }
}

impl WhyNone {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoOrdersPlaced => "no order was begun",
            Self::NoOrders => "no order was paid",
            Self::NoScans => "nothing was scanned",
            Self::NoEmails => "no mail was sent",
            Self::NoPushes => "no push message was sent",
            Self::NoTickets => "there is no valid ticket",
            Self::EventNotOver => "the event is not over",
        }
    }
}

/// A figure, or why there is none. Never infinite, never no number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Metric {
    /// The figure; null where it is not defined.
    pub value: Option<f64>,
    /// Why it is not.
    pub why_none: Option<WhyNone>,
}

impl Metric {
    pub(super) const fn none(why: WhyNone) -> Self {
        Self { value: None, why_none: Some(why) }
    }

    /// `part` of `whole`. There is none of nothing, which `why` says.
    pub(super) fn share(part: i64, whole: i64, why: WhyNone) -> Self {
        if whole <= 0 {
            tracing::debug!(part, whole, why = why.code(), "a figure is not defined");
            return Self::none(why);
        }
        // Exact far beyond what is ever counted.
        #[allow(clippy::cast_precision_loss, reason = "nothing is ever counted up to 2^53")]
        let value = part as f64 / whole as f64;
        Self { value: Some(value), why_none: None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn there_is_a_finite_figure_or_a_reason(part: i64, whole: i64) {
            let metric = Metric::share(part, whole, WhyNone::NoScans);
            prop_assert_eq!(metric.value.is_none(), metric.why_none.is_some());
            prop_assert!(metric.value.is_none_or(f64::is_finite));
        }
    }
}

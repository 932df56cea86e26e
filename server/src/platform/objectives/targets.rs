//! What is measured, and how well it should do.

use serde::Serialize;
use utoipa::ToSchema;

/// A service level indicator: something people come for, that works or does not, soon or late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sli {
    /// Buying tickets.
    Checkout,
    /// Scans that the server decides or takes in.
    Scan,
    /// Mails, from the queue to the provider.
    Email,
    /// Questions to the analytics.
    Analytics,
    /// Push notifications that a service took for their phone.
    Push,
}

impl Sli {
    /// Every one, in the order in which people read them.
    pub const ALL: [Self; 5] = [Self::Scan, Self::Checkout, Self::Email, Self::Push, Self::Analytics];

    /// The stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Scan => "scan",
            Self::Email => "email",
            Self::Analytics => "analytics",
            Self::Push => "push",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sli| sli.code() == code)
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Checkout => "Checkout",
            Self::Scan => "Scans at the doors",
            Self::Email => "E-mail",
            Self::Analytics => "Analytics",
            Self::Push => "Push notifications",
        }
    }

    /// What counts as one event, and when it has gone well.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Checkout => "A checkout that a buyer began: it went well unless it failed through us.",
            Self::Scan => {
                "A redeem or an upload that a door sent: it went well if it was answered, whatever the answer, and \
                 not with a failure of ours. Times are those of redeems."
            }
            Self::Email => "A mail put into the queue: it went well if the provider took it.",
            Self::Analytics => {
                "A question to the analytics: it went well if it was answered from fresh figures."
            }
            Self::Push => {
                "A notification to a device that is there: it went well if Apple's or Google's service took it. Whether \
                 devices say that they have it stands on the page of push messages."
            }
        }
    }

    /// Of 10,000 events, more than so many should go well.
    #[must_use]
    pub const fn target_per_10_000(self) -> u32 {
        match self {
            Self::Checkout | Self::Analytics => 9_900,
            Self::Scan => 9_990,
            Self::Email => 9_800,
            Self::Push => 9_500,
        }
    }

    /// Nine of ten should take less than this, in milliseconds.
    #[must_use]
    pub const fn target_p90_ms(self) -> Option<u64> {
        match self {
            Self::Checkout => Some(2_000),
            Self::Scan => Some(500),
            Self::Email => Some(30_000),
            Self::Analytics => Some(3_000),
            Self::Push => None,
        }
    }
}

/// The upper bounds of the cells, in milliseconds; one more cell is for what took longer. Every target is a bound,
/// so that the share within it is exact. Never changed: rows name cells by their place.
pub(super) const BOUNDS_MS: [u64; 14] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000];

/// What came of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell(i64);

impl Cell {
    /// It failed through us.
    pub(super) const FAILED: Self = Self(-1);
    /// It went well; how long it took says nothing.
    pub(super) const UNTIMED: Self = Self(-2);

    /// It went well and took so long.
    pub(super) fn took(ms: u64) -> Self {
        let cell = BOUNDS_MS.iter().position(|&bound| ms <= bound).unwrap_or(BOUNDS_MS.len());
        Self(i64::try_from(cell).unwrap_or(i64::MAX))
    }

    /// As it stands in the table.
    pub(super) const fn code(self) -> i64 {
        self.0
    }

    /// Its place among the bounds; none for those without a time.
    pub(super) fn place(code: i64) -> Option<usize> {
        usize::try_from(code).ok().filter(|&place| place <= BOUNDS_MS.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_bound() {
        for target in Sli::ALL.into_iter().filter_map(Sli::target_p90_ms) {
            assert!(BOUNDS_MS.contains(&target), "{target}");
        }
        assert!(BOUNDS_MS.is_sorted());
    }

    #[test]
    fn a_time_falls_into_the_first_cell_that_holds_it() {
        assert_eq!(Cell::took(0).code(), 0);
        assert_eq!(Cell::took(500).code(), 6);
        assert_eq!(Cell::took(501).code(), 7);
        assert_eq!(Cell::place(Cell::took(u64::MAX).code()), Some(BOUNDS_MS.len()));
        assert_eq!((Cell::place(-1), Cell::place(99)), (None, None));
    }
}

//! Time series: sums laid out on a calendar, and pages of them. Pure.

use std::collections::BTreeMap;

use super::calendar::Slot;
use crate::platform::page::{Key, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

/// A page of a time series. Its places are times, so it is the same page whatever is counted meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    after: Option<i64>,
    limit: usize,
}

impl Window {
    /// Which page.
    ///
    /// # Errors
    /// `invalid_query`, `unknown_cursor`.
    pub(crate) fn of(page: &PageQuery) -> ApiResult<Self> {
        let limit = usize::try_from(page.limit()?).unwrap_or(usize::MAX);
        let after = page.cursor.is_some().then(|| page.after()).transpose()?.map(|key| key.at);
        Ok(Self { after, limit })
    }

    /// All of it.
    pub(crate) const fn whole() -> Self {
        Self { after: None, limit: usize::MAX }
    }

    /// The page, and where the next one begins.
    ///
    /// # Errors
    /// `unknown_cursor`: it is of other days.
    pub(super) fn cut<'a>(&self, slots: &'a [Slot]) -> ApiResult<(&'a [Slot], Option<String>)> {
        let start = match self.after {
            None => 0,
            Some(after) => {
                let place = slots.iter().position(|slot| slot.starts_at == after);
                place.map(|place| place + 1).ok_or_else(|| {
                    ApiError::new(
                        Code::UnknownCursor,
                        "The cursor is of other days. Ask for the same days, or start again.",
                    )
                })?
            }
        };
        let rest = slots.get(start..).unwrap_or_default();
        let page = rest.get(..self.limit).unwrap_or(rest);
        let is_more = page.len() < rest.len();
        let next = page.last().filter(|_| is_more).map(|slot| Key { at: slot.starts_at, id: [0; 16] }.text());
        Ok((page, next))
    }
}

/// What is in each slot, by when it starts. Slots are in order; what is in none of them is left out.
pub(super) fn by_slot<T>(slots: &[Slot], sums: Vec<T>, at: impl Fn(&T) -> i64) -> BTreeMap<i64, Vec<T>> {
    let mut by_slot: BTreeMap<i64, Vec<T>> = BTreeMap::new();
    for sum in sums {
        let moment = at(&sum);
        let place = slots.partition_point(|slot| slot.ends_at <= moment);
        if let Some(slot) = slots.get(place).filter(|slot| slot.starts_at <= moment) {
            by_slot.entry(slot.starts_at).or_default().push(sum);
        }
    }
    by_slot
}

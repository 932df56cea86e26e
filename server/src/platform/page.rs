//! Pages of lists: by key, never by offset, so that no row is missed or seen twice while others come.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::{ApiError, Code};

/// The most rows in one page of a list.
pub const MAX_ROWS: u32 = 200;
const DEFAULT_ROWS: u32 = 50;

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where the last page ended: its `next_cursor`. Left out for the first page.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many rows.
    ///
    /// # Errors
    /// 400 `invalid_query` outside 1 to 200.
    pub fn limit(&self) -> Result<u32, ApiError> {
        let limit = self.limit.unwrap_or(DEFAULT_ROWS);
        if (1..=MAX_ROWS).contains(&limit) {
            Ok(limit)
        } else {
            Err(ApiError::new(Code::InvalidQuery, format!("limit must be between 1 and {MAX_ROWS}")))
        }
    }

    /// The key of the last row seen: the time part and the id part. Smaller than all for the first page.
    ///
    /// # Errors
    /// 422 `unknown_cursor` for anything this server did not give out.
    pub fn after(&self) -> Result<Key, ApiError> {
        self.cursor.as_deref().map_or(Ok(Key::FIRST), Key::parse)
    }

    /// The same for lists with the newest first: larger than all for the first page.
    ///
    /// # Errors
    /// 422 `unknown_cursor` for anything this server did not give out.
    pub fn before(&self) -> Result<Key, ApiError> {
        self.cursor.as_deref().map_or(Ok(Key::LAST), Key::parse)
    }
}

/// The key of a row in a list: rows are ordered by time, then by id. Lists ordered by id alone leave the
/// time at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// UTC milliseconds.
    pub at: i64,
    /// The row's id.
    pub id: [u8; 16],
}

impl Key {
    /// Before the first row of a list.
    pub(crate) const FIRST: Self = Self { at: i64::MIN, id: [0; 16] };
    /// Before the first row of a list with the newest first.
    pub(crate) const LAST: Self = Self { at: i64::MAX, id: [0xff; 16] };

    /// The cursor text.
    #[must_use]
    pub fn text(&self) -> String {
        BASE64URL_NOPAD.encode(&[self.at.to_be_bytes().as_slice(), &self.id].concat())
    }

    fn parse(text: &str) -> Result<Self, ApiError> {
        let unknown = || {
            ApiError::new(
                Code::UnknownCursor,
                "The cursor is not one this server gave out. Start again without it, or use next_cursor as it came.",
            )
        };
        if text.len() != 32 {
            return Err(unknown());
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| unknown())?;
        let (at, id) = bytes.split_first_chunk::<8>().ok_or_else(unknown)?;
        Ok(Self { at: i64::from_be_bytes(*at), id: id.try_into().map_err(|_| unknown())? })
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Ask for the next page with this; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows read with one more than `limit`: the extra one says that more waits.
    #[must_use]
    pub fn of(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> Key) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(|last| key(last).text()) } else { None };
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips_and_garbage_is_refused() {
        let key = Key { at: -5, id: [7; 16] };
        let query = PageQuery { cursor: Some(key.text()), limit: None };
        assert_eq!(query.after().unwrap(), key);
        for bad in ["", "x", "../etc", &"A".repeat(33)] {
            let query = PageQuery { cursor: Some(bad.to_owned()), limit: None };
            assert_eq!(query.after().unwrap_err().code(), Code::UnknownCursor);
        }
    }
}

//! Values that go into statements and come out of rows.

use std::fmt::Write as _;

use liventix_core::ids::{
    DeviceId, EventId, GateId, LedgerId, OrganiserId, PushDeviceId, PushMessageId, ScanId, TicketId,
    TicketTypeId,
};

/// A value of one of the portable column types.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BYTEA.
    Bytes(Vec<u8>),
}

macro_rules! value_from {
    ($($type:ty => |$value:ident| $body:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $body
            }
        }
    )*};
}

value_from! {
    i64 => |value| Self::Int(value);
    u32 => |value| Self::Int(i64::from(value));
    u16 => |value| Self::Int(i64::from(value));
    u8 => |value| Self::Int(i64::from(value));
    // Booleans are 0 and 1 in BIGINT columns: the engines agree on nothing else.
    bool => |value| Self::Int(i64::from(value));
    f64 => |value| Self::Real(value);
    String => |value| Self::Text(value);
    &String => |value| Self::Text(value.clone());
    &str => |value| Self::Text(value.to_owned());
    Vec<u8> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(value.to_vec());
    [u8; 32] => |value| Self::Bytes(value.to_vec());
    [u8; 16] => |value| Self::Bytes(value.to_vec());
    [u8; 8] => |value| Self::Bytes(value.to_vec());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! value_from_id {
    ($($id:ty),*) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Bytes(id.as_bytes().to_vec())
            }
        }
    )*};
}

value_from_id!(
    DeviceId,
    EventId,
    GateId,
    LedgerId,
    OrganiserId,
    PushDeviceId,
    PushMessageId,
    ScanId,
    TicketId,
    TicketTypeId
);

/// `$first,$first+1,…`: the placeholders of an `IN (…)` with `count` values.
#[must_use]
pub fn in_list(first: usize, count: usize) -> String {
    let mut out = String::with_capacity(count * 5);
    for place in first..first + count {
        let _ = write!(out, "{}${place}", if place == first { "" } else { "," });
    }
    out
}

/// Repeats the last value until there are a power of two: an `IN (…)` finds the same, and its texts have few
/// different lengths, which the engines keep prepared.
#[must_use]
pub fn padded(mut values: Vec<Value>) -> Vec<Value> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// `($1,$2),($3,$4),…`: the placeholders of a `VALUES` with `rows` rows of `columns` values.
#[must_use]
pub fn values_rows(columns: usize, rows: usize) -> String {
    let mut out = String::with_capacity(rows * (columns * 5 + 3));
    for row in 0..rows {
        let _ = write!(out, "{}({})", if row == 0 { "" } else { "," }, in_list(row * columns + 1, columns));
    }
    out
}

/// Rows in parts of `most` at most, each a power of two of them: few different texts, which the engines keep prepared.
pub fn batches<T>(rows: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let (batch, later) = rest.split_at(1 << rest.len().min(most).checked_ilog2()?);
        rest = later;
        Some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_powers_of_two_and_all_there_is() {
        let rows: Vec<usize> = (0..300).collect();
        let sizes: Vec<usize> = batches(&rows, 128).map(<[usize]>::len).collect();
        assert_eq!(sizes, [128, 128, 32, 8, 4]);
        assert_eq!(batches(&rows, 100).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(batches::<usize>(&[], 8).count(), 0);
    }

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(in_list(2, 3), "$2,$3,$4");
        assert_eq!(values_rows(2, 2), "($1,$2),($3,$4)");
    }

    #[test]
    fn lists_have_few_lengths() {
        let list = |count: i64| padded((0..count).map(Value::Int).collect());
        assert_eq!(list(0), []);
        assert_eq!(list(3), [0, 1, 2, 2].map(Value::Int));
        assert_eq!(list(4).len(), 4);
    }
}

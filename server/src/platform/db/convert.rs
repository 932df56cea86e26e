//! Rows, and what their columns turn into.

use liventix_core::ids::{
    DeviceId, EventId, GateId, LedgerId, OrganiserId, PushDeviceId, PushMessageId, ScanId, TicketId,
    TicketTypeId,
};
use serde::de::DeserializeOwned;

use super::{DbError, Value};

/// One row of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    /// The value of column `column`, counted from 0.
    ///
    /// # Errors
    /// When the column is missing or holds another type.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T, DbError> {
        self.0
            .get(column)
            .and_then(T::from_value)
            .ok_or(DbError::Column { column, expected: std::any::type_name::<T>() })
    }

    /// A TEXT column that holds JSON.
    ///
    /// # Errors
    /// When it does not hold the JSON of a `T`.
    pub fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, DbError> {
        serde_json::from_str(&self.get::<String>(column)?)
            .map_err(|_| DbError::Column { column, expected: std::any::type_name::<T>() })
    }
}

impl Row {
    /// A TEXT column that holds one of the codes that `find` knows.
    ///
    /// # Errors
    /// When it holds another text.
    pub fn coded<T>(&self, column: usize, find: fn(&str) -> Option<T>) -> Result<T, DbError> {
        let code: String = self.get(column)?;
        find(&code).ok_or(DbError::Column { column, expected: std::any::type_name::<T>() })
    }

    /// The same for a column that may be NULL.
    ///
    /// # Errors
    /// When it holds another text.
    pub fn maybe_coded<T>(&self, column: usize, find: fn(&str) -> Option<T>) -> Result<Option<T>, DbError> {
        match self.get::<Option<String>>(column)? {
            None => Ok(None),
            Some(_) => self.coded(column, find).map(Some),
        }
    }
}

/// A type a column can turn into.
pub trait FromValue: Sized {
    /// The value, if the column holds one of this type.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_int {
    ($($type:ty),*) => {$(
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Int(number) => Self::try_from(*number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}

from_int!(i64, u64, u32, u16, u8, usize);

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(*number != 0),
            _ => None,
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.as_slice().try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

macro_rules! id_from_value {
    ($($id:ty),*) => {$(
        impl FromValue for $id {
            fn from_value(value: &Value) -> Option<Self> {
                <[u8; 16]>::from_value(value).map(Self::from_bytes)
            }
        }
    )*};
}

id_from_value!(
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

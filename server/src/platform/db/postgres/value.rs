//! Values on their way to PostgreSQL and back. The column types are the portable five; small integers and
//! booleans come only from expressions such as `SELECT 1` or `EXISTS (…)`.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::platform::db::{DbError, Row, Value};

type Failure = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(ty, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(ty, out),
            (Self::Int(number), &Type::BOOL) => (*number != 0).to_sql(ty, out),
            (Self::Real(number), &Type::FLOAT8) => number.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => text.to_sql(ty, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (value, ty) => Err(format!("cannot send {value:?} as {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Copies a row out of the driver's buffer.
pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, DbError> {
    (0..row.len()).map(|column| value(row, column)).collect::<Result<_, _>>().map(Row)
}

fn value(row: &tokio_postgres::Row, column: usize) -> Result<Value, DbError> {
    let ty = row.columns().get(column).map(tokio_postgres::Column::type_);
    let value = match ty {
        Some(&Type::INT8) => row.try_get::<_, Option<i64>>(column)?.map(Value::Int),
        Some(&Type::INT4) => row.try_get::<_, Option<i32>>(column)?.map(|number| Value::Int(number.into())),
        Some(&Type::BOOL) => row.try_get::<_, Option<bool>>(column)?.map(Value::from),
        Some(&Type::FLOAT8) => row.try_get::<_, Option<f64>>(column)?.map(Value::Real),
        Some(&Type::TEXT | &Type::VARCHAR) => row.try_get::<_, Option<String>>(column)?.map(Value::Text),
        Some(&Type::BYTEA) => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Value::Bytes),
        _ => return Err(DbError::Column { column, expected: "a portable type: add a CAST" }),
    };
    Ok(value.unwrap_or(Value::Null))
}

//! Values and their kinds, as BigQuery knows them, and columns of them.
//!
//! A timestamp is a point in time and carries a zone in Arrow, a datetime does not; that is how the two are told apart.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder,
        Int64Builder, StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
    },
    compute::cast,
    datatypes::{
        DataType, Date32Type, Float64Type, Int64Type, Time64MicrosecondType, TimeUnit,
        TimestampMicrosecondType,
    },
};
use datafusion::error::Result;

/// The zone of timestamps.
const UTC: &str = "UTC";

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// `NULL` as it is written, of any kind.
    Null,
    Int,
    Float,
    Bool,
    Text,
    Bytes,
    Date,
    DateTime,
    Timestamp,
    Time,
}

impl Kind {
    /// BigQuery's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Null => "NULL",
            Kind::Int => "INT64",
            Kind::Float => "FLOAT64",
            Kind::Bool => "BOOL",
            Kind::Text => "STRING",
            Kind::Bytes => "BYTES",
            Kind::Date => "DATE",
            Kind::DateTime => "DATETIME",
            Kind::Timestamp => "TIMESTAMP",
            Kind::Time => "TIME",
        }
    }

    /// The kind of an Arrow type; none for arrays and what BigQuery does not have.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Kind::Null,
            integer if integer.is_integer() => Kind::Int,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Float,
            DataType::Boolean => Kind::Bool,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Kind::Bytes,
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(_, None) => Kind::DateTime,
            DataType::Timestamp(_, Some(_)) => Kind::Timestamp,
            DataType::Time32(_) | DataType::Time64(_) => Kind::Time,
            _ => return None,
        })
    }

    /// The Arrow type in which values are worked on.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Kind::Null => DataType::Null,
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Bool => DataType::Boolean,
            Kind::Text => DataType::Utf8,
            Kind::Bytes => DataType::Binary,
            Kind::Date => DataType::Date32,
            Kind::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Kind::Time => DataType::Time64(TimeUnit::Microsecond),
        }
    }
}

/// A value. Dates count days, the others of time microseconds, since 1970 or midnight.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Date(i32),
    DateTime(i64),
    Timestamp(i64),
    Time(i64),
}

impl Value<'_> {
    /// Bytes that it takes besides a fixed size.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(text.into())
    }
}

/// A column of values; one of length 1 may stand for a constant.
#[derive(Debug)]
pub(crate) struct Column {
    kind: Kind,
    array: ArrayRef,
    constant: bool,
}

impl Column {
    pub(crate) fn new(array: &ArrayRef, kind: Kind, constant: bool) -> Result<Self> {
        let wanted = kind.arrow();
        let array = if *array.data_type() == wanted {
            Arc::clone(array)
        } else {
            cast(array, &wanted)?
        };
        Ok(Column {
            kind,
            array,
            constant,
        })
    }

    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) {
            return Value::Null;
        }
        match self.kind {
            Kind::Null => Value::Null,
            Kind::Int => Value::Int(self.array.as_primitive::<Int64Type>().value(row)),
            Kind::Float => Value::Float(self.array.as_primitive::<Float64Type>().value(row)),
            Kind::Bool => Value::Bool(self.array.as_boolean().value(row)),
            Kind::Text => Value::Text(self.array.as_string::<i32>().value(row).into()),
            Kind::Bytes => Value::Bytes(self.array.as_binary::<i32>().value(row).into()),
            Kind::Date => Value::Date(self.array.as_primitive::<Date32Type>().value(row)),
            Kind::DateTime => Value::DateTime(
                self.array
                    .as_primitive::<TimestampMicrosecondType>()
                    .value(row),
            ),
            Kind::Timestamp => Value::Timestamp(
                self.array
                    .as_primitive::<TimestampMicrosecondType>()
                    .value(row),
            ),
            Kind::Time => Value::Time(
                self.array
                    .as_primitive::<Time64MicrosecondType>()
                    .value(row),
            ),
        }
    }
}

/// Collects values of one kind.
#[derive(Debug)]
pub(crate) enum Collector {
    Null(usize),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    DateTime(TimestampMicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Time(Time64MicrosecondBuilder),
}

impl Collector {
    pub(crate) fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Null => Collector::Null(0),
            Kind::Int => Collector::Int(Int64Builder::with_capacity(rows)),
            Kind::Float => Collector::Float(Float64Builder::with_capacity(rows)),
            Kind::Bool => Collector::Bool(BooleanBuilder::with_capacity(rows)),
            Kind::Text => Collector::Text(StringBuilder::new()),
            Kind::Bytes => Collector::Bytes(BinaryBuilder::new()),
            Kind::Date => Collector::Date(Date32Builder::with_capacity(rows)),
            Kind::DateTime => Collector::DateTime(TimestampMicrosecondBuilder::with_capacity(rows)),
            Kind::Timestamp => {
                Collector::Timestamp(TimestampMicrosecondBuilder::with_capacity(rows))
            }
            Kind::Time => Collector::Time(Time64MicrosecondBuilder::with_capacity(rows)),
        }
    }

    /// Takes a value; one of another kind is null, which no function's signature lets happen.
    pub(crate) fn push(&mut self, value: &Value<'_>) {
        macro_rules! push {
            ($builder:expr, $kind:path) => {
                match value {
                    $kind(value) => $builder.append_value(value.clone()),
                    _ => $builder.append_null(),
                }
            };
        }
        match self {
            Collector::Null(rows) => *rows += 1,
            Collector::Int(builder) => push!(builder, Value::Int),
            Collector::Float(builder) => push!(builder, Value::Float),
            Collector::Bool(builder) => push!(builder, Value::Bool),
            Collector::Text(builder) => match value {
                Value::Text(text) => builder.append_value(text),
                _ => builder.append_null(),
            },
            Collector::Bytes(builder) => match value {
                Value::Bytes(bytes) => builder.append_value(bytes),
                _ => builder.append_null(),
            },
            Collector::Date(builder) => push!(builder, Value::Date),
            Collector::DateTime(builder) => push!(builder, Value::DateTime),
            Collector::Timestamp(builder) => push!(builder, Value::Timestamp),
            Collector::Time(builder) => push!(builder, Value::Time),
        }
    }

    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            Collector::Null(rows) => arrow::array::new_null_array(&DataType::Null, rows),
            Collector::Int(mut builder) => Arc::new(builder.finish()),
            Collector::Float(mut builder) => Arc::new(builder.finish()),
            Collector::Bool(mut builder) => Arc::new(builder.finish()),
            Collector::Text(mut builder) => Arc::new(builder.finish()),
            Collector::Bytes(mut builder) => Arc::new(builder.finish()),
            Collector::Date(mut builder) => Arc::new(builder.finish()),
            Collector::DateTime(mut builder) => Arc::new(builder.finish()),
            Collector::Timestamp(mut builder) => Arc::new(builder.finish().with_timezone(UTC)),
            Collector::Time(mut builder) => Arc::new(builder.finish()),
        }
    }
}

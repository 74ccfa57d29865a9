//! Redivis' variable types and how they travel (redivis-api §8.1).

use arrow::datatypes::{DataType, Field, TimeUnit};

/// Where a field names the extension of its type, by Arrow's format.
const EXTENSION_TYPE_NAME_KEY: &str = "ARROW:extension:name";
/// The extension of text that is well-known text, by GeoArrow.
const TEXT_OF_GEOGRAPHY: &str = "geoarrow.wkt";

/// A variable's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum VariableType {
    String,
    Integer,
    Float,
    Boolean,
    Date,
    DateTime,
    Time,
    Geography,
}

impl VariableType {
    /// The name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            VariableType::String => "string",
            VariableType::Integer => "integer",
            VariableType::Float => "float",
            VariableType::Boolean => "boolean",
            VariableType::Date => "date",
            VariableType::DateTime => "dateTime",
            VariableType::Time => "time",
            VariableType::Geography => "geography",
        }
    }

    /// The type of this name, in any case.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [
            VariableType::String,
            VariableType::Integer,
            VariableType::Float,
            VariableType::Boolean,
            VariableType::Date,
            VariableType::DateTime,
            VariableType::Time,
            VariableType::Geography,
        ]
        .into_iter()
        .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// The one Arrow type in which values travel.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            VariableType::String | VariableType::Geography => DataType::Utf8,
            VariableType::Integer => DataType::Int64,
            VariableType::Float => DataType::Float64,
            VariableType::Boolean => DataType::Boolean,
            VariableType::Date => DataType::Date32,
            VariableType::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            VariableType::Time => DataType::Time64(TimeUnit::Microsecond),
        }
    }

    /// A column of this type in a stored file. Geography is text by its Arrow type, and says that it is more.
    pub(crate) fn field(self, name: &str) -> Field {
        let field = Field::new(name, self.arrow(), true);
        match self {
            VariableType::Geography => {
                let says = (
                    EXTENSION_TYPE_NAME_KEY.to_owned(),
                    TEXT_OF_GEOGRAPHY.to_owned(),
                );
                field.with_metadata([says].into())
            }
            _ => field,
        }
    }

    /// The type of a stored column; `None` for what Redivis has no type for, as nested values.
    pub(crate) fn of_field(field: &Field) -> Option<Self> {
        match Self::of_arrow(field.data_type()) {
            Some(VariableType::String)
                if field.extension_type_name() == Some(TEXT_OF_GEOGRAPHY) =>
            {
                Some(VariableType::Geography)
            }
            kind => kind,
        }
    }

    /// The type of a column stored as this Arrow type; `None` for what Redivis has no type for, as nested values.
    pub(crate) fn of_arrow(stored: &DataType) -> Option<Self> {
        Some(match stored {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
                VariableType::String
            }
            DataType::Dictionary(_, values) => return Self::of_arrow(values),
            DataType::Boolean => VariableType::Boolean,
            integer if integer.is_integer() => VariableType::Integer,
            DataType::Decimal32(_, 0) | DataType::Decimal64(_, 0) => VariableType::Integer,
            DataType::Decimal128(1..=18, 0) => VariableType::Integer,
            number if number.is_numeric() => VariableType::Float,
            DataType::Date32 | DataType::Date64 => VariableType::Date,
            DataType::Timestamp(_, _) => VariableType::DateTime,
            DataType::Time32(_) | DataType::Time64(_) => VariableType::Time,
            _ => return None,
        })
    }

    /// The type that holds the values of both, for uploads that are stacked into one table.
    pub(crate) fn stacked(self, other: Self) -> Self {
        use VariableType::{Date, DateTime, Float, Integer, String};
        match (self, other) {
            (one, two) if one == two => one,
            (Integer, Float) | (Float, Integer) => Float,
            (Date, DateTime) | (DateTime, Date) => DateTime,
            _ => String,
        }
    }

    /// Bytes that a value takes at least in Arrow, to size batches by.
    pub(crate) fn least_bytes(self) -> u64 {
        match self {
            VariableType::Boolean => 1,
            VariableType::Date => 4,
            VariableType::String | VariableType::Geography => 12,
            _ => 8,
        }
    }
}

//! Text of BigQuery's dialect that can be put together without changing its meaning.
//!
//! Values and names come in here alone, so that none can break out of its quotes. What cannot be quoted beyond doubt is
//! refused.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;

use super::refusal::{Said, refuse};

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sql {
    text: String,
    /// Whether it can be an operand as it is.
    is_operand: bool,
}

impl Sql {
    /// A name, a literal, a call: what can stand anywhere.
    pub(super) fn operand(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_operand: true,
        }
    }

    /// What needs parentheses as an operand.
    pub(super) fn compound(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_operand: false,
        }
    }

    /// `left operator right`.
    pub(super) fn infix(left: &Self, operator: &str, right: &Self) -> Self {
        Self::compound(format!(
            "{} {operator} {}",
            left.as_operand(),
            right.as_operand()
        ))
    }

    /// `function(arguments)`.
    pub(super) fn call(function: &str, arguments: &[&Self]) -> Self {
        let arguments: Vec<&str> = arguments.iter().map(|it| it.text()).collect();
        Self::operand(format!("{function}({})", arguments.join(", ")))
    }

    /// As it stands between commas, or alone.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn as_operand(&self) -> String {
        match self.is_operand {
            true => self.text.clone(),
            false => format!("({})", self.text),
        }
    }
}

/// The types that values have on Redivis (redivis-api §8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Integer,
    Float,
    Text,
    Date,
    DateTime,
    Time,
}

impl Kind {
    /// What values of an Arrow type are on Redivis without a loss.
    pub(super) fn of(data_type: &DataType) -> Said<Self> {
        Ok(match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => Self::Integer,
            DataType::Float64 => Self::Float,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Date32 => Self::Date,
            DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, None) => {
                Self::DateTime
            }
            DataType::Time64(TimeUnit::Microsecond) => Self::Time,
            other => return refuse(format!("Redivis has no type {other}")),
        })
    }

    /// The Arrow type that Redivis sends them in.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
        }
    }

    /// BigQuery's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOL",
            Self::Integer => "INT64",
            Self::Float => "FLOAT64",
            Self::Text => "STRING",
            Self::Date => "DATE",
            Self::DateTime => "DATETIME",
            Self::Time => "TIME",
        }
    }
}

/// A value.
pub(super) fn literal(value: &ScalarValue) -> Said<Sql> {
    let kind = Kind::of(&value.data_type())?;
    if value.is_null() {
        return Ok(cast("NULL", kind));
    }
    let Ok(plain) = value.cast_to(&kind.data_type()) else {
        return refuse(format!("the value {value}"));
    };
    Ok(match plain {
        ScalarValue::Boolean(Some(true)) => Sql::operand("TRUE"),
        ScalarValue::Boolean(Some(false)) => Sql::operand("FALSE"),
        ScalarValue::Int64(Some(number)) if number >= 0 => Sql::operand(number.to_string()),
        // As a number it would be the negative of one that is too large.
        ScalarValue::Int64(Some(i64::MIN)) => cast(&format!("'{}'", i64::MIN), kind),
        ScalarValue::Int64(Some(number)) => Sql::compound(number.to_string()),
        ScalarValue::Float64(Some(number)) => float(number),
        ScalarValue::Utf8(Some(value)) => Sql::operand(text(&value)?),
        ScalarValue::Date32(Some(_)) | ScalarValue::Time64Microsecond(Some(_)) => {
            Sql::operand(format!("{} '{}'", kind.name(), in_words(&plain)?))
        }
        ScalarValue::TimestampMicrosecond(Some(_), None) => {
            let nanoseconds = match value {
                ScalarValue::TimestampNanosecond(Some(nanoseconds), _) => *nanoseconds,
                _ => 0,
            };
            if nanoseconds % 1000 != 0 {
                return refuse("Redivis has microseconds at the finest");
            }
            let words = in_words(&plain)?.replace('T', " ");
            Sql::operand(format!("DATETIME '{words}'"))
        }
        other => return refuse(format!("the value {other}")),
    })
}

fn cast(text: &str, kind: Kind) -> Sql {
    Sql::operand(format!("CAST({text} AS {})", kind.name()))
}

fn float(number: f64) -> Sql {
    let named = |name| cast(name, Kind::Float);
    match number {
        _ if number.is_nan() => named("'NaN'"),
        f64::INFINITY => named("'inf'"),
        f64::NEG_INFINITY => named("'-inf'"),
        _ if number.is_sign_negative() => Sql::compound(format!("{number:?}")),
        // The shortest digits that mean this number, with a point or an exponent.
        _ => Sql::operand(format!("{number:?}")),
    }
}

/// A date or time as BigQuery reads it.
fn in_words(value: &ScalarValue) -> Said<String> {
    let words = value.to_array().and_then(|array| {
        Ok(datafusion::arrow::util::display::array_value_to_string(
            &array, 0,
        )?)
    });
    match words {
        // Years have four digits.
        Ok(words)
            if words
                .bytes()
                .all(|b| b.is_ascii_digit() || b"-:. T".contains(&b))
                && (matches!(value, ScalarValue::Time64Microsecond(_))
                    || words.find('-') == Some(4) && !words.starts_with("0000")) =>
        {
            Ok(words)
        }
        _ => refuse("Redivis has dates from 0001-01-01 to 9999-12-31"),
    }
}

/// A text in quotes.
pub(super) fn text(value: &str) -> Said<String> {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('\'');
    for character in value.chars() {
        match character {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                return refuse("a text with control characters");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    Ok(quoted)
}

/// A name in backticks: a column's, or a reference with all its parts (redivis-api §2.4).
pub(super) fn name(name: &str) -> Said<String> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | ' ' | '-');
    match !name.is_empty() && name.chars().all(is_plain) {
        true => Ok(format!("`{name}`")),
        false => refuse(format!("the name {name:?}")),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::i256;

    use super::*;

    fn said(value: ScalarValue) -> String {
        match literal(&value) {
            Ok(sql) => sql.as_operand(),
            Err(why) => format!("refused: {why}"),
        }
    }

    #[test]
    fn values_are_said_exactly() {
        for (value, expected) in [
            (ScalarValue::from(5_i64), "5"),
            (ScalarValue::from(-5_i64), "(-5)"),
            (
                ScalarValue::from(i64::MIN),
                "CAST('-9223372036854775808' AS INT64)",
            ),
            (
                ScalarValue::from(u64::MAX),
                "refused: the value 18446744073709551615",
            ),
            (ScalarValue::from(0.1), "0.1"),
            (ScalarValue::from(1e300), "1e300"),
            (ScalarValue::from(-0.0), "(-0.0)"),
            (ScalarValue::from(f64::NAN), "CAST('NaN' AS FLOAT64)"),
            (ScalarValue::Int64(None), "CAST(NULL AS INT64)"),
            (ScalarValue::from(true), "TRUE"),
            (
                ScalarValue::from("it's a \\ `\n-- /*"),
                "'it\\'s a \\\\ `\\n-- /*'",
            ),
            (
                ScalarValue::from("a\0b"),
                "refused: a text with control characters",
            ),
            (ScalarValue::Date32(Some(0)), "DATE '1970-01-01'"),
            (ScalarValue::Date32(Some(-719_162)), "DATE '0001-01-01'"),
            (
                ScalarValue::Date32(Some(-719_163)),
                "refused: Redivis has dates from 0001-01-01 to 9999-12-31",
            ),
            (
                ScalarValue::Date32(Some(2_932_897)),
                "refused: Redivis has dates from 0001-01-01 to 9999-12-31",
            ),
            (
                ScalarValue::TimestampNanosecond(Some(1_500_000_000), None),
                "DATETIME '1970-01-01 00:00:01.500'",
            ),
            (
                ScalarValue::TimestampNanosecond(Some(1), None),
                "refused: Redivis has microseconds at the finest",
            ),
            (
                ScalarValue::Time64Microsecond(Some(1_000_001)),
                "TIME '00:00:01.000001'",
            ),
            (
                ScalarValue::Decimal256(Some(i256::ONE), 5, 0),
                "refused: Redivis has no type Decimal256(5, 0)",
            ),
        ] {
            assert_eq!(said(value), expected);
        }
    }

    #[test]
    fn names_cannot_break_out() {
        assert_eq!(
            name("o.my data:1abc:v1_0.t").unwrap(),
            "`o.my data:1abc:v1_0.t`"
        );
        for bad in ["", "a`b", "a\\b", "a\nb", "a'b", "a;b", "a/*b"] {
            name(bad).unwrap_err();
        }
    }
}

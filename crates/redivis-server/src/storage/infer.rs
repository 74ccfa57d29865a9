//! What a column of text holds: the narrowest type that every one of its values has.
//!
//! All values are looked at, none is guessed. A value keeps its meaning or the column stays text: `007` and numbers
//! beyond 64 bits are not integers, integers beyond 2^53 make no float column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::{cast::Refused, kind::VariableType};

/// Characters of a refused value that a message shows.
const SHOWN: usize = 80;

/// Types in the order in which they are preferred; text last, because everything is text.
const PREFERENCE: [VariableType; 6] = [
    VariableType::Boolean,
    VariableType::Integer,
    VariableType::Float,
    VariableType::Date,
    VariableType::DateTime,
    VariableType::Time,
];

/// The types that all values seen so far have.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    open: [bool; PREFERENCE.len()],
    seen: bool,
}

impl Candidates {
    pub(crate) fn new() -> Self {
        Candidates {
            open: [true; PREFERENCE.len()],
            seen: false,
        }
    }

    /// Rules out the types that `value` does not have, and those that `allowed` refuses.
    pub(crate) fn observe(&mut self, value: &str, allowed: impl Fn(VariableType) -> bool) {
        self.seen = true;
        for (open, kind) in self.open.iter_mut().zip(PREFERENCE) {
            if *open {
                *open = allowed(kind) && fits(value, kind);
            }
        }
    }

    /// The narrowest type left; text when no value was seen.
    pub(crate) fn result(&self) -> VariableType {
        let first = self.open.iter().position(|open| *open && self.seen);
        first.map_or(VariableType::String, |index| PREFERENCE[index])
    }
}

/// Whether a value may be taken for this type without being told so.
fn fits(value: &str, kind: VariableType) -> bool {
    match kind {
        VariableType::Boolean => boolean(value).is_some(),
        VariableType::Integer => plain_number(value) && value.parse::<i64>().is_ok(),
        VariableType::Float if !plain_number(value) => false,
        // Whole numbers are floats where floats have all of them.
        VariableType::Float if only_digits(value) => value
            .parse::<i64>()
            .is_ok_and(|whole| whole.unsigned_abs() <= 1 << 53),
        VariableType::Float => float(value).is_some(),
        VariableType::Date => date(value).is_some(),
        VariableType::DateTime => date_time(value).is_some(),
        VariableType::Time => time(value).is_some(),
        VariableType::String | VariableType::Geography => true,
    }
}

fn only_digits(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number in digits, without the leading zeros and plus signs that identifiers have.
fn plain_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let mut bytes = digits.bytes();
    match (bytes.next(), bytes.next()) {
        (Some(b'0'), Some(next)) => !next.is_ascii_digit(),
        (Some(first), _) => first.is_ascii_digit() || first == b'.',
        (None, _) => false,
    }
}

fn boolean(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Numbers that are finite; the words for others are words.
fn float(value: &str) -> Option<f64> {
    let number = |byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let parsed: f64 = value.bytes().all(number).then(|| value.parse().ok())??;
    parsed.is_finite().then_some(parsed)
}

/// Integers, also written as a float without a fraction.
fn integer(value: &str) -> Option<i64> {
    value.parse().ok().or_else(|| {
        let (whole, fraction) = value.split_once('.')?;
        let zeros = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
        zeros.then(|| whole.parse().ok()).flatten()
    })
}

/// `YYYY-MM-DD`, with one-digit months and days as Redivis takes them; years 0001 to 9999.
fn date(value: &str) -> Option<NaiveDate> {
    let mut parts = value.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let year = digits(year, 4..=4)?;
    if year == 0 {
        return None;
    }
    NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        digits(month, 1..=2)?,
        digits(day, 1..=2)?,
    )
}

/// `[H]H:[M]M:[S]S[.DDDDDD]`, as Redivis takes them.
fn time(value: &str) -> Option<NaiveTime> {
    let (clock, fraction) = match value.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (value, None),
    };
    let mut parts = clock.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let micros = match fraction {
        None => 0,
        Some(fraction) => {
            let value = digits(fraction, 1..=6)?;
            value * 10u32.pow(6 - u32::try_from(fraction.len()).ok()?)
        }
    };
    NaiveTime::from_hms_micro_opt(
        digits(hour, 1..=2)?,
        digits(minute, 1..=2)?,
        digits(second, 1..=2)?,
        micros,
    )
}

/// A date and a time with a blank or `T` between, or a date alone; a trailing `Z` is dropped, other zones refused.
fn date_time(value: &str) -> Option<NaiveDateTime> {
    match value.split_once(['T', ' ', 't']) {
        Some((day, clock)) => {
            Some(date(day)?.and_time(time(clock.strip_suffix('Z').unwrap_or(clock))?))
        }
        None => Some(date(value)?.and_time(NaiveTime::MIN)),
    }
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Reads a column of text as `kind`; the error names the first value that is not one.
pub(crate) fn parse_column(text: &StringArray, kind: VariableType) -> Result<ArrayRef, Refused> {
    let refused = |row: usize, value: &str| {
        // Long texts are shown by their beginning.
        let shown: String = value.chars().take(SHOWN).collect();
        let rest = if shown.len() < value.len() { "…" } else { "" };
        Refused::at(
            row,
            format!("`{shown}{rest}` is not of type {}", kind.name()),
        )
    };
    macro_rules! parsed {
        ($array:ty, $parse:expr) => {{
            let mut values = Vec::with_capacity(arrow::array::Array::len(text));
            for (row, value) in text.iter().enumerate() {
                values.push(match value {
                    None => None,
                    Some(value) => Some($parse(value).ok_or_else(|| refused(row, value))?),
                });
            }
            Arc::new(<$array>::from(values)) as ArrayRef
        }};
    }
    Ok(match kind {
        VariableType::String | VariableType::Geography => Arc::new(text.clone()),
        VariableType::Boolean => parsed!(BooleanArray, boolean),
        VariableType::Integer => parsed!(Int64Array, integer),
        VariableType::Float => parsed!(Float64Array, float),
        VariableType::Date => parsed!(Date32Array, |value| date(value).map(days)),
        VariableType::DateTime => parsed!(TimestampMicrosecondArray, |value| date_time(value)
            .map(|moment| moment.and_utc().timestamp_micros())),
        VariableType::Time => parsed!(Time64MicrosecondArray, |value| time(value).map(|time| {
            i64::from(time.num_seconds_from_midnight()) * 1_000_000
                + i64::from(time.nanosecond() / 1000)
        })),
    })
}

/// Days since 1970-01-01, as Arrow counts them.
fn days(date: NaiveDate) -> i32 {
    arrow::datatypes::Date32Type::from_naive_date(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(values: &[&str]) -> VariableType {
        let mut candidates = Candidates::new();
        for value in values {
            candidates.observe(value, |_| true);
        }
        candidates.result()
    }

    #[test]
    fn the_narrowest_type_of_all_values_is_taken() {
        use VariableType::*;
        for (values, kind) in [
            (&[][..], String),
            (&["1", "-2", "0"], Integer),
            (&["9223372036854775807"], Integer),
            (&["9223372036854775808"], String),
            (&["1", "2.5", "-1e3"], Float),
            (&["9007199254740993", "2.5"], String),
            (&["007", "1"], String),
            (&["+1"], String),
            (&["true", "FALSE"], Boolean),
            (&["true", "1"], String),
            (&["2013-01-31", "2013-1-1"], Date),
            (&["2013-02-30"], String),
            (&["0000-01-01"], String),
            (&["2013-01-31", "2013-01-31 10:00:00"], DateTime),
            (
                &["2013-01-31T10:00:00Z", "2013-01-31T10:00:00.123456"],
                DateTime,
            ),
            (&["2013-01-31T10:00:00+01:00"], String),
            (&["2013-01-31T10:00:00.1234567"], String),
            (&["23:59:59.5", "1:02:03"], Time),
            (&["24:00:00"], String),
            (&["nan"], String),
            (&["1e999"], String),
        ] {
            assert_eq!(inferred(values), kind, "{values:?}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        let text = StringArray::from(vec![Some("1"), None, Some("1.5")]);
        let error = parse_column(&text, VariableType::Integer).unwrap_err();
        assert_eq!(error.reason, "`1.5` is not of type integer");
        assert_eq!(error.row, Some(2));
        for word in ["NaN", "inf", "infinity", "1e999"] {
            let text = StringArray::from(vec![word]);
            parse_column(&text, VariableType::Float).expect_err(word);
        }
    }
}

//! Numbers and times as the service writes them: an integer, an integral float, or either as text (redivis-api §1).

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A count that may be missing, null, `12`, `12.0`, `"12"` or `"1e5"`.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    let number = match &value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Some(Value::String(text)) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        Some(_) => None,
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(D::Error::custom(format_args!(
            "expected a whole number, not {}",
            value.unwrap_or_default()
        ))),
    }
}

/// `Some` only for what a float holds exactly.
fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    let is_whole = number.fract() == 0.0 && (0.0..=EXACT).contains(&number);
    is_whole.then_some(number as u64)
}

/// A time in milliseconds since the epoch; what lies outside the calendar counts as missing.
pub(crate) fn timestamp<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let milliseconds = integer(deserializer)?;
    Ok(milliseconds
        .and_then(|ms| i64::try_from(ms).ok())
        .and_then(DateTime::from_timestamp_millis))
}

/// An id or value that is text, though some services write it as a number.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
        Some(other) => Err(D::Error::custom(format_args!("expected text, not {other}"))),
    }
}

/// As [`text`], and empty where it is missing.
pub(crate) fn text_or_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_default())
}

/// A list that may be missing or null.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A flag that may be missing or null, which means no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Numbers {
        #[serde(default, deserialize_with = "integer")]
        n: Option<u64>,
        #[serde(default, deserialize_with = "timestamp")]
        t: Option<DateTime<Utc>>,
    }

    fn n(json: &str) -> Result<Option<u64>, serde_json::Error> {
        serde_json::from_str::<Numbers>(&format!(r#"{{"n": {json}}}"#)).map(|numbers| numbers.n)
    }

    #[test]
    fn numbers_in_every_spelling() {
        for (json, expected) in [
            ("12", 12),
            ("12.0", 12),
            ("1e5", 100_000),
            (r#""12""#, 12),
            (r#""12.0""#, 12),
            (r#""1e+05""#, 100_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(n(json).unwrap(), Some(expected), "{json}");
        }
        assert_eq!(n("null").unwrap(), None);
        assert_eq!(serde_json::from_str::<Numbers>("{}").unwrap().n, None);
        for json in ["-1", "1.5", "1e300", r#""many""#, "[]", "{}", "true"] {
            n(json).unwrap_err();
        }
    }

    #[test]
    fn times() {
        let numbers: Numbers = serde_json::from_str(r#"{"t": 1700000000000}"#).unwrap();
        assert_eq!(numbers.t.unwrap().timestamp(), 1_700_000_000);
        let numbers: Numbers = serde_json::from_str(r#"{"t": 18446744073709551615}"#).unwrap();
        assert_eq!(numbers.t, None);
    }
}

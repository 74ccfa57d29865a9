//! Fields as the service writes them (redivis-api §1, §14).
//!
//! Counts, sizes, times and words for people are hints: in whatever form they come, what cannot be read is unknown, and never
//! an error. Ids, names, types and references are what a resource is found by: they must be there.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What `read` makes of the field; the default where it is missing or cannot be read.
fn read<'de, D: Deserializer<'de>, T: Default>(
    deserializer: D,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(read(&value).unwrap_or_default())
}

/// Any hint.
pub(crate) fn hint<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    read(deserializer, |value| T::deserialize(value).ok())
}

/// A count: `12`, `12.0`, `"12"` or `"1e5"`.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    read(deserializer, |value| {
        Some(match value {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        })
    })
}

/// `Some` only for what a float holds exactly: a count that is not whole is an estimate.
fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    let is_whole = number.fract() == 0.0 && (0.0..=EXACT).contains(&number);
    is_whole.then_some(number as u64)
}

/// A time: milliseconds since the epoch, as a number or as text, or ISO 8601, in UTC where it names no zone.
pub(crate) fn timestamp<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    read(deserializer, |value| {
        Some(match value {
            Value::Number(number) => milliseconds(number.as_f64()?),
            Value::String(text) => match text.trim().parse() {
                Ok(number) => milliseconds(number),
                Err(_) => iso(text.trim()),
            },
            _ => None,
        })
    })
}

/// A time, as the service writes it.
pub(crate) fn milliseconds_of<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.timestamp_millis())
        .serialize(serializer)
}

/// `None` for what lies outside the calendar. Milliseconds of any year that matters are exact in a float.
fn milliseconds(number: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(number as i64).filter(|_| number.is_finite())
}

fn iso(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let time = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN)))?;
    Some(time.and_utc())
}

/// A flag; no where it is unknown.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    read(deserializer, |value| match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_bool(),
    })
}

/// An id or value that is text, though it may be written as a number.
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
        for json in ["-1", "33.3", "1e300", r#""many""#, "[]", "{}", "true"] {
            assert_eq!(n(json).unwrap(), None, "{json}");
        }
    }

    #[test]
    fn times_in_every_spelling() {
        let t = |json: &str| {
            let numbers: Numbers = serde_json::from_str(&format!(r#"{{"t": {json}}}"#)).unwrap();
            numbers.t.map(|time| time.timestamp_millis())
        };
        for json in [
            "1700000000000",
            "1700000000000.5",
            "1.7e12",
            r#""1700000000000""#,
            r#""2023-11-14T22:13:20Z""#,
            r#""2023-11-14T23:13:20.000+01:00""#,
            r#""2023-11-14T22:13:20""#,
            r#""2023-11-14 22:13:20.0""#,
        ] {
            assert_eq!(t(json), Some(1_700_000_000_000), "{json}");
        }
        assert_eq!(t(r#""1970-01-02""#), Some(86_400_000));
        assert_eq!(t("-1"), Some(-1));
        for json in [
            "1e300",
            "18446744073709551615",
            r#""soon""#,
            r#""NaN""#,
            "[]",
            "{}",
            "true",
            "null",
        ] {
            assert_eq!(t(json), None, "{json}");
        }
    }

    #[test]
    fn flags() {
        #[derive(Deserialize)]
        struct Flag {
            #[serde(default, deserialize_with = "flag")]
            f: bool,
        }
        let f = |json: &str| serde_json::from_str::<Flag>(json).unwrap().f;
        for json in [r#"{"f": true}"#, r#"{"f": "true"}"#] {
            assert!(f(json), "{json}");
        }
        for json in [
            "{}",
            r#"{"f": null}"#,
            r#"{"f": false}"#,
            r#"{"f": "no"}"#,
            r#"{"f": 7}"#,
        ] {
            assert!(!f(json), "{json}");
        }
    }
}

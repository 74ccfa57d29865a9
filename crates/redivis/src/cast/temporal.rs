//! Dates, times of day, and both together.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use chrono::NaiveDate;

use super::{Converted, each, each_text};

const MILLIS_PER_DAY: i64 = 86_400_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Timestamps count as the date they start, if they do: any other time of day would be lost.
pub(super) fn to_date(array: &ArrayRef) -> Converted {
    Some(match array.data_type() {
        DataType::Date64 => {
            each::<Date64Type, Date32Type>(array, |ms| days(exactly(ms, MILLIS_PER_DAY)?))
        }
        DataType::Utf8 => each_text::<Date32Type>(array, |text| {
            days(exactly(date_time(text)?, MICROS_PER_DAY)?)
        }),
        _ => match to_date_time(array)? {
            Ok(times) => each::<TimestampMicrosecondType, Date32Type>(&times, |us| {
                days(exactly(us, MICROS_PER_DAY)?)
            }),
            Err(misfit) => Err(misfit),
        },
    })
}

pub(super) fn to_date_time(array: &ArrayRef) -> Converted {
    type Micros = TimestampMicrosecondType;
    Some(match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            each::<TimestampSecondType, Micros>(array, |s| s.checked_mul(MICROS_PER_SECOND))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            each::<TimestampMillisecondType, Micros>(array, |ms| ms.checked_mul(1000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => each::<Micros, Micros>(array, Some),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            each::<TimestampNanosecondType, Micros>(array, |ns| exactly(ns, 1000))
        }
        DataType::Date32 => {
            each::<Date32Type, Micros>(array, |days| i64::from(days).checked_mul(MICROS_PER_DAY))
        }
        DataType::Date64 => each::<Date64Type, Micros>(array, |ms| ms.checked_mul(1000)),
        DataType::Utf8 => each_text::<Micros>(array, date_time),
        _ => return None,
    })
}

pub(super) fn to_time(array: &ArrayRef) -> Converted {
    type Micros = Time64MicrosecondType;
    let within_day = |us: i64| (0..MICROS_PER_DAY).contains(&us).then_some(us);
    Some(match array.data_type() {
        DataType::Time32(TimeUnit::Second) => each::<Time32SecondType, Micros>(array, |s| {
            within_day(i64::from(s) * MICROS_PER_SECOND)
        }),
        DataType::Time32(TimeUnit::Millisecond) => {
            each::<Time32MillisecondType, Micros>(array, |ms| within_day(i64::from(ms) * 1000))
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            each::<Time64NanosecondType, Micros>(array, |ns| within_day(exactly(ns, 1000)?))
        }
        DataType::Utf8 => each_text::<Micros>(array, time),
        _ => return None,
    })
}

/// The quotient if nothing remains.
fn exactly(value: i64, divisor: i64) -> Option<i64> {
    (value % divisor == 0).then_some(value / divisor)
}

fn days(days: i64) -> Option<i32> {
    days.try_into().ok()
}

/// `YYYY-M-D`, alone or followed by `T` or a space and a time, in microseconds since the epoch.
fn date_time(text: &str) -> Option<i64> {
    let (date, rest) = match text.split_once(['T', 't', ' ']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4..=4)?;
    let month = digits(parts.next()?, 1..=2)?;
    let day = digits(parts.next()?, 1..=2)?;
    if year == 0 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day)?;
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    let time = match rest {
        Some(rest) => time(rest)?,
        None => 0,
    };
    days.checked_mul(MICROS_PER_DAY)?.checked_add(time)
}

/// `H:MM[:SS[.fraction]]`, in microseconds; digits beyond them must be zero.
fn time(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours = digits(parts.next()?, 1..=2)?;
    let minutes = digits(parts.next()?, 1..=2)?;
    let (seconds, micros) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (digits(seconds, 1..=2)?, 0),
            Some((seconds, fraction)) => (digits(seconds, 1..=2)?, micros(fraction)?),
        },
    };
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = i64::from(hours * 3600 + minutes * 60 + seconds);
    Some(seconds * MICROS_PER_SECOND + micros)
}

fn micros(fraction: &str) -> Option<i64> {
    const DIGITS: usize = 6;
    let (kept, lost) = fraction.split_at_checked(fraction.len().min(DIGITS))?;
    if !lost.bytes().all(|digit| digit == b'0') {
        return None;
    }
    let number = digits(kept, 1..=DIGITS)?;
    Some(i64::from(number) * 10_i64.pow((DIGITS - kept.len()) as u32))
}

/// A number of ASCII digits, as many as allowed.
fn digits(text: &str, allowed: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let valid = allowed.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

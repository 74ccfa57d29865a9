//! Dates, times and points in time as moments of a calendar, and back.
//!
//! All are from year 1 to 9999, without a zone.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::super::{
    number::other,
    row::Outcome,
    value::Value::{self, Date, DateTime as Stamp, Time, Timestamp},
};

pub(in super::super) fn range() -> String {
    "The date is not between 0001-01-01 and 9999-12-31".to_owned()
}

/// The date so many days after 1970-01-01.
pub(in super::super) fn date_of_days<'a>(days: i64) -> Option<Value<'a>> {
    let date = NaiveDate::from_epoch_days(i32::try_from(days).ok()?)?;
    (1..=9999)
        .contains(&date.year())
        .then_some(Date(days as i32))
}

pub(in super::super) fn in_range(at: NaiveDateTime) -> Result<NaiveDateTime, String> {
    if (1..=9999).contains(&at.year()) {
        Ok(at)
    } else {
        Err(range())
    }
}

/// Days since 1970-01-01.
pub(in super::super) fn days(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

/// Microseconds since 1970-01-01.
pub(in super::super) fn micros(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp_micros()
}

/// Microseconds since midnight.
pub(in super::super) fn micros_of_day(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1000)
}

pub(in super::super) fn time_of_micros(micros: i64) -> Option<NaiveTime> {
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).ok()?;
    let rest = u32::try_from(micros.rem_euclid(1_000_000)).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest * 1000)
}

/// A value of time as a date and a time of day; a time is one of 1970-01-01.
pub(in super::super) fn moment(value: &Value<'_>) -> Result<NaiveDateTime, String> {
    let at = match value {
        Date(days) => NaiveDate::from_epoch_days(*days).map(|date| date.and_time(NaiveTime::MIN)),
        Stamp(micros) | Timestamp(micros) => {
            DateTime::from_timestamp_micros(*micros).map(|at| at.naive_utc())
        }
        Time(micros) => time_of_micros(*micros)
            .and_then(|time| Some(NaiveDate::from_epoch_days(0)?.and_time(time))),
        _ => None,
    };
    at.ok_or_else(range)
}

/// A moment as a value of the kind that `like` has.
pub(in super::super) fn like<'a>(at: NaiveDateTime, like: &Value<'_>) -> Outcome<'a> {
    Ok(match like {
        Date(_) => Date(days(in_range(at)?.date())),
        Stamp(_) => Stamp(micros(in_range(at)?)),
        Timestamp(_) => Timestamp(micros(in_range(at)?)),
        // A clock goes round.
        Time(_) => Time(micros_of_day(at.time())),
        _ => return other(),
    })
}

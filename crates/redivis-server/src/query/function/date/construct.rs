//! Dates, times and points in time from numbers, from one another, and from seconds since 1970.

use chrono::{Datelike, NaiveDate, NaiveTime};

use super::{
    super::{
        cast,
        number::other,
        row::Outcome,
        value::Value::{self, Date, DateTime as Stamp, Int, Text, Time, Timestamp},
    },
    moment::{days, in_range, micros, micros_of_day, moment, range},
};

pub(super) fn part_of<T: TryFrom<i64>>(number: i64) -> Result<T, String> {
    T::try_from(number).map_err(|_| range())
}

pub(super) fn ymd(year: i64, month: i64, day: i64) -> Result<NaiveDate, String> {
    NaiveDate::from_ymd_opt(part_of(year)?, part_of(month)?, part_of(day)?)
        .filter(|date| (1..=9999).contains(&date.year()))
        .ok_or_else(|| format!("There is no date {year}-{month}-{day}"))
}

pub(super) fn hms(hour: i64, minute: i64, second: i64) -> Result<NaiveTime, String> {
    NaiveTime::from_hms_opt(part_of(hour)?, part_of(minute)?, part_of(second)?)
        .ok_or_else(|| format!("There is no time {hour}:{minute}:{second}"))
}

pub(super) fn date<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(year), Int(month), Int(day)] => Ok(Date(days(ymd(*year, *month, *day)?))),
        [value] => Ok(Date(days(moment(value)?.date()))),
        _ => other(),
    }
}

pub(super) fn datetime<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [
            Int(year),
            Int(month),
            Int(day),
            Int(hour),
            Int(minute),
            Int(second),
        ] => Ok(Stamp(micros(
            ymd(*year, *month, *day)?.and_time(hms(*hour, *minute, *second)?),
        ))),
        [date, time @ Time(_)] => Ok(Stamp(micros(
            moment(date)?.date().and_time(moment(time)?.time()),
        ))),
        [value] => Ok(Stamp(micros(moment(value)?))),
        _ => other(),
    }
}

pub(super) fn timestamp<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(_)] => cast::to_timestamp(values),
        [value] => Ok(Timestamp(micros(moment(value)?))),
        _ => other(),
    }
}

pub(super) fn time<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(hour), Int(minute), Int(second)] => {
            Ok(Time(micros_of_day(hms(*hour, *minute, *second)?)))
        }
        [value] => Ok(Time(micros_of_day(moment(value)?.time()))),
        _ => other(),
    }
}

pub(super) fn unix<'a>(values: &[Value<'a>], unit: i64) -> Outcome<'a> {
    match values {
        [Timestamp(micros)] => Ok(Int(micros.div_euclid(unit))),
        _ => other(),
    }
}

pub(super) fn of_unix<'a>(values: &[Value<'a>], unit: i64) -> Outcome<'a> {
    let [Int(count)] = values else {
        return other();
    };
    let at = Timestamp(count.checked_mul(unit).ok_or_else(range)?);
    in_range(moment(&at)?)?;
    Ok(at)
}

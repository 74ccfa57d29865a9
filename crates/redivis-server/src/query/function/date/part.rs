//! Parts of dates and times, and where they start. Weeks start on Sundays unless they say otherwise.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use super::{
    super::value::Value::{self, Date, Time},
    moment::{micros, range},
};

/// A part of a date or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week(Weekday),
    IsoWeek,
    Month,
    Quarter,
    Year,
    IsoYear,
    DayOfWeek,
    DayOfYear,
}

impl Part {
    pub(super) fn of(name: &str) -> Result<Self, String> {
        let weekday = name
            .strip_prefix("WEEK(")
            .and_then(|rest| rest.strip_suffix(')'))
            .and_then(|day| day.parse().ok());
        Ok(match name {
            _ if weekday.is_some() => Part::Week(weekday.unwrap_or(Weekday::Sun)),
            "MICROSECOND" => Part::Microsecond,
            "MILLISECOND" => Part::Millisecond,
            "SECOND" => Part::Second,
            "MINUTE" => Part::Minute,
            "HOUR" => Part::Hour,
            "DAY" => Part::Day,
            "WEEK" => Part::Week(Weekday::Sun),
            "ISOWEEK" => Part::IsoWeek,
            "MONTH" => Part::Month,
            "QUARTER" => Part::Quarter,
            "YEAR" => Part::Year,
            "ISOYEAR" => Part::IsoYear,
            "DAYOFWEEK" => Part::DayOfWeek,
            "DAYOFYEAR" => Part::DayOfYear,
            _ => {
                return Err(format!(
                    "{name} is not a part of a date or time that is known here"
                ));
            }
        })
    }

    /// Microseconds, of those that always last equally long.
    pub(super) fn micros(self) -> Option<i64> {
        Some(match self {
            Part::Microsecond => 1,
            Part::Millisecond => 1_000,
            Part::Second => 1_000_000,
            Part::Minute => 60_000_000,
            Part::Hour => 3_600_000_000,
            _ => return None,
        })
    }

    /// Refuses parts that values of this kind do not have.
    pub(super) fn of_value(self, value: &Value<'_>) -> Result<Self, String> {
        let of_day = self.micros().is_some();
        match value {
            Date(_) if of_day => Err("A DATE has no parts that are shorter than a day".to_owned()),
            Time(_) if !of_day => {
                Err("A TIME has no parts that are longer than an hour".to_owned())
            }
            _ => Ok(self),
        }
    }
}

pub(super) fn monday_based(date: NaiveDate, first: Weekday) -> i64 {
    date.weekday().days_since(first).into()
}

/// The start of the part that a moment is in.
pub(super) fn start(at: NaiveDateTime, part: Part) -> Result<NaiveDateTime, String> {
    let date = at.date();
    let of = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).ok_or_else(range);
    let back = |days: i64| {
        date.checked_sub_signed(Duration::days(days))
            .ok_or_else(range)
    };
    let date = match part {
        Part::Day => date,
        Part::Week(first) => back(monday_based(date, first))?,
        Part::IsoWeek => back(monday_based(date, Weekday::Mon))?,
        Part::Month => of(date.year(), date.month(), 1)?,
        Part::Quarter => of(date.year(), date.month0() / 3 * 3 + 1, 1)?,
        Part::Year => of(date.year(), 1, 1)?,
        Part::IsoYear => {
            NaiveDate::from_isoywd_opt(date.iso_week().year(), 1, Weekday::Mon).ok_or_else(range)?
        }
        Part::DayOfWeek | Part::DayOfYear => {
            return Err("Dates are not cut to DAYOFWEEK or DAYOFYEAR".to_owned());
        }
        short => {
            let unit = short.micros().unwrap_or(1);
            let since = micros(at);
            return DateTime::from_timestamp_micros(since - since.rem_euclid(unit))
                .map(|at| at.naive_utc())
                .ok_or_else(range);
        }
    };
    Ok(date.and_time(NaiveTime::MIN))
}

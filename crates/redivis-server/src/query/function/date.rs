//! Dates and times: from year 1 to 9999, weeks from Sunday unless they say otherwise, differences in crossed boundaries.
//!
//! Timestamps are worked on in UTC; other zones are refused.

use std::fmt::Write as _;

use chrono::{
    DateTime, Datelike, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday,
};

use super::{
    number::other,
    row::{Outcome, RowFunction},
    value::Value::{self, Date, DateTime as Stamp, Int, Text, Time, Timestamp},
};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "extract",
        takes: "S D -> I | S T -> I | S Z -> I | S M -> I",
        gives: extract,
    },
    RowFunction {
        name: "$extract_date",
        takes: "S T -> D | S Z -> D",
        gives: |v| match v {
            [_, value] => Ok(Date(days(moment(value)?.date()))),
            _ => other(),
        },
    },
    RowFunction {
        name: "$extract_time",
        takes: "S T -> M | S Z -> M",
        gives: |v| match v {
            [_, value] => Ok(Time(micros_of_day(moment(value)?.time()))),
            _ => other(),
        },
    },
    RowFunction {
        name: "date_add",
        takes: "D I S -> D | T I S -> T | Z I S -> Z",
        gives: |v| add(v, 1),
    },
    RowFunction {
        name: "date_sub",
        takes: "D I S -> D | T I S -> T | Z I S -> Z",
        gives: |v| add(v, -1),
    },
    RowFunction {
        name: "datetime_add",
        takes: "T I S -> T",
        gives: |v| add(v, 1),
    },
    RowFunction {
        name: "datetime_sub",
        takes: "T I S -> T",
        gives: |v| add(v, -1),
    },
    RowFunction {
        name: "timestamp_add",
        takes: "Z I S -> Z",
        gives: |v| add(v, 1),
    },
    RowFunction {
        name: "timestamp_sub",
        takes: "Z I S -> Z",
        gives: |v| add(v, -1),
    },
    RowFunction {
        name: "time_add",
        takes: "M I S -> M",
        gives: |v| add(v, 1),
    },
    RowFunction {
        name: "time_sub",
        takes: "M I S -> M",
        gives: |v| add(v, -1),
    },
    RowFunction {
        name: "date_diff",
        takes: "D D S -> I | T T S -> I | Z Z S -> I",
        gives: diff,
    },
    RowFunction {
        name: "datetime_diff",
        takes: "T T S -> I",
        gives: diff,
    },
    RowFunction {
        name: "timestamp_diff",
        takes: "Z Z S -> I",
        gives: timestamp_diff,
    },
    RowFunction {
        name: "time_diff",
        takes: "M M S -> I",
        gives: diff,
    },
    RowFunction {
        name: "date_trunc",
        takes: "D S -> D | T S -> T | Z S -> Z",
        gives: trunc,
    },
    RowFunction {
        name: "datetime_trunc",
        takes: "T S -> T",
        gives: trunc,
    },
    RowFunction {
        name: "timestamp_trunc",
        takes: "Z S -> Z",
        gives: trunc,
    },
    RowFunction {
        name: "time_trunc",
        takes: "M S -> M",
        gives: trunc,
    },
    RowFunction {
        name: "last_day",
        takes: "D ?S -> D | T ?S -> D",
        gives: last_day,
    },
    RowFunction {
        name: "date",
        takes: "I I I -> D | T -> D | Z -> D | D -> D",
        gives: date,
    },
    RowFunction {
        name: "datetime",
        takes: "I I I I I I -> T | D ?M -> T | T -> T | Z -> T",
        gives: datetime,
    },
    RowFunction {
        name: "timestamp",
        takes: "Z -> Z | T -> Z | D -> Z | S -> Z",
        gives: timestamp,
    },
    RowFunction {
        name: "time",
        takes: "I I I -> M | T -> M | Z -> M | M -> M",
        gives: time,
    },
    RowFunction {
        name: "unix_date",
        takes: "D -> I",
        gives: |v| match v {
            [Date(d)] => Ok(Int((*d).into())),
            _ => other(),
        },
    },
    RowFunction {
        name: "date_from_unix_date",
        takes: "I -> D",
        gives: |v| match v {
            [Int(d)] => date_of_days(*d).ok_or_else(range),
            _ => other(),
        },
    },
    RowFunction {
        name: "unix_seconds",
        takes: "Z -> I",
        gives: |v| unix(v, 1_000_000),
    },
    RowFunction {
        name: "unix_millis",
        takes: "Z -> I",
        gives: |v| unix(v, 1_000),
    },
    RowFunction {
        name: "unix_micros",
        takes: "Z -> I",
        gives: |v| unix(v, 1),
    },
    RowFunction {
        name: "timestamp_seconds",
        takes: "I -> Z",
        gives: |v| of_unix(v, 1_000_000),
    },
    RowFunction {
        name: "timestamp_millis",
        takes: "I -> Z",
        gives: |v| of_unix(v, 1_000),
    },
    RowFunction {
        name: "timestamp_micros",
        takes: "I -> Z",
        gives: |v| of_unix(v, 1),
    },
    RowFunction {
        name: "format_date",
        takes: "S D -> S | S T -> S | S Z -> S",
        gives: format,
    },
    RowFunction {
        name: "format_datetime",
        takes: "S T -> S",
        gives: format,
    },
    RowFunction {
        name: "format_timestamp",
        takes: "S Z -> S",
        gives: format,
    },
    RowFunction {
        name: "format_time",
        takes: "S M -> S",
        gives: format,
    },
    RowFunction {
        name: "parse_date",
        takes: "S S -> D",
        gives: |v| parse(v, |at| Date(days(at.date()))),
    },
    RowFunction {
        name: "parse_datetime",
        takes: "S S -> T",
        gives: |v| parse(v, |at| Stamp(micros(at))),
    },
    RowFunction {
        name: "parse_timestamp",
        takes: "S S -> Z",
        gives: |v| parse(v, |at| Timestamp(micros(at))),
    },
    RowFunction {
        name: "parse_time",
        takes: "S S -> M",
        gives: |v| parse(v, |at| Time(micros_of_day(at.time()))),
    },
];

fn range() -> String {
    "The date is not between 0001-01-01 and 9999-12-31".to_owned()
}

/// The date so many days after 1970-01-01.
pub(super) fn date_of_days<'a>(days: i64) -> Option<Value<'a>> {
    let date = NaiveDate::from_epoch_days(i32::try_from(days).ok()?)?;
    (1..=9999)
        .contains(&date.year())
        .then_some(Date(days as i32))
}

fn in_range(at: NaiveDateTime) -> Result<NaiveDateTime, String> {
    if (1..=9999).contains(&at.year()) {
        Ok(at)
    } else {
        Err(range())
    }
}

/// Days since 1970-01-01.
pub(super) fn days(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

/// Microseconds since 1970-01-01.
pub(super) fn micros(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp_micros()
}

/// Microseconds since midnight.
pub(super) fn micros_of_day(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1000)
}

pub(super) fn time_of_micros(micros: i64) -> Option<NaiveTime> {
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).ok()?;
    let rest = u32::try_from(micros.rem_euclid(1_000_000)).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest * 1000)
}

/// A value of time as a date and a time of day; a time is one of 1970-01-01.
pub(super) fn moment(value: &Value<'_>) -> Result<NaiveDateTime, String> {
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
fn like<'a>(at: NaiveDateTime, like: &Value<'_>) -> Outcome<'a> {
    Ok(match like {
        Date(_) => Date(days(in_range(at)?.date())),
        Stamp(_) => Stamp(micros(in_range(at)?)),
        Timestamp(_) => Timestamp(micros(in_range(at)?)),
        // A clock goes round.
        Time(_) => Time(micros_of_day(at.time())),
        _ => return other(),
    })
}

/// A part of a date or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
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
    fn of(name: &str) -> Result<Self, String> {
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
    fn micros(self) -> Option<i64> {
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
    fn of_value(self, value: &Value<'_>) -> Result<Self, String> {
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

fn monday_based(date: NaiveDate, first: Weekday) -> i64 {
    date.weekday().days_since(first).into()
}

/// The start of the part that a moment is in.
fn start(at: NaiveDateTime, part: Part) -> Result<NaiveDateTime, String> {
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

fn trunc<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [value, Text(part)] => like(
            start(moment(value)?, Part::of(part)?.of_value(value)?)?,
            value,
        ),
        _ => other(),
    }
}

fn last_day<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let (value, part) = match values {
        [value] => (value, Part::Month),
        [value, Text(part)] => (value, Part::of(part)?.of_value(&Date(0))?),
        _ => return other(),
    };
    let first = start(moment(value)?, part)?;
    let months = match part {
        Part::Month => Some(1),
        Part::Quarter => Some(3),
        Part::Year => Some(12),
        _ => None,
    };
    let next = match (months, part) {
        (Some(months), _) => first.checked_add_months(Months::new(months)),
        (None, Part::Week(_) | Part::IsoWeek) => first.checked_add_signed(Duration::days(7)),
        _ => return Err("LAST_DAY takes WEEK, ISOWEEK, MONTH, QUARTER or YEAR".to_owned()),
    };
    let last = next
        .and_then(|next| next.date().pred_opt())
        .ok_or_else(range)?;
    Ok(Date(days(last)))
}

fn add<'a>(values: &[Value<'a>], sign: i64) -> Outcome<'a> {
    let [value, Int(count), Text(name)] = values else {
        return other();
    };
    let part = Part::of(name)?.of_value(value)?;
    let at = moment(value)?;
    let count = count.checked_mul(sign).ok_or_else(range)?;
    let months = match part {
        Part::Month => Some(1),
        Part::Quarter => Some(3),
        Part::Year => Some(12),
        _ => None,
    };
    let moved = if let Some(months) = months {
        if matches!(value, Timestamp(_)) {
            return Err(format!("A TIMESTAMP is not moved by {name}s"));
        }
        let count = count
            .checked_mul(months)
            .and_then(|count| i32::try_from(count).ok());
        let count = count.ok_or_else(range)?;
        let months = Months::new(count.unsigned_abs());
        if count < 0 {
            at.checked_sub_months(months)
        } else {
            at.checked_add_months(months)
        }
    } else {
        let unit = match part {
            Part::Day => 86_400_000_000,
            Part::Week(Weekday::Sun) if name == "WEEK" => 7 * 86_400_000_000,
            short => short
                .micros()
                .ok_or_else(|| format!("A date or time is not moved by {name}s"))?,
        };
        let by = if matches!(value, Time(_)) {
            (count % (86_400_000_000 / unit)).checked_mul(unit)
        } else {
            count.checked_mul(unit)
        };
        at.checked_add_signed(Duration::microseconds(by.ok_or_else(range)?))
    };
    like(moved.ok_or_else(range)?, value)
}

/// Boundaries of a part between two moments, as BigQuery counts dates and datetimes.
fn diff<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let [later, earlier, Text(part)] = values else {
        return other();
    };
    let part = Part::of(part)?.of_value(later)?;
    let (later, earlier) = (start(moment(later)?, part)?, start(moment(earlier)?, part)?);
    let months = |at: NaiveDateTime| i64::from(at.year()) * 12 + i64::from(at.month0());
    let between = micros(later) - micros(earlier);
    Ok(Int(match part {
        Part::Month => months(later) - months(earlier),
        Part::Quarter => (months(later) - months(earlier)) / 3,
        Part::Year => i64::from(later.year() - earlier.year()),
        Part::IsoYear => {
            i64::from(later.date().iso_week().year() - earlier.date().iso_week().year())
        }
        Part::Day => between / 86_400_000_000,
        Part::Week(_) | Part::IsoWeek => between / (7 * 86_400_000_000),
        short => between / short.micros().unwrap_or(1),
    }))
}

/// Whole parts between two points in time.
fn timestamp_diff<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let [Timestamp(later), Timestamp(earlier), Text(name)] = values else {
        return other();
    };
    let unit = match Part::of(name)? {
        Part::Day => 86_400_000_000,
        short => short
            .micros()
            .ok_or_else(|| format!("TIMESTAMP_DIFF does not count {name}s"))?,
    };
    Ok(Int((later - earlier) / unit))
}

fn extract<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let [Text(name), value] = values else {
        return other();
    };
    let part = Part::of(name)?.of_value(value)?;
    let at = moment(value)?;
    let date = at.date();
    Ok(Int(match part {
        Part::Microsecond => i64::from(at.nanosecond() / 1_000),
        Part::Millisecond => i64::from(at.nanosecond() / 1_000_000),
        Part::Second => at.second().into(),
        Part::Minute => at.minute().into(),
        Part::Hour => at.hour().into(),
        Part::Day => date.day().into(),
        Part::DayOfWeek => i64::from(date.weekday().num_days_from_sunday()) + 1,
        Part::DayOfYear => date.ordinal().into(),
        // Days before the year's first such weekday are in week 0.
        Part::Week(first) => (i64::from(date.ordinal0()) + 7 - monday_based(date, first)) / 7,
        Part::IsoWeek => date.iso_week().week().into(),
        Part::Month => date.month().into(),
        Part::Quarter => i64::from(date.month0() / 3) + 1,
        Part::Year => date.year().into(),
        Part::IsoYear => date.iso_week().year().into(),
    }))
}

fn part_of<T: TryFrom<i64>>(number: i64) -> Result<T, String> {
    T::try_from(number).map_err(|_| range())
}

fn ymd(year: i64, month: i64, day: i64) -> Result<NaiveDate, String> {
    NaiveDate::from_ymd_opt(part_of(year)?, part_of(month)?, part_of(day)?)
        .filter(|date| (1..=9999).contains(&date.year()))
        .ok_or_else(|| format!("There is no date {year}-{month}-{day}"))
}

fn hms(hour: i64, minute: i64, second: i64) -> Result<NaiveTime, String> {
    NaiveTime::from_hms_opt(part_of(hour)?, part_of(minute)?, part_of(second)?)
        .ok_or_else(|| format!("There is no time {hour}:{minute}:{second}"))
}

fn date<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(year), Int(month), Int(day)] => Ok(Date(days(ymd(*year, *month, *day)?))),
        [value] => Ok(Date(days(moment(value)?.date()))),
        _ => other(),
    }
}

fn datetime<'a>(values: &[Value<'a>]) -> Outcome<'a> {
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

fn timestamp<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(_)] => super::cast::to_timestamp(values),
        [value] => Ok(Timestamp(micros(moment(value)?))),
        _ => other(),
    }
}

fn time<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(hour), Int(minute), Int(second)] => {
            Ok(Time(micros_of_day(hms(*hour, *minute, *second)?)))
        }
        [value] => Ok(Time(micros_of_day(moment(value)?.time()))),
        _ => other(),
    }
}

fn unix<'a>(values: &[Value<'a>], unit: i64) -> Outcome<'a> {
    match values {
        [Timestamp(micros)] => Ok(Int(micros.div_euclid(unit))),
        _ => other(),
    }
}

fn of_unix<'a>(values: &[Value<'a>], unit: i64) -> Outcome<'a> {
    let [Int(count)] = values else {
        return other();
    };
    let at = Timestamp(count.checked_mul(unit).ok_or_else(range)?);
    in_range(moment(&at)?)?;
    Ok(at)
}

/// Elements of formats that mean the same here and there.
const ELEMENTS: &str = "YyCmbBhdejaAuwHIklMSpPFTDRjUWVGgnstxXcr%";

/// A format for chrono; elements that only BigQuery has are refused.
fn pattern(format: &str) -> Result<String, String> {
    let mut pattern = String::with_capacity(format.len());
    let mut rest = format.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '%' {
            pattern.push(character);
            continue;
        }
        match rest.next() {
            Some('E') => {
                let digit = rest.next();
                match (digit, rest.next()) {
                    (Some('4'), Some('Y')) => pattern.push_str("%Y"),
                    (Some('*'), Some('S')) => pattern.push_str("%S%.f"),
                    (Some('3'), Some('S')) => pattern.push_str("%S%.3f"),
                    (Some('6'), Some('S')) => pattern.push_str("%S%.6f"),
                    _ => {
                        return Err(format!(
                            "The format {format} has an element that is not known here"
                        ));
                    }
                }
            }
            // Neither a quarter nor hours with spaces are chrono's under the same letter everywhere.
            Some('Q') => pattern.push_str("%q"),
            Some('Z') => pattern.push_str("UTC"),
            Some('z') => pattern.push_str("+0000"),
            Some(element) if ELEMENTS.contains(element) => {
                pattern.push('%');
                pattern.push(element);
            }
            Some(element) => {
                return Err(format!("The format element %{element} is not known here"));
            }
            None => return Err(format!("The format {format} ends within an element")),
        }
    }
    Ok(pattern)
}

fn format<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let [Text(format), value] = values else {
        return other();
    };
    let mut shown = String::new();
    // An element that the value does not have is an error of writing; `to_string` would panic.
    match write!(shown, "{}", moment(value)?.format(&pattern(format)?)) {
        Ok(()) => Ok(shown.into()),
        Err(_) => Err(format!("The format {format} does not fit the value")),
    }
}

fn parse<'a>(values: &[Value<'a>], made: fn(NaiveDateTime) -> Value<'a>) -> Outcome<'a> {
    let [Text(format), Text(text)] = values else {
        return other();
    };
    let pattern = pattern(format)?;
    let failed = || format!("`{text}` is not of the format {format}");
    let mut parsed = chrono::format::Parsed::new();
    chrono::format::parse(
        &mut parsed,
        text.trim(),
        chrono::format::StrftimeItems::new(&pattern),
    )
    .map_err(|_| failed())?;
    // What a format does not name is that of 1970-01-01 00:00:00.
    let time = match parsed.to_naive_time() {
        Ok(time) => time,
        Err(_) => {
            if parsed.hour_mod_12().is_none() && parsed.hour_div_12().is_none() {
                NaiveTime::MIN
            } else {
                let _ = parsed.set_minute(parsed.minute().map_or(0, i64::from));
                parsed.to_naive_time().map_err(|_| failed())?
            }
        }
    };
    let date = match parsed.to_naive_date() {
        Ok(date) => date,
        Err(_) => {
            let year = parsed.year().or_else(|| {
                let two = parsed.year_mod_100()?;
                Some(if two < 69 { 2000 + two } else { 1900 + two })
            });
            NaiveDate::from_ymd_opt(
                year.unwrap_or(1970),
                parsed.month().unwrap_or(1),
                parsed.day().unwrap_or(1),
            )
            .ok_or_else(failed)?
        }
    };
    Ok(made(in_range(date.and_time(time))?))
}

//! What is counted in parts: sums, differences, starts and ends. Differences count boundaries that are crossed.

use chrono::{Datelike, Duration, Months, NaiveDateTime, Timelike, Weekday};

use super::{
    super::{
        number::other,
        row::Outcome,
        value::Value::{self, Date, Int, Text, Time, Timestamp},
    },
    moment::{days, like, micros, moment, range},
    part::{Part, monday_based, start},
};

pub(super) fn trunc<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [value, Text(part)] => like(
            start(moment(value)?, Part::of(part)?.of_value(value)?)?,
            value,
        ),
        _ => other(),
    }
}

pub(super) fn last_day<'a>(values: &[Value<'a>]) -> Outcome<'a> {
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

pub(super) fn add<'a>(values: &[Value<'a>], sign: i64) -> Outcome<'a> {
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
pub(super) fn diff<'a>(values: &[Value<'a>]) -> Outcome<'a> {
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
pub(super) fn timestamp_diff<'a>(values: &[Value<'a>]) -> Outcome<'a> {
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

pub(super) fn extract<'a>(values: &[Value<'a>]) -> Outcome<'a> {
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

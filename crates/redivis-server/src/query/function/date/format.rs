//! Dates and times written and read by a format. Elements that only BigQuery has are refused.

use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::{
    super::{
        number::other,
        row::Outcome,
        value::Value::{self, Text},
    },
    moment::{in_range, moment},
};

/// Elements of formats that mean the same here and there.
pub(super) const ELEMENTS: &str = "YyCmbBhdejaAuwHIklMSpPFTDRjUWVGgnstxXcr%";

/// A format for chrono; elements that only BigQuery has are refused.
pub(super) fn pattern(format: &str) -> Result<String, String> {
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

pub(super) fn format<'a>(values: &[Value<'a>]) -> Outcome<'a> {
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

pub(super) fn parse<'a>(values: &[Value<'a>], made: fn(NaiveDateTime) -> Value<'a>) -> Outcome<'a> {
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

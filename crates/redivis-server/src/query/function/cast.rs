//! Casts: what BigQuery takes for a value of a type, and how it writes one as text.

use super::{
    date::{days, micros, micros_of_day, moment},
    number::other,
    row::{Outcome, RowFunction},
    value::Value::{self, Bool, Bytes, Date, DateTime, Float, Int, Text, Time, Timestamp},
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "$cast_int64",
        takes: "I -> I | F -> I | S -> I | B -> I",
        gives: to_int,
    },
    RowFunction {
        name: "$cast_float64",
        takes: "F -> F | I -> F | S -> F",
        gives: to_float,
    },
    RowFunction {
        name: "$cast_bool",
        takes: "B -> B | I -> B | S -> B",
        gives: to_bool,
    },
    RowFunction {
        name: "$cast_string",
        takes: "S -> S | I -> S | F -> S | B -> S | Y -> S | D -> S | T -> S | Z -> S | M -> S",
        gives: to_text,
    },
    RowFunction {
        name: "$cast_bytes",
        takes: "Y -> Y | S -> Y",
        gives: |v| match v {
            [Text(t)] => Ok(Bytes(t.as_bytes().to_vec().into())),
            [same] => Ok(same.clone()),
            _ => other(),
        },
    },
    RowFunction {
        name: "$cast_date",
        takes: "D -> D | S -> D | T -> D | Z -> D",
        gives: to_date,
    },
    RowFunction {
        name: "$cast_datetime",
        takes: "T -> T | S -> T | D -> T | Z -> T",
        gives: to_datetime,
    },
    RowFunction {
        name: "$cast_timestamp",
        takes: "Z -> Z | S -> Z | D -> Z | T -> Z",
        gives: to_timestamp,
    },
    RowFunction {
        name: "$cast_time",
        takes: "M -> M | S -> M | T -> M | Z -> M",
        gives: to_time,
    },
];

fn bad<'a>(text: &str, kind: &str) -> Outcome<'a> {
    Err(format!("Could not cast `{text}` to {kind}"))
}

fn to_int<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(same)] => Ok(Int(*same)),
        [Bool(yes)] => Ok(Int((*yes).into())),
        [Float(value)] => {
            // Halves are rounded away from zero. The greatest float below 2^63 fits, 2^63 does not.
            let rounded = value.round();
            if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
                Ok(Int(rounded as i64))
            } else {
                bad(&value.to_string(), "INT64")
            }
        }
        [Text(text)] => {
            let plain = text.trim();
            let (negative, digits) = match plain.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, plain.strip_prefix('+').unwrap_or(plain)),
            };
            let hex = digits
                .strip_prefix("0x")
                .or_else(|| digits.strip_prefix("0X"));
            let (digits, radix) = hex.map_or((digits, 10), |digits| (digits, 16));
            let size = digits
                .chars()
                .all(|digit| digit.is_digit(radix))
                .then(|| i128::from_str_radix(digits, radix).ok())
                .flatten()
                .map(|size| if negative { -size } else { size });
            match size.and_then(|size| i64::try_from(size).ok()) {
                Some(number) => Ok(Int(number)),
                None => bad(text, "INT64"),
            }
        }
        _ => other(),
    }
}

fn to_float<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Float(same)] => Ok(Float(*same)),
        [Int(number)] => Ok(Float(*number as f64)),
        [Text(text)] => match text.trim().parse::<f64>() {
            // A number that is too large is not infinite.
            Ok(number) if number.is_finite() || text.to_lowercase().contains(['i', 'n']) => {
                Ok(Float(number))
            }
            _ => bad(text, "FLOAT64"),
        },
        _ => other(),
    }
}

fn to_bool<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Bool(same)] => Ok(Bool(*same)),
        [Int(number)] => Ok(Bool(*number != 0)),
        [Text(text)] if text.eq_ignore_ascii_case("true") => Ok(Bool(true)),
        [Text(text)] if text.eq_ignore_ascii_case("false") => Ok(Bool(false)),
        [Text(text)] => bad(text, "BOOL"),
        _ => other(),
    }
}

fn to_text<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    Ok(match values {
        [Text(same)] => Text(same.clone()),
        [Int(number)] => number.to_string().into(),
        [Float(number)] => float_text(*number).into(),
        [Bool(yes)] => yes.to_string().into(),
        [Bytes(bytes)] => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned().into(),
            Err(_) => return Err("The bytes are no UTF-8 text".to_owned()),
        },
        [value @ Date(_)] => moment(value)?.format("%Y-%m-%d").to_string().into(),
        [value @ DateTime(_)] => moment(value)?
            .format("%Y-%m-%d %H:%M:%S%.f")
            .to_string()
            .into(),
        [value @ Timestamp(_)] => moment(value)?
            .format("%Y-%m-%d %H:%M:%S%.f+00")
            .to_string()
            .into(),
        [value @ Time(_)] => moment(value)?.format("%H:%M:%S%.f").to_string().into(),
        _ => return other(),
    })
}

/// The shortest text that is read as the same number; large and small ones with an exponent.
fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    if (1e-5..1e15).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => text,
    }
}

/// A date, and a time if there is one; between them a space or a T.
fn read(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let (date, time) = match text.split_once([' ', 'T', 't']) {
        Some((date, time)) => (date, read_time(time)?),
        None => (text, NaiveTime::MIN),
    };
    Some(read_date(date)?.and_time(time))
}

fn read_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let mut number = |most: usize| {
        let part = parts.next()?;
        let digits = (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if parts.next().is_some() || year == 0 {
        return None;
    }
    NaiveDate::from_ymd_opt(year.cast_signed(), month, day)
}

fn read_time(text: &str) -> Option<NaiveTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let mut number = || {
        let part = parts.next()?;
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (hour, minute, second) = (number()?, number()?, number()?);
    if parts.next().is_some() || fraction.len() > 6 {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: u32 = format!("{fraction:0<6}").parse().ok()?;
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

fn to_date<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text)] => match read_date(text.trim()) {
            Some(date) => Ok(Date(days(date))),
            None => bad(text, "DATE"),
        },
        [value] => Ok(Date(days(moment(value)?.date()))),
        _ => other(),
    }
}

fn to_datetime<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text)] => match read(text) {
            Some(at) => Ok(DateTime(micros(at))),
            None => bad(text, "DATETIME"),
        },
        [value] => Ok(DateTime(micros(moment(value)?))),
        _ => other(),
    }
}

pub(super) fn to_timestamp<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text)] => match read_zoned(text) {
            Some(micros) => Ok(Timestamp(micros)),
            None => bad(text, "TIMESTAMP"),
        },
        [value] => Ok(Timestamp(micros(moment(value)?))),
        _ => other(),
    }
}

/// A date and time with `Z`, `UTC`, or an offset such as `+02` or `-05:30` behind it, or none for UTC.
fn read_zoned(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = ["UTC", "Z", "z"]
        .into_iter()
        .find_map(|zone| text.strip_suffix(zone))
        .unwrap_or(text)
        .trim_end();
    let date_end = text.find([' ', 'T', 't']).unwrap_or(text.len());
    let Some(sign) = text[date_end..].find(['+', '-']).map(|at| at + date_end) else {
        return read(text).map(micros);
    };
    let (at, offset) = text.split_at(sign);
    let (hours, minutes) = offset[1..].split_once(':').unwrap_or((&offset[1..], "0"));
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..=14).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let offset_micros = (hours * 60 + minutes) * 60_000_000;
    let at = micros(read(at)?);
    Some(if offset.starts_with('-') {
        at + offset_micros
    } else {
        at - offset_micros
    })
}

fn to_time<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text)] => match read_time(text.trim()) {
            Some(time) => Ok(Time(micros_of_day(time))),
            None => bad(text, "TIME"),
        },
        [value] => Ok(Time(micros_of_day(moment(value)?.time()))),
        _ => other(),
    }
}

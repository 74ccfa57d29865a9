//! Dates and times: from year 1 to 9999, weeks from Sunday unless they say otherwise, differences in crossed boundaries.
//!
//! Timestamps are worked on in UTC; other zones are refused.

mod arithmetic;
mod construct;
mod format;
mod moment;
mod part;

use arithmetic::{add, diff, extract, last_day, timestamp_diff, trunc};
use construct::{date, datetime, of_unix, time, timestamp, unix};
use format::{format, parse};
use moment::range;
pub(super) use moment::{date_of_days, days, micros, micros_of_day, moment};

use super::{
    number::other,
    row::RowFunction,
    value::Value::{Date, DateTime as Stamp, Int, Time, Timestamp},
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

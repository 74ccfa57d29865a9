//! Values that are written out.

use super::spelling::{Pair, each, plain};
use super::{Generator, Kind};
use crate::data::TEXTS;

impl Generator {
    pub(super) fn literal(&mut self, kind: Kind) -> Pair {
        match kind {
            Kind::Bool => plain(*self.pick(&["TRUE", "FALSE"])),
            Kind::Int => {
                let number = match self.one_in(12) {
                    true => *self.pick(&[i64::MAX, i64::MIN + 1, 1 << 53, 0, -1]),
                    false => self.rng.i64(-12..40),
                };
                integer(number)
            }
            Kind::Float => {
                let text = *self.pick(&[
                    "0e0",
                    "1e0",
                    "-15e-1",
                    "25e-1",
                    "1e-1",
                    "CAST('NaN' AS DOUBLE)",
                    "CAST('Infinity' AS DOUBLE)",
                    "CAST('-Infinity' AS DOUBLE)",
                    "40e0",
                    "-99e0",
                ]);
                plain(match text.starts_with('-') {
                    true => format!("({text})"),
                    false => text.to_owned(),
                })
            }
            Kind::Text => {
                let value = match self.one_in(3) {
                    true => *self.pick(&["red", "Green", "blue", "x", "e", "1"]),
                    false => *self.pick(&TEXTS),
                };
                text(value)
            }
            Kind::Date => plain(format!(
                "DATE '{}'",
                self.pick(&[
                    "1970-01-01",
                    "0001-01-01",
                    "9999-12-31",
                    "1999-12-31",
                    "2000-02-29",
                    "1989-03-08",
                    "2015-07-15",
                ])
            )),
            // DataFusion's own literals have nanoseconds, to which it casts what is outside of the years 1677 to 2262, too.
            Kind::DateTime => {
                let literal = self.time_stamp();
                each(
                    "ARROW_CAST({0}, 'Timestamp(Microsecond, None)')",
                    "{0}",
                    &[&literal],
                )
            }
            // DataFusion's literals of times have nanoseconds, and it compares them with nothing else.
            Kind::Time => {
                let time = *self.pick(&["00:00:00", "12:00:00", "23:59:59.999999", "06:30:15.25"]);
                each(
                    &format!("ARROW_CAST(TIME '{time}', 'Time64(Microsecond)')"),
                    &format!("TIME '{time}'"),
                    &[],
                )
            }
        }
    }

    /// A time stamp with the unit that it has in DataFusion.
    pub(super) fn time_stamp(&mut self) -> Pair {
        plain(format!(
            "TIMESTAMP '{}'",
            self.pick(&[
                "1970-01-01 00:00:00",
                "1969-12-31 23:59:59.999999",
                "2000-02-29 12:34:56.789",
                "1999-12-31 00:00:00",
                "1950-06-15 06:00:00.5",
            ])
        ))
    }
}

pub(super) fn integer(number: i64) -> Pair {
    plain(match number < 0 {
        true => format!("({number})"),
        false => number.to_string(),
    })
}

pub(super) fn text(value: &str) -> Pair {
    plain(format!("'{}'", value.replace('\'', "''")))
}

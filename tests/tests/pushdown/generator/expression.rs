//! Values that are computed from the columns of a row.

use super::literal::{integer, text};
use super::spelling::{Pair, both, each};
use super::{Column, Generator, Kind};

impl Generator {
    /// An expression over `columns`.
    pub(super) fn expression(&mut self, columns: &[Column], kind: Kind, depth: usize) -> Pair {
        if depth == 0 || self.one_in(3) {
            return self.leaf(columns, kind);
        }
        let deeper = depth - 1;
        match self.rng.usize(0..9) {
            0 => {
                let when = self.condition(columns, deeper);
                let (a, b) = self.two(columns, kind, deeper);
                match self.one_in(4) {
                    true => both("CASE WHEN {0} THEN {1} END", &[&when, &a]),
                    false => both("CASE WHEN {0} THEN {1} ELSE {2} END", &[&when, &a, &b]),
                }
            }
            1 => {
                let (a, b) = self.two(columns, kind, deeper);
                both("COALESCE({0}, {1})", &[&a, &b])
            }
            // DataFusion's tells -0.0 from 0.0, which it takes for equal elsewhere.
            2 if kind != Kind::Float => {
                let (a, b) = self.two(columns, kind, deeper);
                both("NULLIF({0}, {1})", &[&a, &b])
            }
            3 => {
                let case = self.leaf(columns, Kind::Int);
                let (a, b) = self.two(columns, kind, deeper);
                both(
                    "CASE {0} WHEN 1 THEN {1} WHEN (-2) THEN {2} ELSE {1} END",
                    &[&case, &a, &b],
                )
            }
            _ => match kind {
                Kind::Bool => self.condition(columns, deeper),
                Kind::Int => self.integer(columns, deeper),
                Kind::Float => self.float(columns, deeper),
                Kind::Text => self.text(columns, deeper),
                Kind::Date => self.date(columns, deeper),
                Kind::DateTime => self.moment(columns),
                Kind::Time => self.leaf(columns, Kind::Time),
            },
        }
    }

    fn two(&mut self, columns: &[Column], kind: Kind, depth: usize) -> (Pair, Pair) {
        (
            self.expression(columns, kind, depth),
            self.expression(columns, kind, depth),
        )
    }

    /// A column, or else a literal.
    pub(super) fn leaf(&mut self, columns: &[Column], kind: Kind) -> Pair {
        match self.column(columns, |column| column.kind == kind) {
            Some(column) if !self.one_in(4) => column.name,
            _ => self.literal(kind),
        }
    }

    /// A column of a kind.
    pub(super) fn column(
        &mut self,
        columns: &[Column],
        is_good: impl Fn(&Column) -> bool,
    ) -> Option<Column> {
        let good: Vec<&Column> = columns.iter().filter(|column| is_good(column)).collect();
        (!good.is_empty()).then(|| (*self.pick(&good)).clone())
    }

    /// A number that is not large.
    fn few(&mut self, columns: &[Column], depth: usize) -> Pair {
        let number = self.expression(columns, Kind::Int, depth);
        both("({0} % 1000)", &[&number])
    }

    fn integer(&mut self, columns: &[Column], depth: usize) -> Pair {
        let divisor = integer(*self.pick(&[2, 3, 7, -2, -5, 10]));
        match self.rng.usize(0..12) {
            0 | 1 => {
                let sign = *self.pick(&["+", "-", "*"]);
                if self.one_in(8) {
                    // DataFusion's go round; the others tell of it.
                    let (a, b) = self.two(columns, Kind::Int, depth);
                    return both(&format!("({{0}} {sign} {{1}})"), &[&a, &b]);
                }
                let (a, b) = (self.few(columns, depth), self.few(columns, depth));
                both(&format!("({{0}} {sign} {{1}})"), &[&a, &b])
            }
            2 => {
                let (a, b) = (self.few(columns, depth), self.few(columns, depth));
                both("({0} * {1})", &[&a, &b])
            }
            3 => {
                let a = self.expression(columns, Kind::Int, depth);
                each("({0} / {1})", "({0} // {1})", &[&a, &divisor])
            }
            4 => {
                let (a, b) = (self.few(columns, depth), self.few(columns, depth));
                if self.one_in(8) {
                    return each("({0} / {1})", "({0} // {1})", &[&a, &b]);
                }
                each(
                    "({0} / NULLIF({1}, 0))",
                    "({0} // NULLIF({1}, 0))",
                    &[&a, &b],
                )
            }
            5 => {
                let a = self.expression(columns, Kind::Int, depth);
                both("({0} % {1})", &[&a, &divisor])
            }
            6 => {
                let value = self.expression(columns, Kind::Text, depth);
                match self.rng.usize(0..3) {
                    0 => both("CHAR_LENGTH({0})", &[&value]),
                    1 => each("OCTET_LENGTH({0})", "STRLEN({0})", &[&value]),
                    _ => {
                        let sought = *self.pick(&["s", "%", "\\", "😀", "'", "é"]);
                        both("STRPOS({0}, {1})", &[&value, &text(sought)])
                    }
                }
            }
            7 | 8 => self.part(columns, depth),
            9 => {
                let a = self.few(columns, depth);
                both("ABS({0})", &[&a])
            }
            10 => {
                let is = self.condition(columns, depth);
                both("CAST({0} AS BIGINT)", &[&is])
            }
            _ => match self.column(columns, |it| it.kind == Kind::Float && it.is_plain) {
                // DuckDB rounds.
                Some(column) => each(
                    "CAST({0} AS BIGINT)",
                    "CAST(TRUNC({0}) AS BIGINT)",
                    &[&column.name],
                ),
                None => {
                    let a = self.few(columns, depth);
                    both("(- {0})", &[&a])
                }
            },
        }
    }

    /// A part of a date or a time.
    fn part(&mut self, columns: &[Column], depth: usize) -> Pair {
        let kind = *self.pick(&[Kind::Date, Kind::DateTime, Kind::Time]);
        let days = ["year", "month", "day", "quarter", "doy", "dow", "week"];
        let part = match kind {
            Kind::Date => *self.pick(&days),
            Kind::DateTime if self.rng.bool() => *self.pick(&days),
            _ => *self.pick(&["hour", "minute"]),
        };
        let value = self.expression(columns, kind, depth);
        both(
            &format!("CAST(DATE_PART('{part}', {{0}}) AS BIGINT)"),
            &[&value],
        )
    }

    fn float(&mut self, columns: &[Column], depth: usize) -> Pair {
        match self.rng.usize(0..8) {
            0..=2 => {
                let sign = *self.pick(&["+", "-", "*", "/"]);
                let (a, b) = self.two(columns, Kind::Float, depth);
                one_nan(&both(&format!("({{0}} {sign} {{1}})"), &[&a, &b]))
            }
            3 => {
                let a = self.few(columns, depth);
                both("CAST({0} AS DOUBLE)", &[&a])
            }
            4 => {
                let a = self.expression(columns, Kind::Float, depth);
                one_nan(&both("(- {0})", &[&a]))
            }
            _ => {
                let function = *self.pick(&["ABS", "CEIL", "FLOOR", "ROUND", "TRUNC"]);
                let a = self.expression(columns, Kind::Float, depth);
                both(&format!("{function}({{0}})"), &[&a])
            }
        }
    }

    fn text(&mut self, columns: &[Column], depth: usize) -> Pair {
        let value = self.expression(columns, Kind::Text, depth);
        match self.rng.usize(0..11) {
            0 => {
                let other = self.expression(columns, Kind::Text, depth);
                both("({0} || {1})", &[&value, &other])
            }
            1 => {
                let (start, length) = (self.rng.usize(1..6), self.rng.usize(0..6));
                match self.rng.bool() {
                    true => both(&format!("SUBSTR({{0}}, {start})"), &[&value]),
                    false => both(&format!("SUBSTR({{0}}, {start}, {length})"), &[&value]),
                }
            }
            2 => {
                let function = *self.pick(&["LEFT", "RIGHT"]);
                let length = self.rng.usize(0..6);
                both(&format!("{function}({{0}}, {length})"), &[&value])
            }
            3 => {
                // Upper and lower case of other letters are not the same in any two engines.
                let function = *self.pick(&["UPPER", "LOWER"]);
                match self.column(columns, |it| it.kind == Kind::Text && it.is_plain) {
                    Some(column) => both(&format!("{function}({{0}})"), &[&column.name]),
                    None => value,
                }
            }
            4 => {
                let function = *self.pick(&["TRIM", "LTRIM", "RTRIM"]);
                both(&format!("{function}({{0}})"), &[&value])
            }
            5 => {
                let sought = *self.pick(&["a", "s", "\\", "'", "%", "😀", "ß"]);
                let sought = text(sought);
                let other = *self.pick(&["", "b", "\\\\", "''", "\n"]);
                let other = text(other);
                both("REPLACE({0}, {1}, {2})", &[&value, &sought, &other])
            }
            // DuckDB's keeps letters and their accents together.
            6 => each(
                "REVERSE({0})",
                "array_to_string(list_reverse(regexp_extract_all({0}, '(?s).')), '')",
                &[&value],
            ),
            7 => {
                let other = self.expression(columns, Kind::Text, depth);
                both("CONCAT({0}, {1})", &[&value, &other])
            }
            8 => {
                let number = self.expression(columns, Kind::Int, depth);
                both("CAST({0} AS VARCHAR)", &[&number])
            }
            9 => {
                let is = self.condition(columns, depth);
                both("CAST({0} AS VARCHAR)", &[&is])
            }
            _ => {
                let day = self.expression(columns, Kind::Date, depth);
                both("CAST({0} AS VARCHAR)", &[&day])
            }
        }
    }

    fn date(&mut self, columns: &[Column], depth: usize) -> Pair {
        match self.rng.usize(0..4) {
            0 | 1 => {
                let part = *self.pick(&["year", "quarter", "month", "week", "day"]);
                match self.column(columns, |it| it.kind == Kind::Date && it.is_plain) {
                    Some(column) => both(
                        &format!("CAST(DATE_TRUNC('{part}', {{0}}) AS DATE)"),
                        &[&column.name],
                    ),
                    None => self.leaf(columns, Kind::Date),
                }
            }
            2 => {
                let days = *self.pick(&["1 day", "-40 days", "3 months", "1 year"]);
                match self.column(columns, |it| it.kind == Kind::Date && it.is_plain) {
                    Some(column) => both(
                        &format!("CAST({{0}} + INTERVAL '{days}' AS DATE)"),
                        &[&column.name],
                    ),
                    None => self.leaf(columns, Kind::Date),
                }
            }
            _ => {
                let moment = self.expression(columns, Kind::DateTime, depth);
                both("CAST({0} AS DATE)", &[&moment])
            }
        }
    }

    fn moment(&mut self, columns: &[Column]) -> Pair {
        let part = *self.pick(&[
            "year", "quarter", "month", "week", "day", "hour", "minute", "second",
        ]);
        // DataFusion cuts no time before 1677.
        let value = match self.column(columns, |it| it.kind == Kind::DateTime && it.is_plain) {
            Some(column) => column.name,
            None => self.literal(Kind::DateTime),
        };
        both(&format!("DATE_TRUNC('{part}', {{0}})"), &[&value])
    }
}

/// DataFusion tells one NaN from another by their signs, of which computed ones have any: that of a literal has none.
fn one_nan(float: &Pair) -> Pair {
    both(
        "CASE WHEN ISNAN({0}) THEN CAST('NaN' AS DOUBLE) ELSE {0} END",
        &[float],
    )
}

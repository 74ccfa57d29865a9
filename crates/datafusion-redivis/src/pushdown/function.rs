//! Functions of rows: DataFusion's names, with BigQuery's that mean the same.
//!
//! Left out on purpose: `upper`, `lower` and regular expressions (letters outside ASCII), `greatest` and `least` (nulls), casts
//! from text (what is a number), functions whose last digits differ between libraries.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use super::expression::Rows;
use super::refusal::{Said, refuse};
use super::sql::{Kind, Sql};

/// Powers of ten up to this one are exact as floating point numbers.
const MOST_DIGITS: i64 = 22;

impl Rows<'_> {
    pub(super) fn function(&self, whole: &Expr, name: &str, args: &[Expr]) -> Said<Sql> {
        let kinds = args
            .iter()
            .map(|arg| self.kind(arg))
            .collect::<Said<Vec<_>>>()?;
        let call = |function: &str| -> Said<Sql> {
            let said = args
                .iter()
                .map(|arg| self.say(arg))
                .collect::<Said<Vec<_>>>()?;
            Ok(Sql::call(function, &said.iter().collect::<Vec<_>>()))
        };
        match (name, kinds.as_slice()) {
            ("character_length" | "char_length" | "length", [Kind::Text]) => call("CHAR_LENGTH"),
            ("octet_length", [Kind::Text]) => call("BYTE_LENGTH"),
            ("reverse", [Kind::Text]) => call("REVERSE"),
            ("starts_with", [Kind::Text, Kind::Text]) => call("STARTS_WITH"),
            ("ends_with", [Kind::Text, Kind::Text]) => call("ENDS_WITH"),
            ("substr" | "substring", [Kind::Text, Kind::Integer, lengths @ ..])
                if is_at_least(&args[1], 1)
                    && lengths.len() < 2
                    && args[2..].iter().all(|length| is_at_least(length, 0)) =>
            {
                call("SUBSTR")
            }
            ("left", [Kind::Text, Kind::Integer]) if is_at_least(&args[1], 0) => call("LEFT"),
            ("right", [Kind::Text, Kind::Integer]) if is_at_least(&args[1], 0) => call("RIGHT"),
            ("strpos" | "instr" | "position", [Kind::Text, Kind::Text]) if is_text(&args[1]) => {
                call("STRPOS")
            }
            ("contains", [Kind::Text, Kind::Text]) if is_text(&args[1]) => {
                Ok(Sql::compound(format!("{} > 0", call("STRPOS")?.text())))
            }
            ("replace", [Kind::Text, Kind::Text, Kind::Text]) if is_text(&args[1]) => {
                call("REPLACE")
            }
            // Without the second argument BigQuery takes off every kind of space.
            ("btrim" | "trim", [Kind::Text]) => self.trimmed("TRIM", &args[0]),
            ("ltrim", [Kind::Text]) => self.trimmed("LTRIM", &args[0]),
            ("rtrim", [Kind::Text]) => self.trimmed("RTRIM", &args[0]),
            ("concat", [_, ..]) if kinds.iter().all(|kind| *kind == Kind::Text) => {
                // A null is nothing to it; to BigQuery it makes the whole null.
                let parts = args
                    .iter()
                    .map(|arg| Ok(format!("COALESCE({}, '')", self.say(arg)?.text())))
                    .collect::<Said<Vec<_>>>()?;
                Ok(Sql::compound(parts.join(" || ")))
            }
            ("coalesce" | "nvl" | "ifnull", [first, rest @ ..])
                if rest.iter().all(|kind| kind == first) =>
            {
                call("COALESCE")
            }
            ("nullif", [a, b]) if a == b && *a != Kind::Float => call("NULLIF"),
            ("abs", [Kind::Integer | Kind::Float]) => call("ABS"),
            ("ceil", [Kind::Float]) => call("CEIL"),
            ("floor", [Kind::Float]) => call("FLOOR"),
            ("trunc", [Kind::Float]) => call("TRUNC"),
            ("round", [Kind::Float]) => call("ROUND"),
            ("round", [Kind::Float, Kind::Integer]) => self.rounded(&args[0], &args[1]),
            ("isnan", [Kind::Float]) => call("IS_NAN"),
            ("date_part", [Kind::Text, kind]) => self.date_part(&args[0], &args[1], *kind),
            ("date_trunc", [Kind::Text, kind]) => self.truncated(whole, args, *kind),
            _ => refuse(format!(
                "the function {name} of these arguments has no counterpart that means the same"
            )),
        }
    }

    fn trimmed(&self, function: &str, arg: &Expr) -> Said<Sql> {
        let value = self.say(arg)?;
        Ok(Sql::operand(format!("{function}({}, ' ')", value.text())))
    }

    /// Rounded to a number of digits by the steps that DataFusion takes, so that the last digit is the same.
    fn rounded(&self, value: &Expr, digits: &Expr) -> Said<Sql> {
        let digits = (0..=MOST_DIGITS)
            .find(|exactly| is_at_least(digits, *exactly) && !is_at_least(digits, exactly + 1));
        let Some(digits) = digits else {
            return refuse("rounding to so many digits");
        };
        let value = self.say(value)?.as_operand();
        Ok(Sql::compound(format!(
            "ROUND({value} * 1e{digits}) / 1e{digits}"
        )))
    }

    fn date_part(&self, part: &Expr, value: &Expr, kind: Kind) -> Said<Sql> {
        let part = word(part)?;
        let value = self.say(value)?;
        let extract = |part: &str| Sql::operand(format!("EXTRACT({part} FROM {})", value.text()));
        Ok(match (part.as_str(), kind) {
            ("year" | "month" | "day" | "quarter", Kind::Date | Kind::DateTime) => {
                extract(&part.to_uppercase())
            }
            ("doy", Kind::Date | Kind::DateTime) => extract("DAYOFYEAR"),
            ("week", Kind::Date | Kind::DateTime) => extract("ISOWEEK"),
            // From Sunday: 0 here, 1 there.
            ("dow", Kind::Date | Kind::DateTime) => {
                Sql::compound(format!("{} - 1", extract("DAYOFWEEK").text()))
            }
            ("hour" | "minute", Kind::DateTime | Kind::Time) => extract(&part.to_uppercase()),
            _ => return refuse(format!("the part {part} of a time")),
        })
    }

    fn truncated(&self, whole: &Expr, args: &[Expr], kind: Kind) -> Said<Sql> {
        let part = match word(&args[0])?.as_str() {
            "week" => "ISOWEEK".to_owned(),
            part @ ("year" | "quarter" | "month" | "day" | "hour" | "minute" | "second") => {
                part.to_uppercase()
            }
            other => return refuse(format!("a time cut to its {other}")),
        };
        let value = self.say(&args[1])?;
        Ok(match (kind, self.kind(whole)?) {
            (Kind::DateTime, Kind::DateTime) => {
                Sql::operand(format!("DATETIME_TRUNC({}, {part})", value.text()))
            }
            (Kind::Date, Kind::DateTime) => Sql::operand(format!(
                "DATETIME_TRUNC(CAST({} AS DATETIME), {part})",
                value.text()
            )),
            (Kind::Date, Kind::Date) if !matches!(part.as_str(), "HOUR" | "MINUTE" | "SECOND") => {
                Sql::operand(format!("DATE_TRUNC({}, {part})", value.text()))
            }
            _ => return refuse("date_trunc of this type"),
        })
    }
}

fn is_at_least(expr: &Expr, least: i64) -> bool {
    let Expr::Literal(value, _) = expr else {
        return false;
    };
    matches!(
        value.cast_to(&datafusion::arrow::datatypes::DataType::Int64),
        Ok(ScalarValue::Int64(Some(number))) if number >= least
    )
}

/// Whether it is a text that is there and has characters: what is sought is never nothing.
fn is_text(expr: &Expr) -> bool {
    let Expr::Literal(value, _) = expr else {
        return false;
    };
    matches!(value.try_as_str(), Some(Some(text)) if !text.is_empty())
}

/// A word such as `month`.
fn word(expr: &Expr) -> Said<String> {
    let Expr::Literal(value, _) = expr else {
        return refuse("a part of a time that is no literal");
    };
    match value.try_as_str() {
        Some(Some(word)) => Ok(word.to_lowercase()),
        _ => refuse("a part of a time that is no text"),
    }
}

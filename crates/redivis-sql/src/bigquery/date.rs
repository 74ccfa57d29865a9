//! Parts of dates: `DATE_TRUNC(d, MONTH)`, `DATE_DIFF(a, b, WEEK)`, `DATE_ADD(d, INTERVAL 1 DAY)`, `EXTRACT(DAYOFWEEK FROM d)`.
//!
//! Dates are counted in days, which keeps the years 1 and 9999 apart; weeks start on Sunday unless they say otherwise.

use datafusion::sql::sqlparser::ast::{DateTimeField, Expr, Ident, Interval, UnaryOperator, Value};

use super::{Refused, refuse, template};

/// A part of a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    /// Weeks, and how many days after Sunday they start.
    Week(i64),
    Month,
    Quarter,
    Year,
    IsoYear,
}

impl Part {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "MICROSECOND" => Self::Microsecond,
            "MILLISECOND" => Self::Millisecond,
            "SECOND" => Self::Second,
            "MINUTE" => Self::Minute,
            "HOUR" => Self::Hour,
            "DAY" => Self::Day,
            "WEEK" => Self::Week(0),
            "ISOWEEK" => Self::Week(1),
            "MONTH" => Self::Month,
            "QUARTER" => Self::Quarter,
            "YEAR" => Self::Year,
            "ISOYEAR" => Self::IsoYear,
            _ => return None,
        })
    }

    /// A part as an argument: `DAY`, `WEEK(MONDAY)`.
    pub(super) fn of(argument: &Expr) -> Option<Self> {
        match argument {
            Expr::Identifier(name) if name.quote_style.is_none() => Self::named(&name.value),
            Expr::Function(_) => {
                let (name, days) = template::named(argument)?;
                let [Expr::Identifier(day)] = days.as_slice() else {
                    return None;
                };
                (name == "week").then(|| weekday(day).map(Self::Week))?
            }
            _ => None,
        }
    }

    fn of_field(field: &DateTimeField) -> Option<Self> {
        match field {
            DateTimeField::Week(Some(day)) => weekday(day).map(Self::Week),
            field => Self::named(&field.to_string()),
        }
    }

    /// Its length in microseconds, where it has one.
    fn micros(self) -> Option<i64> {
        Some(match self {
            Self::Microsecond => 1,
            Self::Millisecond => 1_000,
            Self::Second => 1_000_000,
            Self::Minute => 60_000_000,
            Self::Hour => 3_600_000_000,
            Self::Day => DAY,
            Self::Week(_) => 7 * DAY,
            _ => return None,
        })
    }

    /// How many months it has, where it is made of months.
    fn months(self) -> Option<i64> {
        Some(match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
            _ => return None,
        })
    }
}

const DAY: i64 = 86_400_000_000;

fn weekday(day: &Ident) -> Option<i64> {
    const DAYS: [&str; 7] = [
        "SUNDAY",
        "MONDAY",
        "TUESDAY",
        "WEDNESDAY",
        "THURSDAY",
        "FRIDAY",
        "SATURDAY",
    ];
    let found = DAYS
        .iter()
        .position(|known| day.value.eq_ignore_ascii_case(known))?;
    i64::try_from(found).ok()
}

/// Days since 1970.
const DAYS: &str = "CAST(CAST($1 AS DATE) AS INT)";
/// Microseconds since 1970.
const MICROS: &str = "CAST(CAST($1 AS TIMESTAMP(6)) AS BIGINT)";

/// The number of weeks from one that starts on this day after Sunday; 1970 began on a Thursday.
fn weeks(start: i64) -> String {
    format!(
        "CAST(floor(({DAYS} + {}) / 7.0) AS BIGINT)",
        (11 - start) % 7
    )
}

/// The number of a date's part, counted from some date on.
fn number(part: Part) -> Option<String> {
    Some(match part {
        Part::Day => DAYS.to_owned(),
        Part::Week(start) => weeks(start),
        Part::Month => "(date_part('year', $1) * 12 + date_part('month', $1))".to_owned(),
        Part::Quarter => "(date_part('year', $1) * 4 + date_part('quarter', $1))".to_owned(),
        Part::Year => "date_part('year', $1)".to_owned(),
        Part::IsoYear => "date_part('isoyear', $1)".to_owned(),
        _ => return None,
    })
}

/// `DATE_DIFF(a, b, part)`: how many times a part begins between them; of a `TIMESTAMP`, how many whole ones fit between.
pub(super) fn diff(name: &str, given: &[Expr]) -> Refused<Option<Expr>> {
    let [later, earlier, part] = given else {
        return Ok(None);
    };
    let Some(part) = Part::of(part) else {
        return Ok(None);
    };
    let text = match (name, part.micros(), number(part)) {
        ("timestamp_diff", Some(unit), _) if unit <= DAY => {
            let at = |place: &str| MICROS.replace("$1", place);
            format!("({} - {}) / {unit}", at("$1"), at("$2"))
        }
        ("datetime_diff" | "time_diff", Some(unit), None) => {
            let at = |place: &str| {
                let micros = MICROS.replace("$1", place);
                // Integer division goes towards zero, and times before 1970 are negative.
                format!("(({micros} - (({micros} % {unit}) + {unit}) % {unit}) / {unit})")
            };
            format!("{} - {}", at("$1"), at("$2"))
        }
        ("date_diff" | "datetime_diff", _, Some(number)) => {
            format!(
                "CAST({} - {} AS BIGINT)",
                number,
                number.replace("$1", "$2")
            )
        }
        _ => {
            return refuse(
                format!("{} does not count these parts", name.to_uppercase()),
                ELSEWHERE,
            );
        }
    };
    template::fill(&text, &[later.clone(), earlier.clone()]).map(Some)
}

/// `DATE_TRUNC(d, part)`. DataFusion's own has the part first, as a text.
pub(super) fn trunc(name: &str, given: &[Expr]) -> Refused<Option<Expr>> {
    let (date, part) = match given {
        [date] if name == "last_day" => (date, Part::Month),
        [date, part] => match Part::of(part) {
            Some(part) => (date, part),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let text = match (name, part) {
        ("last_day", Part::Month) => {
            "CAST(make_date(date_part('year', $1), date_part('month', $1), 1) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)".to_owned()
        }
        ("last_day", _) => return refuse("LAST_DAY is that of a month here", ELSEWHERE),
        ("date_trunc", Part::Day) => "CAST($1 AS DATE)".to_owned(),
        ("date_trunc", Part::Week(start)) => {
            format!("CAST(CAST({} * 7 - {} AS INT) AS DATE)", weeks(start), (11 - start) % 7)
        }
        ("date_trunc", Part::Month) => "make_date(date_part('year', $1), date_part('month', $1), 1)".to_owned(),
        ("date_trunc", Part::Quarter) => {
            "make_date(date_part('year', $1), date_part('quarter', $1) * 3 - 2, 1)".to_owned()
        }
        ("date_trunc", Part::Year) => "make_date(date_part('year', $1), 1, 1)".to_owned(),
        ("timestamp_trunc" | "datetime_trunc", Part::Week(start)) => format!(
            "date_trunc('week', CAST($1 AS TIMESTAMP(6)) + INTERVAL '{} day') - INTERVAL '{} day'",
            (8 - start) % 7,
            (8 - start) % 7
        ),
        ("timestamp_trunc" | "datetime_trunc", part) if part != Part::IsoYear => {
            format!("date_trunc('{}', CAST($1 AS TIMESTAMP(6)))", format!("{part:?}").to_lowercase())
        }
        _ => return refuse(format!("{} does not cut to this part", name.to_uppercase()), ELSEWHERE),
    };
    template::fill(&text, std::slice::from_ref(date)).map(Some)
}

/// `DATE_ADD(d, INTERVAL n part)`, and the same with `SUB`.
pub(super) fn add(name: &str, given: &[Expr]) -> Refused<Option<Expr>> {
    let [
        date,
        Expr::Interval(Interval {
            value,
            leading_field: Some(field),
            last_field: None,
            ..
        }),
    ] = given
    else {
        return Ok(None);
    };
    let Some(part) = Part::of_field(field) else {
        return Ok(None);
    };
    let sign = if name.ends_with("_sub") { "-" } else { "+" };
    let is_date = name.starts_with("date_");
    let text = match (part, part.micros(), part.months()) {
        (Part::Day | Part::Week(_), Some(unit), _) if is_date => {
            format!(
                "CAST({DAYS} {sign} CAST($2 AS INT) * {} AS DATE)",
                unit / DAY
            )
        }
        (_, Some(unit), _) if !is_date => format!(
            "arrow_cast({MICROS} {sign} CAST($2 AS BIGINT) * {unit}, 'Timestamp(Microsecond, None)')"
        ),
        (_, _, Some(months)) => {
            let Some(count) = literal(value) else {
                return refuse(
                    format!(
                        "{} takes a number of months or years that is written out",
                        name.to_uppercase()
                    ),
                    "add days, of which any number may be computed",
                );
            };
            let months = count * months;
            let kind = if is_date { "DATE" } else { "TIMESTAMP(6)" };
            format!("CAST(CAST($1 AS {kind}) {sign} INTERVAL '{months} month' AS {kind})")
        }
        _ => {
            return refuse(
                format!("{} does not take this part", name.to_uppercase()),
                "DATETIME_ADD adds hours and less",
            );
        }
    };
    template::fill(&text, &[date.clone(), value.as_ref().clone()]).map(Some)
}

fn literal(value: &Expr) -> Option<i64> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => literal(expr).map(|value| -value),
        Expr::Nested(value) => literal(value),
        _ => None,
    }
}

/// `EXTRACT` of what DataFusion calls otherwise.
pub(super) fn extract(field: &DateTimeField, value: &Expr) -> Refused<Option<Expr>> {
    let name = match field {
        DateTimeField::Week(Some(day)) => {
            let Some(start) = weekday(day) else {
                return Ok(None);
            };
            // Days before the first such day of the year are in week 0.
            let text = format!(
                "CAST(floor((date_part('doy', $1) + 6 - (date_part('dow', $1) + 7 - {start}) % 7) / 7.0) AS BIGINT)"
            );
            return template::fill(&text, std::slice::from_ref(value)).map(Some);
        }
        field => field.to_string().to_ascii_uppercase(),
    };
    let text = match name.as_str() {
        "DAYOFWEEK" => "date_part('dow', $1) + 1",
        "DAYOFYEAR" => "date_part('doy', $1)",
        "ISOWEEK" => "date_part('week', $1)",
        "ISOYEAR" => "date_part('isoyear', $1)",
        "DATE" => "CAST($1 AS DATE)",
        "TIME" => "CAST($1 AS TIME)",
        _ => return Ok(None),
    };
    template::fill(text, std::slice::from_ref(value)).map(Some)
}

/// The formats of `FORMAT_DATE` and its like that mean the same in DataFusion's `to_char`.
pub(super) fn is_format(format: &str, is_date: bool) -> bool {
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            continue;
        }
        let known = match is_date {
            true => "YymdeBbhAajFDGVguUWwnt%",
            false => "YymdeBbhAajFDGVguUWwnt%HMSIpTRkl",
        };
        if !characters.next().is_some_and(|next| known.contains(next)) {
            return false;
        }
    }
    true
}

/// What knows everything else.
pub(super) const ELSEWHERE: &str =
    "redivis_query('SELECT …') runs a statement on Redivis, in BigQuery's dialect";

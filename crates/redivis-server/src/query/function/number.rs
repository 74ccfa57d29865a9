//! Arithmetic: integers that do not overflow silently, floats that do not become infinite, no division by zero.

use super::{
    row::{Outcome, RowFunction},
    value::Value::{self, Bool, Float, Int},
};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "$add",
        takes: "I I -> I | F F -> F | D I -> D | I D -> D",
        gives: add,
    },
    RowFunction {
        name: "$subtract",
        takes: "I I -> I | F F -> F | D I -> D",
        gives: subtract,
    },
    RowFunction {
        name: "$multiply",
        takes: "I I -> I | F F -> F",
        gives: multiply,
    },
    RowFunction {
        name: "$divide",
        takes: "F F -> F",
        gives: divide,
    },
    RowFunction {
        name: "ieee_divide",
        takes: "F F -> F",
        gives: |v| float2(v, |a, b| a / b),
    },
    RowFunction {
        name: "$negate",
        takes: "I -> I | F -> F",
        gives: negate,
    },
    RowFunction {
        name: "$least_integer",
        takes: "-> I",
        gives: |_| Ok(Int(i64::MIN)),
    },
    RowFunction {
        name: "div",
        takes: "I I -> I",
        gives: div,
    },
    RowFunction {
        name: "mod",
        takes: "I I -> I",
        gives: modulo,
    },
    RowFunction {
        name: "$bit_and",
        takes: "I I -> I",
        gives: |v| ints(v, |a, b| a & b),
    },
    RowFunction {
        name: "$bit_or",
        takes: "I I -> I",
        gives: |v| ints(v, |a, b| a | b),
    },
    RowFunction {
        name: "$bit_xor",
        takes: "I I -> I",
        gives: |v| ints(v, |a, b| a ^ b),
    },
    RowFunction {
        name: "$bit_not",
        takes: "I -> I",
        gives: |v| match v {
            [Int(a)] => Ok(Int(!a)),
            _ => other(),
        },
    },
    RowFunction {
        name: "abs",
        takes: "I -> I | F -> F",
        gives: abs,
    },
    RowFunction {
        name: "sign",
        takes: "I -> I | F -> F",
        gives: sign,
    },
    RowFunction {
        name: "ceil",
        takes: "F -> F",
        gives: |v| float(v, "CEIL", f64::ceil),
    },
    RowFunction {
        name: "ceiling",
        takes: "F -> F",
        gives: |v| float(v, "CEILING", f64::ceil),
    },
    RowFunction {
        name: "floor",
        takes: "F -> F",
        gives: |v| float(v, "FLOOR", f64::floor),
    },
    RowFunction {
        name: "round",
        takes: "F ?I -> F",
        gives: |v| places(v, "ROUND", f64::round),
    },
    RowFunction {
        name: "trunc",
        takes: "F ?I -> F",
        gives: |v| places(v, "TRUNC", f64::trunc),
    },
    RowFunction {
        name: "sqrt",
        takes: "F -> F",
        gives: |v| float(v, "SQRT", f64::sqrt),
    },
    RowFunction {
        name: "cbrt",
        takes: "F -> F",
        gives: |v| float(v, "CBRT", f64::cbrt),
    },
    RowFunction {
        name: "exp",
        takes: "F -> F",
        gives: |v| float(v, "EXP", f64::exp),
    },
    RowFunction {
        name: "ln",
        takes: "F -> F",
        gives: |v| float(v, "LN", f64::ln),
    },
    RowFunction {
        name: "log",
        takes: "F ?F -> F",
        gives: log,
    },
    RowFunction {
        name: "log10",
        takes: "F -> F",
        gives: |v| float(v, "LOG10", f64::log10),
    },
    RowFunction {
        name: "pow",
        takes: "F F -> F",
        gives: power,
    },
    RowFunction {
        name: "power",
        takes: "F F -> F",
        gives: power,
    },
    RowFunction {
        name: "sin",
        takes: "F -> F",
        gives: |v| float(v, "SIN", f64::sin),
    },
    RowFunction {
        name: "cos",
        takes: "F -> F",
        gives: |v| float(v, "COS", f64::cos),
    },
    RowFunction {
        name: "tan",
        takes: "F -> F",
        gives: |v| float(v, "TAN", f64::tan),
    },
    RowFunction {
        name: "asin",
        takes: "F -> F",
        gives: |v| float(v, "ASIN", f64::asin),
    },
    RowFunction {
        name: "acos",
        takes: "F -> F",
        gives: |v| float(v, "ACOS", f64::acos),
    },
    RowFunction {
        name: "atan",
        takes: "F -> F",
        gives: |v| float(v, "ATAN", f64::atan),
    },
    RowFunction {
        name: "atan2",
        takes: "F F -> F",
        gives: |v| float2(v, f64::atan2),
    },
    RowFunction {
        name: "is_nan",
        takes: "F -> B",
        gives: |v| match v {
            [Float(a)] => Ok(Bool(a.is_nan())),
            _ => other(),
        },
    },
    RowFunction {
        name: "is_inf",
        takes: "F -> B",
        gives: |v| match v {
            [Float(a)] => Ok(Bool(a.is_infinite())),
            _ => other(),
        },
    },
    RowFunction {
        name: "greatest",
        takes: "I* -> I | F* -> F | S* -> S | D* -> D | T* -> T | Z* -> Z | B* -> B | M* -> M",
        gives: |v| extreme(v, std::cmp::Ordering::Greater),
    },
    RowFunction {
        name: "least",
        takes: "I* -> I | F* -> F | S* -> S | D* -> D | T* -> T | Z* -> Z | B* -> B | M* -> M",
        gives: |v| extreme(v, std::cmp::Ordering::Less),
    },
];

/// What no signature lets happen.
pub(super) fn other<'a>() -> Outcome<'a> {
    Err("a function was called with values of other kinds than it takes".to_owned())
}

fn overflow<'a>(shown: impl std::fmt::Display) -> Outcome<'a> {
    Err(format!(
        "The result of {shown} is not within the range of INT64"
    ))
}

/// A float that operands which are not infinite have become.
fn checked<'a>(result: f64, from: &[f64], shown: impl Fn() -> String) -> Outcome<'a> {
    let strange = |value: &f64| value.is_nan() || value.is_infinite();
    if strange(&result) && !from.iter().any(strange) {
        return Err(format!("Floating point error: {} has no result", shown()));
    }
    Ok(Float(result))
}

fn days<'a>(date: i32, days: Option<i64>) -> Outcome<'a> {
    days.and_then(|days| i64::from(date).checked_add(days))
        .and_then(super::date::date_of_days)
        .map_or_else(|| Err("The date is out of range".to_owned()), Ok)
}

fn add<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a), Int(b)] => a
            .checked_add(*b)
            .map_or_else(|| overflow(format!("{a} + {b}")), |n| Ok(Int(n))),
        [Float(a), Float(b)] => checked(a + b, &[*a, *b], || format!("{a} + {b}")),
        [Value::Date(date), Int(n)] | [Int(n), Value::Date(date)] => days(*date, Some(*n)),
        _ => other(),
    }
}

fn subtract<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a), Int(b)] => a
            .checked_sub(*b)
            .map_or_else(|| overflow(format!("{a} - {b}")), |n| Ok(Int(n))),
        [Float(a), Float(b)] => checked(a - b, &[*a, *b], || format!("{a} - {b}")),
        [Value::Date(date), Int(n)] => days(*date, n.checked_neg()),
        _ => other(),
    }
}

fn multiply<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a), Int(b)] => a
            .checked_mul(*b)
            .map_or_else(|| overflow(format!("{a} * {b}")), |n| Ok(Int(n))),
        [Float(a), Float(b)] => checked(a * b, &[*a, *b], || format!("{a} * {b}")),
        _ => other(),
    }
}

fn divide<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Float(a), Float(0.0)] => Err(format!("division by zero: {a} / 0")),
        [Float(a), Float(b)] => checked(a / b, &[*a, *b], || format!("{a} / {b}")),
        _ => other(),
    }
}

fn negate<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a)] => a
            .checked_neg()
            .map_or_else(|| overflow(format!("-({a})")), |n| Ok(Int(n))),
        [Float(a)] => Ok(Float(-a)),
        _ => other(),
    }
}

fn div<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a), Int(0)] => Err(format!("division by zero: DIV({a}, 0)")),
        [Int(a), Int(b)] => a
            .checked_div(*b)
            .map_or_else(|| overflow(format!("DIV({a}, {b})")), |n| Ok(Int(n))),
        _ => other(),
    }
}

fn modulo<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a), Int(0)] => Err(format!("division by zero: MOD({a}, 0)")),
        // The remainder of the least integer and -1 is 0, although the quotient is out of range.
        [Int(a), Int(b)] => Ok(Int(a.wrapping_rem(*b))),
        _ => other(),
    }
}

fn ints<'a>(values: &[Value<'a>], work: fn(i64, i64) -> i64) -> Outcome<'a> {
    match values {
        [Int(a), Int(b)] => Ok(Int(work(*a, *b))),
        _ => other(),
    }
}

fn abs<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a)] => a
            .checked_abs()
            .map_or_else(|| overflow(format!("ABS({a})")), |n| Ok(Int(n))),
        [Float(a)] => Ok(Float(a.abs())),
        _ => other(),
    }
}

fn sign<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(a)] => Ok(Int(a.signum())),
        [Float(a)] => Ok(Float(if *a == 0.0 { 0.0 } else { a.signum() })),
        _ => other(),
    }
}

fn float<'a>(values: &[Value<'a>], name: &str, work: fn(f64) -> f64) -> Outcome<'a> {
    match values {
        [Float(a)] => checked(work(*a), &[*a], || format!("{name}({a})")),
        _ => other(),
    }
}

fn float2<'a>(values: &[Value<'a>], work: fn(f64, f64) -> f64) -> Outcome<'a> {
    match values {
        [Float(a), Float(b)] => Ok(Float(work(*a, *b))),
        _ => other(),
    }
}

/// Rounds to a number of places behind the point, or before it if that is negative.
fn places<'a>(values: &[Value<'a>], name: &str, work: fn(f64) -> f64) -> Outcome<'a> {
    let (value, places) = match values {
        [Float(value)] => (*value, 0),
        [Float(value), Int(places)] => (*value, *places),
        _ => return other(),
    };
    // Beyond these, a float has no more digits, or none left.
    let rounded = match i32::try_from(places) {
        Ok(0) => work(value),
        Ok(places @ 1..=22) => {
            let scaled = value * 10f64.powi(places);
            if scaled.is_finite() {
                work(scaled) / 10f64.powi(places)
            } else {
                value
            }
        }
        Ok(places @ -308..=-1) => work(value / 10f64.powi(-places)) * 10f64.powi(-places),
        _ if places > 0 => value,
        _ => 0.0,
    };
    checked(rounded, &[value], || format!("{name}({value}, {places})"))
}

fn log<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Float(a)] => checked(a.ln(), &[*a], || format!("LOG({a})")),
        [Float(a), Float(base)] => checked(a.ln() / base.ln(), &[*a, *base], || {
            format!("LOG({a}, {base})")
        }),
        _ => other(),
    }
}

fn power<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Float(a), Float(b)] => checked(a.powf(*b), &[*a, *b], || format!("POW({a}, {b})")),
        _ => other(),
    }
}

fn extreme<'a>(values: &[Value<'a>], wanted: std::cmp::Ordering) -> Outcome<'a> {
    let compare = |a: &Value<'_>, b: &Value<'_>| match (a, b) {
        (Int(a), Int(b))
        | (Value::DateTime(a), Value::DateTime(b))
        | (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Float(a), Float(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Bool(a), Bool(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    };
    // One that is no number makes the whole no number.
    if let Some(nan) = values
        .iter()
        .find(|value| matches!(value, Float(f) if f.is_nan()))
    {
        return Ok(nan.clone());
    }
    let mut best = values.first().ok_or("there are no values")?;
    for value in values {
        if compare(value, best) == wanted {
            best = value;
        }
    }
    Ok(best.clone())
}

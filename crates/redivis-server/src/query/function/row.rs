//! Scalar functions given by what they do with the values of one row.
//!
//! A function is a name, the kinds that it takes and gives, and a plain Rust function: BigQuery's meaning is written
//! down once, without arrays around it. Nulls in give null out.

use arrow::datatypes::DataType;
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
    scalar::ScalarValue,
};

use super::value::{Collector, Column, Kind, Value};

/// What a row's values become, or why they cannot.
pub(super) type Outcome<'a> = Result<Value<'a>, String>;

/// Bytes that the values of a batch may have at most.
const LARGEST: usize = 256 << 20;

/// A function of one row.
#[derive(Debug)]
pub(crate) struct RowFunction {
    pub(super) name: &'static str,
    /// Overloads as in `S I -> S`, one letter a kind, `|` between; `*` repeats the kind before it, `?` makes the rest optional.
    pub(super) takes: &'static str,
    pub(super) gives: for<'a> fn(&[Value<'a>]) -> Outcome<'a>,
}

impl PartialEq for RowFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RowFunction {}

impl std::hash::Hash for RowFunction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// One list of kinds that a function takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Overload {
    kinds: Vec<Kind>,
    required: usize,
    repeats: bool,
    gives: Kind,
}

fn kind_of(letter: char) -> Kind {
    match letter {
        'I' => Kind::Int,
        'F' => Kind::Float,
        'B' => Kind::Bool,
        'S' => Kind::Text,
        'Y' => Kind::Bytes,
        'D' => Kind::Date,
        'T' => Kind::DateTime,
        'Z' => Kind::Timestamp,
        'M' => Kind::Time,
        _ => Kind::Null,
    }
}

impl Overload {
    fn all(takes: &str) -> Vec<Self> {
        takes.split('|').map(Overload::parse).collect()
    }

    fn parse(text: &str) -> Self {
        let (takes, gives) = text.split_once("->").unwrap_or((text, ""));
        let mut overload = Overload {
            kinds: Vec::new(),
            required: 0,
            repeats: false,
            gives: gives.trim().chars().next().map_or(Kind::Null, kind_of),
        };
        let mut optional = false;
        for letter in takes.chars() {
            match letter {
                ' ' => {}
                '?' => optional = true,
                '*' => overload.repeats = true,
                letter => {
                    overload.kinds.push(kind_of(letter));
                    overload.required += usize::from(!optional);
                }
            }
        }
        overload
    }

    /// The kinds that arguments of these kinds become, and how far they are from them; none if they do not fit.
    fn fit(&self, given: &[Kind], reads_text: bool) -> Option<(u32, Vec<Kind>)> {
        if given.len() < self.required || (given.len() > self.kinds.len() && !self.repeats) {
            return None;
        }
        let mut distance = 0;
        let mut kinds = Vec::with_capacity(given.len());
        for (place, given) in given.iter().enumerate() {
            let wanted = *self.kinds.get(place).or(self.kinds.last())?;
            distance += match (*given, wanted) {
                (given, wanted) if given == wanted => 0,
                (Kind::Null, _) => 0,
                (Kind::Int, Kind::Float) | (Kind::Date, Kind::DateTime) => 1,
                (Kind::Text, Kind::Date | Kind::DateTime | Kind::Timestamp | Kind::Time)
                    if reads_text =>
                {
                    10
                }
                _ => return None,
            };
            kinds.push(wanted);
        }
        Some((distance, kinds))
    }
}

/// A row function as the engine calls it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RowUdf {
    name: String,
    function: &'static RowFunction,
    overloads: Vec<Overload>,
    /// Whether an error of a row is null, as with `SAFE.`.
    safe: bool,
    signature: Signature,
}

impl RowFunction {
    /// The function, and the one that `SAFE.` makes of it.
    pub(super) fn udfs(&'static self) -> [ScalarUDF; 2] {
        [false, true].map(|safe| {
            let prefix = if safe { "safe." } else { "" };
            ScalarUDF::new_from_impl(RowUdf {
                name: format!("{prefix}{}", self.name),
                function: self,
                overloads: Overload::all(self.takes),
                safe,
                signature: Signature::user_defined(Volatility::Immutable),
            })
        })
    }
}

impl RowUdf {
    fn best(&self, given: &[DataType]) -> Result<(Vec<Kind>, Kind)> {
        let kinds: Option<Vec<Kind>> = given.iter().map(Kind::of).collect();
        // A literal may be written for a date as an argument, and not beside an operator.
        let reads_text = !self.function.name.starts_with('$');
        let best = kinds.as_deref().and_then(|kinds| {
            let fits = self.overloads.iter().filter_map(|overload| {
                let (distance, kinds) = overload.fit(kinds, reads_text)?;
                Some((distance, kinds, overload.gives))
            });
            fits.min_by_key(|(distance, ..)| *distance)
        });
        if let Some((_, kinds, gives)) = best {
            return Ok((kinds, gives));
        }
        let given: Vec<String> = given
            .iter()
            .map(|given| Kind::of(given).map_or_else(|| given.to_string(), |k| k.name().to_owned()))
            .collect();
        plan_err!(
            "{} does not take {}",
            shown(&self.name),
            match given.len() {
                0 => "no arguments".to_owned(),
                _ => given.join(", "),
            }
        )
    }
}

/// A function's name as it is written in queries.
fn shown(name: &str) -> String {
    let plain = name.strip_prefix("safe.").unwrap_or(name);
    let operator = match plain {
        "$add" => "+",
        "$subtract" => "-",
        "$multiply" => "*",
        "$divide" => "/",
        "$negate" => "- (minus)",
        "$concat" => "|| (or CONCAT)",
        "$bit_and" => "&",
        "$bit_or" => "|",
        "$bit_xor" => "^",
        "$bit_not" => "~",
        other => match other.strip_prefix("$cast_") {
            Some(kind) => return format!("CAST to {}", kind.to_uppercase()),
            None => return name.to_uppercase(),
        },
    };
    operator.to_owned()
}

impl ScalarUDFImpl for RowUdf {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (kinds, _) = self.best(given)?;
        Ok(kinds.into_iter().map(Kind::arrow).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(self.best(given)?.1.arrow())
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given: Vec<DataType> = call.args.iter().map(ColumnarValue::data_type).collect();
        let (kinds, gives) = self.best(&given)?;
        let constant = call
            .args
            .iter()
            .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { call.number_rows };
        let mut columns = Vec::with_capacity(call.args.len());
        for (argument, kind) in call.args.iter().zip(kinds) {
            columns.push(match argument {
                ColumnarValue::Array(array) => Column::new(array, kind, false)?,
                ColumnarValue::Scalar(scalar) => Column::new(&scalar.to_array()?, kind, true)?,
            });
        }
        let mut results = Collector::new(gives, rows);
        let mut values = Vec::with_capacity(columns.len());
        let mut bytes = 0;
        for row in 0..rows {
            values.clear();
            values.extend(columns.iter().map(|column| column.value(row)));
            let result = if values.contains(&Value::Null) {
                Ok(Value::Null)
            } else {
                (self.function.gives)(&values)
            };
            match result {
                Ok(value) => {
                    bytes += value.bytes();
                    if bytes > LARGEST {
                        return exec_err!("{} makes too much of a few rows", shown(&self.name));
                    }
                    results.push(&value);
                }
                Err(_) if self.safe => results.push(&Value::Null),
                Err(reason) => return exec_err!("{reason}"),
            }
        }
        let results = results.finish();
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?)
        } else {
            ColumnarValue::Array(results)
        })
    }
}

//! What a file of text carries of a query's rows: what it cannot is refused before anything is sent.
//!
//! CSV writes an empty text as it writes null, and JSON writes NaN as null. Neither says what type a column has: the service
//! finds types by looking at the values, and what it found is compared when the file is an upload
//! ([`Expected`](crate::write::Expected)).

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Column, Result, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use redivis::cast::cast;

/// Options of `COPY` after which the file is still read as it was meant, or not read at all.
const UNDERSTOOD: [&str; 7] = [
    "format.compression",
    "format.delimiter",
    "format.has_header",
    "format.date_format",
    "format.datetime_format",
    "format.timestamp_format",
    "format.time_format",
];

/// A format whose files carry text only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TextFormat {
    Csv,
    Json,
}

impl TextFormat {
    /// The format that a statement writes; `None` for those that carry types.
    pub(super) fn of(copy: &CopyTo) -> Option<Self> {
        match copy.file_type.get_ext().as_str() {
            "csv" | "tsv" | "tab" => Some(Self::Csv),
            "json" | "ndjson" | "jsonl" => Some(Self::Json),
            _ => None,
        }
    }

    /// The query of a statement, which fails at a value that the format does not carry.
    pub(super) fn checked(self, copy: &CopyTo) -> Result<LogicalPlan> {
        let mut options = copy.options.keys();
        if let Some(option) = options.find(|option| !UNDERSTOOD.contains(&option.as_str())) {
            return plan_err!(
                "with the option {option}, Redivis would read other values than were written; leave it out"
            );
        }
        let input = copy.input.as_ref().clone();
        let alone = input.schema().fields().len() == 1;
        let schema = Arc::clone(input.schema());
        let columns = schema.iter().map(|(table, field)| {
            let column = Expr::Column(Column::from((table, field)));
            if !self.may_lose(field.data_type()) {
                return column;
            }
            let checked = ScalarUDF::from(Carried {
                format: self,
                column: field.name().clone(),
                alone,
                signature: Signature::any(1, Volatility::Volatile),
            });
            checked.call(vec![column]).alias(field.name())
        });
        LogicalPlanBuilder::from(input)
            .project(columns.collect::<Vec<_>>())?
            .build()
    }

    /// Whether there are values of this type that the format does not carry.
    fn may_lose(self, data_type: &DataType) -> bool {
        let values = match data_type {
            DataType::Dictionary(_, values) => values,
            other => other,
        };
        match self {
            Self::Csv => matches!(
                values,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            ),
            Self::Json => values.is_floating(),
        }
    }
}

/// Hands a column on as it is, and fails at a value that is not carried.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Carried {
    format: TextFormat,
    column: String,
    /// Whether it is all that a row has: then a null is written as an empty text, since the line would be empty.
    alone: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Carried {
    fn name(&self) -> &str {
        "redivis_carried"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [one] => Ok(one.clone()),
            _ => plan_err!("one column at a time"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return exec_err!("one column at a time");
        };
        let array = value.to_array(args.number_rows)?;
        let plain = |to| cast(&array, to).map_err(|error| exec_datafusion_err!("{error}"));
        let column = &self.column;
        match self.format {
            TextFormat::Csv => {
                let texts = plain(&DataType::Utf8)?;
                let mut texts = texts.as_string::<i32>().iter();
                if self.alone && texts.clone().any(|text| text.is_none()) {
                    return exec_err!(
                        "a null of column `{column}` cannot be written as csv, where a line without a value is an empty text; \
                         write to a name that ends in .parquet"
                    );
                }
                if !self.alone && texts.any(|text| text == Some("")) {
                    return exec_err!(
                        "an empty text of column `{column}` cannot be written as csv, where it is the same as null; write to a \
                         name that ends in .parquet, or NULLIF({column}, '')"
                    );
                }
            }
            TextFormat::Json => {
                let numbers = plain(&DataType::Float64)?;
                let mut numbers = numbers.as_primitive::<Float64Type>().iter().flatten();
                if let Some(number) = numbers.find(|number| !number.is_finite()) {
                    return exec_err!(
                        "the value {number} of column `{column}` cannot be written as json, which has null instead; write to a \
                         name that ends in .parquet"
                    );
                }
            }
        }
        Ok(ColumnarValue::Array(array))
    }
}

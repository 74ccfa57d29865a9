//! Sums of integers are made in 128 bits: one that has no place in 64 is an error, and not another number.
//!
//! `SUM(x)` becomes `$narrow(sum($widen(x)))`, so that the engine's own sum does the work.

use std::sync::Arc;

use arrow::{
    array::AsArray,
    compute::cast,
    datatypes::{DataType, Decimal128Type, Int64Type},
};
use datafusion::{
    common::plan_err,
    error::{DataFusionError, Result},
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
    scalar::ScalarValue,
};

use super::value::Kind;

/// The type that integers are added in; a sum of it has ten digits more.
const WIDE: DataType = DataType::Decimal128(28, 0);

/// Integers to their wide form, or back.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Width {
    widens: bool,
    signature: Signature,
}

pub(super) fn functions() -> [ScalarUDF; 2] {
    [true, false].map(|widens| {
        ScalarUDF::new_from_impl(Width {
            widens,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    })
}

impl ScalarUDFImpl for Width {
    fn name(&self) -> &str {
        if self.widens { "$widen" } else { "$narrow" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [DataType::Decimal128(..)] => Ok(given.to_vec()),
            [one] => match Kind::of(one) {
                Some(Kind::Int | Kind::Null) => Ok(vec![DataType::Int64]),
                Some(Kind::Float) => Ok(vec![DataType::Float64]),
                _ => plan_err!("SUM takes INT64 or FLOAT64, and not {one}"),
            },
            _ => plan_err!("SUM takes one argument"),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match (self.widens, given) {
            (_, [DataType::Float64]) => DataType::Float64,
            (true, _) => WIDE,
            (false, _) => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let target = call.return_type();
        let [argument] = call.args.as_slice() else {
            return plan_err!("SUM takes one argument");
        };
        let array = argument.to_array(call.number_rows)?;
        let result = match array.data_type() {
            same if same == target => Arc::clone(&array),
            DataType::Decimal128(..) => {
                let narrow = array
                    .as_primitive::<Decimal128Type>()
                    .try_unary::<_, Int64Type, DataFusionError>(|sum| {
                        i64::try_from(sum).map_err(|_| {
                            DataFusionError::Execution(format!(
                                "The sum {sum} is not within the range of INT64"
                            ))
                        })
                    })?;
                Arc::new(narrow)
            }
            _ => cast(&array, target)?,
        };
        Ok(match argument {
            ColumnarValue::Scalar(_) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
            }
            ColumnarValue::Array(_) => ColumnarValue::Array(result),
        })
    }
}

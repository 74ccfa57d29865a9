//! `CAST(x AS INT64)`: rounds half away from zero, as BigQuery does, where DataFusion's casts to integers cut off.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, cast::AsArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// What it is called by casts.
pub(super) const STRICT: &str = "cast_int64";
pub(super) const SAFE: &str = "safe_cast_int64";

/// The functions, to be registered in a session.
pub(crate) fn functions() -> [ScalarUDF; 2] {
    [false, true].map(|safe| ScalarUDF::from(CastInt64::new(safe)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CastInt64 {
    /// What can't be cast is null.
    safe: bool,
    signature: Signature,
}

impl CastInt64 {
    fn new(safe: bool) -> Self {
        Self {
            safe,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }

    fn cast(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let rounded = match values.data_type() {
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                let values = cast(values, &DataType::Float64)?;
                Arc::new(self.round(values.as_primitive::<Float64Type>())?) as ArrayRef
            }
            _ => Arc::clone(values),
        };
        let options = CastOptions {
            safe: self.safe,
            ..CastOptions::default()
        };
        Ok(cast_with_options(&rounded, &DataType::Int64, &options)?)
    }

    /// Arrow takes what is just too large for the largest integer.
    fn round(&self, values: &Float64Array) -> Result<Float64Array> {
        const BEYOND: f64 = 9_223_372_036_854_775_808.0;
        let fits = |value: f64| (-BEYOND..BEYOND).contains(&value);
        if self.safe {
            return Ok(values.unary_opt(|value| Some(value.round()).filter(|value| fits(*value))));
        }
        match values.iter().flatten().find(|value| !fits(value.round())) {
            Some(value) => exec_err!("{value} is no INT64"),
            None => Ok(values.unary(f64::round)),
        }
    }
}

impl ScalarUDFImpl for CastInt64 {
    fn name(&self) -> &str {
        if self.safe { SAFE } else { STRICT }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return exec_err!("{} takes one value", self.name());
        };
        match value {
            ColumnarValue::Array(values) => Ok(ColumnarValue::Array(self.cast(values)?)),
            ColumnarValue::Scalar(value) => {
                let cast = self.cast(&value.to_array()?)?;
                let value = datafusion::common::ScalarValue::try_from_array(&cast, 0)?;
                Ok(ColumnarValue::Scalar(value))
            }
        }
    }
}

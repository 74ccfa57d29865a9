//! APPROX_QUANTILES: the values at equal distances of all values in order, the least and the greatest included.
//!
//! They are exact here, for what is approximate may be: the values are kept, and counted as memory of the query.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, UInt64Array, new_empty_array},
    compute::{concat, filter, is_not_null, sort, take},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{ScalarValue, exec_err, plan_err, utils::SingleRowListArrayBuilder},
    error::Result,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
    physical_expr::expressions::Literal,
};

use super::value::Kind;

/// Parts that values are cut into at most.
const PARTS: i64 = 100_000;

pub(super) fn approx_quantiles() -> AggregateUDF {
    AggregateUDF::new_from_impl(ApproxQuantiles {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ApproxQuantiles {
    signature: Signature,
}

impl AggregateUDFImpl for ApproxQuantiles {
    fn name(&self) -> &str {
        "approx_quantiles"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [values, parts] if parts.is_integer() => match Kind::of(values) {
                Some(Kind::Null) | None => plan_err!("APPROX_QUANTILES does not take {values}"),
                Some(kind) => Ok(vec![kind.arrow(), DataType::Int64]),
            },
            _ => plan_err!("APPROX_QUANTILES takes values and the number of parts"),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let values = given.first().cloned().unwrap_or(DataType::Null);
        Ok(DataType::List(Arc::new(Field::new_list_field(
            values, true,
        ))))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format!("{}[values]", args.name);
        Ok(vec![Arc::new(Field::new(
            name,
            args.return_type().clone(),
            true,
        ))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!(
                "redivis-server does not support APPROX_QUANTILES(DISTINCT …) in queries"
            );
        }
        let parts =
            args.exprs
                .get(1)
                .and_then(|expr| match expr.downcast_ref::<Literal>()?.value() {
                    ScalarValue::Int64(parts) => *parts,
                    _ => None,
                });
        match (parts, args.expr_fields.first()) {
            (Some(parts @ 1..=PARTS), Some(field)) => Ok(Box::new(Values {
                data_type: field.data_type().clone(),
                parts,
                held: Vec::new(),
                bytes: 0,
            })),
            _ => plan_err!("APPROX_QUANTILES takes a number of parts between 1 and {PARTS}"),
        }
    }
}

#[derive(Debug)]
struct Values {
    data_type: DataType,
    parts: i64,
    held: Vec<ArrayRef>,
    bytes: usize,
}

impl Values {
    fn keep(&mut self, values: &ArrayRef) -> Result<()> {
        let values = filter(values, &is_not_null(values)?)?;
        if !values.is_empty() {
            self.bytes += values.get_array_memory_size();
            self.held.push(values);
        }
        Ok(())
    }

    fn all(&self) -> Result<ArrayRef> {
        if self.held.is_empty() {
            return Ok(new_empty_array(&self.data_type));
        }
        let held: Vec<&dyn Array> = self.held.iter().map(AsRef::as_ref).collect();
        Ok(concat(&held)?)
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.first().map_or(Ok(()), |values| self.keep(values))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states
            .iter()
            .flat_map(|lists| lists.as_list::<i32>().iter());
        lists.flatten().try_for_each(|values| self.keep(&values))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            SingleRowListArrayBuilder::new(self.all()?).build_list_scalar(),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sorted = sort(&self.all()?, None)?;
        if sorted.is_empty() {
            return ScalarValue::try_new_null(&DataType::List(Arc::new(Field::new_list_field(
                self.data_type.clone(),
                true,
            ))));
        }
        let Ok(last) = i64::try_from(sorted.len() - 1) else {
            return exec_err!("APPROX_QUANTILES has too many values");
        };
        let places: UInt64Array = (0..=self.parts)
            .map(|part| {
                let place = (part as f64 * last as f64 / self.parts as f64).round();
                Some(place as u64)
            })
            .collect();
        let quantiles = take(&sorted, &places, None)?;
        Ok(SingleRowListArrayBuilder::new(quantiles).build_list_scalar())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

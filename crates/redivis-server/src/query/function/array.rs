//! Arrays: GENERATE_ARRAY, and elements: from 0 by OFFSET, from 1 by ORDINAL; one that is not there is an error unless it is SAFE.

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, Int64Builder, ListBuilder, UInt64Array},
    compute::take,
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

/// An element of an array by its place.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Element {
    name: &'static str,
    first: i64,
    safe: bool,
    signature: Signature,
}

/// Elements that GENERATE_ARRAY makes at most, of one row and of a batch of them.
const ELEMENTS: usize = 1 << 20;
const ALL_ELEMENTS: usize = 1 << 24;

/// GENERATE_ARRAY: the integers from the first to the last, both included.
#[derive(Debug, PartialEq, Eq, Hash)]
struct GenerateArray {
    signature: Signature,
}

impl ScalarUDFImpl for GenerateArray {
    fn name(&self) -> &str {
        "generate_array"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let integers = given.iter().all(|kind| kind.is_integer() || kind.is_null());
        if integers && (2..=3).contains(&given.len()) {
            Ok(vec![DataType::Int64; given.len()])
        } else {
            plan_err!("GENERATE_ARRAY takes two or three INT64")
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Int64, true))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let integers: Vec<_> = arrays
            .iter()
            .map(|array| array.as_primitive::<Int64Type>())
            .collect();
        let mut lists = ListBuilder::new(Int64Builder::new());
        let mut all = 0;
        for row in 0..arrays.first().map_or(0, |array| array.len()) {
            if arrays.iter().any(|array| array.is_null(row)) {
                lists.append_null();
                continue;
            }
            let (first, last) = (integers[0].value(row), integers[1].value(row));
            let step = integers.get(2).map_or(1, |steps| steps.value(row));
            if step == 0 {
                return exec_err!("GENERATE_ARRAY does not take a step of 0");
            }
            let mut made = 0;
            let mut next = Some(first);
            while let Some(element) = next.filter(|next| {
                if step > 0 {
                    *next <= last
                } else {
                    *next >= last
                }
            }) {
                (made, all) = (made + 1, all + 1);
                if made > ELEMENTS || all >= ALL_ELEMENTS {
                    return exec_err!("GENERATE_ARRAY makes no more than {ELEMENTS} elements");
                }
                lists.values().append_value(element);
                next = element.checked_add(step);
            }
            lists.append(true);
        }
        Ok(ColumnarValue::Array(Arc::new(lists.finish())))
    }
}

pub(super) fn functions() -> impl Iterator<Item = ScalarUDF> {
    let generate = ScalarUDF::new_from_impl(GenerateArray {
        signature: Signature::user_defined(Volatility::Immutable),
    });
    [
        ("$offset", 0, false),
        ("$ordinal", 1, false),
        ("$safe_offset", 0, true),
        ("$safe_ordinal", 1, true),
    ]
    .into_iter()
    .map(|(name, first, safe)| {
        ScalarUDF::new_from_impl(Element {
            name,
            first,
            safe,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    })
    .chain([generate])
}

impl ScalarUDFImpl for Element {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [DataType::List(field), place] if place.is_integer() => {
                let list = DataType::List(Arc::clone(field));
                Ok(vec![list, DataType::Int64])
            }
            _ => plan_err!("An element is named by a number in brackets behind an array"),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given.first() {
            Some(DataType::List(field)) => Ok(field.data_type().clone()),
            _ => plan_err!("Only arrays have elements"),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let [lists, places] = arrays.as_slice() else {
            return exec_err!("An element has one place");
        };
        let (lists, places) = (lists.as_list::<i32>(), places.as_primitive::<Int64Type>());
        let mut found: Vec<Option<u64>> = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            if lists.is_null(row) || places.is_null(row) {
                found.push(None);
                continue;
            }
            let place = places.value(row).checked_sub(self.first);
            let length = i64::from(lists.value_length(row));
            match place.filter(|place| (0..length).contains(place)) {
                Some(place) => {
                    let start = i64::from(lists.value_offsets()[row]);
                    found.push(u64::try_from(start + place).ok());
                }
                None if self.safe => found.push(None),
                None => {
                    return exec_err!(
                        "Array index {} is out of bounds: the array has {length} elements",
                        places.value(row)
                    );
                }
            }
        }
        let elements = take(lists.values(), &UInt64Array::from(found), None)?;
        Ok(ColumnarValue::Array(elements))
    }
}

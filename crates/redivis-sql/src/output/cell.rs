//! The text of one value, the same in every text format.
//!
//! Dates and times are written as Redivis writes them in CSV and JSON lines (redivis-api §8.1), floats with the digits that read back
//! to the same value, and nested values as JSON, so that no format hides a difference.

use arrow::array::{
    Array, AsArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::calendar::{append_date, append_timestamp};

/// `YYYY-MM-DD HH:MM:SS[.DDDDDD]`.
pub(crate) const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.f";
/// The same, with the offset from UTC.
pub(crate) const TIMESTAMP_TZ: &str = "%Y-%m-%d %H:%M:%S%.f%:z";

const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_timestamp_format(Some(TIMESTAMP))
    .with_timestamp_tz_format(Some(TIMESTAMP_TZ));

/// How nested values are encoded.
pub(crate) fn json_options() -> EncoderOptions {
    EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_timestamp_format(TIMESTAMP.to_owned())
        .with_timestamp_tz_format(TIMESTAMP_TZ.to_owned())
}

/// One column of a batch, ready to give its values as text.
pub(crate) struct CellColumn<'a> {
    /// The nulls as they are meant: a column of type null holds no mask of its own.
    nulls: Option<NullBuffer>,
    text: Text<'a>,
}

enum Text<'a> {
    Plain(&'a StringArray),
    Integers(&'a Int64Array),
    Floats(&'a Float64Array, ArrayFormatter<'a>),
    Dates(&'a Date32Array, ArrayFormatter<'a>),
    Times(&'a TimestampMicrosecondArray, ArrayFormatter<'a>),
    Flat(ArrayFormatter<'a>),
    Nested(NullableEncoder<'a>, Vec<u8>),
}

impl<'a> CellColumn<'a> {
    /// The columns of a batch. `fields` are the batch's own.
    pub(crate) fn of_batch(
        batch: &'a RecordBatch,
        fields: &'a [FieldRef],
        options: &'a EncoderOptions,
    ) -> Result<Vec<Self>, ArrowError> {
        batch
            .columns()
            .iter()
            .zip(fields)
            .map(|(array, field)| {
                let array: &dyn Array = array.as_ref();
                let text = if let Some(texts) = array.as_string_opt() {
                    Text::Plain(texts)
                } else if array.data_type().is_nested() {
                    Text::Nested(make_encoder(field, array, options)?, Vec::new())
                } else {
                    let formatter = ArrayFormatter::try_new(array, &FORMAT)?;
                    match array.data_type() {
                        DataType::Int64 => Text::Integers(array.as_primitive()),
                        DataType::Float64 => Text::Floats(array.as_primitive(), formatter),
                        DataType::Date32 => Text::Dates(array.as_primitive(), formatter),
                        DataType::Timestamp(TimeUnit::Microsecond, None) => {
                            Text::Times(array.as_primitive(), formatter)
                        }
                        _ => Text::Flat(formatter),
                    }
                };
                Ok(Self {
                    nulls: array.logical_nulls(),
                    text,
                })
            })
            .collect()
    }

    /// Replaces `buffer` with the value's text. False, and an empty buffer, for null.
    pub(crate) fn read(&mut self, row: usize, buffer: &mut String) -> Result<bool, ArrowError> {
        buffer.clear();
        self.append(row, buffer)
    }

    /// Appends the value's text to `buffer`. False, and nothing, for null.
    pub(crate) fn append(&mut self, row: usize, buffer: &mut String) -> Result<bool, ArrowError> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(false);
        }
        match &mut self.text {
            Text::Plain(texts) => buffer.push_str(texts.value(row)),
            Text::Integers(integers) => {
                buffer.push_str(itoa::Buffer::new().format(integers.value(row)));
            }
            Text::Floats(floats, _) if append_float(floats.value(row), buffer) => {}
            Text::Dates(dates, _) if append_date(dates.value(row), buffer) => {}
            Text::Times(times, _) if append_timestamp(times.value(row), buffer) => {}
            Text::Flat(formatter)
            | Text::Floats(_, formatter)
            | Text::Dates(_, formatter)
            | Text::Times(_, formatter) => formatter.value(row).write(buffer)?,
            Text::Nested(encoder, bytes) => {
                bytes.clear();
                encoder.encode(row, bytes);
                buffer.push_str(
                    std::str::from_utf8(bytes)
                        .map_err(|error| ArrowError::ExternalError(Box::new(error)))?,
                );
            }
        }
        Ok(true)
    }
}

/// Appends a float that is written without an exponent, with the fewest digits that read back to it; false, and nothing, for
/// another, which the formatter writes.
fn append_float(float: f64, buffer: &mut String) -> bool {
    let is_plain = float == 0.0 || (1e-5..1e16).contains(&float.abs());
    if is_plain {
        buffer.push_str(zmij::Buffer::new().format_finite(float));
    }
    is_plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn floats_are_as_the_formatter_writes_them(
            float in prop_oneof![
                any::<f64>(),
                (-1e17..1e17_f64),
                (-100_000_000..100_000_000_i64).prop_map(|cents| cents as f64 / 100.0),
                (-1e-3..1e-3_f64),
                Just(1e16), Just(1e16_f64.next_down()), Just(1e-5), Just(1e-5_f64.next_down()), Just(-0.0), Just(f64::NAN),
            ]
        ) {
            let array = Float64Array::from(vec![float]);
            let formatter = ArrayFormatter::try_new(&array, &FORMAT).unwrap();
            let mut text = String::new();
            if append_float(float, &mut text) {
                prop_assert_eq!(text, formatter.value(0).to_string());
            } else {
                prop_assert_eq!(text, "");
            }
        }

        #[test]
        fn integers_are_as_the_formatter_writes_them(integer in any::<i64>()) {
            let array = Int64Array::from(vec![integer]);
            let formatter = ArrayFormatter::try_new(&array, &FORMAT).unwrap();
            let mut buffer = itoa::Buffer::new();
            prop_assert_eq!(buffer.format(integer), formatter.value(0).to_string());
        }
    }
}

//! Text of anything that has one obvious spelling, which is the service's own (redivis-api §8.1).

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::FormatOptions;

use super::CastError;

/// `YYYY-MM-DD HH:MM:SS[.DDDDDD]`; the fraction only where there is one.
const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.f";

/// `None` if values of this type have no obvious spelling.
pub(super) fn to_text(array: &ArrayRef) -> Result<Option<ArrayRef>, CastError> {
    let from = array.data_type();
    let has_spelling = from.is_numeric()
        || from.is_temporal() && !matches!(from, DataType::Duration(_) | DataType::Interval(_))
        || matches!(from, DataType::Boolean | DataType::Binary);
    if !has_spelling {
        return Ok(None);
    }
    // A zone is dropped and the UTC time kept, as when a timestamp is wanted.
    let without_zone = match from {
        DataType::Timestamp(unit, Some(_)) => Some(arrow::compute::cast(
            array,
            &DataType::Timestamp(*unit, None),
        )?),
        DataType::Date64 => Some(arrow::compute::cast(
            array,
            &DataType::Timestamp(TimeUnit::Millisecond, None),
        )?),
        _ => None,
    };
    let options = CastOptions {
        safe: false,
        format_options: FormatOptions::new().with_timestamp_format(Some(TIMESTAMP)),
    };
    let array = without_zone.as_ref().unwrap_or(array);
    Ok(Some(cast_with_options(array, &DataType::Utf8, &options)?))
}

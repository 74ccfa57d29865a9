//! Types by BigQuery's names.

use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo, TimezoneInfo};

/// Whether it is `INT64`, which rounds what is cast to it.
pub(super) fn is_int64(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64)
}

/// Gives a type the name that it has in DataFusion.
pub(super) fn rename(data_type: &mut DataType) {
    *data_type = match data_type {
        DataType::Int64 => DataType::BigInt(None),
        DataType::Float64 => DataType::Double(ExactNumberInfo::None),
        DataType::Bytes(_) => DataType::Bytea,
        DataType::BigNumeric(ExactNumberInfo::None) => {
            DataType::Decimal(ExactNumberInfo::PrecisionAndScale(76, 38))
        }
        DataType::BigNumeric(info) => DataType::Decimal(*info),
        DataType::Datetime(_) => DataType::Timestamp(Some(6), TimezoneInfo::None),
        DataType::Array(
            ArrayElemTypeDef::AngleBracket(of)
            | ArrayElemTypeDef::SquareBracket(of, _)
            | ArrayElemTypeDef::Parenthesis(of),
        ) => return rename(of),
        _ => return,
    };
}

//! Every error of the crate, and how those of the service become DataFusion's.
//!
//! In: failures of requests and of references. Out: [`DataFusionError`], with what failed inside, unchanged. Uses nothing of
//! this crate; every layer uses it.

mod cache;
mod query;
mod scan;
mod write;

use datafusion::common::DataFusionError;
use redivis::ReferenceError;

pub use self::cache::CacheError;
pub use self::query::QueryError;
pub use self::scan::ScanError;
pub use self::write::WriteError;
pub(crate) use self::write::conversion;

/// What is no reference, as an error of DataFusion's.
pub(crate) fn refused(error: ReferenceError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The failure of the service that an error of DataFusion's is; otherwise the error.
pub(crate) fn of_service(error: DataFusionError) -> Result<redivis::Error, DataFusionError> {
    match error {
        DataFusionError::External(error) => match error.downcast() {
            Ok(error) => Ok(*error),
            Err(error) => Err(DataFusionError::External(error)),
        },
        other => Err(other),
    }
}

/// A failure of the service, as an error of DataFusion's.
pub(crate) fn failed(error: redivis::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

//! Rows out: read sessions, their streams, and small tables in one request.

mod align;
mod body;
mod bytes;
mod cast;
mod decoder;
mod frame;
mod progress;
mod rows;
mod schema;
mod session;
mod stream;

pub use progress::ReadProgress;
pub use rows::RowsRequest;
pub use schema::variables_schema;
pub use session::{Format, ReadSession, ReadSessionRequest, ReadStreamInfo};
pub use stream::ArrowStream;

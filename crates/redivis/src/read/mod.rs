//! Rows out: read sessions, their streams, small tables in one request, and the bytes of files.
//!
//! In: a resource's URI and the schema that is wanted. Out: record batches in that schema, or bytes, as they are polled. Uses
//! requests, retries, resources and [`cast`](crate::cast); nothing here knows what the rows are for.
//!
//! [`Client::create_read_session`](crate::Client::create_read_session) lays a table, upload or query result out as streams;
//! [`Client::read_arrow`](crate::Client::read_arrow) reads one of them. Without a token,
//! [`Client::read_rows`](crate::Client::read_rows) reads a public table in one request.
//!
//! # What a read stream guarantees
//!
//! - **No row is lost or repeated.** Rows are counted as they are returned. Whatever breaks, the stream is asked for again
//!   from the next row, and what was not returned is read anew.
//! - **An end is an end.** A stream is complete when the service's sentinel (a batch without rows) came and nothing can follow
//!   it. Without a sentinel, an answer that looks whole is not believed: the stream is asked again at its end, and only a
//!   second answer without rows completes it. An answer that stops without the end marker of Arrow's stream format never does.
//! - **Values keep their meaning.** Columns are matched by name, and converted only where nothing is lost: 1.5 is no integer,
//!   and a nanosecond no microsecond. A value that does not fit fails the read, with the names of variable and stream.
//! - **It does not hang.** Headers that take longer than [`Client::response_timeout`](crate::Client::response_timeout) and
//!   silence in a body longer than [`Client::read_timeout`](crate::Client::read_timeout) count as a break, and breaks without a row in between end the read as the [`RetryPolicy`](crate::RetryPolicy) says.
//! - **It stays small.** One message of the stream is held at a time, besides what the system's socket buffers hold; lengths
//!   that no message has are refused before memory is set aside.

mod align;
mod body;
mod bytes;
mod continuity;
mod decoder;
mod file;
mod frame;
mod progress;
mod reader;
mod rows;
mod schema;
mod session;
mod stream;

pub use progress::ReadProgress;
pub(crate) use reader::Whole;
pub use rows::RowsRequest;
pub use schema::variables_schema;
pub use session::{Format, ReadSession, ReadSessionRequest, ReadStreamInfo};
pub use stream::ArrowStream;

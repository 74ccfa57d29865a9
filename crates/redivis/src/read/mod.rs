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
//!   second answer without rows completes it. An answer with neither sentinel nor Arrow's end marker never does.
//! - **Values keep their meaning.** Columns are matched by name, and converted only where nothing is lost: 1.5 is no integer,
//!   and a nanosecond no microsecond. A value that does not fit fails the read, with the names of variable and stream.
//! - **It does not hang.** Headers that take longer than [`Client::response_timeout`](crate::Client::response_timeout) and
//!   silence in a body longer than [`Client::read_timeout`](crate::Client::read_timeout) count as a break, and breaks without a
//!   row in between end the read as the [`RetryPolicy`](crate::RetryPolicy) says. No answer makes it ask for ever.
//! - **It stays small.** One message of the stream is held at a time, besides what the system's socket buffers hold; lengths
//!   that no message has are refused before memory is set aside.
//!
//! # Where the service leaves two answers open
//!
//! Documentation and official clients do not settle how the service answers (redivis-api §14), so a read is right either way:
//!
//! | the service | what a read does |
//! |---|---|
//! | writes Arrow's end marker, or leaves it out | A sentinel is the end if the marker follows it, or if the body ends there as its length or last chunk says. A listing of files, which has no sentinel, may end so too. |
//! | ends a body with its connection, without a length or chunks | Such an end is no different from a cut: without the marker the stream is asked again. |
//! | knows no sentinel | The stream is asked again at its end, until an answer has no rows. |
//! | honours `offset`, or ignores it | Before rows count that start as the stream started, or that exceed [`ReadSession::num_rows`], an earlier row that differs from the first is asked for at its offset. If another comes, the read fails: its rows would be taken twice. Where all rows are alike the stream is asked again at its end, which must have none, and fails if it cannot be told from one that starts again. |
//! | sends more rows than a session's count | They are believed if `offset` is honoured: the count may be inexact. Whoever reads all streams compares, see [`ReadSession::num_rows`]. |
//! | declares any content type | The first bytes tell Arrow from JSON, pages and other text, whose words become the error. |
//! | writes counts, sizes and times in any form, or not | What cannot be read is unknown. What a resource is found by (URIs, ids, names, types) must be there. |
//! | needs up to two minutes before it answers | [`Client::response_timeout`](crate::Client::response_timeout) is 125 s. A session that was not answered is made again: nobody notices one too many. |
//! | has a workflow's table at `/tables` or only at its workflow | [`Client::table`](crate::Client::table) asks there too. |
//! | lists pages in a circle | The list fails at the first item that comes again where a page starts. |

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

pub use align::{AlignError, Aligner};
pub use progress::ReadProgress;
pub(crate) use reader::Whole;
pub use rows::RowsRequest;
pub use schema::variables_schema;
pub use session::{Format, ReadSession, ReadSessionRequest, ReadStreamInfo};
pub use stream::ArrowStream;

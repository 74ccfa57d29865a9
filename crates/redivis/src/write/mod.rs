//! Rows and files in: bytes sent to temp uploads, and uploads made of them.
//!
//! In: a [`Content`] and what to make of it. Out: an [`Upload`](crate::resource::Upload) whose rows are there, or an error that
//! says what is. Uses requests, retries and resources; nothing of [`read`](crate::read).
//!
//! [`Client::upload`](crate::Client::upload) does all of it: it asks for a temp upload, sends the bytes, creates the upload and
//! waits until its rows are there. The steps can be taken one by one, for many files at once or over several processes.
//!
//! # What sending guarantees
//!
//! - **Every byte arrives once.** After any interruption the service is asked how much it has, and sending goes on exactly
//!   there. A byte that it acknowledged is not sent again, unless it says that it has lost it.
//! - **It is the file that was meant.** A file that changes while it is sent is an error, and so is a service that
//!   acknowledges what was never sent, or ends up with another size.
//! - **It does not hang, and a slow line is not cut.** Silence counts, not time: no byte has left and no answer came for
//!   [`Client::read_timeout`](crate::Client::read_timeout), or [`Client::response_timeout`](crate::Client::response_timeout)
//!   once all have left, and in both cases for as much longer as the line, by its speed so far, needs for what may still be in
//!   buffers. Interruptions without a byte
//!   acknowledged in between end the upload as the [`RetryPolicy`](crate::RetryPolicy) says.
//! - **It stays small.** Files are read piece by piece as the connection takes them.
//! - **The token stays at home.** The URLs of temp uploads and their sessions may lead to another host, such as a storage
//!   service: they get no token there, as they are secrets that suffice by themselves. It goes along only where scheme, host and
//!   port are the endpoint's own.
//!
//! # Replacing rows
//!
//! [`Client::replace_uploads`](crate::Client::replace_uploads) puts new rows in the place of all rows of a table that keeps its
//! id, labels and descriptions. No call of the service does that at once, so the order makes every step safe to fail: the bytes
//! are sent; rows of the version before are hidden by the merge strategy `replace`, which takes effect with the new upload's
//! completion where there are no uploads yet, and is set after it where there are; old uploads are deleted last. A failure
//! leaves the old rows, or the new ones, or names the uploads that are left with them. [`Replacement`] is the same in steps,
//! for callers that make the upload themselves.
//!
//! # Where the service leaves two answers open
//!
//! Documentation, official clients and reports do not say which it gives, so both are right here (redivis-api §6, §14).
//!
//! | the service | what follows |
//! |---|---|
//! | completes an upload without saying how many rows it has | it is completed; the count is asked for two seconds longer, then it is [unconfirmed](crate::resource::RowCount::Unconfirmed) |
//! | says no status, or one that nobody knows | it is asked again |
//! | gives no answer to a step that creates or releases: a timeout, a broken connection, 500, 502, 504, an answer that makes no sense | the step is not sent again but looked up, by name or version: what was not there before, is there now and is as empty as new is taken, and nothing else. If it cannot be found, the error says that it may exist and where to look ([`Error::may_have_happened`](crate::Error::may_have_happened)) |
//! | gives no answer to the creation of an upload | it is looked up by name and size, and asked for again if it is not there; should both requests be carried out, the second upload, which has another name, is deleted |
//! | gives no answer when asked for a place for bytes | it is asked again: a place that nobody uses expires, and is shown to nobody |
//! | answers 503 or 429 to a step | nothing was done, so it is sent again |
//! | answers a part of a file with 308, or with 200 for the part | its `Range` counts; without one after 200 it is asked how much it has |
//! | says that it has all bytes, but not that it is complete | asked once more it is believed, as the official clients believe at once; the upload's size is compared all the same |
//! | has less than it had acknowledged | that is sent again |
//! | has lost a session (404, 410) | another one is opened, up to twice |
//! | releases before it answers, or afterwards (`status` `queued`, `running`) | it is waited for, by the version's `status`, `isReleased`, or the next version having become the current one |
//! | fails with 500 and the same words again and again | after five attempts it is believed |
//!
//! All that is left of a file goes in one request by default, as the official clients send it: it is what the service takes
//! every day, and what a service takes that knows no parts. Since it is asked how much it has after an interruption, nothing
//! is sent twice either way. Where something on the way limits the size of a request,
//! [`Client::with_upload_chunk_size`](crate::Client::with_upload_chunk_size) sends parts, as the documentation describes.

mod content;
mod position;
mod progress;
mod put;
mod replacement;
mod resumable;
mod send;
mod temp_upload;
mod upload;

pub use content::Content;
pub use progress::SendProgress;
pub use replacement::Replacement;
pub use temp_upload::{NewTempUpload, SessionUrl, TempUpload};
pub use upload::{OnConflict, TransferSpecification, UploadField, UploadRequest, VariableMetadata};

//! Rows and files in: bytes sent to temp uploads, and uploads made of them.
//!
//! [`Client::upload`](crate::Client::upload) does all of it: it asks for a temp upload, sends the bytes, creates the upload and
//! waits until its rows are there. The steps can be taken one by one, for many files at once or over several processes.
//!
//! # What sending guarantees
//!
//! - **Every byte arrives once.** After any interruption the service is asked how much it has, and sending goes on exactly
//!   there. A byte that it acknowledged is not sent again, unless it lost the whole session and a new one had to be opened.
//! - **It is the file that was meant.** A file that changes while it is sent is an error, and so is a service that
//!   acknowledges what was never sent, takes an acknowledgement back, or ends up with another size.
//! - **It does not hang.** Silence longer than [`Client::read_timeout`](crate::Client::read_timeout), while sending as well as
//!   while waiting for an answer, counts as an interruption; interruptions without a byte acknowledged in between end the
//!   upload as the [`RetryPolicy`](crate::RetryPolicy) says.
//! - **It stays small.** Files are read piece by piece as the connection takes them.
//! - **The token stays at home.** The URLs of temp uploads and their sessions may lead to another host, such as a storage
//!   service: they get no token there, as they are secrets that suffice by themselves. It goes along only where scheme, host and
//!   port are the endpoint's own.

mod content;
mod position;
mod progress;
mod put;
mod resumable;
mod send;
mod temp_upload;
mod upload;

pub use content::Content;
pub use progress::SendProgress;
pub use temp_upload::{NewTempUpload, SessionUrl, TempUpload};
pub use upload::{OnConflict, TransferSpecification, UploadField, UploadRequest, VariableMetadata};

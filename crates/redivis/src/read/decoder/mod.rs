//! The state of a read stream, apart from the network: bytes in, rows out, and where to go on after a break.
//!
//! Every answer of the service is a whole Arrow IPC stream of its own, starting at a row offset. This keeps the count over all
//! answers and tells what each answer's end means, so that the rule "no row lost, none twice" can be tested on byte slices.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use bytes::Bytes;

use super::frame::{Frame, Framer, Message};

/// Marks that a message's header follows.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// It is not an Arrow IPC stream.
    #[error("the answer is not a valid Arrow stream: it has {0}")]
    Malformed(String),
    /// Its framing is right, its content is not.
    #[error("the answer is not a valid Arrow stream: {0}")]
    Undecodable(#[from] ArrowError),
    /// Its columns are not those of the answers before.
    #[error("the stream's columns changed while it was read: {0}")]
    SchemaChanged(String),
}

/// What the end of an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Every row has come.
    Complete,
    /// The service ended the stream, yet did not say that this was all: ask again at the offset.
    AskAgain,
}

/// The state of one read stream over all answers.
#[derive(Debug, Default)]
pub(super) struct ResumableDecoder {
    /// Rows that came: where the next answer has to start.
    offset: u64,
    /// The columns of the first answer.
    schema: Option<SchemaRef>,
    /// The offset at which an answer ended without the sentinel.
    ended_at: Option<u64>,
    answer: Answer,
}

/// One answer.
#[derive(Debug)]
struct Answer {
    input: Buffer,
    framer: Framer,
    decoder: StreamDecoder,
    rows: u64,
    /// A batch without rows has come, and no rows after it.
    sentinel: bool,
    /// The end-of-stream marker has come.
    ended: bool,
    /// The columns have been compared.
    checked: bool,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            input: Buffer::from(Vec::<u8>::new()),
            framer: Framer::default(),
            decoder: StreamDecoder::new(),
            rows: 0,
            sentinel: false,
            ended: false,
            checked: false,
        }
    }
}

impl ResumableDecoder {
    /// The number of rows that came, and so the offset to ask for.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of those that came in this answer.
    pub(super) fn answer_rows(&self) -> u64 {
        self.answer.rows
    }

    /// A new answer starts; what was left of the last one is dropped.
    pub(super) fn open(&mut self) {
        self.answer = Answer::default();
    }

    /// More bytes of the answer. The ones before must have been used up by [`next`](Self::next).
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.answer.input = Buffer::from(bytes);
    }

    /// Bytes of memory in use for what is not decoded yet.
    pub(super) fn held(&self) -> usize {
        self.answer.input.len() + self.answer.framer.held()
    }

    /// The next batch with rows; `None` when more bytes are needed, or the answer has [ended](Self::has_ended).
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, DecodeError> {
        let answer = &mut self.answer;
        while let Some(frame) = answer
            .framer
            .next(&mut answer.input)
            .map_err(DecodeError::Malformed)?
        {
            let message = match frame {
                Frame::Message(message) => message,
                Frame::End => {
                    answer.ended = true;
                    return Ok(None);
                }
            };
            // Arrow panics over some damaged schemas. The decoder is not used again after a fault.
            let decode = AssertUnwindSafe(|| decode(&mut answer.decoder, &message));
            let batch = catch_unwind(decode).unwrap_or_else(|_| {
                Err(DecodeError::Malformed("a message without sense".to_owned()))
            })?;
            if !answer.checked
                && let Some(schema) = answer.decoder.schema()
            {
                answer.checked = true;
                match &self.schema {
                    Some(first) => same_columns(first, &schema)?,
                    None => self.schema = Some(schema),
                }
            }
            let Some(batch) = batch else {
                continue;
            };
            // Rows after a sentinel are rows nevertheless, and a sentinel is awaited again.
            answer.sentinel = batch.num_rows() == 0;
            if !answer.sentinel {
                answer.rows += batch.num_rows() as u64;
                self.offset += batch.num_rows() as u64;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Whether the end-of-stream marker has come: what follows it is of no interest.
    pub(super) fn has_ended(&self) -> bool {
        self.answer.ended
    }

    /// Whether the answer ended where a stream may end: with the end-of-stream marker or, if its body came to its own end,
    /// between two messages, as the marker may be left out (redivis-api §14).
    pub(super) fn is_whole(&self, body_complete: bool) -> bool {
        let answer = &self.answer;
        answer.ended || (body_complete && answer.checked && answer.framer.is_between_frames())
    }

    /// What the end of the answer means, once no more of it will come; `None` if it was cut.
    ///
    /// Every row has come if the sentinel came and nothing can follow it: because the answer is [whole](Self::is_whole), or
    /// because there were no rows to ask for any more. A service that knows no sentinel is believed only when it ends the
    /// stream twice at the same row, the second time without rows.
    pub(super) fn end(&mut self, body_complete: bool) -> Option<End> {
        let whole = self.is_whole(body_complete);
        let answer = &self.answer;
        if answer.sentinel && (whole || answer.rows == 0) {
            return Some(End::Complete);
        }
        if !answer.ended || !answer.checked {
            return None;
        }
        let ended_before = self.ended_at.replace(self.offset);
        Some(if answer.rows == 0 && ended_before == Some(self.offset) {
            End::Complete
        } else {
            End::AskAgain
        })
    }
}

/// Decodes one message; `None` for schemas and dictionaries.
///
/// The marker of the next header goes in right behind each message: the decoder looks at a message without a body, as a
/// sentinel often is, only when further bytes come.
fn decode(
    decoder: &mut StreamDecoder,
    message: &Message,
) -> Result<Option<RecordBatch>, DecodeError> {
    let length = u32::try_from(message.metadata.len())
        .map_err(|_| DecodeError::Malformed("an oversized message".to_owned()))?;
    let mut decoded = None;
    for mut part in [
        Buffer::from(length.to_le_bytes()),
        message.metadata.clone(),
        message.body.clone(),
        Buffer::from(CONTINUATION),
    ] {
        while !part.is_empty() {
            if let Some(batch) = decoder.decode(&mut part)? {
                decoded = Some(batch);
            }
        }
    }
    Ok(decoded)
}

/// Names and types decide; metadata and nullability may differ between answers.
fn same_columns(first: &Schema, this: &Schema) -> Result<(), DecodeError> {
    if first.fields().len() != this.fields().len() {
        return Err(DecodeError::SchemaChanged(format!(
            "{} variables, then {}",
            first.fields().len(),
            this.fields().len()
        )));
    }
    for (before, now) in first.fields().iter().zip(this.fields()) {
        if before.name() != now.name() || before.data_type() != now.data_type() {
            return Err(DecodeError::SchemaChanged(format!(
                "`{}` ({}), then `{}` ({})",
                before.name(),
                before.data_type(),
                now.name(),
                now.data_type()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! The framing of an Arrow IPC stream: where one message ends and the next begins.
//!
//! Looked at before decoding because lengths come from the network: a wrong one must be refused before memory is set aside
//! for it, and what is decoded must lie within what arrived. Knows nothing of I/O, so that cuts can be tested on slices.

use std::io::{Read, copy, sink};

use arrow::buffer::{Buffer, MutableBuffer};
use arrow::ipc::{CompressionType, MessageHeader, RecordBatch, root_as_message};
use lz4_flex::frame::FrameDecoder;

/// Schemas of thousands of variables with long labels stay far below.
const MAX_METADATA: usize = 32 << 20;
/// Arrow's own limit for one column of text.
const MAX_BODY: usize = i32::MAX as usize;
/// What is set aside at once for a body; more is added as it arrives.
const FIRST_RESERVATION: usize = 32 << 20;

const CONTINUATION: u32 = u32::MAX;
const COMPRESSED_PREFIX: usize = 8;

/// A whole IPC message.
#[derive(Debug)]
pub(super) struct Message {
    /// The flatbuffer that says what it is; verified.
    pub(super) metadata: Buffer,
    /// Its data; may be empty.
    pub(super) body: Buffer,
}

/// What the next bytes hold.
#[derive(Debug)]
pub(super) enum Frame {
    /// A message.
    Message(Message),
    /// The end-of-stream marker.
    End,
}

#[derive(Debug, Default)]
pub(super) struct Framer {
    expects: Expects,
    gathered: MutableBuffer,
    within_prefix: bool,
}

#[derive(Debug, Default)]
enum Expects {
    #[default]
    Length,
    Metadata(usize),
    Body {
        metadata: Buffer,
        length: usize,
    },
    Nothing,
}

impl Framer {
    /// Takes bytes off the front of `input` until a frame is whole; `None` when the input is used up before that.
    ///
    /// The error says what is wrong with the bytes.
    pub(super) fn next(&mut self, input: &mut Buffer) -> Result<Option<Frame>, String> {
        loop {
            match &mut self.expects {
                Expects::Length => {
                    let Some(bytes) = self.take(input, 4) else {
                        return Ok(None);
                    };
                    let length = bytes
                        .as_slice()
                        .try_into()
                        .map(u32::from_le_bytes)
                        .unwrap_or_default();
                    if length == CONTINUATION && !self.within_prefix {
                        self.within_prefix = true;
                        continue;
                    }
                    self.within_prefix = false;
                    if length == 0 {
                        self.expects = Expects::Nothing;
                        return Ok(Some(Frame::End));
                    }
                    let length = length as usize;
                    if length > MAX_METADATA {
                        return Err(format!("a message header of {length} bytes"));
                    }
                    self.expects = Expects::Metadata(length);
                }
                Expects::Metadata(length) => {
                    let length = *length;
                    let Some(metadata) = self.take(input, length) else {
                        return Ok(None);
                    };
                    let length = body_length(&metadata)?;
                    self.expects = Expects::Body { metadata, length };
                }
                Expects::Body { length, .. } => {
                    let length = *length;
                    let Some(body) = self.take(input, length) else {
                        return Ok(None);
                    };
                    let expected = std::mem::take(&mut self.expects);
                    if let Expects::Body { metadata, .. } = expected {
                        check_buffers(&metadata, &body)?;
                        return Ok(Some(Frame::Message(Message { metadata, body })));
                    }
                }
                Expects::Nothing => return Ok(None),
            }
        }
    }

    /// Whether no frame has begun that is not complete.
    pub(super) fn is_between_frames(&self) -> bool {
        match self.expects {
            Expects::Length => !self.within_prefix && self.gathered.is_empty(),
            Expects::Nothing => true,
            Expects::Metadata(_) | Expects::Body { .. } => false,
        }
    }

    /// Bytes of memory set aside for the frame that is incomplete.
    pub(super) fn held(&self) -> usize {
        self.gathered.capacity()
    }

    /// `length` bytes, without copying where the input holds them all.
    fn take(&mut self, input: &mut Buffer, length: usize) -> Option<Buffer> {
        if self.gathered.is_empty() && input.len() >= length {
            let taken = input.slice_with_length(0, length);
            input.advance(length);
            return Some(taken);
        }
        if self.gathered.is_empty() {
            self.gathered.reserve(length.min(FIRST_RESERVATION));
        }
        let taken = input.len().min(length - self.gathered.len());
        self.gathered.extend_from_slice(&input[..taken]);
        input.advance(taken);
        (self.gathered.len() == length).then(|| std::mem::take(&mut self.gathered).into())
    }
}

/// Verifies a message's flatbuffer, and says how long the body behind it is.
fn body_length(metadata: &Buffer) -> Result<usize, String> {
    let message =
        root_as_message(metadata).map_err(|error| format!("a broken message: {error}"))?;
    match usize::try_from(message.bodyLength()) {
        Ok(length) if length <= MAX_BODY => Ok(length),
        _ => Err(format!("a message body of {} bytes", message.bodyLength())),
    }
}

/// Checks that every buffer that a record batch or dictionary claims lies within the body, also when decompressed.
fn check_buffers(metadata: &Buffer, body: &Buffer) -> Result<(), String> {
    let message =
        root_as_message(metadata).map_err(|error| format!("a broken message: {error}"))?;
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message
            .header_as_dictionary_batch()
            .and_then(|dictionary| dictionary.data()),
        _ => return Ok(()),
    };
    let Some(batch) = batch else {
        return Err("a record batch without its header".to_owned());
    };
    check_counts(&batch)?;
    let mut decompressed = 0_usize;
    for buffer in batch.buffers().into_iter().flatten() {
        let within = usize::try_from(buffer.offset()).ok().and_then(|offset| {
            let length = usize::try_from(buffer.length()).ok()?;
            body.get(offset..offset.checked_add(length)?)
        });
        let Some(bytes) = within else {
            return Err("a buffer outside its message".to_owned());
        };
        if let Some(compression) = batch.compression() {
            let codec = compression.codec();
            decompressed = decompressed.saturating_add(decompressed_length(bytes, codec)?);
        }
    }
    if decompressed > MAX_BODY {
        return Err(format!(
            "a message of {decompressed} bytes when decompressed"
        ));
    }
    Ok(())
}

fn check_counts(batch: &RecordBatch<'_>) -> Result<(), String> {
    let rows = batch.length();
    let counts = batch
        .nodes()
        .into_iter()
        .flatten()
        .flat_map(|node| [node.length(), node.null_count()]);
    let mut counts = std::iter::once(rows).chain(counts);
    match counts.find(|count| !(0..=i64::from(i32::MAX)).contains(count)) {
        Some(count) => Err(format!("a batch of {count} rows")),
        None => Ok(()),
    }
}

/// How long a compressed buffer is when decompressed, which it says itself (-1: not compressed after all).
fn decompressed_length(bytes: &[u8], codec: CompressionType) -> Result<usize, String> {
    if bytes.is_empty() {
        return Ok(0);
    }
    let Some(prefix) = bytes.first_chunk::<COMPRESSED_PREFIX>() else {
        return Err("a compressed buffer without its length".to_owned());
    };
    let length = match i64::from_le_bytes(*prefix) {
        -1 => return Ok(bytes.len()),
        length => usize::try_from(length).map_err(|_| format!("a buffer of {length} bytes"))?,
    };
    if codec == CompressionType::LZ4_FRAME {
        check_lz4(&bytes[COMPRESSED_PREFIX..], length)?;
    }
    Ok(length)
}

/// Arrow decompresses zstd to the length that was said, but LZ4 to wherever it ends, which may be hundreds of times the
/// message: so it is looked at first, keeping nothing. The service compresses nothing (redivis-api §10), so this costs nothing.
fn check_lz4(frame: &[u8], said: usize) -> Result<(), String> {
    let said = said as u64;
    let mut decompressed = FrameDecoder::new(frame).take(said.saturating_add(1));
    match copy(&mut decompressed, &mut sink()) {
        Ok(length) if length == said => Ok(()),
        Ok(_) => Err(format!(
            "a compressed buffer that says {said} bytes and has others"
        )),
        Err(error) => Err(format!("a compressed buffer that is broken: {error}")),
    }
}

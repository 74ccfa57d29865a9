//! Delimited text, record by record, strictly: what cannot be read for sure is refused, with its line.
//!
//! The readers at hand end an open quote at the end of the file, pass over blank lines and join what follows a closing
//! quote; each of them changes what a file says without a word. Memory holds one record.

use std::io::BufRead;

use super::{IngestError, dialect::Dialect};

/// Bytes that a record may have.
pub(super) const MAX_RECORD: usize = 100 << 20;

/// Why a record was not read, and may be left out.
pub(super) type Bad = &'static str;

const NOT_UTF8: Bad = "it is not UTF-8 text";

/// One cell, without its quotes and escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawCell<'a> {
    pub(super) text: &'a str,
    pub(super) quoted: bool,
}

/// Reads records.
pub(super) struct Records<R> {
    reader: R,
    parser: Parser,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(reader: R, dialect: Dialect) -> Self {
        Records {
            reader,
            parser: Parser::new(dialect),
        }
    }

    /// The next record; `None` at the end of the text. What fails here leaves the rest unreadable.
    pub(super) fn next_record(&mut self) -> Result<Option<RawRecord<'_>>, IngestError> {
        self.parser.start();
        let mut any = false;
        loop {
            let mut buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if !any {
                    return Ok(None);
                }
                self.parser.finish()?;
                break;
            }
            let skipped = self.parser.skip_line_feed(buffer);
            buffer = &buffer[skipped..];
            any |= !buffer.is_empty();
            let (used, ended) = self.parser.advance(buffer);
            self.reader.consume(skipped + used);
            if ended {
                break;
            }
            if self.parser.bytes.len() > MAX_RECORD {
                return Err(IngestError::Rejected(format!(
                    "line {}: the record is longer than {MAX_RECORD} bytes; is a quote not closed?",
                    self.parser.started
                )));
            }
        }
        Ok(Some(self.parser.record()))
    }
}

/// One record, good or bad.
#[derive(Debug)]
pub(super) struct RawRecord<'a> {
    text: Result<&'a str, Bad>,
    ends: &'a [(usize, bool)],
    /// The line that it starts in, from 1.
    pub(super) line: u64,
}

impl<'a> RawRecord<'a> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Its cells, or why it is bad.
    pub(super) fn cells(&self) -> Result<Vec<RawCell<'a>>, Bad> {
        let text = self.text?;
        let mut start = 0;
        let mut cells = Vec::with_capacity(self.ends.len());
        for &(end, quoted) in self.ends {
            let text = text.get(start..end).ok_or(NOT_UTF8)?;
            cells.push(RawCell { text, quoted });
            start = end;
        }
        Ok(cells)
    }

    /// Whether there is nothing on its line.
    pub(super) fn is_blank(&self) -> bool {
        matches!((self.text, self.ends), (Ok(""), [(_, false)]))
    }
}

/// Where the parser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a cell.
    Start,
    /// Within a cell without quotes.
    Bare,
    Quoted,
    /// Behind a quote within quotes: it is doubled, or the cell's end.
    Closing,
    /// Behind an escape character; whether within quotes.
    Escaped(bool),
    /// Within a record that is given up, up to the end of the line.
    Skipped,
}

/// The record that is read, and where it stands.
struct Parser {
    dialect: Dialect,
    state: State,
    /// All cells of the record, one behind the other.
    bytes: Vec<u8>,
    /// Where each cell ends, and whether it was quoted.
    ends: Vec<(usize, bool)>,
    quoted: bool,
    bad: Option<Bad>,
    /// The line that is read, and the one that the record started in.
    line: u64,
    started: u64,
    /// Whether the byte before was a carriage return, and whether it ended a record.
    returned: bool,
    ended_by_return: bool,
    /// Bytes that mean something within and outside of quotes.
    bare: [bool; 256],
    within: [bool; 256],
}

impl Parser {
    fn new(dialect: Dialect) -> Self {
        let mut bare = [false; 256];
        let mut within = [false; 256];
        for byte in [b'\n', b'\r'] {
            bare[usize::from(byte)] = true;
            within[usize::from(byte)] = true;
        }
        bare[usize::from(dialect.delimiter)] = true;
        if let Some(quote) = dialect.quote {
            within[usize::from(quote)] = true;
        }
        if let Some(escape) = dialect.escape {
            bare[usize::from(escape)] = true;
            within[usize::from(escape)] = true;
        }
        Parser {
            dialect,
            state: State::Start,
            bytes: Vec::new(),
            ends: Vec::new(),
            quoted: false,
            bad: None,
            line: 1,
            started: 1,
            returned: false,
            ended_by_return: false,
            bare,
            within,
        }
    }

    fn start(&mut self) {
        self.state = State::Start;
        self.bytes.clear();
        self.ends.clear();
        self.quoted = false;
        self.bad = None;
        self.started = self.line;
    }

    fn record(&self) -> RawRecord<'_> {
        RawRecord {
            text: match self.bad {
                Some(bad) => Err(bad),
                None => std::str::from_utf8(&self.bytes).map_err(|_| NOT_UTF8),
            },
            ends: &self.ends,
            line: self.started,
        }
    }

    /// A line feed behind the carriage return that ended the record before belongs to it.
    fn skip_line_feed(&mut self, buffer: &[u8]) -> usize {
        let behind = std::mem::take(&mut self.ended_by_return);
        usize::from(behind && buffer.first() == Some(&b'\n'))
    }

    /// Takes bytes up to the end of the record; how many, and whether it ended.
    fn advance(&mut self, buffer: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < buffer.len() {
            let special = match self.state {
                State::Bare => Some(&self.bare),
                State::Quoted => Some(&self.within),
                _ => None,
            };
            if let Some(special) = special {
                let rest = &buffer[at..];
                let plain = rest.iter().position(|byte| special[usize::from(*byte)]);
                let plain = plain.unwrap_or(rest.len());
                self.bytes.extend_from_slice(&rest[..plain]);
                at += plain;
                self.returned &= plain == 0;
                if at == buffer.len() {
                    break;
                }
            }
            let byte = buffer[at];
            at += 1;
            if matches!(byte, b'\n' | b'\r') {
                // In quotes, both bytes of a line's end are the cell's; the line is counted once.
                let second = byte == b'\n' && self.returned;
                self.line += u64::from(!second);
                let ended = self.end_line(byte);
                self.returned = byte == b'\r' && !ended;
                self.ended_by_return = byte == b'\r' && ended;
                if ended {
                    return (at, true);
                }
                continue;
            }
            self.returned = false;
            self.take(byte);
        }
        (at, false)
    }

    /// Takes an end of a line; whether the record ends there.
    fn end_line(&mut self, byte: u8) -> bool {
        match self.state {
            State::Quoted if self.dialect.newlines => {
                self.bytes.push(byte);
                return false;
            }
            State::Escaped(quoted) => {
                self.bytes.push(byte);
                self.state = if quoted { State::Quoted } else { State::Bare };
                return false;
            }
            State::Quoted => self.bad = Some("a quoted cell goes over the end of its line"),
            _ => {}
        }
        self.end_cell();
        true
    }

    /// Takes a byte that ends no line.
    fn take(&mut self, byte: u8) {
        let is = |special: Option<u8>| special == Some(byte);
        match self.state {
            State::Start if is(self.dialect.quote) => {
                self.quoted = true;
                self.state = State::Quoted;
            }
            State::Quoted if is(self.dialect.escape) => self.state = State::Escaped(true),
            State::Start | State::Bare if is(self.dialect.escape) => {
                self.state = State::Escaped(false);
            }
            State::Start | State::Bare | State::Closing if byte == self.dialect.delimiter => {
                self.end_cell();
                self.state = State::Start;
            }
            State::Start => {
                self.bytes.push(byte);
                self.state = State::Bare;
            }
            State::Quoted if is(self.dialect.quote) => self.state = State::Closing,
            State::Closing if is(self.dialect.quote) => {
                self.bytes.push(byte);
                self.state = State::Quoted;
            }
            State::Closing => {
                self.bad = Some("text follows the closing quote of a cell");
                self.state = State::Skipped;
            }
            State::Bare | State::Quoted => self.bytes.push(byte),
            State::Escaped(quoted) => {
                self.bytes.push(byte);
                self.state = if quoted { State::Quoted } else { State::Bare };
            }
            State::Skipped => {}
        }
    }

    fn end_cell(&mut self) {
        self.ends.push((self.bytes.len(), self.quoted));
        self.quoted = false;
    }

    /// Ends the last record of the text.
    fn finish(&mut self) -> Result<(), IngestError> {
        match self.state {
            State::Quoted | State::Escaped(true) => {
                return Err(IngestError::Rejected(format!(
                    "line {}: a quote is opened in this record and never closed",
                    self.started
                )));
            }
            State::Escaped(false) => self.bad = Some("nothing follows its last escape character"),
            _ => {}
        }
        self.end_cell();
        Ok(())
    }
}

//! Files of text: read twice, once to see every value, once to convert. Neither pass keeps more than a batch.
//!
//! A type is what all values of a column have, so none is known before the last one was seen.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringBuilder},
    datatypes::{DataType, Field, Schema},
};
use flate2::read::MultiGzDecoder;

use super::{
    IngestError, Stop, Table, UploadOptions,
    delimited::{RawCell, Records},
    dialect::Dialect,
    json::{Objects, Scalar, members},
    table::MAX_VARIABLES,
};
use crate::storage::{Declared, SourceFormat, VariableType, infer::Candidates};

const BUFFER: usize = 256 << 10;
/// Rows and bytes of text that are converted at once.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 8 << 20;
/// Records between two looks at whether to go on.
const STOP_EVERY: u64 = 1024;

/// A value as a text file has it.
enum Cell<'a> {
    Null,
    /// A cell with nothing in it that is not null: a text without characters, else no value.
    Empty,
    /// Text that may stand for anything.
    Untyped(&'a str),
    /// What JSON says the type of.
    Json(Scalar<'a>),
}

/// The values of a record, each with the place of its column.
type Row<'a> = Vec<(usize, Cell<'a>)>;

/// Converts a text file; how many records were left out.
pub(super) fn convert(
    source: &Path,
    format: SourceFormat,
    options: &UploadOptions,
    declared: &Declared,
    target: &Path,
    stop: Stop<'_>,
) -> Result<u64, IngestError> {
    let mut reader = Text::open(source, format, options, stop)?;
    let mut candidates: Vec<Candidates> = Vec::new();
    reader.rows(&mut |width, row| {
        candidates.resize_with(width.max(candidates.len()), Candidates::new);
        for (place, cell) in row {
            if let Some(candidates) = candidates.get_mut(place) {
                observe(candidates, &cell);
            }
        }
        Ok(())
    })?;
    candidates.resize_with(reader.names.len(), Candidates::new);
    let kinds: Vec<VariableType> = reader
        .names
        .iter()
        .zip(&candidates)
        .map(|(name, candidates)| {
            let declared = declared.get(&crate::storage::variable_name(name).to_lowercase());
            declared.copied().unwrap_or_else(|| candidates.result())
        })
        .collect();
    let columns: Vec<(&str, VariableType)> = reader
        .names
        .iter()
        .map(String::as_str)
        .zip(kinds.iter().copied())
        .collect();
    let mut batch = Batch::new(Table::create(&columns, target)?, &kinds);
    let bad = reader.rows(&mut |_, row| batch.add(row))?;
    batch.finish()?.publish(target)?;
    Ok(bad)
}

fn observe(candidates: &mut Candidates, cell: &Cell<'_>) {
    use VariableType::{Boolean, Date, DateTime, Float, Integer, Time};
    match cell {
        Cell::Null | Cell::Empty | Cell::Json(Scalar::Null) => {}
        Cell::Untyped(text) => candidates.observe(text, |_| true),
        // JSON's own type is believed: quoted digits are no number.
        Cell::Json(Scalar::Boolean(text)) => candidates.observe(text, |kind| kind == Boolean),
        Cell::Json(Scalar::Number(text)) => {
            candidates.observe(text, |kind| matches!(kind, Integer | Float));
        }
        Cell::Json(Scalar::Text(text)) => {
            candidates.observe(text, |kind| matches!(kind, Date | DateTime | Time));
        }
    }
}

/// Rows of text on their way into a table.
struct Batch {
    table: Table,
    columns: Vec<StringBuilder>,
    /// Whether a column is text, in which nothing is something.
    text: Vec<bool>,
    /// The row up to which each column is filled.
    filled: Vec<usize>,
    rows: usize,
    bytes: usize,
}

impl Batch {
    fn new(table: Table, kinds: &[VariableType]) -> Self {
        Batch {
            table,
            columns: kinds.iter().map(|_| StringBuilder::new()).collect(),
            text: kinds
                .iter()
                .map(|kind| kind.arrow() == DataType::Utf8)
                .collect(),
            filled: vec![0; kinds.len()],
            rows: 0,
            bytes: 0,
        }
    }

    fn add(&mut self, row: Row<'_>) -> Result<(), IngestError> {
        for (place, cell) in row {
            let text = match &cell {
                Cell::Null | Cell::Json(Scalar::Null) => continue,
                Cell::Empty if !self.text[place] => continue,
                Cell::Empty => "",
                Cell::Untyped(text) => text,
                Cell::Json(Scalar::Boolean(text) | Scalar::Number(text)) => text,
                Cell::Json(Scalar::Text(text)) => text,
            };
            let missing = self.rows - self.filled[place];
            self.columns[place].append_nulls(missing);
            self.columns[place].append_value(text);
            self.filled[place] = self.rows + 1;
            self.bytes += text.len();
        }
        self.rows += 1;
        if self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), IngestError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let mut fields = Vec::with_capacity(self.columns.len());
        for (column, filled) in self.columns.iter_mut().zip(&mut self.filled) {
            column.append_nulls(self.rows - std::mem::take(filled));
            columns.push(Arc::new(column.finish()));
            fields.push(Field::new("", DataType::Utf8, true));
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(IngestError::rejected)?;
        (self.rows, self.bytes) = (0, 0);
        self.table.write(&batch)
    }

    fn finish(mut self) -> Result<Table, IngestError> {
        self.flush()?;
        Ok(self.table)
    }
}

/// A text file that can be read several times.
struct Text<'a> {
    source: &'a Path,
    format: SourceFormat,
    options: &'a UploadOptions,
    stop: Stop<'a>,
    dialect: Option<Dialect>,
    /// The names of the columns in the order of their first appearance.
    names: Vec<String>,
    /// The places of the names, which are the same without regard to case, as everywhere on Redivis.
    places: HashMap<String, usize>,
}

impl<'a> Text<'a> {
    fn open(
        source: &'a Path,
        format: SourceFormat,
        options: &'a UploadOptions,
        stop: Stop<'a>,
    ) -> Result<Self, IngestError> {
        let dialect = match format {
            SourceFormat::Delimited => Some(Dialect::of(options, || open(source))?),
            _ => None,
        };
        Ok(Text {
            source,
            format,
            options,
            stop,
            dialect,
            names: Vec::new(),
            places: HashMap::new(),
        })
    }

    /// Hands every good record on, with the number of columns known by then; how many bad ones were left out.
    fn rows(
        &mut self,
        each: &mut dyn FnMut(usize, Row<'_>) -> Result<(), IngestError>,
    ) -> Result<u64, IngestError> {
        match self.dialect {
            Some(dialect) => self.delimited(dialect, each),
            None => self.json(each),
        }
    }

    /// Decides on a record that cannot be read: it is left out, or the end of it all.
    fn bad(&self, row: u64, line: u64, reason: &str) -> Result<u64, IngestError> {
        if self.options.skip_bad_records == Some(true) {
            return Ok(1);
        }
        Err(IngestError::Rejected(format!(
            "row {row} (line {line}): {reason}"
        )))
    }

    fn go_on(&self, row: u64) -> Result<(), IngestError> {
        if row.is_multiple_of(STOP_EVERY) && (self.stop)() {
            return Err(IngestError::Stopped);
        }
        Ok(())
    }

    fn delimited(
        &mut self,
        dialect: Dialect,
        each: &mut dyn FnMut(usize, Row<'_>) -> Result<(), IngestError>,
    ) -> Result<u64, IngestError> {
        let mut records = Records::new(open(self.source)?, dialect);
        let header = self.options.has_header_row.unwrap_or(true);
        let jagged = self.options.allow_jagged_rows == Some(true);
        if header {
            let Some(record) = records.next_record()? else {
                return Err(IngestError::rejected("it has no header line"));
            };
            let line = record.line;
            let refused =
                |reason| IngestError::Rejected(format!("the header (line {line}): {reason}"));
            if record.is_blank() {
                return Err(refused("it is blank"));
            }
            let cells = record.cells().map_err(refused)?;
            self.names = cells.iter().map(|cell| cell.text.to_owned()).collect();
        }
        let (mut row, mut bad) = (0, 0);
        while let Some(record) = records.next_record()? {
            row += 1;
            self.go_on(row)?;
            if self.names.is_empty() {
                // Without a header, the first record says how many there are.
                self.names = (1..=record.len())
                    .map(|number| format!("var{number}"))
                    .collect();
            }
            let width = self.names.len();
            if width > MAX_VARIABLES {
                return Err(too_many(width));
            }
            if record.is_blank() && !jagged {
                bad += self.bad(row, record.line, "the line is blank")?;
                continue;
            }
            let cells = match record.cells() {
                Ok(cells) => cells,
                Err(reason) => {
                    bad += self.bad(row, record.line, reason)?;
                    continue;
                }
            };
            let more = cells.iter().skip(width).any(|cell| !cell.text.is_empty());
            if (cells.len() != width && !jagged) || more {
                let reason = format!("it has {} cells instead of {width}", cells.len());
                bad += self.bad(row, record.line, &reason)?;
                continue;
            }
            let cells = cells.iter().take(width).enumerate();
            let cells = cells.map(|(place, cell)| (place, self.cell(cell)));
            each(width, cells.collect())?;
        }
        if self.names.is_empty() {
            return Err(IngestError::rejected(
                "it has no records, so its variables are unknown",
            ));
        }
        Ok(bad)
    }

    fn cell<'b>(&self, cell: &RawCell<'b>) -> Cell<'b> {
        let marked = match &self.options.null_markers {
            None => cell.text.is_empty(),
            Some(markers) => markers.iter().any(|marker| marker == cell.text),
        };
        match cell.text {
            // In quotes, nothing is written on purpose.
            "" if cell.quoted || !marked => Cell::Empty,
            _ if marked => Cell::Null,
            text => Cell::Untyped(text),
        }
    }

    fn json(
        &mut self,
        each: &mut dyn FnMut(usize, Row<'_>) -> Result<(), IngestError>,
    ) -> Result<u64, IngestError> {
        let array = self.format == SourceFormat::Json;
        let mut objects = Objects::new(open(self.source)?, array);
        let (mut row, mut bad) = (0, 0);
        // The row in which each column was seen last.
        let mut seen: Vec<u64> = Vec::new();
        while let Some((bytes, line)) = objects.next_object()? {
            row += 1;
            self.go_on(row)?;
            let found = members(bytes).and_then(|members| self.places(members, row, &mut seen));
            match found {
                Ok(cells) if self.names.len() > MAX_VARIABLES => {
                    drop(cells);
                    return Err(too_many(self.names.len()));
                }
                Ok(cells) => each(self.names.len(), cells)?,
                Err(reason) => bad += self.bad(row, line, &reason)?,
            }
        }
        if self.names.is_empty() {
            return Err(IngestError::rejected(
                "it has no records, so its variables are unknown",
            ));
        }
        Ok(bad)
    }

    /// Finds the columns of an object's members.
    fn places<'b>(
        &mut self,
        members: Vec<(Cow<'b, str>, Scalar<'b>)>,
        row: u64,
        seen: &mut Vec<u64>,
    ) -> Result<Row<'b>, String> {
        let mut cells = Vec::with_capacity(members.len());
        for (name, value) in members {
            let known = self.places.get(name.as_ref()).copied();
            let place = known.unwrap_or_else(|| {
                *self.places.entry(name.to_lowercase()).or_insert_with(|| {
                    self.names.push(name.clone().into_owned());
                    self.names.len() - 1
                })
            });
            seen.resize(seen.len().max(place + 1), 0);
            if seen[place] == row {
                return Err(format!("it has `{name}` twice"));
            }
            seen[place] = row;
            cells.push((place, Cell::Json(value)));
        }
        Ok(cells)
    }
}

fn too_many(width: usize) -> IngestError {
    IngestError::Rejected(format!(
        "it has {width} variables or more, a table can have {MAX_VARIABLES}"
    ))
}

/// Opens a text file behind its byte order mark, decompressing it if it is compressed with gzip.
fn open(source: &Path) -> Result<BufReader<Box<dyn Read>>, IngestError> {
    let mut file = File::open(source).map_err(IngestError::Io)?;
    let mut magic = Vec::new();
    file.by_ref()
        .take(2)
        .read_to_end(&mut magic)
        .map_err(IngestError::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(IngestError::Io)?;
    let bytes: Box<dyn Read> = match magic.as_slice() {
        [0x1f, 0x8b] => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))),
        _ => Box::new(file),
    };
    let mut text = BufReader::with_capacity(BUFFER, bytes);
    if text.fill_buf()?.starts_with(&[0xEF, 0xBB, 0xBF]) {
        text.consume(3);
    }
    Ok(text)
}

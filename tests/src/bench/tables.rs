//! Tables of TPC-H as read streams on disk: what a service would send, byte for byte.
//!
//! The types are Redivis's own (64-bit integers and floats, dates, plain strings), so that no reader has to convert
//! anything and comparisons are of reading alone. Every stream ends in the zero-row sentinel (redivis-api §5.2).

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::parquet::arrow::ArrowWriter;
use tpchgen::generators::{CustomerGenerator, LineItemGenerator, OrderGenerator};
use tpchgen_arrow::{CustomerArrow, LineItemArrow, OrderArrow, RecordBatchIterator};

/// How many parts a table is cut into, and so how many streams it can be read with.
pub const PARTS: usize = 16;

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name in `bench.tpch`.
    pub name: &'static str,
    /// The columns of its streams.
    pub schema: SchemaRef,
    /// Rows in all parts.
    pub rows: u64,
    /// How many bytes the origin says it has.
    pub said_bytes: u64,
    /// An Arrow IPC stream each.
    parts: Vec<PathBuf>,
    /// Bytes of a stream's schema, and of what follows its last row: the same in all parts.
    head: u64,
    tail: u64,
}

/// A range of a file.
#[derive(Debug)]
pub struct Piece {
    /// The file.
    pub path: PathBuf,
    /// Where it begins.
    pub start: u64,
    /// How long it is.
    pub length: u64,
}

/// lineitem at a scale factor; at 1 it has 6 million rows of 16 variables.
pub fn lineitem(directory: &Path, scale: f64) -> Table {
    let directory = directory.join(scale.to_string());
    table(&directory, "lineitem", |part| {
        LineItemArrow::new(LineItemGenerator::new(scale, part as i32 + 1, PARTS as i32))
    })
}

/// orders at scale factor 1: 1.5 million rows of 9 variables.
pub fn orders(directory: &Path) -> Table {
    table(&directory.join("1"), "orders", |part| {
        OrderArrow::new(OrderGenerator::new(1.0, part as i32 + 1, PARTS as i32))
    })
}

/// customer at scale factor 1: 150,000 rows of 8 variables.
pub fn customer(directory: &Path) -> Table {
    table(&directory.join("1"), "customer", |part| {
        CustomerArrow::new(CustomerGenerator::new(1.0, part as i32 + 1, PARTS as i32))
    })
}

/// Writes tables as Parquet files, a dataset `bench.tpch` for the local server, or takes what an earlier run left there.
pub fn dataset(directory: &Path, tables: &[Table]) -> PathBuf {
    let root = directory.join("served");
    let folder = root.join("bench/tpch");
    fs::create_dir_all(&folder).expect("create the data folder");
    for table in tables {
        let file = folder.join(format!("{}.parquet", table.name));
        if !file.exists() {
            let partial = file.with_extension("partial");
            table.write_parquet(&partial);
            fs::rename(&partial, &file).expect("rename a whole file");
        }
    }
    root
}

impl Table {
    fn write_parquet(&self, path: &Path) {
        let file = File::create(path).expect("create a Parquet file");
        let mut writer =
            ArrowWriter::try_new(file, Arc::clone(&self.schema), None).expect("start a file");
        for part in &self.parts {
            let stream = File::open(part).expect("a part of a table");
            for batch in StreamReader::try_new(stream, None).expect("read a part") {
                let batch = batch.expect("read a part");
                writer.write(&batch).expect("write a batch");
            }
        }
        writer.close().expect("finish a file");
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| self.body(part)).sum()
    }

    /// What stream `stream` of `streams` consists of, read `repeat` times over.
    pub fn stream(&self, stream: usize, streams: usize, repeat: usize) -> Vec<Piece> {
        let piece = |part: &PathBuf, start, length| Piece {
            path: part.clone(),
            start,
            length,
        };
        let parts = self.parts.iter().skip(stream).step_by(streams);
        let bodies = parts.map(|part| piece(part, self.head, self.body(part)));
        let first = &self.parts[0];
        let mut pieces = vec![piece(first, 0, self.head)];
        for _ in 0..repeat {
            pieces.extend(bodies.clone());
        }
        pieces.push(piece(first, self.head + self.body(first), self.tail));
        pieces
    }

    fn body(&self, part: &Path) -> u64 {
        let length = fs::metadata(part).expect("a part of a table").len();
        length - self.head - self.tail
    }
}

/// Writes the parts into `directory`, or takes the ones that an earlier run left there.
fn table<G: RecordBatchIterator + Send>(
    directory: &Path,
    name: &'static str,
    generator: impl Fn(usize) -> G + Sync,
) -> Table {
    let directory = directory.join(name);
    let schema = schema(generator(0).schema());
    let parts: Vec<_> = (0..PARTS)
        .map(|part| directory.join(format!("{part}.arrows")))
        .collect();
    // Written last, so its presence says that the parts are whole.
    let about = directory.join("rows,head,tail");
    if !about.exists() {
        fs::create_dir_all(&directory).expect("create the data folder");
        let written: Vec<_> = std::thread::scope(|scope| {
            let (generator, schema) = (&generator, &schema);
            let mut writers = vec![];
            for (part, path) in parts.iter().enumerate() {
                writers.push(scope.spawn(move || write(generator(part), path, schema)));
            }
            let written = writers.into_iter().map(|writer| writer.join());
            written.collect::<Result<_, _>>().expect("write the parts")
        });
        let rows: u64 = written.iter().map(|(rows, _, _)| rows).sum();
        let (_, head, tail) = written[0];
        fs::write(&about, format!("{rows},{head},{tail}")).expect("write about the parts");
    }
    let about = fs::read_to_string(&about).expect("read about the parts");
    let numbers: Vec<u64> = about
        .split(',')
        .map(|number| number.parse().expect("a number"))
        .collect();
    let mut table = Table {
        name,
        schema,
        rows: numbers[0],
        said_bytes: 0,
        parts,
        head: numbers[1],
        tail: numbers[2],
    };
    table.said_bytes = table.bytes();
    table
}

fn schema(generated: &Schema) -> SchemaRef {
    let fields = generated.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Int32 | DataType::Int64 => DataType::Int64,
            DataType::Decimal128(..) => DataType::Float64,
            DataType::Date32 => DataType::Date32,
            _ => DataType::Utf8,
        };
        Field::new(field.name(), data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Writes a stream: its rows, and the bytes before the first and after the last of them.
fn write(
    batches: impl Iterator<Item = RecordBatch>,
    path: &Path,
    schema: &SchemaRef,
) -> (u64, u64, u64) {
    let file = Counted(
        BufWriter::new(File::create(path).expect("create a part")),
        0,
    );
    let mut writer = StreamWriter::try_new(file, schema).expect("start a stream");
    let head = writer.get_ref().1;
    let mut rows = 0;
    for batch in batches {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| {
            cast(column, field.data_type()).expect("cast to Redivis's types")
        });
        let batch = RecordBatch::try_new(Arc::clone(schema), columns.collect())
            .expect("a batch of the schema");
        rows += batch.num_rows() as u64;
        writer.write(&batch).expect("write a batch");
    }
    let end = writer.get_ref().1;
    writer
        .write(&RecordBatch::new_empty(Arc::clone(schema)))
        .expect("write the sentinel");
    writer.finish().expect("finish a stream");
    (rows, head, writer.get_ref().1 - end)
}

/// A writer that knows how much was written.
struct Counted<W>(W, u64);

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.1 += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

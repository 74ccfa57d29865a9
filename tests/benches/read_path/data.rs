//! TPC-H lineitem as read streams on disk: what a service would send, byte for byte.
//!
//! The types are Redivis's own (64-bit integers and floats, dates, plain strings), so that no reader has to convert
//! anything and the comparison is of reading alone. Every stream ends in the zero-row sentinel (redivis-api §5.2).

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use tpchgen::generators::LineItemGenerator;
use tpchgen_arrow::{LineItemArrow, RecordBatchIterator};

/// How many read streams the table is cut into.
pub const STREAMS: usize = 8;

/// lineitem at scale factor 1.
pub struct Lineitem {
    /// One Arrow IPC stream a file.
    pub streams: Vec<PathBuf>,
    /// The schema of all streams.
    pub schema: SchemaRef,
    /// Rows in all streams.
    pub rows: u64,
    /// Bytes of all streams.
    pub bytes: u64,
}

/// Writes the streams into `directory`, or takes the ones that an earlier run left there.
pub fn lineitem(directory: &Path) -> Lineitem {
    let schema = schema();
    let rows_file = directory.join("rows");
    let streams: Vec<_> = (0..STREAMS)
        .map(|i| directory.join(format!("lineitem-{i}.arrows")))
        .collect();
    // Written last, so its presence says that the streams are whole.
    if !rows_file.exists() {
        fs::create_dir_all(directory).expect("create the data folder");
        let rows: u64 = std::thread::scope(|scope| {
            let writers: Vec<_> = streams
                .iter()
                .enumerate()
                .map(|(i, path)| (i, path, &schema))
                .map(|(i, path, schema)| scope.spawn(move || write(i, path, schema)))
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().expect("write a stream"))
                .sum()
        });
        fs::write(&rows_file, rows.to_string()).expect("write the row count");
    }
    let rows = fs::read_to_string(&rows_file)
        .expect("read the row count")
        .parse()
        .expect("a row count");
    let bytes = streams
        .iter()
        .map(|path| fs::metadata(path).expect("a stream file").len())
        .sum();
    Lineitem {
        streams,
        schema,
        rows,
        bytes,
    }
}

fn generator(part: usize) -> LineItemArrow {
    LineItemArrow::new(LineItemGenerator::new(1.0, part as i32 + 1, STREAMS as i32))
}

fn schema() -> SchemaRef {
    let generator = generator(0);
    let fields = generator.schema().fields().iter().map(|field| {
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

fn write(part: usize, path: &Path, schema: &SchemaRef) -> u64 {
    let file = BufWriter::new(File::create(path).expect("create a stream file"));
    let mut writer = StreamWriter::try_new(file, schema).expect("start a stream");
    let mut rows = 0;
    for batch in generator(part) {
        let columns = batch
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(column, field)| {
                cast(column, field.data_type()).expect("cast to Redivis's types")
            });
        let batch = RecordBatch::try_new(Arc::clone(schema), columns.collect())
            .expect("a batch of the schema");
        rows += batch.num_rows() as u64;
        writer.write(&batch).expect("write a batch");
    }
    writer
        .write(&RecordBatch::new_empty(Arc::clone(schema)))
        .expect("write the sentinel");
    writer.finish().expect("finish a stream");
    rows
}

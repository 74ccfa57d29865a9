//! The output formats by name.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use clap::ValueEnum;
use datafusion::error::Result;

use super::columns::Columns;
use super::csv::CsvEncoder;
use super::look::Look;
use super::text::TextEncoder;
use super::{ResultWriter, arrow_file, json, markdown, parquet, plan, table, vertical};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, for reading
    Table,
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// One array of objects per result
    Json,
    /// One object per line
    #[value(alias = "jsonl")]
    Ndjson,
    /// A Markdown table
    #[value(alias = "md")]
    Markdown,
    /// One line per value, for rows too wide for a table
    Vertical,
    /// A Parquet file
    Parquet,
    /// An Arrow IPC file
    Arrow,
    /// The text of a query plan, as EXPLAIN gives it
    #[value(skip)]
    Plan,
}

impl Format {
    /// The format that a file's suffix stands for.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        Some(
            match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
                "csv" => Format::Csv,
                "tsv" | "tab" => Format::Tsv,
                "json" => Format::Json,
                "ndjson" | "jsonl" => Format::Ndjson,
                "md" | "markdown" => Format::Markdown,
                "txt" => Format::Table,
                "parquet" => Format::Parquet,
                "arrow" | "feather" => Format::Arrow,
                _ => return None,
            },
        )
    }

    /// Whether a file in this format is bytes for programs, and holds one result.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }

    /// Whether it is for reading on a terminal, and so may leave rows out there.
    pub(crate) fn is_display(self) -> bool {
        matches!(self, Format::Table | Format::Vertical)
    }

    /// Whether a name stands for one column only.
    pub(crate) fn needs_unique_names(self) -> bool {
        matches!(
            self,
            Format::Json | Format::Ndjson | Format::Parquet | Format::Arrow
        )
    }

    /// How a result of these columns is written; those for reading look as they are to.
    pub(crate) fn start(self, columns: &Columns, look: Look) -> Start {
        let schema = SchemaRef::clone(columns.schema());
        Start::Batches(match self {
            Format::Csv => return Start::Texts(Arc::new(CsvEncoder::new(&schema, ','))),
            Format::Tsv => return Start::Texts(Arc::new(CsvEncoder::new(&schema, '\t'))),
            Format::Ndjson => return Start::Texts(Arc::new(json::LinesEncoder)),
            Format::Json => Box::new(|out| Ok(Box::new(json::ArrayWriter::new(out)))),
            Format::Table => {
                Box::new(move |out| Ok(Box::new(table::TableWriter::new(&schema, out, look))))
            }
            Format::Markdown => {
                Box::new(move |out| Ok(Box::new(markdown::MarkdownWriter::new(&schema, out)?)))
            }
            Format::Vertical => {
                Box::new(move |out| Ok(Box::new(vertical::VerticalWriter::new(&schema, out, look))))
            }
            Format::Parquet => {
                Box::new(move |out| Ok(Box::new(parquet::ParquetFileWriter::new(&schema, out)?)))
            }
            Format::Arrow => {
                Box::new(move |out| Ok(Box::new(arrow_file::ArrowFileWriter::new(&schema, out)?)))
            }
            Format::Plan => Box::new(|out| Ok(Box::new(plan::PlanWriter::new(out)))),
        })
    }
}

/// The output of a result.
pub(crate) type Out = Box<dyn Write + Send>;

/// How a result is written.
pub(crate) enum Start {
    /// Batch after batch.
    Batches(Box<dyn FnOnce(Out) -> Result<Box<dyn ResultWriter>> + Send>),
    /// As texts of batches, which can be made at once.
    Texts(Arc<dyn TextEncoder>),
}

//! The output formats by name.

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use datafusion::error::Result;

use super::columns::Columns;
use super::{ResultWriter, arrow_file, csv, json, markdown, parquet, plan, table, vertical};

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

    /// Starts a result. `width` is that of the terminal, if there is one to fit.
    pub(crate) fn writer<'a>(
        self,
        columns: &Columns,
        out: Box<dyn Write + Send + 'a>,
        width: Option<usize>,
    ) -> Result<Box<dyn ResultWriter + 'a>> {
        let schema = columns.schema();
        Ok(match self {
            Format::Table => Box::new(table::TableWriter::new(schema, out, width)),
            Format::Csv => Box::new(csv::CsvWriter::new(schema, out, ',')?),
            Format::Tsv => Box::new(csv::CsvWriter::new(schema, out, '\t')?),
            Format::Json => Box::new(json::array(out)),
            Format::Ndjson => Box::new(json::lines(out)),
            Format::Markdown => Box::new(markdown::MarkdownWriter::new(schema, out)?),
            Format::Vertical => Box::new(vertical::VerticalWriter::new(schema, out)),
            Format::Parquet => Box::new(parquet::ParquetFileWriter::new(schema, out)?),
            Format::Arrow => Box::new(arrow_file::ArrowFileWriter::new(schema, out)?),
            Format::Plan => Box::new(plan::PlanWriter::new(out)),
        })
    }
}

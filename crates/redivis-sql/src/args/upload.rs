//! The arguments of `redivis-sql upload`, named as in the official clients' `upload.create` where they have the option.

use std::path::PathBuf;

use clap::{Args, Parser};
use redivis::write::{OnConflict, UploadRequest};
use redivis::{ReferenceError, TableReference};

use crate::failure::Failure;
use crate::state::at_home;

/// Files to upload, and how.
#[derive(Debug, Clone, Args)]
#[command(override_usage = "redivis-sql upload [OPTIONS] <FILE>... <REFERENCE>")]
pub(crate) struct Upload {
    /// The files, one upload each, and at last the table: owner.dataset:next.table
    #[arg(required = true, value_name = "FILE… REFERENCE", num_args = 1..)]
    operands: Vec<PathBuf>,

    /// The upload's name [default: the file's]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// delimited, ndjson, parquet, avro, orc, … [default: by the name's extension]
    #[arg(long = "type", value_name = "TYPE")]
    upload_type: Option<String>,

    /// Where an upload has that name, let Redivis choose another
    #[arg(long, group = "conflict")]
    rename_on_conflict: bool,

    /// Where an upload has that name, delete it once the file has been sent
    #[arg(long, group = "conflict")]
    replace_on_conflict: bool,

    /// Where an upload has that name, leave it and go on
    #[arg(long, group = "conflict")]
    if_not_exists: bool,

    /// Delete the upload if Redivis can't read the file
    #[arg(long)]
    pub(crate) remove_on_fail: bool,

    /// Delimited: the character between values
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,

    /// Delimited: the first row has no names
    #[arg(long, alias = "no-header")]
    no_header_row: bool,

    /// Leave records out that can't be read
    #[arg(long)]
    skip_bad_records: bool,

    /// Delimited: quoted values contain line breaks
    #[arg(long)]
    has_quoted_newlines: bool,

    /// Delimited: rows may be shorter than the first
    #[arg(long)]
    allow_jagged_rows: bool,

    /// Delimited: the character around values that contain the delimiter
    #[arg(long, value_name = "CHARACTER")]
    quote_character: Option<String>,

    /// Delimited: the character before a quote within a value
    #[arg(long, value_name = "CHARACTER")]
    escape_character: Option<String>,

    /// Delimited: a text that stands for null; repeatable
    #[arg(long, value_name = "TEXT")]
    null_markers: Vec<String>,

    /// Go on with what an interrupted run of this command has left
    #[arg(long)]
    pub(crate) resume: bool,
}

/// The same words without a program's name before them.
#[derive(Debug, Parser)]
#[command(name = r"\upload", no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    upload: Upload,
}

impl Upload {
    /// What is asked for in words at the prompt.
    pub(crate) fn of_words(words: Vec<String>) -> Result<Self, Failure> {
        let line = Line::try_parse_from(words).map_err(|error| {
            let words = error.to_string();
            let first = words.lines().next().unwrap_or_default();
            Failure::Usage(first.trim_start_matches("error: ").to_owned())
        })?;
        let mut upload = line.upload;
        for operand in &mut upload.operands {
            if let Some(path) = operand.to_str() {
                *operand = at_home(path);
            }
        }
        Ok(upload)
    }

    /// The files and the table: the last operand, wherever options stand between them.
    pub(crate) fn operands(&self) -> Result<(&[PathBuf], TableReference), Failure> {
        let Some((reference, files)) = self
            .operands
            .split_last()
            .filter(|(_, files)| !files.is_empty())
        else {
            let message =
                "upload needs files and a table: redivis-sql upload FILE… OWNER.DATASET:next.TABLE";
            return Err(Failure::Usage(message.to_owned()));
        };
        if self.name.is_some() && files.len() > 1 {
            let message = "--name is for one file; several have the names of their files";
            return Err(Failure::Usage(message.to_owned()));
        }
        let reference = reference.to_string_lossy().parse();
        let reference =
            reference.map_err(|error: ReferenceError| Failure::Usage(error.to_string()))?;
        Ok((files, reference))
    }

    /// The request for an upload of this name.
    pub(crate) fn request(&self, name: &str) -> UploadRequest {
        UploadRequest {
            name: name.to_owned(),
            upload_type: self.upload_type.clone(),
            has_header_row: self.no_header_row.then_some(false),
            skip_bad_records: self.skip_bad_records.then_some(true),
            has_quoted_newlines: self.has_quoted_newlines.then_some(true),
            allow_jagged_rows: self.allow_jagged_rows.then_some(true),
            quote_character: self.quote_character.clone(),
            escape_character: self.escape_character.clone(),
            null_markers: (!self.null_markers.is_empty()).then(|| self.null_markers.clone()),
            delimiter: self.delimiter.clone(),
            on_conflict: match self {
                Self {
                    rename_on_conflict: true,
                    ..
                } => OnConflict::Rename,
                Self {
                    replace_on_conflict: true,
                    ..
                } => OnConflict::Replace,
                Self {
                    if_not_exists: true,
                    ..
                } => OnConflict::Skip,
                _ => OnConflict::Fail,
            },
            ..UploadRequest::default()
        }
    }
}

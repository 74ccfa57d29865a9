//! Raw files: files of any kind that a file index table lists, one per row (redivis-api §6.5).

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::checked_uri;
use super::lenient::{integer, text, text_or_empty};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::read::Whole;
use crate::request::Call;
use crate::write::TempUpload;

/// The most files that one call adds.
const BATCH: usize = 1000;
const ADDED_PERHAPS: &str =
    "they may have been added: list the table's files; adding them again takes their place";

/// A file of a file index table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RawFile {
    /// The id that it is read by.
    pub id: String,
    /// The name, which may contain `/`.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub name: String,
    /// Size in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub size: Option<u64>,
    /// MD5 of the content, in Base64.
    #[serde(default, rename = "md5Hash", deserialize_with = "text")]
    pub md5: Option<String>,
    /// When it was added; known to listings only.
    #[serde(skip)]
    pub added_at: Option<DateTime<Utc>>,
}

impl Client {
    /// The files of a file index table or query result, in the service's order, as they arrive:
    /// `GET <parent>/rawFiles?format=arrow` (redivis-api §6.5).
    pub fn raw_files(&self, parent_uri: &str) -> BoxStream<'static, Result<RawFile>> {
        const OPERATION: &str = "list the files of";
        let call = checked_uri(OPERATION, parent_uri).map(|uri| {
            Call::get(OPERATION, parent_uri, format!("{uri}/rawFiles")).query("format", "arrow")
        });
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(vec![
            text("file_id"),
            text("file_name"),
            Field::new("size", DataType::Int64, true),
            text("md5_hash"),
            Field::new(
                "added_at",
                DataType::Timestamp(TimeUnit::Microsecond, None),
                true,
            ),
        ]);
        self.read_answer(call, None, Whole::Body, Arc::new(schema))
            .map_ok(|batch| stream::iter(files_of(&batch).into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    /// Adds files to a file index table of an unreleased version, by the temp uploads that hold their bytes:
    /// `POST <table>/rawFiles` (redivis-api §6.5), in calls of up to 1,000.
    ///
    /// Files of the same name in this version are replaced.
    pub async fn add_raw_files(
        &self,
        table_uri: &str,
        files: &[(&str, &TempUpload)],
    ) -> Result<Vec<RawFile>> {
        const OPERATION: &str = "add files to";
        let path = format!("{}/rawFiles", checked_uri(OPERATION, table_uri)?);
        let mut added = Vec::with_capacity(files.len());
        for batch in files.chunks(BATCH) {
            let request = AddRequest {
                files: batch
                    .iter()
                    .map(|(name, upload)| NewRawFile {
                        name,
                        temp_upload_id: upload.id(),
                    })
                    .collect(),
            };
            let call = Call::post(OPERATION, table_uri, &path, &request)?.not_repeatable();
            let call = batch
                .iter()
                .fold(call, |call, (_, upload)| call.secret(upload.id()));
            let answer: Result<AddAnswer> = self.json(&call).await;
            let answer = answer.map_err(|error| match error.leaves_open() {
                true => error.with_unknown_outcome(ADDED_PERHAPS),
                false => error,
            })?;
            if answer.results.len() != batch.len() {
                let (listed, asked) = (answer.results.len(), batch.len());
                let message = format!("the service lists {listed} files where {asked} were added");
                let error = call.error(ErrorKind::Protocol, message);
                return Err(error.with_unknown_outcome(ADDED_PERHAPS));
            }
            added.extend(answer.results);
        }
        Ok(added)
    }
}

#[derive(Serialize)]
struct AddRequest<'a> {
    files: Vec<NewRawFile<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewRawFile<'a> {
    name: &'a str,
    temp_upload_id: &'a str,
}

#[derive(Deserialize)]
struct AddAnswer {
    results: Vec<RawFile>,
}

/// The files that the rows of a listing stand for; rows without an id stand for none.
fn files_of(batch: &RecordBatch) -> Vec<RawFile> {
    let text = |column: usize, row| {
        let values = batch.column(column).as_string::<i32>();
        values.is_valid(row).then(|| values.value(row).to_owned())
    };
    let sizes = batch.column(2).as_primitive::<Int64Type>();
    let times = batch.column(4).as_primitive::<TimestampMicrosecondType>();
    let file = |row| {
        Some(RawFile {
            id: text(0, row)?,
            name: text(1, row).unwrap_or_default(),
            size: sizes
                .is_valid(row)
                .then(|| u64::try_from(sizes.value(row)).ok())
                .flatten(),
            md5: text(3, row),
            added_at: times
                .is_valid(row)
                .then(|| DateTime::from_timestamp_micros(times.value(row)))
                .flatten(),
        })
    };
    (0..batch.num_rows()).filter_map(file).collect()
}

//! Variables: the columns of tables, uploads and query results.

use std::fmt;
use std::time::Duration;

use arrow::datatypes::{DataType, TimeUnit};
use futures::stream::TryStreamExt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::checked_uri;
use super::lenient::{flag, hint, integer, text_or_empty};
use crate::client::Client;
use crate::error::Result;
use crate::reference::path_segment;
use crate::request::Call;

/// The largest page that the service is known to honour (redivis-api §1.6).
const PAGE: u32 = 1000;
const STATISTICS_POLL: Duration = Duration::from_secs(2);

/// A variable (redivis-api §3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Variable {
    /// The name, in the service's spelling; unique within the table without regard to case.
    pub name: String,
    /// The logical type.
    #[serde(rename = "type")]
    pub variable_type: VariableType,
    /// The path below the endpoint.
    #[serde(default, deserialize_with = "hint")]
    pub uri: Option<String>,
    /// The position in the table, from 0.
    #[serde(default, deserialize_with = "integer")]
    pub index: Option<u64>,
    /// A short explanation.
    #[serde(default, deserialize_with = "hint")]
    pub label: Option<String>,
    /// A long explanation; left out by [`Client::variables`].
    #[serde(default, deserialize_with = "hint")]
    pub description: Option<String>,
    /// What single values mean, in the owner's order; left out by [`Client::variables`].
    #[serde(default, deserialize_with = "hint")]
    pub value_labels: Vec<ValueLabel>,
    /// Whether its values identify files.
    #[serde(default, deserialize_with = "flag")]
    pub is_file_id: bool,
}

/// What one value of a variable means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValueLabel {
    /// The value, as text.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub value: String,
    /// Its meaning.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub label: String,
}

/// The logical type of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VariableType {
    /// Text.
    String,
    /// 64-bit signed integer.
    Integer,
    /// 64-bit floating point number.
    Float,
    /// True or false.
    Boolean,
    /// Calendar date, from 0001-01-01 to 9999-12-31.
    Date,
    /// Date and time of day in microseconds, without a zone.
    DateTime,
    /// Time of day in microseconds.
    Time,
    /// Well-known text (WKT) in EPSG:4326.
    Geography,
    /// A type that this version of the crate does not know, as the service names it.
    Other(String),
}

impl VariableType {
    /// The name that the service uses.
    pub fn as_str(&self) -> &str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Time => "time",
            Self::Geography => "geography",
            Self::Other(name) => name,
        }
    }

    /// The Arrow type that its values have (redivis-api §8.1).
    ///
    /// | variable | Arrow |
    /// |---|---|
    /// | string, geography | `Utf8` |
    /// | integer | `Int64` |
    /// | float | `Float64` |
    /// | boolean | `Boolean` |
    /// | date | `Date32` |
    /// | dateTime | `Timestamp(Microsecond, None)` |
    /// | time | `Time64(Microsecond)` |
    /// | a type unknown to this crate | `Utf8` |
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::String | Self::Geography | Self::Other(_) => DataType::Utf8,
        }
    }
}

impl From<&str> for VariableType {
    fn from(name: &str) -> Self {
        [
            Self::String,
            Self::Integer,
            Self::Float,
            Self::Boolean,
            Self::Date,
            Self::DateTime,
            Self::Time,
            Self::Geography,
        ]
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(name))
        .unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

impl fmt::Display for VariableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for VariableType {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for VariableType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

/// What is known about a variable's values (redivis-api §3.2).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VariableStatistics {
    /// `completed`, or what else became of computing them.
    #[serde(default, deserialize_with = "hint")]
    pub status: Option<String>,
    /// Values that are not null.
    #[serde(default, deserialize_with = "integer")]
    pub count: Option<u64>,
    /// Different values.
    #[serde(default, deserialize_with = "integer")]
    pub num_distinct: Option<u64>,
    /// The smallest value, as the service writes it.
    #[serde(default)]
    pub min: Option<Value>,
    /// The largest value.
    #[serde(default)]
    pub max: Option<Value>,
    /// The mean, for numbers.
    #[serde(default)]
    pub mean: Option<Value>,
    /// About the median.
    #[serde(default)]
    pub approx_median: Option<Value>,
}

impl Client {
    /// All variables of a table, upload or query, in order: `GET <parent>/variables` (redivis-api §4).
    ///
    /// `parent_uri` is a resource's `uri`. Descriptions and value labels may be left out; see [`Client::variable`].
    pub async fn variables(&self, parent_uri: &str) -> Result<Vec<Variable>> {
        const OPERATION: &str = "list the variables of";
        let uri = checked_uri(OPERATION, parent_uri)?;
        let call = Call::get(OPERATION, parent_uri, format!("{uri}/variables"));
        self.list(call, PAGE).try_collect().await
    }

    /// One variable with its description and value labels: `GET <parent>/variables/:name` (redivis-api §4).
    pub async fn variable(&self, parent_uri: &str, name: &str) -> Result<Variable> {
        const OPERATION: &str = "get variable";
        let uri = checked_uri(OPERATION, parent_uri)?;
        let path = format!("{uri}/variables/{}", path_segment(name));
        self.json(&Call::get(
            OPERATION,
            format!("{name} of {parent_uri}"),
            path,
        ))
        .await
    }

    /// Statistics of one variable, waiting until the service has computed them (redivis-api §3.2).
    pub async fn variable_statistics(
        &self,
        parent_uri: &str,
        name: &str,
    ) -> Result<VariableStatistics> {
        const OPERATION: &str = "get the statistics of variable";
        let uri = checked_uri(OPERATION, parent_uri)?;
        let path = format!("{uri}/variables/{}/statistics", path_segment(name));
        let call = Call::get(OPERATION, format!("{name} of {parent_uri}"), path);
        loop {
            let statistics: VariableStatistics = self.json(&call).await?;
            match statistics.status.as_deref() {
                Some("queued" | "running") => tokio::time::sleep(STATISTICS_POLL).await,
                _ => return Ok(statistics),
            }
        }
    }
}

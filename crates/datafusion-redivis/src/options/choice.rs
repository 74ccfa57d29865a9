//! Options that are one of a few words.

use std::fmt;
use std::str::FromStr;

use datafusion::common::config_err;
use datafusion::common::error::{DataFusionError, Result};

/// What runs on Redivis as a query, of what can be said in its SQL with the same meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pushdown {
    /// `off`: nothing; tables are read.
    #[default]
    Off,
    /// `auto`: what is sooner there than its tables could be read. Where such a query fails, they are read after all.
    Auto,
    /// `always`: all of it. Where such a query fails, so does the statement.
    Always,
}

impl FromStr for Pushdown {
    type Err = DataFusionError;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            _ => config_err!("redivis.pushdown must be 'off', 'auto' or 'always', not '{text}'"),
        }
    }
}

impl fmt::Display for Pushdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Auto => "auto",
            Self::Always => "always",
        })
    }
}

/// How the Parquet file that rows are sent in is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadCompression {
    /// `snappy`: what the official clients send (redivis-api §14), so what the service reads every day.
    #[default]
    Snappy,
    /// `zstd`: fewer bytes to send, where the line is slower than the processor.
    Zstd,
}

impl FromStr for UploadCompression {
    type Err = DataFusionError;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "snappy" => Ok(Self::Snappy),
            "zstd" => Ok(Self::Zstd),
            _ => config_err!("redivis.upload_compression must be 'snappy' or 'zstd', not '{text}'"),
        }
    }
}

impl fmt::Display for UploadCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
        })
    }
}

/// What happens where all streams of a scan came to their end with other rows than the service counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckRowCounts {
    /// `error`: the scan fails; and `count(*)` may be answered from the count, as a scan would be held to it.
    #[default]
    Error,
    /// `warn`: a warning is logged; and `count(*)` counts rows.
    Warn,
}

impl FromStr for CheckRowCounts {
    type Err = DataFusionError;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            _ => config_err!("redivis.check_row_counts must be 'error' or 'warn', not '{text}'"),
        }
    }
}

impl fmt::Display for CheckRowCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
        })
    }
}

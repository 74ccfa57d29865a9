//! Settings of the session: `SET redivis.max_streams = 4`.
//!
//! They are DataFusion options, so that `SET`, `SHOW` and configuration in code work as for every other option. A value is
//! checked when it is set, so that a slip is told at once and not by the next query.

mod choice;

use std::any::Any;
use std::path::PathBuf;
use std::time::Duration;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::config_err;
use datafusion::common::error::Result;

pub use self::choice::{CheckRowCounts, Pushdown, UploadCompression};

/// The options under `redivis.`; they apply to statements planned after they were set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedivisOptions {
    /// How many read streams one table scan asks for at most, and so how many connections and partitions it has. At least 1;
    /// default 8, as in the official clients. `datafusion.execution.target_partitions`, which follows the processors, has no say
    /// in it. Operators that hold memory for each partition need less of it with fewer.
    pub max_streams: usize,
    /// How long a response of the service may stay silent before it is asked again. `None`: what the client was built with.
    pub read_timeout: Option<Duration>,
    /// What the next upload is called, which must be new in its table. `None`: what made it, when, and some random letters.
    pub upload_name: Option<String>,
    /// How the Parquet file that rows are sent in is compressed. Default: Snappy.
    pub upload_compression: UploadCompression,
    /// What happens where a scan has other rows than the service counts. Default: an error.
    pub check_row_counts: CheckRowCounts,
    /// Whether tables of released versions are kept on disk once they were read to their end, and read from there. Default: no,
    /// as data may be under a use agreement.
    pub cache: bool,
    /// The folder that tables are kept in. `None`: `redivis` in the platform's folder of what can be had again, such as
    /// `~/.cache`.
    pub cache_dir: Option<PathBuf>,
    /// How many bytes may be kept. What was not used for longest goes first. Default: 20 GB.
    pub cache_size: u64,
    /// Whether what can be said in Redivis's SQL with the same meaning runs there as a query. Default: nothing does.
    pub pushdown: Pushdown,
    /// How long a query takes on Redivis before its first row. `None`: what this session's queries took, at first 5 seconds.
    pub query_cost: Option<Duration>,
}

impl Default for RedivisOptions {
    fn default() -> Self {
        Self {
            max_streams: 8,
            read_timeout: None,
            upload_name: None,
            upload_compression: UploadCompression::default(),
            check_row_counts: CheckRowCounts::default(),
            cache: false,
            cache_dir: None,
            cache_size: 20_000_000_000,
            pushdown: Pushdown::default(),
            query_cost: None,
        }
    }
}

impl RedivisOptions {
    /// The options of a session, or the defaults where [`register`](crate::register) was not called on it.
    pub fn of(config: &ConfigOptions) -> Self {
        config.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Puts an option back to its default; `key` is without `redivis.`. Fails where there is no such option.
    pub fn reset(&mut self, key: &str) -> Result<()> {
        let default = Self::default();
        match key {
            "max_streams" => self.max_streams = default.max_streams,
            "read_timeout" => self.read_timeout = default.read_timeout,
            "upload_name" => self.upload_name = default.upload_name,
            "upload_compression" => self.upload_compression = default.upload_compression,
            "check_row_counts" => self.check_row_counts = default.check_row_counts,
            "cache" => self.cache = default.cache,
            "cache_dir" => self.cache_dir = default.cache_dir,
            "cache_size" => self.cache_size = default.cache_size,
            "pushdown" => self.pushdown = default.pushdown,
            "query_cost" => self.query_cost = default.query_cost,
            // The error names those that there are.
            _ => self.set(key, "")?,
        }
        Ok(())
    }
}

impl ConfigExtension for RedivisOptions {
    const PREFIX: &'static str = "redivis";
}

impl ExtensionOptions for RedivisOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "max_streams" => self.max_streams = streams(value)?,
            "read_timeout" => self.read_timeout = Some(duration(key, value)?),
            "upload_name" => self.upload_name = upload_name(value)?,
            "upload_compression" => self.upload_compression = value.parse()?,
            "check_row_counts" => self.check_row_counts = value.parse()?,
            "cache" => self.cache = switch(value)?,
            "cache_dir" => self.cache_dir = folder(value),
            "cache_size" => self.cache_size = size(value)?,
            "pushdown" => self.pushdown = value.parse()?,
            "query_cost" => self.query_cost = Some(duration(key, value)?),
            _ => {
                return config_err!(
                    "there is no option redivis.{key}; there are redivis.max_streams, redivis.read_timeout, \
                     redivis.upload_name, redivis.upload_compression, redivis.check_row_counts, redivis.cache, redivis.cache_dir, \
                     redivis.cache_size, redivis.pushdown and redivis.query_cost"
                );
            }
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |name: &str, value: Option<String>, description| ConfigEntry {
            key: format!("{}.{name}", Self::PREFIX),
            value,
            description,
        };
        vec![
            entry(
                "max_streams",
                Some(self.max_streams.to_string()),
                "How many read streams one table scan asks for at most.",
            ),
            entry(
                "read_timeout",
                self.read_timeout
                    .map(|timeout| format!("{}s", timeout.as_secs_f64())),
                "How long a response of Redivis may stay silent before it is asked again, as in 60s or 2m.",
            ),
            entry(
                "upload_name",
                self.upload_name.clone(),
                "What uploads are called, which must be new in their table; empty: a name that is.",
            ),
            entry(
                "upload_compression",
                Some(self.upload_compression.to_string()),
                "How the Parquet file that rows are sent in is compressed: snappy or zstd.",
            ),
            entry(
                "check_row_counts",
                Some(self.check_row_counts.to_string()),
                "Whether a scan that has other rows than Redivis counts is an error, or a warning in the log: error or warn.",
            ),
            entry(
                "cache",
                Some(if self.cache { "on" } else { "off" }.to_owned()),
                "Whether tables of released versions are kept on disk once they were read, and read from there: on or off.",
            ),
            entry(
                "cache_dir",
                self.cache_dir
                    .as_ref()
                    .map(|folder| folder.display().to_string()),
                "The folder that tables are kept in; empty: redivis in the folder of what can be had again, such as ~/.cache.",
            ),
            entry(
                "cache_size",
                Some(self.cache_size.to_string()),
                "How many bytes may be kept, as in 20GB or 500MB; what was not used for longest goes first.",
            ),
            entry(
                "pushdown",
                Some(self.pushdown.to_string()),
                "What runs on Redivis as a query of what can be said in its SQL: off, auto (what is sooner there) or always.",
            ),
            entry(
                "query_cost",
                self.query_cost
                    .map(|cost| format!("{}s", cost.as_secs_f64())),
                "How long a query takes on Redivis before its first row, as in 5s; unset: as the session's queries took.",
            ),
        ]
    }
}

fn streams(value: &str) -> Result<usize> {
    match value.trim().parse() {
        Ok(count) if count >= 1 => Ok(count),
        _ => config_err!("redivis.max_streams must be a whole number of at least 1, not '{value}'"),
    }
}

/// Seconds (`60`, `1.5`), or with a unit (`500ms`, `60s`, `2m`).
fn duration(key: &str, value: &str) -> Result<Duration> {
    let text = value.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "" | "s" => Some(1.0),
        "ms" => Some(0.001),
        "m" | "min" => Some(60.0),
        _ => None,
    };
    seconds
        .and_then(|unit| Some(digits.trim_end().parse::<f64>().ok()? * unit))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|timeout| *timeout >= Duration::from_millis(1))
        .map_or_else(
            || config_err!("redivis.{key} must be a time such as 60s, 2m or 500ms, not '{value}'"),
            Ok,
        )
}

fn switch(value: &str) -> Result<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => config_err!("redivis.cache must be 'on' or 'off', not '{value}'"),
    }
}

/// Nothing means the default again.
fn folder(value: &str) -> Option<PathBuf> {
    (!value.trim().is_empty()).then(|| PathBuf::from(value))
}

/// Bytes, or with a unit: `500MB`, `20 GB`, `1.5TB`.
fn size(value: &str) -> Result<u64> {
    let text = value.trim().to_ascii_uppercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => Some(1.0),
        "KB" => Some(1e3),
        "MB" => Some(1e6),
        "GB" => Some(1e9),
        "TB" => Some(1e12),
        _ => None,
    };
    let bytes = unit.and_then(|unit| Some(digits.trim_end().parse::<f64>().ok()? * unit));
    match bytes {
        Some(bytes) if (0.0..1e18).contains(&bytes) => Ok(bytes as u64),
        _ => config_err!(
            "redivis.cache_size must be a size such as 20GB, 500MB or a number of bytes, not '{value}'"
        ),
    }
}

/// Nothing names uploads by themselves again.
fn upload_name(value: &str) -> Result<Option<String>> {
    const MAX_CHARS: usize = 300;
    let name = value.trim();
    let is_nameless = !name.is_empty() && !name.chars().any(char::is_alphanumeric);
    if is_nameless
        || name.chars().count() > MAX_CHARS
        || name.chars().any(|c| c.is_control() || c == '/')
    {
        return config_err!(
            "redivis.upload_name must be a name of at most {MAX_CHARS} characters, with a letter or digit and without / and \
             control characters"
        );
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_when_they_are_set() {
        let mut options = ConfigOptions::new();
        options.extensions.insert(RedivisOptions::default());
        options.set("redivis.max_streams", "3").unwrap();
        options.set("redivis.read_timeout", "1.5s").unwrap();
        let read = RedivisOptions::of(&options);
        assert_eq!(read.max_streams, 3);
        assert_eq!(read.read_timeout, Some(Duration::from_millis(1500)));

        for (key, value) in [
            ("redivis.max_streams", "0"),
            ("redivis.max_streams", "-1"),
            ("redivis.check_row_counts", "maybe"),
            ("redivis.max_streams", "many"),
            ("redivis.read_timeout", "0"),
            ("redivis.read_timeout", "-5s"),
            ("redivis.read_timeout", "inf"),
            ("redivis.read_timeout", "NaN"),
            ("redivis.read_timeout", "5 parsecs"),
            ("redivis.read_timeout", ""),
            ("redivis.streams", "2"),
            ("redivis.cache", "maybe"),
            ("redivis.cache_size", "-1GB"),
            ("redivis.cache_size", "lots"),
            ("redivis.cache_size", "1 parsec"),
            ("redivis.upload_name", "a/b"),
            ("redivis.upload_name", ".."),
            ("redivis.upload_compression", "gzip"),
        ] {
            let error = options.set(key, value).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        assert_eq!(RedivisOptions::of(&options), read);
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1000", 1000),
            ("500MB", 500_000_000),
            (" 1.5 gb ", 1_500_000_000),
            ("0", 0),
        ] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn every_option_can_be_reset() {
        for ConfigEntry { key, .. } in RedivisOptions::default().entries() {
            let key = key.strip_prefix("redivis.").unwrap();
            RedivisOptions::default().reset(key).unwrap();
        }
        let mut options = RedivisOptions::default();
        options.set("read_timeout", "5s").unwrap();
        options.set("max_streams", "3").unwrap();
        options.reset("read_timeout").unwrap();
        options.reset("max_streams").unwrap();
        assert_eq!(options, RedivisOptions::default());
        options.reset("streams").unwrap_err();
    }

    #[test]
    fn timeouts_have_units() {
        for (text, millis) in [
            ("60", 60_000),
            ("60s", 60_000),
            (" 2 m ", 120_000),
            ("500ms", 500),
        ] {
            assert_eq!(
                duration("read_timeout", text).unwrap(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
    }
}

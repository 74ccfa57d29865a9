//! Formats under the names that other programs, and `-o`, give them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::{GetExt, Result};
use datafusion::datasource::file_format::arrow::ArrowFormatFactory;
use datafusion::datasource::file_format::csv::CsvFormatFactory;
use datafusion::datasource::file_format::json::JsonFormatFactory;
use datafusion::datasource::file_format::{FileFormat, FileFormatFactory};

/// A format that DataFusion knows by another name.
#[derive(Debug)]
struct Other {
    extension: &'static str,
    format: Arc<dyn FileFormatFactory>,
    /// Options that come with the name, where a statement does not say otherwise.
    options: &'static [(&'static str, &'static str)],
}

const TABS: &[(&str, &str)] = &[("format.delimiter", "\t")];

/// Those that are not registered already.
pub(super) fn others() -> impl Iterator<Item = Arc<dyn FileFormatFactory>> {
    let csv: Arc<dyn FileFormatFactory> = Arc::new(CsvFormatFactory::new());
    let json: Arc<dyn FileFormatFactory> = Arc::new(JsonFormatFactory::new());
    let arrow: Arc<dyn FileFormatFactory> = Arc::new(ArrowFormatFactory::new());
    let others = [
        ("tsv", &csv, TABS),
        ("tab", &csv, TABS),
        ("ndjson", &json, &[]),
        ("jsonl", &json, &[]),
        ("feather", &arrow, &[]),
    ];
    let others = others.map(|(extension, format, options)| Other {
        extension,
        format: Arc::clone(format),
        options,
    });
    others
        .into_iter()
        .map(|other| Arc::new(other) as Arc<dyn FileFormatFactory>)
}

impl GetExt for Other {
    fn get_ext(&self) -> String {
        self.extension.to_owned()
    }
}

impl FileFormatFactory for Other {
    fn create(
        &self,
        state: &dyn Session,
        options: &HashMap<String, String>,
    ) -> Result<Arc<dyn FileFormat>> {
        let mut options = options.clone();
        for (key, value) in self.options {
            let value = (*value).to_owned();
            options.entry((*key).to_owned()).or_insert(value);
        }
        self.format.create(state, &options)
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        self.format.default()
    }
}

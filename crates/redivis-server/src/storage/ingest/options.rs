//! What an upload says of its file: the type, and how its text is to be read (redivis-api §6.4).
//!
//! Kept with the upload in the API's own spelling, so that what was asked for can be shown and run again.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::storage::{SourceFormat, VariableType};

/// The documented types of uploads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UploadType {
    #[default]
    Delimited,
    Stream,
    Avro,
    Ndjson,
    Parquet,
    Orc,
    Xls,
    Xlsx,
    Dta,
    Sas7bdat,
    Sav,
    Geojson,
    Geojsonl,
    Json,
    Shp,
    #[serde(rename = "shp.zip")]
    ShpZip,
    Kml,
}

impl UploadType {
    const ALL: [UploadType; 17] = [
        UploadType::Delimited,
        UploadType::Stream,
        UploadType::Avro,
        UploadType::Ndjson,
        UploadType::Parquet,
        UploadType::Orc,
        UploadType::Xls,
        UploadType::Xlsx,
        UploadType::Dta,
        UploadType::Sas7bdat,
        UploadType::Sav,
        UploadType::Geojson,
        UploadType::Geojsonl,
        UploadType::Json,
        UploadType::Shp,
        UploadType::ShpZip,
        UploadType::Kml,
    ];

    /// The name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            UploadType::Delimited => "delimited",
            UploadType::Stream => "stream",
            UploadType::Avro => "avro",
            UploadType::Ndjson => "ndjson",
            UploadType::Parquet => "parquet",
            UploadType::Orc => "orc",
            UploadType::Xls => "xls",
            UploadType::Xlsx => "xlsx",
            UploadType::Dta => "dta",
            UploadType::Sas7bdat => "sas7bdat",
            UploadType::Sav => "sav",
            UploadType::Geojson => "geojson",
            UploadType::Geojsonl => "geojsonl",
            UploadType::Json => "json",
            UploadType::Shp => "shp",
            UploadType::ShpZip => "shp.zip",
            UploadType::Kml => "kml",
        }
    }

    /// The type of this name, in any case; `csv` and `jsonl` are what older pages call two of them.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "csv" => Some(UploadType::Delimited),
            "jsonl" => Some(UploadType::Ndjson),
            name => Self::ALL.into_iter().find(|kind| kind.name() == name),
        }
    }

    /// The type that a file's name stands for: by its extension, else delimited text.
    ///
    /// A `.gz` is looked through; whether text is compressed is seen in its bytes.
    pub(crate) fn of_file_name(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let name = lower.strip_suffix(".gz").unwrap_or(&lower);
        if name.ends_with(".shp.zip") {
            return UploadType::ShpZip;
        }
        let extension = Path::new(name).extension().and_then(|end| end.to_str());
        match extension {
            // A name of a type that no extension stands for, as `x.stream`, is a text file like any other.
            None | Some("delimited" | "stream") => UploadType::Delimited,
            Some(extension) => Self::of_name(extension).unwrap_or_default(),
        }
    }

    /// How files of this type are read; `None` for a stream, which has no file, and for types that cannot be read here.
    pub(crate) fn format(self) -> Option<SourceFormat> {
        match self {
            UploadType::Delimited => Some(SourceFormat::Delimited),
            UploadType::Ndjson => Some(SourceFormat::Ndjson),
            UploadType::Json => Some(SourceFormat::Json),
            UploadType::Parquet => Some(SourceFormat::Parquet),
            UploadType::Avro => Some(SourceFormat::Avro),
            UploadType::Orc => Some(SourceFormat::Orc),
            _ => None,
        }
    }

    /// Whether this server can take uploads of this type.
    pub(crate) fn is_supported(self) -> bool {
        self == UploadType::Stream || self.format().is_some()
    }
}

/// How the file of an upload is to be read; what is `None` is the documented default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UploadOptions {
    /// The type of the file.
    #[serde(rename = "type")]
    pub(crate) kind: UploadType,
    /// Whether the first record of delimited text has the names; by default it has.
    pub(crate) has_header_row: Option<bool>,
    /// Whether records that cannot be read are left out, and counted; by default they fail the upload.
    pub(crate) skip_bad_records: Option<bool>,
    /// Whether quoted cells may have line breaks; by default those that are found are taken.
    pub(crate) has_quoted_newlines: Option<bool>,
    /// Whether records may have fewer cells than the first one, the rest being null; by default they may not.
    pub(crate) allow_jagged_rows: Option<bool>,
    /// One ASCII character; `"` by default, none when empty.
    pub(crate) quote_character: Option<String>,
    /// One ASCII character; by default a quote within a quoted cell is written twice.
    pub(crate) escape_character: Option<String>,
    /// Cells that stand for null; by default the empty one.
    pub(crate) null_markers: Option<Vec<String>>,
    /// One ASCII character; by default it is found from the beginning of the file.
    pub(crate) delimiter: Option<String>,
    /// The variables of a stream, which has no file to find them in.
    #[serde(with = "schema")]
    pub(crate) schema: Option<Vec<(String, VariableType)>>,
}

/// A schema in the API: `[{"name": …, "type": …}]`.
mod schema {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::storage::VariableType;

    #[derive(Serialize, Deserialize)]
    struct Variable {
        name: String,
        #[serde(rename = "type")]
        kind: String,
    }

    type Schema = Option<Vec<(String, VariableType)>>;

    pub(super) fn serialize<S: Serializer>(schema: &Schema, to: S) -> Result<S::Ok, S::Error> {
        let variables = schema.as_ref().map(|schema| {
            let variable = |(name, kind): &(String, VariableType)| Variable {
                name: name.clone(),
                kind: kind.name().to_owned(),
            };
            schema.iter().map(variable).collect::<Vec<_>>()
        });
        variables.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Schema, D::Error> {
        let Some(variables) = Option::<Vec<Variable>>::deserialize(from)? else {
            return Ok(None);
        };
        let variable = |Variable { name, kind }: Variable| match VariableType::of_name(&kind) {
            Some(kind) => Ok((name, kind)),
            None => Err(D::Error::custom(format!(
                "`{kind}` of `{name}` is not a variable type"
            ))),
        };
        variables
            .into_iter()
            .map(variable)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_the_extensions_else_delimited() {
        for (name, kind) in [
            ("a.csv", UploadType::Delimited),
            ("a.TSV", UploadType::Delimited),
            ("a", UploadType::Delimited),
            ("a.b.jsonl", UploadType::Ndjson),
            ("a.ndjson.gz", UploadType::Ndjson),
            ("a.json", UploadType::Json),
            ("a.Parquet", UploadType::Parquet),
            ("a.shp.zip", UploadType::ShpZip),
            ("a.zip", UploadType::Delimited),
            ("a.stream", UploadType::Delimited),
            ("a.sas7bdat", UploadType::Sas7bdat),
        ] {
            assert_eq!(UploadType::of_file_name(name), kind, "{name}");
        }
        for kind in UploadType::ALL {
            assert_eq!(UploadType::of_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn options_are_kept_as_the_api_writes_them() {
        let json = serde_json::json!({
            "type": "shp.zip",
            "hasHeaderRow": true,
            "skipBadRecords": null,
            "hasQuotedNewlines": false,
            "allowJaggedRows": null,
            "quoteCharacter": "",
            "escapeCharacter": null,
            "nullMarkers": ["NA"],
            "delimiter": "\t",
            "schema": [{"name": "x", "type": "dateTime"}],
        });
        let options: UploadOptions = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&options).unwrap(), json);
        let empty: UploadOptions = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, UploadOptions::default());
        let wrong = r#"{"schema": [{"name": "x", "type": "int"}]}"#;
        let error = serde_json::from_str::<UploadOptions>(wrong).unwrap_err();
        assert!(error.to_string().contains("`int` of `x`"), "{error}");
    }
}

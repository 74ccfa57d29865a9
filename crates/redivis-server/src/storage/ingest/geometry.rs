//! Geometry in Parquet files (GeoParquet): columns of well-known binary, which become well-known text.
//!
//! Geography of Redivis is flat and in degrees (redivis-api §8.1): further dimensions are left out, and coordinates of
//! another system are refused.

use std::{fmt::Write, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch, StringBuilder},
    compute::cast,
    datatypes::{DataType, Schema, SchemaRef},
};
use parquet::file::metadata::ParquetMetaData;
use serde_json::Value;

use super::IngestError;
use crate::storage::VariableType;

/// Geometries within geometries that are followed.
const DEPTH: usize = 32;

/// The columns that the file says are geometry, by name.
pub(super) fn columns(metadata: &ParquetMetaData) -> Result<Vec<String>, IngestError> {
    let pairs = metadata.file_metadata().key_value_metadata();
    let said = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == "geo"));
    let Some(said) = said.and_then(|pair| pair.value.as_deref()) else {
        return Ok(Vec::new());
    };
    let said: Value = serde_json::from_str(said).map_err(IngestError::rejected)?;
    let Some(columns) = said["columns"].as_object() else {
        return Ok(Vec::new());
    };
    for (name, column) in columns {
        let encoding = column["encoding"].as_str().unwrap_or_default();
        if encoding != "WKB" {
            return Err(IngestError::Rejected(format!(
                "the geometry `{name}` is encoded as `{encoding}`; only WKB is read"
            )));
        }
        let system = &column["crs"]["id"];
        let known = match (system["authority"].as_str(), &system["code"]) {
            (Some("EPSG"), code) => *code == 4326 || *code == "4326",
            (Some("OGC"), code) => *code == "CRS84",
            // Without a system it is that of degrees.
            _ => column["crs"].is_null(),
        };
        if !known {
            return Err(IngestError::Rejected(format!(
                "the geometry `{name}` is not in degrees (EPSG:4326); transform it before it is uploaded"
            )));
        }
    }
    Ok(columns.keys().cloned().collect())
}

/// The schema with well-known text in place of these columns.
pub(super) fn as_text(schema: &Schema, columns: &[String]) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let binary = matches!(
            field.data_type(),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        );
        match binary && columns.contains(field.name()) {
            true => Arc::new(VariableType::Geography.field(field.name())),
            false => Arc::clone(field),
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The batch with well-known text wherever `schema` has it in place of binary.
pub(super) fn batch_as_text(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, IngestError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| {
        let is_text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::Utf8View);
        if !is_text(field.data_type()) || is_text(column.data_type()) {
            return Ok(Arc::clone(column));
        }
        let binary = cast(column, &DataType::Binary).map_err(IngestError::rejected)?;
        column_as_text(binary.as_binary(), field.name())
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(IngestError::rejected)
}

fn column_as_text(column: &BinaryArray, name: &str) -> Result<ArrayRef, IngestError> {
    let mut texts = StringBuilder::with_capacity(column.len(), column.values().len());
    let mut text = String::new();
    for value in column {
        let Some(value) = value else {
            texts.append_null();
            continue;
        };
        text.clear();
        let mut reader = Reader::new(value);
        let read = reader.geometry(&mut text, DEPTH);
        if read.is_none() || !reader.bytes.is_empty() {
            return Err(IngestError::Rejected(format!(
                "the geometry `{name}` has a value that is no well-known binary"
            )));
        }
        texts.append_value(&text);
    }
    Ok(Arc::new(texts.finish()))
}

/// What is left of a value; `None` from its methods where it is no well-known binary.
struct Reader<'a> {
    bytes: &'a [u8],
    /// Of the geometry that is read: the order of its bytes, and the numbers of a point.
    is_little: bool,
    dimensions: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Reader {
            bytes,
            is_little: true,
            dimensions: 2,
        }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        let mut taken = *taken;
        if !self.is_little {
            taken.reverse();
        }
        Some(taken)
    }

    fn integer(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn number(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    /// The kind of the geometry that comes. ISO counts dimensions in thousands, others in the highest bits.
    fn header(&mut self) -> Option<u32> {
        self.is_little = match self.take::<1>()? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let kind = self.integer()?;
        let (high, iso) = (kind >> 29, (kind & 0x1fff_ffff) / 1000);
        if iso > 3 {
            return None;
        }
        let z = high & 4 != 0 || iso & 1 != 0;
        let m = high & 2 != 0 || iso & 2 != 0;
        self.dimensions = 2 + usize::from(z) + usize::from(m);
        if high & 1 != 0 {
            // The number of a coordinate system.
            self.integer()?;
        }
        Some((kind & 0x1fff_ffff) % 1000)
    }

    fn geometry(&mut self, text: &mut String, depth: usize) -> Option<()> {
        const NAMES: [&str; 7] = [
            "POINT",
            "LINESTRING",
            "POLYGON",
            "MULTIPOINT",
            "MULTILINESTRING",
            "MULTIPOLYGON",
            "GEOMETRYCOLLECTION",
        ];
        let kind = self.header()?;
        text.push_str(NAMES.get(usize::try_from(kind).ok()?.checked_sub(1)?)?);
        text.push(' ');
        self.body(kind, text, depth)
    }

    fn body(&mut self, kind: u32, text: &mut String, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            1 => {
                let start = text.len();
                text.push('(');
                if self.position(text)? {
                    text.push(')');
                } else {
                    text.truncate(start);
                    text.push_str("EMPTY");
                }
                Some(())
            }
            2 => self.list(text, |reader, text| reader.position(text).map(|_| ())),
            3 => self.list(text, |reader, text| {
                reader.list(text, |reader, text| reader.position(text).map(|_| ()))
            }),
            4..=6 => self.list(text, |reader, text| match reader.header()? {
                part if part == kind - 3 => reader.body(part, text, depth),
                _ => None,
            }),
            7 => self.list(text, |reader, text| reader.geometry(text, depth)),
            _ => None,
        }
    }

    fn list(
        &mut self,
        text: &mut String,
        mut item: impl FnMut(&mut Self, &mut String) -> Option<()>,
    ) -> Option<()> {
        let count = self.integer()?;
        if count == 0 {
            text.push_str("EMPTY");
            return Some(());
        }
        for index in 0..count {
            text.push_str(if index == 0 { "(" } else { ", " });
            item(self, text)?;
        }
        text.push(')');
        Some(())
    }

    /// Writes two numbers; whether they are any, as those of an empty point are not.
    fn position(&mut self, text: &mut String) -> Option<bool> {
        let (x, y) = (self.number()?, self.number()?);
        for _ in 2..self.dimensions {
            self.number()?;
        }
        write!(text, "{x} {y}").ok()?;
        Some(!(x.is_nan() && y.is_nan()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(hexadecimal: &str) -> Option<String> {
        let digits = hexadecimal.replace(' ', "");
        let bytes: Vec<u8> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect();
        let (mut reader, mut text) = (Reader::new(&bytes), String::new());
        reader.geometry(&mut text, DEPTH)?;
        reader.bytes.is_empty().then_some(text)
    }

    const ONE: &str = "000000000000f03f";
    const TWO: &str = "0000000000000040";
    const NAN: &str = "000000000000f87f";

    #[test]
    fn every_kind_of_geometry_is_written() {
        let point = format!("01 01000000 {ONE} {TWO}");
        let line = format!("01 02000000 02000000 {ONE} {TWO} {TWO} {ONE}");
        let polygon = format!("01 03000000 01000000 02000000 {ONE} {ONE} {TWO} {TWO}");
        for (binary, text) in [
            (point.clone(), "POINT (1 2)"),
            (
                "00 00000001 3ff0000000000000 4000000000000000".to_owned(),
                "POINT (1 2)",
            ),
            (format!("01 01000000 {NAN} {NAN}"), "POINT EMPTY"),
            (line.clone(), "LINESTRING (1 2, 2 1)"),
            ("01 02000000 00000000".to_owned(), "LINESTRING EMPTY"),
            (polygon.clone(), "POLYGON ((1 1, 2 2))"),
            (
                format!("01 04000000 02000000 {point} {point}"),
                "MULTIPOINT ((1 2), (1 2))",
            ),
            (
                format!("01 05000000 01000000 {line}"),
                "MULTILINESTRING ((1 2, 2 1))",
            ),
            (
                format!("01 06000000 01000000 {polygon}"),
                "MULTIPOLYGON (((1 1, 2 2)))",
            ),
            (
                format!("01 07000000 02000000 {point} {line}"),
                "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (1 2, 2 1))",
            ),
            // Height and measure, as ISO and as PostGIS write them; the number of a coordinate system.
            (format!("01 e9030000 {ONE} {TWO} {TWO}"), "POINT (1 2)"),
            (
                format!("01 b90b0000 {ONE} {TWO} {TWO} {ONE}"),
                "POINT (1 2)",
            ),
            (
                format!("01 010000a0 e6100000 {ONE} {TWO} {TWO}"),
                "POINT (1 2)",
            ),
        ] {
            assert_eq!(text_of(&binary).as_deref(), Some(text), "{binary}");
        }
    }

    #[test]
    fn what_is_no_geometry_is_refused() {
        let point = format!("01 01000000 {ONE} {TWO}");
        for binary in [
            "".to_owned(),
            "02 01000000".to_owned(),
            "01 00000000".to_owned(),
            "01 08000000 00000000".to_owned(),
            format!("01 01000000 {ONE}"),
            format!("{point} 00"),
            "01 02000000 ffffffff".to_owned(),
            format!("01 05000000 01000000 {point}"),
            format!("{}{point}", "01 07000000 01000000 ".repeat(1000)),
        ] {
            assert_eq!(text_of(&binary), None, "{binary:.80}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(0u8..8, 0..200)) {
            let _ = Reader::new(&bytes).geometry(&mut String::new(), DEPTH);
        }
    }
}

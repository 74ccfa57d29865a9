//! Whatever bytes come, they are read or refused; no reader panics, hangs or takes memory that they do not fill.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray},
    ipc::writer::FileWriter,
};
use proptest::prelude::*;

use super::{super::text, options, tables};
use crate::storage::{Declared, IngestError, SourceFormat, UploadOptions, ingest::convert};

const TEXTS: [SourceFormat; 3] = [
    SourceFormat::Delimited,
    SourceFormat::Ndjson,
    SourceFormat::Json,
];
const COLUMNS: [SourceFormat; 4] = [
    SourceFormat::Parquet,
    SourceFormat::Avro,
    SourceFormat::Orc,
    SourceFormat::Arrow,
];

/// Reads the bytes as this format; texts without the guard against panics.
fn read(bytes: &[u8], format: SourceFormat) -> Result<u64, IngestError> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::write(&source, bytes).unwrap();
    let target = folder.path().join("rows").join("target.parquet");
    let options = options(crate::storage::UploadType::Delimited);
    let declared = Declared::new();
    let read: fn(_, _, &UploadOptions, &Declared, _, &dyn Fn() -> bool) -> _ =
        if TEXTS.contains(&format) {
            text::convert
        } else {
            convert
        };
    let outcome = read(
        source.as_path(),
        format,
        &options,
        &declared,
        target.as_path(),
        &|| false,
    );
    assert_eq!(target.exists(), outcome.is_ok());
    assert!(!matches!(outcome, Err(IngestError::Io(_))), "{outcome:?}");
    outcome
}

fn sample() -> RecordBatch {
    let texts: StringArray = (0..40)
        .map(|row| (row % 7 > 0).then(|| format!("text {row}")))
        .collect();
    let columns: [(&str, ArrayRef); 2] = [
        ("n", Arc::new(Int64Array::from_iter(0..40))),
        ("t", Arc::new(texts)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn arrow(batch: &RecordBatch) -> Vec<u8> {
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(batch).unwrap();
    file.into_inner().unwrap()
}

fn whole(format: SourceFormat) -> Vec<u8> {
    let batch = sample();
    match format {
        SourceFormat::Parquet => tables::parquet(&batch),
        SourceFormat::Avro => tables::avro(&batch),
        SourceFormat::Orc => tables::orc(&batch),
        SourceFormat::Arrow => arrow(&batch),
        _ => b"n,t\n1,\"a\"\n2,\"b\"\n".to_vec(),
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    for format in COLUMNS {
        let whole = whole(format);
        read(&whole, format).unwrap();
        for length in (0..whole.len()).step_by(whole.len() / 60 + 1) {
            let outcome = read(&whole[..length], format);
            let refused = matches!(outcome, Err(IngestError::Rejected(_)));
            // Avro's blocks stand one behind the other: behind the header alone, it is a file without rows.
            let header = format == SourceFormat::Avro && outcome.is_ok();
            assert!(refused || header, "{format:?} cut at {length}: {outcome:?}");
        }
        let cut = read(&whole[..whole.len() - 1], format);
        assert!(
            matches!(cut, Err(IngestError::Rejected(_))),
            "{format:?}: {cut:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for format in TEXTS.into_iter().chain(COLUMNS) {
            let _ = read(&bytes, format);
        }
    }

    #[test]
    fn random_text(text in "[{}\\[\\]\",:a1\\\\\n\r \t.e-]{0,60}") {
        for format in TEXTS {
            let _ = read(text.as_bytes(), format);
        }
    }

    #[test]
    fn damaged_files(
        format in prop::sample::select(COLUMNS.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = whole(format);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = read(&bytes, format);
    }
}

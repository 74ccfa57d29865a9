//! The rule "no row lost, none twice", on byte slices.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use proptest::prelude::*;

use super::*;

mod random;

/// Rows `from..to` in batches of the given sizes, over and over.
fn batches(from: u64, to: u64, sizes: &[usize]) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    let mut start = from;
    let mut sizes = sizes.iter().cycle();
    while start < to {
        let size = *sizes.next().unwrap_or(&1) as u64;
        let end = (start + size.max(1)).min(to);
        batches.push(rows(start, end));
        start = end;
    }
    batches
}

fn rows(from: u64, to: u64) -> RecordBatch {
    let numbers = (from..to).map(|n| Some(n as i64)).collect::<Int64Array>();
    let texts = (from..to)
        .map(|n| (n % 3 != 0).then(|| format!("row {n}")))
        .collect::<StringArray>();
    let schema = Schema::new(vec![
        Field::new("n", DataType::Int64, true),
        Field::new("text", DataType::Utf8, true),
    ]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(numbers), Arc::new(texts)]).unwrap()
}

#[derive(Debug, Clone, Copy)]
struct Style {
    sentinel: bool,
    end_marker: bool,
    compression: Option<CompressionType>,
}

const PLAIN: Style = Style {
    sentinel: true,
    end_marker: true,
    compression: None,
};

/// An answer as the service would give it.
fn answer(batches: &[RecordBatch], style: Style) -> Vec<u8> {
    answer_of(&rows(0, 0), batches, style)
}

/// The same for any columns, those of `sentinel`.
fn answer_of(sentinel: &RecordBatch, batches: &[RecordBatch], style: Style) -> Vec<u8> {
    let schema = sentinel.schema();
    let options = IpcWriteOptions::default()
        .try_with_compression(style.compression)
        .unwrap();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    if style.sentinel {
        writer.write(sentinel).unwrap();
    }
    if style.end_marker {
        return writer.into_inner().unwrap();
    }
    writer.flush().unwrap();
    writer.get_ref().clone()
}

/// Feeds `bytes` in pieces, and returns the batches that come out.
fn feed_all(
    decoder: &mut ResumableDecoder,
    bytes: &[u8],
    pieces: usize,
) -> Result<Vec<RecordBatch>, DecodeError> {
    let mut batches = Vec::new();
    let mut chunks = bytes.chunks(pieces.max(1));
    loop {
        while let Some(batch) = decoder.next()? {
            assert!(batch.num_rows() > 0);
            batches.push(batch);
        }
        match chunks.next() {
            Some(chunk) if !decoder.has_ended() => decoder.push(Bytes::copy_from_slice(chunk)),
            _ => return Ok(batches),
        }
    }
}

/// The same, but returns the numbers of the rows.
fn feed(
    decoder: &mut ResumableDecoder,
    bytes: &[u8],
    pieces: usize,
) -> Result<Vec<i64>, DecodeError> {
    let batches = feed_all(decoder, bytes, pieces)?;
    let numbers = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values());
    Ok(numbers.copied().collect())
}

fn expected(rows: u64) -> Vec<i64> {
    (0..rows as i64).collect()
}

#[test]
fn lz4_that_decompresses_to_more_than_it_says_is_refused_before() {
    const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
    let style = Style {
        compression: Some(CompressionType::LZ4_FRAME),
        ..PLAIN
    };
    let mut bytes = answer(&[rows(0, 1000)], style);
    let numbers = [8000_u64.to_le_bytes().as_slice(), &MAGIC].concat();
    let place = bytes
        .windows(numbers.len())
        .position(|window| window == numbers);
    bytes[place.unwrap()..][..8].copy_from_slice(&16_u64.to_le_bytes());

    let mut decoder = ResumableDecoder::default();
    decoder.open();
    let error = feed(&mut decoder, &bytes, usize::MAX).unwrap_err();
    assert!(matches!(&error, DecodeError::Malformed(_)), "{error}");
    assert!(error.to_string().contains("says 16 bytes"), "{error}");
}

#[test]
fn cut_at_every_byte_and_resumed() {
    for compression in [
        None,
        Some(CompressionType::LZ4_FRAME),
        Some(CompressionType::ZSTD),
    ] {
        for sentinel in [true, false] {
            let style = Style {
                sentinel,
                compression,
                ..PLAIN
            };
            let whole = answer(&batches(0, 11, &[4]), style);
            for cut in 0..=whole.len() {
                let mut decoder = ResumableDecoder::default();
                decoder.open();
                let mut numbers = feed(&mut decoder, &whole[..cut], 7).unwrap();
                let mut asked = 1;
                let mut end = decoder.end(false);
                if cut < whole.len() - 8 {
                    assert_eq!(end, None, "cut at {cut}");
                }
                while end != Some(End::Complete) {
                    assert!(asked < 4, "cut at {cut}");
                    let rest = batches(decoder.offset(), 11, &[3]);
                    decoder.open();
                    numbers.extend(feed(&mut decoder, &answer(&rest, style), 1000).unwrap());
                    end = decoder.end(false);
                    asked += 1;
                }
                assert_eq!(numbers, expected(11), "cut at {cut}");
                assert_eq!(decoder.offset(), 11);
            }
        }
    }
}

#[test]
fn the_sentinel_alone_completes() {
    let mut decoder = ResumableDecoder::default();
    decoder.open();
    feed(&mut decoder, &answer(&[rows(0, 5)], PLAIN), 64).unwrap();
    assert_eq!(decoder.end(false), Some(End::Complete));

    // Without the end marker it is the body's own end that shows that nothing follows.
    let unended = Style {
        end_marker: false,
        ..PLAIN
    };
    let mut decoder = ResumableDecoder::default();
    decoder.open();
    feed(&mut decoder, &answer(&[rows(0, 5)], unended), 64).unwrap();
    assert_eq!(decoder.end(true), Some(End::Complete));
    // And not within the marker.
    let mut within = answer(&[rows(0, 5)], unended);
    within.extend(CONTINUATION);
    let mut decoder = ResumableDecoder::default();
    decoder.open();
    feed(&mut decoder, &within, 64).unwrap();
    assert_eq!(decoder.end(true), None);
    // After a cut it is asked again.
    let mut decoder = ResumableDecoder::default();
    decoder.open();
    feed(&mut decoder, &answer(&[rows(0, 5)], unended), 64).unwrap();
    assert_eq!(decoder.end(false), None);
    decoder.open();
    assert_eq!(
        feed(&mut decoder, &answer(&[], unended), 64).unwrap(),
        expected(0)
    );
    assert_eq!(decoder.end(false), Some(End::Complete));
}

#[test]
fn rows_after_a_sentinel_are_handed_on() {
    let mut decoder = ResumableDecoder::default();
    decoder.open();
    let odd = answer(&[rows(0, 2), rows(0, 0), rows(2, 5), rows(0, 0)], PLAIN);
    assert_eq!(feed(&mut decoder, &odd, 33).unwrap(), expected(5));
    assert_eq!(decoder.end(false), Some(End::Complete));

    // Here the last rows have no sentinel behind them.
    let unmarked = Style {
        sentinel: false,
        ..PLAIN
    };
    let mut decoder = ResumableDecoder::default();
    decoder.open();
    let odd = answer(&[rows(0, 2), rows(0, 0), rows(2, 5)], unmarked);
    assert_eq!(feed(&mut decoder, &odd, 33).unwrap(), expected(5));
    assert_eq!(decoder.end(false), Some(End::AskAgain));
}

#[test]
fn a_service_without_sentinels_is_asked_again_at_the_end() {
    let unmarked = Style {
        sentinel: false,
        ..PLAIN
    };
    for count in [0, 5] {
        let mut decoder = ResumableDecoder::default();
        decoder.open();
        feed(
            &mut decoder,
            &answer(&batches(0, count, &[5]), unmarked),
            64,
        )
        .unwrap();
        assert_eq!(decoder.end(false), Some(End::AskAgain));
        // It had more: not the end yet.
        decoder.open();
        let more = batches(count, count + 3, &[2]);
        feed(&mut decoder, &answer(&more, unmarked), 64).unwrap();
        assert_eq!(decoder.end(false), Some(End::AskAgain));
        // A break tells nothing.
        decoder.open();
        assert_eq!(decoder.end(false), None);
        decoder.open();
        assert_eq!(
            feed(&mut decoder, &answer(&[], unmarked), 64).unwrap(),
            expected(0)
        );
        assert_eq!(decoder.end(false), Some(End::Complete));
    }
    // Neither sentinel nor end marker: nothing tells an end from a cut.
    let mut decoder = ResumableDecoder::default();
    let nothing = Style {
        sentinel: false,
        end_marker: false,
        compression: None,
    };
    for _ in 0..3 {
        decoder.open();
        feed(&mut decoder, &answer(&[], nothing), 64).unwrap();
        assert_eq!(decoder.end(false), None);
    }
}

#[test]
fn a_changed_schema_is_refused() {
    let mut decoder = ResumableDecoder::default();
    decoder.open();
    feed(&mut decoder, &answer(&[rows(0, 2)], PLAIN), 64).unwrap();
    let other = Schema::new(vec![
        Field::new("n", DataType::Int32, true),
        Field::new("text", DataType::Utf8, true),
    ]);
    let writer = StreamWriter::try_new(Vec::new(), &other).unwrap();
    decoder.open();
    let error = feed(&mut decoder, &writer.into_inner().unwrap(), 64).unwrap_err();
    assert!(matches!(error, DecodeError::SchemaChanged(_)));
    assert!(error.to_string().contains("`n` (Int64), then `n` (Int32)"));
}

/// The body lengths of the messages of a stream.
fn body_lengths(stream: &[u8]) -> Vec<i64> {
    let mut framer = Framer::default();
    let mut input = Buffer::from(stream);
    let mut lengths = Vec::new();
    while let Some(Frame::Message(message)) = framer.next(&mut input).unwrap() {
        let message = arrow::ipc::root_as_message(&message.metadata).unwrap();
        lengths.push(message.bodyLength());
    }
    lengths
}

#[test]
fn what_is_not_arrow_is_refused_before_memory_is_set_aside() {
    // A record batch whose body is said to have 2^40 bytes.
    let mut huge_body = answer(&[rows(0, 1000)], PLAIN);
    let length = body_lengths(&huge_body)[1].to_le_bytes();
    let at = huge_body
        .windows(8)
        .position(|bytes| bytes == length)
        .unwrap();
    huge_body[at..at + 8].copy_from_slice(&(1_i64 << 40).to_le_bytes());
    for bytes in [
        b"<html><body>It works!</body></html>".to_vec(),
        br#"{"error": "not_found"}"#.to_vec(),
        vec![0xff; 64],
        vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        vec![
            0x10, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9,
        ],
        huge_body,
    ] {
        let mut decoder = ResumableDecoder::default();
        decoder.open();
        let error = feed(&mut decoder, &bytes, 5).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed(_)), "{error}");
    }
}

proptest! {
    /// Flipped bytes give rows or a error; they never take the process down.
    #[test]
    fn damage_never_panics(
        flips in proptest::collection::vec((0usize..4000, 0u8..=255), 1..6),
        pieces in 1usize..500,
        compressed: bool,
    ) {
        let style = Style {
            compression: compressed.then_some(CompressionType::LZ4_FRAME),
            ..PLAIN
        };
        let mut bytes = answer(&batches(0, 60, &[20]), style);
        for (at, value) in flips {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let mut decoder = ResumableDecoder::default();
        decoder.open();
        let _ = feed(&mut decoder, &bytes, pieces);
        decoder.end(false);
    }
}

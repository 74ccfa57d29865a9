//! The same rule on random tables, of any columns, cut anywhere.

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;

use super::*;

/// Rows of one to nine columns of random types, with random values and nulls.
fn table(seed: u64, count: usize) -> RecordBatch {
    let mut rng = fastrand::Rng::with_seed(seed);
    let columns = (0..rng.usize(1..10)).map(|column| {
        let nulls = [0, 3, 10][rng.usize(0..3)];
        let values: Vec<Option<i64>> = (0..count)
            .map(|_| (rng.usize(0..10) >= nulls).then(|| rng.i64(..)))
            .collect();
        let text = || {
            values
                .iter()
                .map(|n| n.map(|n| "ä".repeat(n as usize % 50)))
        };
        let scaled = |n: &Option<i64>| n.map(|n| n.rem_euclid(86_400_000_000));
        let array: ArrayRef = match rng.u8(0..7) {
            0 => Arc::new(Int64Array::from(values)),
            1 => Arc::new(
                values
                    .iter()
                    .map(|n| n.map(|n| n as f64))
                    .collect::<Float64Array>(),
            ),
            2 => Arc::new(
                values
                    .iter()
                    .map(|n| n.map(|n| n > 0))
                    .collect::<BooleanArray>(),
            ),
            3 => Arc::new(
                values
                    .iter()
                    .map(|n| n.map(|n| n as i32))
                    .collect::<Date32Array>(),
            ),
            4 => Arc::new(
                values
                    .iter()
                    .map(scaled)
                    .collect::<Time64MicrosecondArray>(),
            ),
            5 => Arc::new(TimestampMicrosecondArray::from(values)),
            _ => Arc::new(text().collect::<StringArray>()),
        };
        (format!("c{column}"), array, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Random tables and batch sizes, answers cut anywhere, pieces of any size: all rows, in order, once.
    #[test]
    fn nothing_is_lost_or_repeated(
        seed: u64,
        count in 0usize..120,
        sizes in proptest::collection::vec(1usize..40, 1..6),
        cuts in proptest::collection::vec((0.0f64..1.0, 1usize..3000), 0..7),
        sentinel: bool,
        compression in prop_oneof![
            Just(None), Just(Some(CompressionType::LZ4_FRAME)), Just(Some(CompressionType::ZSTD))
        ],
    ) {
        let style = Style { sentinel, end_marker: true, compression };
        let stored = table(seed, count);
        let mut decoder = ResumableDecoder::default();
        let mut arrived = Vec::new();
        let mut cuts = cuts.into_iter();
        let mut sizes = sizes.iter().cycle();
        for asked in 0.. {
            prop_assert!(asked < 20);
            decoder.open();
            let mut offset = decoder.offset() as usize;
            let mut batches = Vec::new();
            while offset < count {
                let size = (*sizes.next().unwrap()).min(count - offset);
                batches.push(stored.slice(offset, size));
                offset += size;
            }
            let bytes = answer_of(&stored.slice(0, 0), &batches, style);
            let (bytes, pieces) = match cuts.next() {
                Some((at, pieces)) => (&bytes[..(bytes.len() as f64 * at) as usize], pieces),
                None => (&bytes[..], 4096),
            };
            arrived.extend(feed_all(&mut decoder, bytes, pieces).unwrap());
            let rows: usize = arrived.iter().map(RecordBatch::num_rows).sum();
            prop_assert_eq!(rows as u64, decoder.offset());
            if decoder.end(false) == Some(End::Complete) {
                break;
            }
        }
        prop_assert_eq!(concat_batches(&stored.schema(), &arrived).unwrap(), stored);
    }
}

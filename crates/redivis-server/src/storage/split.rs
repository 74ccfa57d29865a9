//! How the rows of a table are shared out over read streams.
//!
//! By rows and not by row groups, so that a file of one row group still makes several balanced streams.

use std::ops::Range;

/// Cuts `0..rows` into at most `wanted` consecutive ranges whose lengths differ by one at most; at least one range.
pub(crate) fn split(rows: u64, wanted: u64) -> Vec<Range<u64>> {
    let count = wanted.min(rows).max(1);
    let (each, longer) = (rows / count, rows % count);
    let mut start = 0;
    (0..count)
        .map(|index| {
            let end = start + each + u64::from(index < longer);
            let range = start..end;
            start = end;
            range
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_cover_all_rows_once_and_evenly(rows in 0u64..100_000, wanted in 0u64..300) {
            let ranges = split(rows, wanted);
            prop_assert!(!ranges.is_empty());
            prop_assert!(ranges.len() as u64 <= wanted.max(1));
            let mut next = 0;
            for range in &ranges {
                prop_assert_eq!(range.start, next);
                next = range.end;
            }
            prop_assert_eq!(next, rows);
            let lengths: Vec<u64> = ranges.iter().map(|range| range.end - range.start).collect();
            prop_assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 1);
        }
    }
}

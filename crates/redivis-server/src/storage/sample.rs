//! Which rows of a file are its sample: the first thousand of every hundred thousand.
//!
//! Blocks rather than single rows, so that a sample is read about a hundred times quicker than the whole; and always
//! the same rows, so that a read of it can be resumed. A small file is its own sample.

use std::ops::Range;

/// Rows of a block of the sample.
const BLOCK: u64 = 1_000;
/// Rows from the start of a block to the start of the next.
const STRIDE: u64 = 100_000;

/// How many rows the sample of so many rows has.
pub(super) fn rows_of(all: u64) -> u64 {
    all / STRIDE * BLOCK + (all % STRIDE).min(BLOCK)
}

/// Where a row of the sample is in the file.
fn place_of(row: u64) -> u64 {
    row / BLOCK * STRIDE + row % BLOCK
}

/// The rows of the file from the first to the last of these rows of the sample.
pub(super) fn cover_of(rows: &Range<u64>) -> Range<u64> {
    match rows.is_empty() {
        true => 0..0,
        false => place_of(rows.start)..place_of(rows.end - 1) + 1,
    }
}

/// How many rows of the file to skip and how many to take, again and again from the row `start`, to get these rows of the
/// sample.
pub(super) fn picks_of(rows: &Range<u64>, start: u64) -> impl Iterator<Item = (u64, u64)> {
    let (mut row, end) = (rows.start, rows.end);
    let mut reached = start;
    std::iter::from_fn(move || {
        if row >= end {
            return None;
        }
        let place = place_of(row);
        let taken = (BLOCK - row % BLOCK).min(end - row);
        let pick = (place - reached, taken);
        row += taken;
        reached = place + taken;
        Some(pick)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn picks_are_the_rows_of_the_sample_in_their_order(
            all in 0u64..1_000_000,
            (from, to) in (0u64..10_000, 0u64..10_000),
        ) {
            let sample: Vec<u64> = (0..all).filter(|row| row % STRIDE < BLOCK).collect();
            prop_assert_eq!(rows_of(all), sample.len() as u64);
            let to = to.min(rows_of(all));
            let from = from.min(to);
            let cover = cover_of(&(from..to));
            let mut picked = Vec::new();
            let mut reached = cover.start;
            for (skipped, taken) in picks_of(&(from..to), cover.start) {
                reached += skipped;
                picked.extend(reached..reached + taken);
                reached += taken;
            }
            prop_assert_eq!(&picked[..], &sample[from as usize..to as usize]);
            prop_assert!(picked.is_empty() || reached == cover.end);
        }
    }
}

//! How many streams a read is worth.

/// Below this many rows one stream is at least as fast as several.
const ONE_STREAM_ROWS: usize = 10_000;

/// A stream should be worth its connection and request: about this many bytes. Measured by the benchmark `line`, at 40 MB/s and
/// 50 ms with two more round trips for a connection.
const STREAM_BYTES: usize = 4 << 20;

/// The number of streams that reading so many bytes, or no more than `fetch` rows, is worth.
pub(super) fn streams(most: usize, bytes: Option<usize>, fetch: Option<usize>) -> usize {
    if fetch.is_some_and(|fetch| fetch <= ONE_STREAM_ROWS) {
        return 1;
    }
    let worth = bytes.map_or(usize::MAX, |bytes| bytes.div_ceil(STREAM_BYTES));
    most.min(worth).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_follow_partitions_size_and_limit() {
        assert_eq!(streams(8, Some(100 * STREAM_BYTES), None), 8);
        assert_eq!(streams(8, Some(2 * STREAM_BYTES), None), 2);
        assert_eq!(streams(8, Some(2 * STREAM_BYTES + 1), None), 3);
        assert_eq!(streams(8, Some(0), None), 1);
        assert_eq!(streams(4, None, None), 4);
        assert_eq!(streams(0, None, None), 1);
        assert_eq!(streams(8, None, Some(10)), 1);
        assert_eq!(streams(8, None, Some(ONE_STREAM_ROWS)), 1);
        assert_eq!(streams(8, Some(usize::MAX), Some(ONE_STREAM_ROWS + 1)), 8);
    }
}

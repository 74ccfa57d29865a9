//! The `Content-Range` of a request to a resumable session (redivis-api §6.3).
//!
//! `bytes 0-524287/2000000` sends, `bytes */2000000` asks how far the upload came, and the total may be `*`. The unit may
//! be missing, and R writes round numbers as `1e+08`.

use crate::number::whole;

/// What a request to a session is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentRange {
    /// These bytes follow.
    Bytes {
        /// The first byte's position.
        start: u64,
        /// The position after the last byte; never before `start`.
        end: u64,
        /// Bytes in all, if the client knows.
        total: Option<u64>,
    },
    /// How many bytes are there?
    Probe {
        /// Bytes in all, if the client knows.
        total: Option<u64>,
    },
}

impl ContentRange {
    /// Reads the header's value; `None` for what is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.get(..5) {
            Some(unit) if unit.eq_ignore_ascii_case("bytes") => {
                text[5..].trim_start().trim_start_matches('=')
            }
            _ => text,
        };
        let (range, total) = text.split_once('/')?;
        let (range, total) = (range.trim(), total.trim());
        let total = match total {
            "*" => None,
            number => Some(whole(number)?),
        };
        if range == "*" {
            return Some(ContentRange::Probe { total });
        }
        // What Python and R make of an empty file: it ends before it starts.
        if range == "0--1" && total == Some(0) {
            return Some(ContentRange::Probe { total });
        }
        let (first, last) = range.split_once('-')?;
        let (start, end) = (whole(first.trim())?, whole(last.trim())?.checked_add(1)?);
        let fits = start < end && total.is_none_or(|total| end <= total);
        fits.then_some(ContentRange::Bytes { start, end, total })
    }

    /// Bytes in all, if the client knows.
    pub(crate) fn total(&self) -> Option<u64> {
        match self {
            ContentRange::Bytes { total, .. } | ContentRange::Probe { total } => *total,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn documented_and_sent_spellings_are_read() {
        for (text, range) in [
            ("bytes 0-524287/2000000", (0, 524_288, Some(2_000_000))),
            ("bytes 524288-1048575/*", (524_288, 1_048_576, None)),
            ("0-9/10", (0, 10, Some(10))),
            ("Bytes=0-9/10", (0, 10, Some(10))),
            (
                "bytes 0-99999999/1e+08",
                (0, 100_000_000, Some(100_000_000)),
            ),
            (
                "bytes 1e+05-199999/2e+05",
                (100_000, 200_000, Some(200_000)),
            ),
            ("bytes 0-1e+05/100001", (0, 100_001, Some(100_001))),
        ] {
            let (start, end, total) = range;
            let expected = ContentRange::Bytes { start, end, total };
            assert_eq!(ContentRange::parse(text), Some(expected), "{text}");
        }
        for (text, total) in [
            ("bytes */2000000", Some(2_000_000)),
            ("*/2000000", Some(2_000_000)),
            ("bytes */*", None),
            ("*/*", None),
            ("bytes */1e+08", Some(100_000_000)),
            ("bytes 0--1/0", Some(0)),
        ] {
            let expected = ContentRange::Probe { total };
            assert_eq!(ContentRange::parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "bytes",
            "bytes 0-9",
            "bytes 9-0/10",
            "bytes 0-10/10",
            "bytes 0-9/-10",
            "bytes 0-9/1.5",
            "bytes -9/10",
            "bytes 0-/10",
            "bytes 0-18446744073709551615/*",
            "bytes 0-9/nan",
            "items 0-9/10",
            "bytes 0-9/10, 20-29/30",
            "bytes 1e-05-9/10",
        ] {
            assert_eq!(ContentRange::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_ranges_are_in_order(text in "(bytes)?[ =]?[-*/0-9e+. é]{0,30}") {
            if let Some(ContentRange::Bytes { start, end, total }) = ContentRange::parse(&text) {
                prop_assert!(start < end);
                prop_assert!(total.is_none_or(|total| end <= total));
            }
        }

        #[test]
        fn nonsense_does_not_panic(text in "\\PC{0,40}") {
            let _ = ContentRange::parse(&text);
        }

        #[test]
        fn every_range_is_read_as_it_was_written(start in 0..u64::MAX - 2, length in 1..1u64 << 40, more in 0..1u64 << 20) {
            let end = start.saturating_add(length).min(u64::MAX - 1);
            let total = end.saturating_add(more);
            let expected = ContentRange::Bytes { start, end, total: Some(total) };
            prop_assert_eq!(ContentRange::parse(&format!("bytes {start}-{}/{total}", end - 1)), Some(expected));
        }
    }
}

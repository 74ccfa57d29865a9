//! The `Range` of a request for a file's bytes (RFC 9110 §14).
//!
//! What is no range of bytes, or several, is answered with the whole file, as the standard allows.

use std::ops::Range;

/// What of a file is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// These bytes; at least one.
    Bytes(Range<u64>),
    /// Bytes that the file does not have.
    Outside,
}

impl Part {
    /// Reads the header's value for a file of this size.
    pub(super) fn of(header: Option<&str>, size: u64) -> Self {
        let Some((first, last)) = header.and_then(bounds) else {
            return Part::Whole;
        };
        let range = match (first, last) {
            (Some(first), Some(last)) if last < first => return Part::Whole,
            (Some(first), last) => {
                first..last.map_or(size, |last| last.saturating_add(1).min(size))
            }
            (None, Some(length)) => size.saturating_sub(length)..size,
            (None, None) => return Part::Whole,
        };
        if range.start < range.end {
            Part::Bytes(range)
        } else {
            Part::Outside
        }
    }
}

/// The two numbers of `bytes=a-b`, either of which may be missing.
fn bounds(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // A number that is too large is past the end of any file.
            Some(Some(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    let (first, last) = range.split_once('-')?;
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        for (header, part) in [
            ("bytes=0-9", Part::Bytes(0..10)),
            ("bytes=90-", Part::Bytes(90..100)),
            ("bytes=90-1000", Part::Bytes(90..100)),
            ("bytes=99-99999999999999999999999", Part::Bytes(99..100)),
            ("bytes=-10", Part::Bytes(90..100)),
            ("bytes=-1000", Part::Bytes(0..100)),
            ("Bytes = 5 - 6", Part::Bytes(5..7)),
            ("bytes=100-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=9-5", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=x-5", Part::Whole),
            ("bytes=+1-5", Part::Whole),
            ("rows=0-5", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(Part::of(Some(header), 100), part, "{header}");
        }
        assert_eq!(Part::of(None, 100), Part::Whole);
        assert_eq!(Part::of(Some("bytes=0-"), 0), Part::Outside);
    }

    proptest! {
        #[test]
        fn bytes_are_always_of_the_file(header in "(bytes=)?[-0-9, =a]{0,25}", size in 0u64..1000) {
            if let Part::Bytes(range) = Part::of(Some(&header), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }

        #[test]
        fn nonsense_does_not_panic(header in "\\PC{0,40}", size: u64) {
            let _ = Part::of(Some(&header), size);
        }
    }
}

//! How delimited text is written: its delimiter, quotes and escapes, as given or as found.
//!
//! A delimiter that is not given is looked for in the beginning of the file: the one that cuts every record there into
//! the same number of cells, the more the better.

use std::io::{BufRead, Read};

use super::{IngestError, UploadOptions, delimited::Records};

/// Delimiters that are looked for, in the order in which they are preferred.
const DELIMITERS: [u8; 4] = [b',', b'\t', b'|', b';'];
/// Bytes that are looked at.
const PREVIEW: u64 = 256 << 10;

/// How delimited text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    pub(super) escape: Option<u8>,
    /// Whether quoted cells may go over the end of a line.
    pub(super) newlines: bool,
}

impl Dialect {
    /// The dialect that the options say, with a delimiter found in what `open` gives where they say none.
    pub(super) fn of<R: BufRead>(
        options: &UploadOptions,
        open: impl Fn() -> Result<R, IngestError>,
    ) -> Result<Self, IngestError> {
        let quote = match options.quote_character.as_deref() {
            None => Some(b'"'),
            Some("") => None,
            Some(quote) => Some(character("quote character", quote)?),
        };
        let escape = match options.escape_character.as_deref() {
            None | Some("") => None,
            Some(escape) => Some(character("escape character", escape)?),
        };
        let mut dialect = Dialect {
            delimiter: DELIMITERS[0],
            quote,
            // A quote that escapes a quote is how quotes are written without an escape character.
            escape: escape.filter(|_| escape != quote),
            newlines: options.has_quoted_newlines.unwrap_or(true),
        };
        match options.delimiter.as_deref() {
            Some(delimiter) => dialect.delimiter = character("delimiter", delimiter)?,
            None => {
                let mut start = Vec::new();
                open()?.take(PREVIEW).read_to_end(&mut start)?;
                dialect.delimiter = detect(dialect, &start);
            }
        }
        if Some(dialect.delimiter) == dialect.quote || Some(dialect.delimiter) == dialect.escape {
            return Err(IngestError::rejected(
                "the delimiter, the quote character and the escape character must differ",
            ));
        }
        Ok(dialect)
    }
}

fn character(what: &str, given: &str) -> Result<u8, IngestError> {
    match given.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(IngestError::Rejected(format!(
            "the {what} must be one ASCII character that does not end lines, not `{given}`"
        ))),
    }
}

/// The delimiter of a text that starts like this.
fn detect(dialect: Dialect, start: &[u8]) -> u8 {
    let mut best = (0, 0, dialect.delimiter);
    for delimiter in DELIMITERS {
        let taken = Some(delimiter) == dialect.quote || Some(delimiter) == dialect.escape;
        if taken {
            continue;
        }
        let mut records = Records::new(
            start,
            Dialect {
                delimiter,
                ..dialect
            },
        );
        let mut widths = Vec::new();
        while let Ok(Some(record)) = records.next_record() {
            widths.push(record.len());
        }
        // The last record may be cut off by the preview.
        if widths.len() > 1 && start.len() as u64 >= PREVIEW {
            widths.pop();
        }
        let Some(&width) = widths.first().filter(|width| **width > 1) else {
            continue;
        };
        // Ragged files are told apart by their first record; that they are ragged is found when they are read.
        let even = usize::from(widths.iter().all(|other| *other == width));
        if (even, width) > (best.0, best.1) {
            best = (even, width, delimiter);
        }
    }
    best.2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> char {
        let dialect = Dialect::of(&UploadOptions::default(), || Ok(text.as_bytes()));
        char::from(dialect.unwrap().delimiter)
    }

    #[test]
    fn the_delimiter_that_cuts_evenly_is_found() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", ','),
            ("a\tb\n1,5\t2\n", '\t'),
            ("a|b|c\n1|2|3\n", '|'),
            ("a;b\n1,5;2,5\n", ';'),
            ("a;b,c;d\n1;2;3\n", ';'),
            ("\"a;x\",b\n1,2\n", ','),
            ("a\n1;2\n", ','),
            ("", ','),
            ("a,b\n1\n1,2,3\n", ','),
        ] {
            assert_eq!(found(text), delimiter, "{text:?}");
        }
    }

    #[test]
    fn characters_are_one_and_differ() {
        let refused = |options: UploadOptions| {
            let error = Dialect::of(&options, || Ok(&b"a"[..])).unwrap_err();
            assert!(matches!(error, IngestError::Rejected(_)), "{error:?}");
        };
        let some = |text: &str| Some(text.to_owned());
        for wrong in ["ab", "\n", "ä", ""] {
            refused(UploadOptions {
                delimiter: some(wrong),
                ..UploadOptions::default()
            });
        }
        refused(UploadOptions {
            quote_character: some("''"),
            ..UploadOptions::default()
        });
        refused(UploadOptions {
            delimiter: some("\""),
            ..UploadOptions::default()
        });
        refused(UploadOptions {
            delimiter: some("\\"),
            escape_character: some("\\"),
            ..UploadOptions::default()
        });
    }
}

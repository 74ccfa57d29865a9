//! What a file's name does not say: `.csv` is not always commas, and `.json` not always an object a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// How much of a file is looked at for its first two lines.
const LOOKED_AT: u64 = 64 * 1024;

/// How a file differs from others of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// This stands between values, and not a comma.
    Separator(u8),
    /// One array has all objects.
    Array,
}

/// The dialect of a file; `None` where there is none, or it is the usual one.
pub(super) fn of(path: &Path) -> Option<Dialect> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    if !matches!(extension.as_str(), "csv" | "json") || !path.is_file() {
        return None;
    }
    let file = File::open(path).ok()?;
    let mut start = BufReader::new(file.take(LOOKED_AT));
    if extension == "csv" {
        return separator(start).map(Dialect::Separator);
    }
    let mut text = vec![];
    start.read_to_end(&mut text).ok()?;
    text.trim_ascii_start()
        .starts_with(b"[")
        .then_some(Dialect::Array)
}

fn separator(file: impl BufRead) -> Option<u8> {
    let mut lines = file.lines();
    let header = lines.next()?.ok()?;
    let first = lines.next().and_then(Result::ok);
    if count(&header, ',') > 0 {
        return None;
    }
    let separators = [';', '\t', '|'];
    let separator = separators
        .into_iter()
        .max_by_key(|separator| count(&header, *separator))?;
    let in_header = count(&header, separator);
    let also_below = first.is_none_or(|line| count(&line, separator) == in_header);
    (in_header > 0 && also_below).then(|| u8::try_from(separator).ok())?
}

/// How often it stands outside of quotes.
fn count(line: &str, separator: char) -> usize {
    let outside = line.split('"').step_by(2);
    outside.map(|part| part.matches(separator).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_is_what_both_lines_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.CSV");
        for (text, separator) in [
            ("a;b\n1;2\n", Some(b';')),
            ("a;b", Some(b';')),
            ("a\tb\n1\t2\n", Some(b'\t')),
            ("a|b|c\n1|\"|;\"|3\n", Some(b'|')),
            ("a,b\n1,2\n", None),
            ("a;b,c\n1,2\n", None),
            ("\"a,b\";c\n1;2\n", Some(b';')),
            ("a;b\nonly one\n", None),
            ("a\n1\n", None),
            ("", None),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(of(&path), separator.map(Dialect::Separator), "{text}");
        }
        assert_eq!(of(&folder.path().join("none.csv")), None);
    }

    #[test]
    fn an_array_begins_with_a_bracket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        for (text, dialect) in [
            (" \n[{}]", Some(Dialect::Array)),
            ("{}\n", None),
            ("", None),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(of(&path), dialect, "{text}");
        }
    }
}

//! From text to reference, with the reason when it is none.
//!
//! Split by the dots first and judge the pieces then: a version's own dot (`v1.0`) is the only one that does not separate.

use super::{DatasetReference, ReferenceError, TableReference, Version, WorkflowReference};

/// Longer than any name that Redivis allows, even percent-encoded.
const MAX_LENGTH: usize = 1000;
const MAX_NAME_CHARS: usize = 300;

const DATASET: &str = "dataset reference";
const WORKFLOW: &str = "workflow reference";
const TABLE: &str = "table reference";

type Reason<T> = Result<T, String>;

pub(super) fn dataset(text: &str) -> Result<DatasetReference, ReferenceError> {
    refused(text, DATASET, split(text, 2).and_then(parent))
}

pub(super) fn workflow(text: &str) -> Result<WorkflowReference, ReferenceError> {
    let workflow = split(text, 2).and_then(parent).and_then(|parent| {
        if parent.sample || parent.version.is_some() {
            return Err("a workflow has no versions and no sample".to_owned());
        }
        Ok(WorkflowReference(parent))
    });
    refused(text, WORKFLOW, workflow)
}

pub(super) fn table(text: &str) -> Result<TableReference, ReferenceError> {
    let table = split(text, 3).and_then(|mut parts| {
        let (name, reference_id) = table_identifier(&parts.pop().unwrap_or_default())?;
        Ok(TableReference {
            parent: parent(parts)?,
            name,
            reference_id,
        })
    });
    refused(text, TABLE, table)
}

pub(super) fn table_of(
    parent: &DatasetReference,
    text: &str,
) -> Result<TableReference, ReferenceError> {
    let table = split(text, 1)
        .and_then(|parts| table_identifier(&parts.concat()))
        .map(|(name, reference_id)| TableReference {
            parent: parent.clone(),
            name,
            reference_id,
        });
    refused(text, "table name", table)
}

/// `v1_0`, `v1.0`, `1_0`, `1.0`, `current` and `next`, in any case.
pub(super) fn version(text: &str) -> Option<Version> {
    if text.eq_ignore_ascii_case("current") {
        return Some(Version::Current);
    }
    if text.eq_ignore_ascii_case("next") {
        return Some(Version::Next);
    }
    let (major, minor) = text
        .strip_prefix(['v', 'V'])
        .unwrap_or(text)
        .split_once(['_', '.'])?;
    Some(Version::Numbered {
        major: number(major)?,
        minor: number(minor)?,
    })
}

fn number(text: &str) -> Option<u32> {
    is_digits(text).then(|| text.parse().ok()).flatten()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn refused<T>(text: &str, expected: &'static str, parsed: Reason<T>) -> Result<T, ReferenceError> {
    parsed.map_err(|reason| ReferenceError {
        text: shortened(text),
        expected,
        reason,
    })
}

pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 120;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Splits into exactly `wanted` parts at the dots, except the dot of a version after the parent's name.
fn split(text: &str, wanted: usize) -> Reason<Vec<String>> {
    if text.len() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} bytes"));
    }
    let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    if wanted >= 2 && parts.len() >= 3 {
        let major = parts[1].rsplit_once(':').map_or("", |(_, last)| last);
        let minor = parts[2].split(':').next().unwrap_or_default();
        let named = major.strip_prefix(['v', 'V']);
        let is_version = is_digits(named.unwrap_or(major)) && is_digits(minor);
        // `:v1.0` is a version wherever it stands. Bare digits may also be a reference id before a table named `0`: then
        // the number of parts decides.
        if is_version && (named.is_some() || parts.len() == wanted + 1) {
            let minor = parts.remove(2);
            parts[1] = format!("{}.{minor}", parts[1]);
        }
    }
    if parts.len() != wanted {
        let form = match wanted {
            1 => "name[:referenceId]",
            2 => "owner.name",
            _ => "owner.dataset.table",
        };
        return Err(format!(
            "write {form}; this has {} parts (a period inside a name is written as _)",
            parts.len()
        ));
    }
    Ok(parts)
}

/// The parent from `[owner, name:qualifier…]`.
fn parent(parts: Vec<String>) -> Reason<DatasetReference> {
    let (Some(owner), Some(identifier)) = (parts.first(), parts.get(1)) else {
        return Err("write owner.name".to_owned());
    };
    if let Some(odd) = owner
        .chars()
        .find(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
    {
        return Err(format!("an owner's name cannot contain {odd:?}"));
    }
    let mut pieces = identifier.split(':');
    let mut reference = DatasetReference {
        owner: name(owner, "owner")?,
        name: name(pieces.next().unwrap_or_default(), "dataset or workflow")?,
        reference_id: None,
        sample: false,
        version: None,
    };
    for piece in pieces {
        if let Some(version) = version(piece) {
            if reference.version.replace(version).is_some() {
                return Err("it names two versions".to_owned());
            }
        } else if piece.eq_ignore_ascii_case("sample") {
            if std::mem::replace(&mut reference.sample, true) {
                return Err("it says `sample` twice".to_owned());
            }
        } else if reference
            .reference_id
            .replace(reference_id(piece)?)
            .is_some()
        {
            return Err("it has two reference ids".to_owned());
        }
    }
    Ok(reference)
}

fn table_identifier(identifier: &str) -> Reason<(String, Option<String>)> {
    let (table, id) = match identifier.split_once(':') {
        Some((table, id)) => (table, Some(id)),
        None => (identifier, None),
    };
    let table = name(table, "table")?;
    let Some(id) = id else {
        return Ok((table, None));
    };
    if version(id).is_some() || id.eq_ignore_ascii_case("sample") {
        return Err(format!(
            "`:{id}` belongs after the dataset's name, not after the table's"
        ));
    }
    Ok((table, Some(reference_id(id)?)))
}

/// Ids look like `1q86`; whole resource ids like `1q86-cc0fwjwtn` start with one.
fn reference_id(text: &str) -> Reason<String> {
    let is_id = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_id {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`:{}` is no version (v1_0, current, next), no `sample` and no reference id",
            shortened(text).escape_debug()
        ))
    }
}

/// Names may be written as people see them, with spaces and punctuation (redivis-api §2.2). What could change the meaning
/// of a path, a quoted identifier or a line of text is refused: names that contain it are written with `_` instead.
fn name(text: &str, what: &str) -> Reason<String> {
    if text.is_empty() {
        return Err(format!("the {what}'s name is empty"));
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(format!("the {what}'s name starts or ends with a space"));
    }
    if text.chars().count() > MAX_NAME_CHARS {
        return Err(format!(
            "the {what}'s name is longer than {MAX_NAME_CHARS} characters"
        ));
    }
    match text.chars().find(|&c| is_refused(c)) {
        Some(odd) => Err(format!(
            "the {what}'s name cannot contain {odd:?}; write _ instead"
        )),
        None => Ok(text.to_owned()),
    }
}

fn is_refused(c: char) -> bool {
    let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || invisible
        || matches!(
            c,
            '/' | '\\' | '?' | '#' | '%' | '"' | '\'' | '`' | ':' | '.'
        )
}

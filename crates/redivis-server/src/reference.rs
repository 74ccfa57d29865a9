//! References as they appear in request paths: `owner.dataset[:id][:sample][:version].table[:id]` (redivis-api §2).
//!
//! Parts are only ever compared with names of what exists and never become a path, so none can leave the data folder.

use std::fmt;

/// A name, and the reference id that may pin it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// Comparable form: escaped, lower case.
    pub(crate) slug: String,
    /// Four base-36 characters; decides when given.
    pub(crate) id: Option<String>,
}

impl Name {
    /// How well a resource of this slug and id fits: an id that fits is enough, a name that fits better still.
    pub(crate) fn fits(&self, slug: &str, id: &str) -> Option<u8> {
        match &self.id {
            Some(wanted) if wanted != id => None,
            Some(_) => Some(u8::from(self.slug == slug)),
            None => (self.slug == slug).then_some(1),
        }
    }
}

/// Which version of a dataset is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionTag {
    /// The latest release; also when nothing is said.
    Current,
    /// The unreleased draft.
    Next,
    /// A release.
    Released(u32, u32),
}

impl VersionTag {
    /// Reads `current`, `next`, `v1_0` or `v1.0`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        match text.as_str() {
            "current" => return Some(VersionTag::Current),
            "next" => return Some(VersionTag::Next),
            _ => {}
        }
        let (major, minor) = text.strip_prefix('v')?.split_once(['_', '.'])?;
        let digits = |part: &str| {
            (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse().ok())
                .flatten()
        };
        Some(VersionTag::Released(digits(major)?, digits(minor)?))
    }
}

/// A dataset, of some version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatasetReference {
    pub(crate) owner: String,
    pub(crate) dataset: Name,
    pub(crate) version: Option<VersionTag>,
    pub(crate) sample: bool,
}

/// A table of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableReference {
    pub(crate) dataset: DatasetReference,
    pub(crate) table: Name,
}

/// An upload of a table: `owner.dataset.table.upload`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadReference {
    pub(crate) table: TableReference,
    pub(crate) upload: String,
}

/// Why some text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReferenceError(String);

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DatasetReference {
    pub(crate) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let [owner, dataset] = parts(text, "owner.dataset")?;
        Self::of_parts(owner, dataset)
    }

    fn of_parts(owner: &str, dataset: &str) -> Result<Self, ReferenceError> {
        let mut version = None;
        let mut sample = false;
        let (slug, id) = qualified(dataset, |qualifier| {
            if qualifier.eq_ignore_ascii_case("sample") {
                sample = true;
                true
            } else if let Some(tag) = VersionTag::parse(qualifier) {
                version = Some(tag);
                true
            } else {
                false
            }
        })?;
        Ok(DatasetReference {
            owner: slug_of("owner", owner)?,
            dataset: Name { slug, id },
            version,
            sample,
        })
    }
}

impl TableReference {
    pub(crate) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let [owner, dataset, table] = parts(text, "owner.dataset.table")?;
        Self::of_parts(owner, dataset, table)
    }

    fn of_parts(owner: &str, dataset: &str, table: &str) -> Result<Self, ReferenceError> {
        let mut dataset = DatasetReference::of_parts(owner, dataset)?;
        // The JavaScript client writes `:sample` behind the table (redivis-api §2.1).
        let (slug, id) = qualified(table, |qualifier| {
            let sample = qualifier.eq_ignore_ascii_case("sample");
            dataset.sample |= sample;
            sample
        })?;
        Ok(TableReference {
            dataset,
            table: Name { slug, id },
        })
    }
}

impl UploadReference {
    pub(crate) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let [owner, dataset, table, upload] = parts(text, "owner.dataset.table.upload")?;
        Ok(UploadReference {
            table: TableReference::of_parts(owner, dataset, table)?,
            upload: slug_of("upload", upload)?,
        })
    }
}

fn parts<'a, const N: usize>(text: &'a str, form: &str) -> Result<[&'a str; N], ReferenceError> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices('.') {
        if !within_version(text, at) {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
        .try_into()
        .map_err(|_| ReferenceError(format!("`{text}` is not a reference of the form {form}")))
}

/// Whether the period at `at` stands in a version, as in `owner.dataset:v1.0.table`, which is what the Python client
/// asks for when it is told the version `1.0`.
fn within_version(text: &str, at: usize) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let major = text[..at].rsplit_once(':').map_or("", |(_, tag)| tag);
    let minor = text[at + 1..].split([':', '.']).next().unwrap_or("");
    major.strip_prefix(['v', 'V']).is_some_and(digits) && digits(minor)
}

/// Splits `name:qualifier…`; `take` accepts a qualifier, any other must be a reference id.
fn qualified(
    text: &str,
    mut take: impl FnMut(&str) -> bool,
) -> Result<(String, Option<String>), ReferenceError> {
    let mut pieces = text.split(':');
    let slug = slug_of("name", pieces.next().unwrap_or_default())?;
    let mut id = None;
    for qualifier in pieces {
        if take(qualifier) {
            continue;
        }
        let is_id = qualifier.len() == 4 && qualifier.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_id || id.is_some() {
            return Err(ReferenceError(format!(
                "`:{qualifier}` in `{text}` is neither a version, `sample` nor a reference id"
            )));
        }
        id = Some(qualifier.to_ascii_lowercase());
    }
    Ok((slug, id))
}

fn slug_of(what: &str, text: &str) -> Result<String, ReferenceError> {
    match slug(text) {
        slug if slug.is_empty() => Err(ReferenceError(format!("the {what} in `{text}` is empty"))),
        slug => Ok(slug),
    }
}

/// The form in which names are compared: escaped and in lower case (redivis-api §2.2).
pub(crate) fn slug(name: &str) -> String {
    escape(name).to_lowercase()
}

/// A name as references carry it: every run of other characters than letters, digits and `_` is one `_`.
pub(crate) fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        let word = character.is_alphanumeric();
        if word {
            escaped.push(character);
        } else if !escaped.ends_with('_') {
            escaped.push('_');
        }
    }
    escaped.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn qualifiers_come_in_any_order_and_case() {
        let wanted = TableReference {
            dataset: DatasetReference {
                owner: "demo".into(),
                dataset: Name {
                    slug: "my_data".into(),
                    id: Some("ab12".into()),
                },
                version: Some(VersionTag::Released(1, 0)),
                sample: true,
            },
            table: Name {
                slug: "a_table".into(),
                id: Some("0576".into()),
            },
        };
        for text in [
            "demo.my_data:ab12:v1_0:sample.a_table:0576",
            "Demo.My Data:sample:V1_0:AB12.A-Table:0576",
            "demo.my_data:ab12:v1.0:sample.a_table:0576",
            "demo.my_data:ab12:sample:v1.0.a_table:0576",
        ] {
            assert_eq!(TableReference::parse(text), Ok(wanted.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_reference_is_refused() {
        for text in [
            "",
            "a",
            "a.b",
            "a.b.c.d",
            "a..c",
            "a.b:toolong.c",
            "a.b:ab12:cd34.c",
            "../../x",
            "a.b.",
            "a.b:v1.0",
            "a.b:v1.c",
            "a.b:v1.2.0.c",
            "a:v1.0.b.c.d",
        ] {
            assert!(TableReference::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_escapes_into_a_path(text in "\\PC{0,40}") {
            if let Ok(reference) = TableReference::parse(&text) {
                for name in [&reference.dataset.owner, &reference.dataset.dataset.slug, &reference.table.slug] {
                    prop_assert!(name.chars().all(|c| c.is_alphanumeric() || c == '_'
                        // Lower-casing may leave combining marks behind.
                        || !c.is_ascii()));
                    prop_assert!(!name.is_empty());
                }
            }
        }

        #[test]
        fn slugs_are_stable(text in "\\PC{0,40}") {
            let once = slug(&text);
            prop_assert_eq!(slug(&escape(&text)), once);
        }
    }
}

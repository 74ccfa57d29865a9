//! Which columns a name can mean at one place of a statement.
//!
//! A scope holds the relations of one `FROM`, and behind it the scopes around. Names are looked up as SQL does, from the
//! innermost scope outwards, with exact matches before matches without regard to case.

use std::collections::HashMap;
use std::sync::Arc;

/// The names of a relation's columns, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    names: Vec<String>,
    /// From the name in lower case to the places of the names that are spelled so.
    folded: HashMap<String, Vec<usize>>,
}

impl FromIterator<String> for Columns {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        let names: Vec<String> = names.into_iter().collect();
        let mut folded: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            folded.entry(name.to_lowercase()).or_default().push(place);
        }
        Self { names, folded }
    }
}

impl Columns {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// A name here and one there that differ in case alone, neither of which the other side has exactly.
    pub(super) fn differing<'a>(&'a self, other: &'a Self) -> Option<(&'a str, &'a str)> {
        self.iter().find_map(|name| {
            let mut there = other.spellings(name).peekable();
            let first = there.peek().copied()?;
            (!there.any(|spelling| spelling == name)).then_some((name, first))
        })
    }

    /// The spellings that equal `name` without regard to case.
    fn spellings<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let places = self.folded.get(&name.to_lowercase());
        places
            .into_iter()
            .flatten()
            .map(|place| self.names[*place].as_str())
    }
}

/// A table, subquery or function in a `FROM`.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// What its columns may be qualified with: the alias alone, or the last parts of the table's name.
    pub(super) qualifier: Vec<String>,
    /// A second qualifier, as in Redivis's own SQL: the table's own name within a reference.
    pub(super) short: Option<String>,
    /// `None` where they can't be known before planning.
    pub(super) columns: Option<Arc<Columns>>,
}

impl Relation {
    /// Whether `written` is this relation's qualifier, or the end of it.
    pub(super) fn is(&self, written: &[String]) -> bool {
        !written.is_empty() && self.qualifier.ends_with(written)
    }
}

/// The relations that names at one place may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) relations: &'a [Relation],
    pub(super) outer: Option<&'a Scope<'a>>,
}

/// What a name turns out to mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A column that is spelled just so, or more than one column, or it can't be told: the name stays as it is.
    AsWritten,
    /// One column, which is spelled like this.
    Spelled(&'a str),
    /// No column.
    Nothing,
}

impl<'a> Scope<'a> {
    fn levels(self) -> impl Iterator<Item = Scope<'a>> {
        std::iter::successors(Some(self), |scope| scope.outer.copied())
    }

    /// What an unqualified name means.
    ///
    /// `quoted` names are exact first wherever they may be found, and only then without regard to case.
    pub(super) fn column(self, name: &str, quoted: bool) -> Meaning<'a> {
        if quoted && self.levels().any(|level| level.has(name)) {
            return Meaning::AsWritten;
        }
        self.levels()
            .map(|level| among(level.relations, name))
            .find(|meaning| *meaning != Meaning::Nothing)
            .unwrap_or(Meaning::Nothing)
    }

    /// The relation that a qualifier means, from the innermost scope outwards.
    pub(super) fn relation(self, qualifier: &[String]) -> Option<&'a Relation> {
        self.levels().find_map(|level| {
            level
                .relations
                .iter()
                .find(|relation| relation.is(qualifier))
        })
    }

    /// The one relation that goes by this short name, if nothing is called so outright.
    pub(super) fn short(self, name: &str) -> Option<&'a Relation> {
        let matches = |relation: &&Relation| {
            relation
                .short
                .as_ref()
                .is_some_and(|short| short.eq_ignore_ascii_case(name))
        };
        self.levels().find_map(|level| {
            let mut found = level.relations.iter().filter(matches);
            found.next().filter(|_| found.next().is_none())
        })
    }

    fn has(&self, name: &str) -> bool {
        self.relations
            .iter()
            .filter_map(|relation| relation.columns.as_deref())
            .any(|columns| columns.spellings(name).any(|spelling| spelling == name))
    }
}

/// What a name means among relations that are all equally near.
pub(super) fn among<'a>(relations: &'a [Relation], name: &str) -> Meaning<'a> {
    let mut found = None;
    let mut several = false;
    for columns in relations
        .iter()
        .filter_map(|relation| relation.columns.as_deref())
    {
        for spelling in columns.spellings(name) {
            if spelling == name {
                return Meaning::AsWritten;
            }
            // Two columns of one spelling are told apart by DataFusion, or reported by it as ambiguous.
            several |= found.is_some_and(|found| found != spelling);
            found = Some(spelling);
        }
    }
    let unknown = relations.iter().any(|relation| relation.columns.is_none());
    match found {
        // An unknown column might be the exact match, so nothing is guessed.
        _ if unknown => Meaning::AsWritten,
        Some(_) if several => Meaning::AsWritten,
        Some(spelling) => Meaning::Spelled(spelling),
        None => Meaning::Nothing,
    }
}

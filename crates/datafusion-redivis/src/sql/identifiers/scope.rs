//! Which columns a name can mean at one place of a statement.
//!
//! A scope holds the relations of one `FROM`, and behind it the scopes around. Names are looked up as SQL does, from the
//! innermost scope outwards, with exact matches before matches without regard to case.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{Expr, Ident};

/// The names of a relation's columns, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    names: Vec<String>,
    /// Whether there are others beside them, which nothing names: DataFusion calls those after their expressions.
    pub(super) unnamed: bool,
    /// From the name in lower case to the places of the names that are spelled so.
    folded: HashMap<String, Vec<usize>>,
}

impl FromIterator<String> for Columns {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self::new(names.into_iter().collect(), false)
    }
}

impl Columns {
    /// Of several columns of one name, DataFusion names all but the first anew.
    pub(super) fn new(names: Vec<String>, unnamed: bool) -> Self {
        let mut columns = Self {
            unnamed,
            ..Self::default()
        };
        for name in names {
            let folded = columns.folded.entry(name.to_lowercase()).or_default();
            if folded.iter().any(|place| columns.names[*place] == name) {
                columns.unnamed = true;
            } else {
                folded.push(columns.names.len());
                columns.names.push(name);
            }
        }
        columns
    }

    pub(super) fn concat(parts: Vec<Self>) -> Self {
        let unnamed = parts.iter().any(|part| part.unnamed);
        Self::new(
            parts.into_iter().flat_map(|part| part.names).collect(),
            unnamed,
        )
    }

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
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    /// What its columns may be qualified with: the alias alone, or the last parts of the table's name.
    pub(super) qualifier: Vec<String>,
    /// A second qualifier of tables on Redivis, as in its own SQL: the schema's and the reference's names, or the last of them.
    pub(super) reference: Vec<String>,
    /// `None` where they can't be known before planning.
    pub(super) columns: Option<Arc<Columns>>,
    /// Whether there is no such table, which DataFusion says best.
    pub(super) missing: bool,
    /// Its columns that a join made one with another relation's: the value of the one that they became, or `None` if that
    /// stands in the other relation's place, and this column is reached with its qualifier alone.
    pub(super) merged: HashMap<String, Option<Expr>>,
}

impl Relation {
    /// Whether `written` is this relation's qualifier, or the end of it.
    fn is(&self, written: &[String]) -> bool {
        !written.is_empty() && self.qualifier.ends_with(written)
    }

    pub(super) fn is_merged(&self) -> bool {
        !self.merged.is_empty()
    }

    /// Its own columns, as its qualifier reaches them.
    pub(super) fn unmerged(&self) -> Self {
        Self {
            merged: HashMap::new(),
            ..self.clone()
        }
    }

    /// Its columns that `*` yields and that need no qualifier; none where they can't be known.
    pub(super) fn visible(&self) -> impl Iterator<Item = &str> {
        let columns = self.columns.iter().flat_map(|columns| columns.iter());
        columns.filter(|name| !matches!(self.merged.get(*name), Some(None)))
    }

    /// The value of a column that a join merged here.
    pub(super) fn merged(&self, column: &str) -> Option<&Expr> {
        self.merged.get(column)?.as_ref()
    }

    pub(super) fn identifiers(&self) -> impl Iterator<Item = Ident> {
        let parts = self.qualifier.iter();
        parts.map(|part| Ident::with_quote('"', part))
    }

    /// The column under its whole name.
    pub(super) fn column(&self, name: &str) -> Expr {
        let column = Ident::with_quote('"', name);
        Expr::CompoundIdentifier(self.identifiers().chain([column]).collect())
    }
}

/// A column that an unqualified name can mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// The place of its relation.
    pub(super) relation: usize,
    pub(super) spelling: &'a str,
    /// Its value, if a join made it of several columns.
    pub(super) merged: Option<&'a Expr>,
}

/// What an unqualified name can mean among relations that are all equally near: exact matches, or else those without regard
/// to case.
pub(super) fn candidates<'a>(relations: &'a [Relation], name: &str) -> Vec<Candidate<'a>> {
    let mut found = vec![];
    for (place, relation) in relations.iter().enumerate() {
        let columns = relation.columns.iter();
        for spelling in columns.flat_map(|columns| columns.spellings(name)) {
            if let Some(None) = relation.merged.get(spelling) {
                continue;
            }
            found.push(Candidate {
                relation: place,
                spelling,
                merged: relation.merged(spelling),
            });
        }
    }
    if found.iter().any(|column| column.spelling == name) {
        found.retain(|column| column.spelling == name);
    }
    found
}

/// What an unqualified name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution<'a> {
    /// A column that is spelled just so, or more than one column, or it can't be told: the name stays as it is.
    AsWritten,
    /// One column, which is spelled like this.
    Column(&'a str),
    /// One column that a join made of several: its spelling and its value.
    Merged(&'a str, &'a Expr),
    /// A column that a join made of several, or another one. As it is written, the name might mean one of the several.
    Ambiguous,
    /// No column.
    Unresolved,
}

/// What a name means among relations that are all equally near.
pub(super) fn resolve<'a>(relations: &'a [Relation], name: &str) -> Resolution<'a> {
    // An unknown column might be the exact match, so nothing is guessed.
    let unknown = relations.iter().any(|relation| relation.columns.is_none());
    let candidates = candidates(relations, name);
    let Some(first) = candidates.first() else {
        return match unknown {
            true => Resolution::AsWritten,
            false => Resolution::Unresolved,
        };
    };
    match (candidates.as_slice(), first.merged) {
        ([_], Some(value)) if !unknown || first.spelling == name => {
            Resolution::Merged(first.spelling, value)
        }
        _ if candidates.iter().any(|column| column.merged.is_some()) => Resolution::Ambiguous,
        _ if unknown || first.spelling == name => Resolution::AsWritten,
        // Two columns of one spelling are told apart by DataFusion, or reported by it as ambiguous.
        _ if candidates
            .iter()
            .all(|column| column.spelling == first.spelling) =>
        {
            Resolution::Column(first.spelling)
        }
        _ => Resolution::AsWritten,
    }
}

/// The relations that names at one place may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) relations: &'a [Relation],
    /// The columns of the query's result, for `ORDER BY`.
    pub(super) result: Option<&'a Relation>,
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(relations: &'a [Relation], outer: Option<&'a Scope<'a>>) -> Self {
        Self {
            relations,
            result: None,
            outer,
        }
    }

    fn levels(self) -> impl Iterator<Item = Scope<'a>> {
        std::iter::successors(Some(self), |scope| scope.outer.copied())
    }

    /// What an unqualified name means.
    ///
    /// `quoted` names are exact first wherever they may be found, and only then without regard to case.
    pub(super) fn column(self, name: &str, quoted: bool) -> Resolution<'a> {
        let exact = self.levels().find(|level| quoted && level.has(name));
        let mut found = exact.into_iter().chain(self.levels());
        found
            .find_map(|level| match level.resolve(name) {
                Resolution::Unresolved => None,
                resolution => Some(resolution),
            })
            .unwrap_or(Resolution::Unresolved)
    }

    /// What it means in this scope alone: the result comes before the relations, and exact matches before both.
    fn resolve(self, name: &str) -> Resolution<'a> {
        let result = self.result.map_or(Resolution::Unresolved, |result| {
            resolve(std::slice::from_ref(result), name)
        });
        match (result, resolve(self.relations, name)) {
            (Resolution::Unresolved, resolution) => resolution,
            (Resolution::Column(_), Resolution::AsWritten) => Resolution::AsWritten,
            (Resolution::Column(_), merged @ Resolution::Merged(spelling, _))
                if spelling == name =>
            {
                merged
            }
            (Resolution::Column(one), Resolution::Column(other)) if one != other => {
                Resolution::AsWritten
            }
            (result, _) => result,
        }
    }

    fn has(self, name: &str) -> bool {
        let relations = self.relations.iter().chain(self.result);
        relations
            .filter_map(|relation| relation.columns.as_deref())
            .any(|columns| columns.spellings(name).any(|spelling| spelling == name))
    }

    /// The relation that a qualifier means, from the innermost scope outwards.
    pub(super) fn relation(self, qualifier: &[String]) -> Option<&'a Relation> {
        self.levels().find_map(|level| {
            let mut relations = level.relations.iter();
            relations.find(|relation| relation.is(qualifier))
        })
    }

    /// The one relation whose reference ends so, if nothing is called so outright.
    pub(super) fn reference(self, written: &[String]) -> Option<&'a Relation> {
        let matches = |relation: &&Relation| {
            let mut ends = relation.reference.iter().rev();
            let mut written = written.iter().rev();
            written.all(|part| {
                ends.next()
                    .is_some_and(|end| end.eq_ignore_ascii_case(part))
            })
        };
        self.levels().find_map(|level| {
            let mut found = level.relations.iter().filter(matches);
            found.next().filter(|_| found.next().is_none())
        })
    }
}

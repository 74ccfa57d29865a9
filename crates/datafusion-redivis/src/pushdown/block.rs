//! One SELECT in the making.
//!
//! Operators are added as long as SQL's order of evaluation is theirs; what comes later wraps the block into a subquery.

use std::collections::HashSet;
use std::fmt::Write;

use datafusion::common::DFSchema;

use super::refusal::Said;
use super::sql::{Sql, name};

/// Longest name of a variable (redivis-api §3.2).
const LONGEST_NAME: usize = 60;

/// A column of a block's rows.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) sql: Sql,
    /// Whether it names a column of what is read, and so may be said as often as one likes.
    pub(super) is_name: bool,
    /// Whether nothing can be computed with it: geography, and types that are not known.
    pub(super) is_opaque: bool,
}

impl Column {
    /// A value that was computed.
    pub(super) fn computed(sql: Sql) -> Self {
        Self {
            sql,
            is_name: false,
            is_opaque: false,
        }
    }
}

/// A SELECT, one column for each field of the plan that it says.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) from: String,
    /// Whether `from` is one table or subquery, and no join.
    pub(super) is_single: bool,
    pub(super) columns: Vec<Column>,
    pub(super) filters: Vec<String>,
    /// What is grouped by; `Some` also of nothing, for one row in all.
    pub(super) groups: Option<Vec<String>>,
    pub(super) order: Vec<String>,
    pub(super) fetch: Option<usize>,
    pub(super) skip: usize,
    /// Whether DataFusion gives the rows in an order, which streams don't keep.
    pub(super) is_ordered: bool,
    /// Whether it does anything that reading a table would not do as well.
    pub(super) does_work: bool,
}

impl Block {
    /// All of one table or subquery.
    pub(super) fn of(from: String, columns: Vec<Column>) -> Self {
        Self {
            from,
            is_single: true,
            columns,
            filters: vec![],
            groups: None,
            order: vec![],
            fetch: None,
            skip: 0,
            is_ordered: false,
            does_work: false,
        }
    }

    /// Whether rows can still be filtered, joined and grouped.
    pub(super) fn is_open(&self) -> bool {
        self.groups.is_none() && !self.is_limited()
    }

    pub(super) fn is_limited(&self) -> bool {
        self.fetch.is_some() || self.skip > 0
    }

    /// The text, whose columns have the names of [`names`].
    pub(super) fn statement(&self, schema: &DFSchema) -> Said<String> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (column, alias) in self.columns.iter().zip(names(schema)) {
            columns.push(format!("{} AS {}", column.sql.text(), name(&alias)?));
        }
        if columns.is_empty() {
            columns.push("1 AS `c1`".to_owned());
        }
        Ok(self.select(&columns))
    }

    /// The text with other columns.
    pub(super) fn select(&self, columns: &[String]) -> String {
        let mut text = String::from("SELECT\n");
        text.push_str(&indent(&columns.join(",\n")));
        // Writing to a string does not fail.
        let _ = write!(text, "\nFROM {}", self.from);
        for (i, filter) in self.filters.iter().enumerate() {
            let word = if i == 0 { "\nWHERE" } else { "\n  AND" };
            let _ = write!(text, "{word} {filter}");
        }
        if let Some(groups) = self.groups.as_ref().filter(|groups| !groups.is_empty()) {
            let _ = write!(text, "\nGROUP BY {}", groups.join(", "));
        }
        if self.is_limited() {
            if !self.order.is_empty() {
                let _ = write!(text, "\nORDER BY {}", self.order.join(", "));
            }
            // There is no OFFSET without a LIMIT.
            let _ = write!(text, "\nLIMIT {}", self.fetch.unwrap_or(i64::MAX as usize));
            if self.skip > 0 {
                let _ = write!(text, " OFFSET {}", self.skip);
            }
        }
        text
    }
}

/// Names for the columns of a result: the fields' own where Redivis takes them, and else their place.
pub(super) fn names(schema: &DFSchema) -> Vec<String> {
    let mut taken = HashSet::new();
    let fields = schema.fields();
    for field in fields {
        taken.insert(field.name().to_lowercase());
    }
    let mut given = HashSet::new();
    let fresh = |place: usize| {
        let mut name = format!("c{}", place + 1);
        while taken.contains(&name) {
            name.push('_');
        }
        name
    };
    let names = fields.iter().enumerate().map(|(place, field)| {
        match is_variable(field.name()) && given.insert(field.name().to_lowercase()) {
            true => field.name().clone(),
            false => fresh(place),
        }
    });
    names.collect()
}

/// Whether a variable may be called so (redivis-api §3.2).
fn is_variable(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Two spaces before every line.
pub(super) fn indent(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

//! What `*` yields with its `EXCLUDE`, `EXCEPT`, `REPLACE` and `RENAME`, where DataFusion's own `*` would yield something else.

use datafusion::common::{Result, plan_err};
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, ObjectNamePart, RenameSelectItem, SelectItem,
    SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

use super::scope::{Columns, Relation};

/// The identifiers in a wildcard's options that name columns of the relations.
pub(super) fn identifiers(options: &mut WildcardAdditionalOptions) -> Vec<&mut Ident> {
    let mut found = vec![];
    match &mut options.opt_exclude {
        Some(ExcludeSelectItem::Single(column)) => found.extend(last(column)),
        Some(ExcludeSelectItem::Multiple(columns)) => {
            found.extend(columns.iter_mut().filter_map(last));
        }
        None => {}
    }
    if let Some(except) = &mut options.opt_except {
        found.push(&mut except.first_element);
        found.extend(&mut except.additional_elements);
    }
    if let Some(replace) = &mut options.opt_replace {
        found.extend(replace.items.iter_mut().map(|item| &mut item.column_name));
    }
    match &mut options.opt_rename {
        Some(RenameSelectItem::Single(pair)) => found.push(&mut pair.ident),
        Some(RenameSelectItem::Multiple(pairs)) => {
            found.extend(pairs.iter_mut().map(|pair| &mut pair.ident));
        }
        None => {}
    }
    found
}

/// The name's last part.
pub(super) fn last(name: &mut ObjectName) -> Option<&mut Ident> {
    match name.0.last_mut()? {
        ObjectNamePart::Identifier(ident) => Some(ident),
        ObjectNamePart::Function(_) => None,
    }
}

/// A wildcard's options, with the names as DataFusion takes them.
#[derive(Debug, Default)]
pub(super) struct Options {
    excluded: Vec<String>,
    replaced: Vec<(String, Expr)>,
    renamed: Vec<(String, String)>,
}

impl Options {
    pub(super) fn new(
        options: &WildcardAdditionalOptions,
        normalized: impl Fn(&Ident) -> String,
    ) -> Self {
        let mut these = Self::default();
        let excluded = match &options.opt_exclude {
            Some(ExcludeSelectItem::Single(column)) => std::slice::from_ref(column),
            Some(ExcludeSelectItem::Multiple(columns)) => columns,
            None => &[],
        };
        let excluded = excluded.iter().filter_map(|name| name.0.last()?.as_ident());
        these.excluded.extend(excluded.map(&normalized));
        if let Some(except) = &options.opt_except {
            these.excluded.push(normalized(&except.first_element));
            let others = except.additional_elements.iter();
            these.excluded.extend(others.map(&normalized));
        }
        for item in options
            .opt_replace
            .iter()
            .flat_map(|replace| &replace.items)
        {
            let name = normalized(&item.column_name);
            these.replaced.push((name, item.expr.clone()));
        }
        let renamed = match &options.opt_rename {
            Some(RenameSelectItem::Single(pair)) => std::slice::from_ref(pair),
            Some(RenameSelectItem::Multiple(pairs)) => pairs,
            None => &[],
        };
        let renamed = renamed.iter();
        let pairs = renamed.map(|pair| (normalized(&pair.ident), normalized(&pair.alias)));
        these.renamed.extend(pairs);
        these
    }

    /// Whether it renames, which DataFusion's does not.
    pub(super) fn renames(&self) -> bool {
        !self.renamed.is_empty()
    }

    /// The names of what it yields; `None` where they can't be known.
    pub(super) fn names(&self, relations: &[Relation]) -> Option<Columns> {
        let mut names = vec![];
        let mut unnamed = false;
        for relation in relations {
            unnamed |= relation.columns.as_ref()?.unnamed;
            let visible = relation.visible().filter(|name| !self.excludes(name));
            names.extend(visible.map(|name| self.header(name).to_owned()));
        }
        Some(Columns::new(names, unnamed))
    }

    /// The same columns one by one, and by their relation where it has some that can't be named.
    pub(super) fn expand(&self, relations: &[Relation]) -> Result<Vec<SelectItem>> {
        let mut missing: Vec<&str> = self.named().collect();
        let visible: Vec<&str> = relations.iter().flat_map(Relation::visible).collect();
        missing.retain(|name| !visible.contains(name));
        let mut items = vec![];
        for relation in relations {
            let columns = relation.columns.as_deref();
            if columns.is_some_and(|columns| !columns.unnamed) {
                let names = relation.visible().filter(|name| !self.excludes(name));
                items.extend(names.map(|name| item(self.value(relation, name), self.header(name))));
            } else {
                // What no other relation has may be there.
                let hidden = columns.into_iter().flat_map(|columns| columns.iter());
                let hidden = hidden.filter(|name| {
                    self.excludes(name) || matches!(relation.merged.get(*name), Some(None))
                });
                let hidden = hidden.chain(missing.drain(..)).map(quoted).collect();
                items.push(self.whole(relation, hidden)?);
            }
        }
        match missing.first() {
            Some(name) => plan_err!("`*` has no column `{name}`"),
            None if items.is_empty() => plan_err!("no column is left of `*`"),
            None => Ok(items),
        }
    }

    /// All columns of a relation but these.
    fn whole(&self, relation: &Relation, hidden: Vec<ObjectName>) -> Result<SelectItem> {
        let changed = |name: &str| {
            self.header(name) != name || self.value(relation, name) != relation.column(name)
        };
        let mut kept = relation.visible().filter(|name| !self.excludes(name));
        let replaced = self
            .named()
            .any(|name| !self.excludes(name) && hidden.contains(&quoted(name)));
        if replaced || kept.any(changed) {
            return plan_err!(
                "`*` has to change a column of a table function or subquery whose columns have no names: give them names, as in \
                 AS t(k, v)"
            );
        }
        let qualifier: Vec<Ident> = relation.identifiers().collect();
        let opt_exclude = (!hidden.is_empty()).then_some(ExcludeSelectItem::Multiple(hidden));
        Ok(SelectItem::QualifiedWildcard(
            SelectItemQualifiedWildcardKind::ObjectName(qualifier.into()),
            WildcardAdditionalOptions {
                opt_exclude,
                ..WildcardAdditionalOptions::default()
            },
        ))
    }

    fn named(&self) -> impl Iterator<Item = &str> {
        let replaced = self.replaced.iter().map(|(name, _)| name);
        let renamed = self.renamed.iter().map(|(name, _)| name);
        let all = self.excluded.iter().chain(replaced).chain(renamed);
        all.map(String::as_str)
    }

    fn excludes(&self, name: &str) -> bool {
        self.excluded.iter().any(|excluded| excluded == name)
    }

    fn header<'a>(&'a self, name: &'a str) -> &'a str {
        let renamed = self.renamed.iter().find(|(from, _)| from == name);
        renamed.map_or(name, |(_, to)| to)
    }

    fn value(&self, relation: &Relation, name: &str) -> Expr {
        let replaced = self.replaced.iter().find(|(column, _)| column == name);
        match replaced.map(|(_, value)| value).or(relation.merged(name)) {
            Some(value) => value.clone(),
            None => relation.column(name),
        }
    }
}

fn quoted(name: &str) -> ObjectName {
    ObjectName::from(vec![Ident::with_quote('"', name)])
}

/// A value of a projection under this name.
pub(super) fn item(value: Expr, name: &str) -> SelectItem {
    match &value {
        Expr::CompoundIdentifier(idents)
            if idents.last().is_some_and(|last| last.value == name) =>
        {
            SelectItem::UnnamedExpr(value)
        }
        _ => SelectItem::ExprWithAlias {
            expr: value,
            alias: Ident::with_quote('"', name),
        },
    }
}

//! What a projection yields: the names of its columns, for the query around it.
//!
//! Expressions without an alias get names from DataFusion that nobody writes; they are left out.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, RenameSelectItem, SelectItem, SelectItemQualifiedWildcardKind,
    WildcardAdditionalOptions,
};

use super::scope::{Columns, Relation, Scope};
use super::{Walk, last};

impl Walk<'_> {
    /// Walks a projection; its columns, or `None` where they can't be known.
    pub(super) fn projection(
        &mut self,
        items: &mut [SelectItem],
        scope: &Scope<'_>,
    ) -> Option<Arc<Columns>> {
        let mut names = Some(vec![]);
        for item in items {
            let yields = match item {
                SelectItem::UnnamedExpr(expr) => {
                    self.within(expr, Some(scope));
                    Some(self.name_of(expr).into_iter().collect())
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.within(expr, Some(scope));
                    Some(vec![self.normalized(alias)])
                }
                SelectItem::ExprWithAliases { expr, aliases } => {
                    self.within(expr, Some(scope));
                    Some(aliases.iter().map(|alias| self.normalized(alias)).collect())
                }
                SelectItem::Wildcard(options) => self.wildcard(options, scope.relations, scope),
                SelectItem::QualifiedWildcard(kind, options) => match self.qualified(kind, scope) {
                    Some(relation) => self.wildcard(options, std::slice::from_ref(relation), scope),
                    None => None,
                },
            };
            names = names.zip(yields).map(|(mut names, yields)| {
                names.extend(yields);
                names
            });
        }
        names.map(|names| Arc::new(names.into_iter().collect()))
    }

    fn name_of(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Identifier(ident) => Some(self.normalized(ident)),
            Expr::CompoundIdentifier(idents) => idents.last().map(|ident| self.normalized(ident)),
            Expr::Nested(expr) => self.name_of(expr),
            _ => None,
        }
    }

    /// The relation of `table.*`.
    fn qualified<'s>(
        &self,
        kind: &mut SelectItemQualifiedWildcardKind,
        scope: &Scope<'s>,
    ) -> Option<&'s Relation> {
        let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
            return None;
        };
        let idents: Option<Vec<Ident>> =
            name.0.iter().map(|part| part.as_ident().cloned()).collect();
        let parts: Vec<String> = idents?.iter().map(|ident| self.normalized(ident)).collect();
        if let Some(relation) = scope.relation(&parts) {
            return Some(relation);
        }
        let [short] = parts.as_slice() else {
            return None;
        };
        let relation = scope.short(short)?;
        let qualifier: Vec<Ident> = relation
            .qualifier
            .iter()
            .map(|part| Ident::with_quote('"', part))
            .collect();
        *name = qualifier.into();
        Some(relation)
    }

    /// What `*` yields with its `EXCLUDE`, `EXCEPT`, `REPLACE` and `RENAME`.
    fn wildcard(
        &mut self,
        options: &mut WildcardAdditionalOptions,
        relations: &[Relation],
        scope: &Scope<'_>,
    ) -> Option<Vec<String>> {
        let mut hidden = vec![];
        let mut hide = |walk: &Self, ident: &mut Ident| {
            walk.column(Some(ident), relations);
            hidden.push(walk.normalized(ident));
        };
        match &mut options.opt_exclude {
            Some(ExcludeSelectItem::Single(column)) => {
                if let Some(ident) = last(column) {
                    hide(self, ident);
                }
            }
            Some(ExcludeSelectItem::Multiple(columns)) => {
                columns
                    .iter_mut()
                    .filter_map(last)
                    .for_each(|ident| hide(self, ident));
            }
            None => {}
        }
        if let Some(except) = &mut options.opt_except {
            hide(self, &mut except.first_element);
            except
                .additional_elements
                .iter_mut()
                .for_each(|ident| hide(self, ident));
        }
        if let Some(replace) = &mut options.opt_replace {
            for item in &mut replace.items {
                self.within(&mut item.expr, Some(scope));
                self.column(Some(&mut item.column_name), relations);
            }
        }
        let mut renamed = vec![];
        if let Some(rename) = &mut options.opt_rename {
            let pairs = match rename {
                RenameSelectItem::Single(pair) => std::slice::from_mut(pair),
                RenameSelectItem::Multiple(pairs) => pairs.as_mut_slice(),
            };
            for pair in pairs {
                self.column(Some(&mut pair.ident), relations);
                renamed.push((self.normalized(&pair.ident), self.normalized(&pair.alias)));
            }
        }
        let all: Option<Vec<&Columns>> = relations
            .iter()
            .map(|relation| relation.columns.as_deref())
            .collect();
        let names = all?
            .into_iter()
            .flat_map(Columns::iter)
            .filter(|name| !hidden.iter().any(|hidden| hidden == name));
        let rename = |name: &str| {
            let renamed = renamed.iter().find(|(from, _)| from == name);
            renamed.map_or(name, |(_, to)| to).to_owned()
        };
        Some(names.map(rename).collect())
    }
}

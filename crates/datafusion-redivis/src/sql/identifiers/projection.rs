//! What a projection yields: its columns, for the query around it.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, SelectItem, SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

use super::scope::{Columns, Relation, Resolution, Scope};
use super::walk::Walk;
use super::wildcard::{self, Options};

impl Walk<'_> {
    /// Walks a projection; its columns, or `None` where they can't be known.
    pub(super) fn projection(
        &mut self,
        items: Vec<SelectItem>,
        scope: &Scope<'_>,
    ) -> Result<(Vec<SelectItem>, Option<Arc<Columns>>)> {
        let mut projection = vec![];
        let mut columns = Some(vec![]);
        for mut item in items {
            let wildcard = match &mut item {
                SelectItem::Wildcard(options) => Some((options, Cow::Borrowed(scope.relations))),
                SelectItem::QualifiedWildcard(kind, options) => {
                    let relation = self.qualified(kind, scope);
                    relation.map(|relation| (options, Cow::Owned(vec![relation.unmerged()])))
                }
                _ => None,
            };
            let yields = if let Some((options, relations)) = wildcard {
                let options = self.options(options, &relations, scope)?;
                if options.renames() || relations.iter().any(Relation::is_merged) {
                    projection.extend(options.expand(&relations)?);
                } else {
                    projection.push(item);
                }
                options.names(&relations)
            } else {
                let yields = self.item(&mut item, scope)?;
                projection.push(item);
                yields
            };
            columns = columns.zip(yields).map(|(mut columns, yields)| {
                columns.push(yields);
                columns
            });
        }
        let columns = columns.map(|columns| Arc::new(Columns::concat(columns)));
        Ok((projection, columns))
    }

    /// An item that is one value; its column.
    ///
    /// Expressions without an alias get names from DataFusion that nobody writes.
    fn item(&mut self, item: &mut SelectItem, scope: &Scope<'_>) -> Result<Option<Columns>> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let merged = self.merged(expr, scope).map(str::to_owned);
                self.within(expr, Some(scope))?;
                let name = merged.clone().or_else(|| self.name_of(expr));
                if let Some(name) = merged {
                    *item = wildcard::item(expr.clone(), &name);
                }
                let unnamed = name.is_none();
                Ok(Some(Columns::new(name.into_iter().collect(), unnamed)))
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                self.within(expr, Some(scope))?;
                let name = self.names.normalized(alias);
                Ok(Some(Columns::new(vec![name], is_unnest(expr))))
            }
            SelectItem::ExprWithAliases { expr, .. } => {
                self.within(expr, Some(scope))?;
                Ok(None)
            }
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => Ok(None),
        }
    }

    fn name_of(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Identifier(ident) => Some(self.names.normalized(ident)),
            Expr::CompoundIdentifier(idents) => {
                idents.last().map(|ident| self.names.normalized(ident))
            }
            Expr::Nested(expr) => self.name_of(expr),
            _ => None,
        }
    }

    /// The name of the merged column that an expression is.
    fn merged<'s>(&self, expr: &Expr, scope: &Scope<'s>) -> Option<&'s str> {
        match expr {
            Expr::Identifier(ident) => match self.resolve(ident, scope) {
                Resolution::Merged(name, _) => Some(name),
                _ => None,
            },
            Expr::Nested(expr) => self.merged(expr, scope),
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
        let idents: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
        let parts = idents?
            .into_iter()
            .map(|ident| self.names.normalized(ident));
        let parts: Vec<String> = parts.collect();
        if let Some(relation) = scope.relation(&parts) {
            return Some(relation);
        }
        let relation = scope.reference(&parts)?;
        *name = relation.identifiers().collect::<Vec<_>>().into();
        Some(relation)
    }

    /// Walks a wildcard's options.
    fn options(
        &mut self,
        options: &mut WildcardAdditionalOptions,
        relations: &[Relation],
        scope: &Scope<'_>,
    ) -> Result<Options> {
        if let Some(ilike) = &options.opt_ilike {
            return plan_err!(
                "{ilike} after * is not supported: all columns would be read; name those that you want"
            );
        }
        for ident in wildcard::identifiers(options) {
            self.column(ident, relations);
        }
        for item in options
            .opt_replace
            .iter_mut()
            .flat_map(|replace| &mut replace.items)
        {
            self.within(&mut item.expr, Some(scope))?;
        }
        Ok(Options::new(options, |ident| self.names.normalized(ident)))
    }
}

/// Whether it may be several columns, whatever its alias.
fn is_unnest(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else {
        return false;
    };
    function.name.to_string().eq_ignore_ascii_case("unnest")
}

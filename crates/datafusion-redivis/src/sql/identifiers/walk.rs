//! The walk over a statement, as SQL scopes names: what a `FROM` offers is known before the rest of its `SELECT` is looked at.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::sql::sqlparser::ast::{
    self, Expr, Ident, Insert, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart,
    OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    SetQuantifier, TableAlias, TableFactor, TableObject, TableWithJoins, VisitMut, VisitorMut,
    WildcardAdditionalOptions,
};

use super::names::Names;
use super::scope::{Columns, Relation, Resolution, Scope, resolve};
use super::using::{self, Kept};
use super::wildcard::{self, Options, last};

/// A statement being walked.
pub(super) struct Walk<'n> {
    names: &'n Names,
    /// The common table expressions in scope, the innermost last.
    ctes: Vec<(String, Option<Arc<Columns>>)>,
    /// How many aliases were given to what has none.
    aliases: usize,
}

impl<'n> Walk<'n> {
    pub(super) fn new(names: &'n Names) -> Self {
        Self {
            names,
            ctes: vec![],
            aliases: 0,
        }
    }

    /// All queries of a statement, and the column list of an `INSERT`.
    pub(super) fn statement(&mut self, statement: &mut ast::Statement) -> Result<()> {
        if let ast::Statement::Insert(insert) = statement {
            self.insert(insert);
        }
        self.within(statement, None)
    }

    fn insert(&self, insert: &mut Insert) {
        let TableObject::TableName(name) = &insert.table else {
            return;
        };
        let target = [self.names.relation(name, &[])];
        for column in insert.columns.iter_mut().filter_map(last) {
            self.column(column, &target);
        }
    }

    /// Puts a name that must be a column of one of these relations in that column's spelling.
    fn column(&self, ident: &mut Ident, relations: &[Relation]) {
        match resolve(relations, &self.names.normalized(ident)) {
            Resolution::Column(spelling) | Resolution::Merged(spelling, _) => {
                respelled(ident, spelling);
            }
            _ => {}
        }
    }

    /// The columns of a query's result; `None` where they can't be known.
    pub(super) fn query(
        &mut self,
        query: &mut Query,
        outer: Option<&Scope<'_>>,
    ) -> Result<Option<Arc<Columns>>> {
        let ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let name = self.names.normalized(&cte.alias.name);
                if with.recursive
                    && let SetExpr::SetOperation { left, .. } = &mut *cte.query.body
                {
                    // The recursive part refers to the columns of the part before it.
                    let (columns, _) = self.body(left, outer)?;
                    let columns = self.names.renamed(columns, &cte.alias);
                    self.ctes.push((name.clone(), columns));
                }
                let columns = self.query(&mut cte.query, outer)?;
                let columns = self.names.renamed(columns, &cte.alias);
                self.ctes.push((name, columns));
            }
        }
        let (columns, relations) = self.body(&mut query.body, outer)?;
        if let Some(order_by) = &mut query.order_by
            && let OrderByKind::Expressions(exprs) = &mut order_by.kind
        {
            let result = Relation {
                columns: columns.clone(),
                ..Relation::default()
            };
            let scope = Scope {
                relations: &relations,
                result: Some(&result),
                outer,
            };
            self.within(exprs, Some(&scope))?;
        }
        self.within(&mut query.limit_clause, outer)?;
        self.ctes.truncate(ctes);
        // What pipes do to the columns is DataFusion's to know.
        Ok(columns.filter(|_| query.pipe_operators.is_empty()))
    }

    /// The columns of a query's body, and the relations of its `FROM` if it has one.
    fn body(
        &mut self,
        body: &mut SetExpr,
        outer: Option<&Scope<'_>>,
    ) -> Result<(Option<Arc<Columns>>, Vec<Relation>)> {
        let columns = match body {
            SetExpr::Select(select) => return self.select(select, outer),
            SetExpr::Query(query) => self.query(query, outer)?,
            SetExpr::SetOperation {
                left,
                right,
                set_quantifier,
                ..
            } => {
                let (columns, _) = self.body(left, outer)?;
                let (others, _) = self.body(right, outer)?;
                match set_quantifier {
                    SetQuantifier::ByName
                    | SetQuantifier::AllByName
                    | SetQuantifier::DistinctByName => by_name(columns, others)?.map(Arc::new),
                    _ => columns,
                }
            }
            SetExpr::Values(values) => {
                self.within(values, outer)?;
                let width = values.rows.first().map_or(0, |row| row.content.len());
                let columns = (1..=width).map(|place| format!("column{place}"));
                Some(Arc::new(columns.collect()))
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                self.statement(statement)?;
                None
            }
            SetExpr::Table(_) => None,
        };
        Ok((columns, vec![]))
    }

    fn select(
        &mut self,
        select: &mut Select,
        outer: Option<&Scope<'_>>,
    ) -> Result<(Option<Arc<Columns>>, Vec<Relation>)> {
        let mut from = std::mem::take(&mut select.from);
        let merges = from.iter_mut().any(merges);
        let mut relations = vec![];
        for item in &mut from {
            let joined = self.joined(item, merges, &relations, outer)?;
            relations.extend(joined);
        }
        let scope = Scope::new(&relations, outer);

        let projection = std::mem::take(&mut select.projection);
        let (projection, columns) = self.projection(projection, &scope)?;

        // These see the columns of the FROM, and after them the names given in the projection.
        let result = [Relation {
            columns: columns.clone(),
            ..Relation::default()
        }];
        let behind = Scope::new(&result, outer);
        let late = Scope::new(&relations, Some(&behind));
        let mut group_by = std::mem::replace(
            &mut select.group_by,
            ast::GroupByExpr::Expressions(vec![], vec![]),
        );
        let mut having = select.having.take();
        let mut qualify = select.qualify.take();
        self.within(&mut group_by, Some(&late))?;
        self.within(&mut having, Some(&late))?;
        self.within(&mut qualify, Some(&late))?;

        self.within(select, Some(&scope))?;
        select.from = from;
        select.projection = projection;
        select.group_by = group_by;
        select.having = having;
        select.qualify = qualify;
        Ok((columns, relations))
    }

    /// What an item of a `FROM` and what is joined to it offer: tables, subqueries and functions, each with its columns.
    ///
    /// `merges` where some join of the `FROM` merges columns, `before` is what stands before the item.
    fn joined(
        &mut self,
        item: &mut TableWithJoins,
        merges: bool,
        before: &[Relation],
        outer: Option<&Scope<'_>>,
    ) -> Result<Vec<Relation>> {
        let around = Scope::new(before, outer);
        let mut relations = self.factor(&mut item.relation, merges, &around, outer)?;
        for join in &mut item.joins {
            let visible = Scope::new(&relations, Some(&around));
            let mut right = self.factor(&mut join.relation, merges, &visible, outer)?;
            let left = relations.len();
            relations.append(&mut right);
            let scope = Scope::new(&relations, Some(&around));
            if let JoinOperator::AsOf {
                match_condition, ..
            } = &mut join.join_operator
            {
                self.within(match_condition, Some(&scope))?;
            }
            let (kept, constraint) = using::constraint(&mut join.join_operator);
            match (constraint, kept) {
                (Some(JoinConstraint::On(on)), _) => self.within(on, Some(&scope))?,
                (Some(constraint), Some(kept)) => {
                    let keys = match constraint {
                        JoinConstraint::Using(columns) => Some(self.keys(columns)?),
                        JoinConstraint::Natural => None,
                        _ => continue,
                    };
                    let (left, right) = relations.split_at_mut(left);
                    using::merge(kept, constraint, keys.as_deref(), left, right)?;
                }
                _ => {}
            }
            match kept {
                Some(Kept::LeftOnly) => relations.truncate(left),
                Some(Kept::RightOnly) => drop(relations.drain(..left)),
                _ => {}
            }
        }
        Ok(relations)
    }

    fn keys(&self, columns: &[ObjectName]) -> Result<Vec<String>> {
        let key = |column: &ObjectName| match column.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => Ok(self.names.normalized(ident)),
            _ => plan_err!("USING takes columns without a qualifier, and not `{column}`"),
        };
        columns.iter().map(key).collect()
    }

    /// Subqueries are walked on the way, as their columns are known only then. `visible` is what lateral ones may refer to.
    fn factor(
        &mut self,
        factor: &mut TableFactor,
        merges: bool,
        visible: &Scope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Vec<Relation>> {
        if merges {
            self.give_alias(factor);
        }
        let (columns, alias) = match factor {
            TableFactor::Table {
                sample: Some(_), ..
            } => {
                return plan_err!(
                    "TABLESAMPLE is not supported: all rows would be read; write WHERE random() < 0.01, or name the dataset's \
                     :sample"
                );
            }
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let relation = self.names.relation(name, &self.ctes);
                return Ok(vec![self.names.aliased(relation, alias.as_ref())]);
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let outer = if *lateral { Some(visible) } else { outer };
                (self.query(subquery, outer)?, alias.as_ref())
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                let relations = self.joined(table_with_joins, merges, &[], outer)?;
                let Some(alias) = alias else {
                    return Ok(relations);
                };
                if relations.iter().any(|it| !it.merged.is_empty()) {
                    return plan_err!(
                        "write (SELECT * FROM …) {alias} for the join that is called so"
                    );
                }
                let columns = Options::default().names(&relations);
                (columns.map(Arc::new), Some(&*alias))
            }
            // Functions and the like may refer to what stands before them; what they yield is known to DataFusion alone.
            other => {
                self.within(other, Some(visible))?;
                match other {
                    TableFactor::Table { alias, .. }
                    | TableFactor::Function { alias, .. }
                    | TableFactor::TableFunction { alias, .. }
                    | TableFactor::UNNEST { alias, .. } => (None, alias.as_ref()),
                    _ => (None, None),
                }
            }
        };
        let relation = Relation {
            columns,
            ..Relation::default()
        };
        Ok(vec![self.names.aliased(relation, alias)])
    }

    /// Names what could not be qualified otherwise.
    fn give_alias(&mut self, factor: &mut TableFactor) {
        let (TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::Table {
            alias,
            args: Some(_),
            ..
        }) = factor
        else {
            return;
        };
        alias.get_or_insert_with(|| {
            self.aliases += 1;
            TableAlias {
                explicit: true,
                name: Ident::with_quote('"', format!("unnamed {}", self.aliases)),
                columns: vec![],
                at: None,
            }
        });
    }

    /// Walks a projection; its columns, or `None` where they can't be known.
    fn projection(
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
                Ok(Some(Columns::new(vec![name], false)))
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
        let [short] = parts.as_slice() else {
            return None;
        };
        let relation = scope.short(short)?;
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

    /// All expressions of a node in one scope, and the subqueries in them.
    fn within<V: VisitMut>(&mut self, node: &mut V, scope: Option<&Scope<'_>>) -> Result<()> {
        let mut expressions = Expressions {
            walk: self,
            scope,
            depth: 0,
            parameters: vec![],
        };
        match node.visit(&mut expressions) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn resolve<'s>(&self, ident: &Ident, scope: &Scope<'s>) -> Resolution<'s> {
        scope.column(&self.names.normalized(ident), ident.quote_style.is_some())
    }

    /// A name in an expression; the value to put in its place, if it is a merged column.
    fn identifier(&self, ident: &mut Ident, scope: &Scope<'_>) -> Result<Option<Expr>> {
        match self.resolve(ident, scope) {
            Resolution::Column(spelling) => respelled(ident, spelling),
            Resolution::Merged(_, value) => return Ok(Some(value.clone())),
            Resolution::Ambiguous => {
                return plan_err!(
                    "`{ident}` is ambiguous: the column that a join merged, or another; write the table's name before it"
                );
            }
            Resolution::AsWritten | Resolution::Unresolved => {}
        }
        Ok(None)
    }

    /// A qualified name in an expression: `table.column`, `schema.table.column`, or a column and a part of its value.
    fn compound(&self, idents: &mut Vec<Ident>, scope: &Scope<'_>) {
        let names = idents.iter().map(|ident| self.names.normalized(ident));
        let names: Vec<String> = names.collect();
        for length in (1..names.len()).rev() {
            if let Some(relation) = scope.relation(&names[..length]) {
                if let Some(ident) = idents.get_mut(length) {
                    self.column(ident, &[relation.unmerged()]);
                }
                return;
            }
        }
        let Some((first, rest)) = idents.split_first_mut() else {
            return;
        };
        match self.resolve(first, scope) {
            Resolution::Column(spelling) => respelled(first, spelling),
            Resolution::Unresolved => {
                if let Some(relation) = scope.short(&names[0]) {
                    if let Some(ident) = rest.first_mut() {
                        self.column(ident, &[relation.unmerged()]);
                    }
                    idents.splice(..1, relation.identifiers());
                }
            }
            _ => {}
        }
    }
}

/// Whether some join of an item merges columns.
fn merges(item: &mut TableWithJoins) -> bool {
    let nested = |factor: &mut TableFactor| match factor {
        TableFactor::NestedJoin {
            table_with_joins, ..
        } => merges(table_with_joins),
        _ => false,
    };
    let mut joins = item.joins.iter_mut();
    nested(&mut item.relation)
        || joins.any(|join| using::merges(&mut join.join_operator) || nested(&mut join.relation))
}

/// The columns of a set operation that matches them by name. Fails where two differ in case alone: DataFusion would not match
/// them.
fn by_name(left: Option<Arc<Columns>>, right: Option<Arc<Columns>>) -> Result<Option<Columns>> {
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(None);
    };
    if let Some((one, other)) = left.differing(&right) {
        return plan_err!(
            "BY NAME does not match the columns `{one}` and `{other}`, which differ in upper and lower case; name the columns \
             with AS"
        );
    }
    let others = right
        .iter()
        .filter(|name| left.iter().all(|it| it != *name));
    let names = left.iter().chain(others).map(str::to_owned).collect();
    Ok(Some(Columns::new(names, left.unnamed || right.unnamed)))
}

fn respelled(ident: &mut Ident, spelling: &str) {
    ident.value = spelling.to_owned();
    ident.quote_style = Some('"');
}

/// Visits the expressions of one scope, and leaves subqueries to the walk.
struct Expressions<'w, 'n, 's> {
    walk: &'w mut Walk<'n>,
    /// `None` outside of every query, where no name is a column.
    scope: Option<&'s Scope<'s>>,
    /// How many subqueries deep the visitor is; their expressions are done when it enters them.
    depth: usize,
    /// The names that lambdas around the place give to their arguments.
    parameters: Vec<String>,
}

impl VisitorMut for Expressions<'_, '_, '_> {
    type Break = DataFusionError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        if self.depth == 0
            && let Err(error) = self.walk.query(query, self.scope)
        {
            return ControlFlow::Break(error);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<DataFusionError> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<DataFusionError> {
        if let (0, Some(_), Expr::Lambda(lambda)) = (self.depth, self.scope, expr) {
            let parameters = lambda.params.iter();
            let names = parameters.map(|parameter| self.walk.names.normalized(&parameter.name));
            self.parameters.extend(names);
        }
        ControlFlow::Continue(())
    }

    /// Afterwards, so that what is put in the place of a name is not visited in turn.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<DataFusionError> {
        let (0, Some(scope)) = (self.depth, self.scope) else {
            return ControlFlow::Continue(());
        };
        let names = self.walk.names;
        let is_parameter = |ident: &Ident| self.parameters.contains(&names.normalized(ident));
        match expr {
            Expr::Identifier(ident) if !is_parameter(ident) => {
                match self.walk.identifier(ident, scope) {
                    Ok(Some(value)) => *expr = value,
                    Ok(None) => {}
                    Err(error) => return ControlFlow::Break(error),
                }
            }
            Expr::CompoundIdentifier(idents) if !idents.first().is_some_and(is_parameter) => {
                self.walk.compound(idents, scope);
            }
            Expr::Lambda(lambda) => {
                let around = self.parameters.len() - lambda.params.iter().count();
                self.parameters.truncate(around);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

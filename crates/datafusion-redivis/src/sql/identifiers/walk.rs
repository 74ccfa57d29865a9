//! The walk over a statement, as SQL scopes names: what a `FROM` offers is known before the rest of its `SELECT` is looked at.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::sql::sqlparser::ast::{
    self, Expr, Ident, Insert, OrderByKind, PipeOperator, Query, Select, SelectFlavor, SelectItem,
    SetExpr, SetQuantifier, TableObject, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::names::Names;
use super::scope::{Columns, Relation, Resolution, Scope, resolve};
use super::using;
use super::wildcard::last;

/// A statement being walked.
pub(super) struct Walk<'n> {
    pub(super) names: &'n Names,
    /// The common table expressions in scope, the innermost last.
    pub(super) ctes: Vec<(String, Option<Arc<Columns>>)>,
    /// How many aliases were given to what has none.
    pub(super) aliases: usize,
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
    pub(super) fn column(&self, ident: &mut Ident, relations: &[Relation]) {
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
        for operator in &mut query.pipe_operators {
            if let PipeOperator::Join(join) = operator {
                using::refuse_outer(&mut join.join_operator)?;
            }
        }
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
        let merges = from.iter_mut().any(using::merges);
        let mut relations = vec![];
        for item in &mut from {
            let joined = self.joined(item, merges, &relations, outer)?;
            relations.extend(joined);
        }
        let scope = Scope::new(&relations, outer);

        let mut projection = std::mem::take(&mut select.projection);
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            // DataFusion takes this for a projection without columns.
            select.flavor = SelectFlavor::Standard;
            projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
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

    /// All expressions of a node in one scope, and the subqueries in them.
    pub(super) fn within<V: VisitMut>(
        &mut self,
        node: &mut V,
        scope: Option<&Scope<'_>>,
    ) -> Result<()> {
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

    pub(super) fn resolve<'s>(&self, ident: &Ident, scope: &Scope<'s>) -> Resolution<'s> {
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
                self.column(&mut idents[length], &[relation.unmerged()]);
                return;
            }
        }
        let Some(first) = idents.first_mut() else {
            return;
        };
        match self.resolve(first, scope) {
            Resolution::Column(spelling) => respelled(first, spelling),
            Resolution::Unresolved => {
                for length in (1..names.len()).rev() {
                    if let Some(relation) = scope.reference(&names[..length]) {
                        self.column(&mut idents[length], &[relation.unmerged()]);
                        idents.splice(..length, relation.identifiers());
                        return;
                    }
                }
            }
            _ => {}
        }
    }
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

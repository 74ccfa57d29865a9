//! Identifiers without regard to case: `SELECT stationid` finds `StationID`, and the header says `StationID`.
//!
//! Redivis's variable names are case-insensitive, DataFusion's columns are not, and SQL folds what is not quoted to lower
//! case. So before a statement is planned, each identifier that names no column as it is written, but exactly one column
//! without regard to case, is put in that column's spelling. Identifiers that match a column exactly are never touched, and
//! where two columns match, or the columns can't be known, DataFusion gets the identifier as it was written.
//!
//! The statement is walked as SQL scopes names: what a `FROM` offers is known before the rest of its `SELECT` is looked at.

mod output;
mod relation;
mod scope;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{ResolvedTableReference, Result, TableReference, plan_err};
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    self, Expr, Ident, Insert, ObjectName, ObjectNamePart, OrderByKind, Query, Select, SetExpr,
    SetQuantifier, TableObject, VisitMut, VisitorMut,
};

use self::scope::{Columns, Meaning, Relation, Scope, among};

/// What is known of the session and of the tables that a statement names.
#[derive(Debug)]
pub(crate) struct Names {
    /// The catalog and schema of names that say none.
    pub(crate) default_catalog: String,
    pub(crate) default_schema: String,
    /// Whether unquoted identifiers are folded to lower case.
    pub(crate) normalize: bool,
    /// The schemas of the tables.
    pub(crate) tables: HashMap<ResolvedTableReference, SchemaRef>,
}

impl Names {
    /// The whole name of a table.
    pub(crate) fn resolve(&self, reference: TableReference) -> ResolvedTableReference {
        reference.resolve(&self.default_catalog, &self.default_schema)
    }
}

/// Puts the identifiers of a statement in the spelling of the columns that they mean.
///
/// Fails where DataFusion would silently do something else than the statement says.
pub(crate) fn respell(statement: &mut Statement, names: &Names) -> Result<()> {
    let mut walk = Walk {
        names,
        ctes: vec![],
        refusal: None,
    };
    match statement {
        Statement::Statement(statement) => walk.statement(statement),
        Statement::Explain(explain) => return respell(&mut explain.statement, names),
        Statement::CopyTo(copy) => {
            if let CopyToSource::Query(query) = &mut copy.source {
                walk.query(query, None);
            }
        }
        Statement::CreateExternalTable(_) | Statement::Reset(_) => {}
    }
    match walk.refusal {
        Some(refusal) => plan_err!("{refusal}"),
        None => Ok(()),
    }
}

/// A statement being walked.
struct Walk<'n> {
    names: &'n Names,
    /// The common table expressions in scope, the innermost last.
    ctes: Vec<(String, Option<Arc<Columns>>)>,
    /// The first thing in the statement that would silently be done otherwise than it says.
    refusal: Option<String>,
}

impl Walk<'_> {
    fn normalized(&self, ident: &Ident) -> String {
        if self.names.normalize && ident.quote_style.is_none() {
            ident.value.to_lowercase()
        } else {
            ident.value.clone()
        }
    }

    /// All queries of a statement, and the column list of an `INSERT`.
    fn statement(&mut self, statement: &mut ast::Statement) {
        if let ast::Statement::Insert(insert) = statement {
            self.insert(insert);
        }
        self.within(statement, None);
    }

    fn insert(&self, insert: &mut Insert) {
        let TableObject::TableName(name) = &insert.table else {
            return;
        };
        let target = [self.named(name, None)];
        for column in &mut insert.columns {
            self.column(last(column), &target);
        }
    }

    /// Puts a name that must be a column of one of these relations in that column's spelling.
    fn column(&self, ident: Option<&mut Ident>, relations: &[Relation]) {
        if let Some(ident) = ident
            && let Meaning::Spelled(spelling) = among(relations, &self.normalized(ident))
        {
            respelled(ident, spelling);
        }
    }

    /// The columns of a query's result; `None` where they can't be known.
    fn query(&mut self, query: &mut Query, outer: Option<&Scope<'_>>) -> Option<Arc<Columns>> {
        let ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let name = self.normalized(&cte.alias.name);
                if with.recursive
                    && let SetExpr::SetOperation { left, .. } = &mut *cte.query.body
                {
                    // The recursive part refers to the columns of the part before it.
                    let (columns, _) = self.body(left, outer);
                    self.ctes
                        .push((name.clone(), self.aliased(columns, &cte.alias)));
                }
                let columns = self.query(&mut cte.query, outer);
                self.ctes.push((name, self.aliased(columns, &cte.alias)));
            }
        }
        let (columns, mut relations) = self.body(&mut query.body, outer);
        // ORDER BY sees the columns of the result and of the FROM.
        relations.push(Relation {
            qualifier: vec![],
            short: None,
            columns: columns.clone(),
        });
        let scope = Scope {
            relations: &relations,
            outer,
        };
        if let Some(order_by) = &mut query.order_by
            && let OrderByKind::Expressions(exprs) = &mut order_by.kind
        {
            for expr in exprs {
                self.within(expr, Some(&scope));
            }
        }
        if let Some(limit) = &mut query.limit_clause {
            self.within(limit, outer);
        }
        self.ctes.truncate(ctes);
        columns
    }

    /// The columns of a query's body, and the relations of its `FROM` if it has one.
    fn body(
        &mut self,
        body: &mut SetExpr,
        outer: Option<&Scope<'_>>,
    ) -> (Option<Arc<Columns>>, Vec<Relation>) {
        match body {
            SetExpr::Select(select) => self.select(select, outer),
            SetExpr::Query(query) => (self.query(query, outer), vec![]),
            SetExpr::SetOperation {
                left,
                right,
                set_quantifier,
                ..
            } => {
                let (columns, _) = self.body(left, outer);
                let (others, _) = self.body(right, outer);
                if matches!(
                    set_quantifier,
                    SetQuantifier::ByName
                        | SetQuantifier::AllByName
                        | SetQuantifier::DistinctByName
                ) {
                    self.refuse_differing("BY NAME", &columns, &others);
                }
                (columns, vec![])
            }
            SetExpr::Values(values) => {
                self.within(values, outer);
                let width = values.rows.first().map_or(0, |row| row.content.len());
                let columns = (1..=width).map(|place| format!("column{place}")).collect();
                (Some(Arc::new(columns)), vec![])
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                self.statement(statement);
                (None, vec![])
            }
            SetExpr::Table(_) => (None, vec![]),
        }
    }

    /// Refuses to match columns by name where two of them differ in case alone: DataFusion would not match them.
    fn refuse_differing(
        &mut self,
        what: &str,
        left: &Option<Arc<Columns>>,
        right: &Option<Arc<Columns>>,
    ) {
        if let (Some(left), Some(right)) = (left, right)
            && let Some((one, other)) = left.differing(right)
        {
            self.refuse(format!(
                "{what} does not match the columns `{one}` and `{other}`, which differ in upper and lower case; name the \
                 columns, with JOIN … ON or AS"
            ));
        }
    }

    fn refuse(&mut self, refusal: String) {
        self.refusal.get_or_insert(refusal);
    }

    fn select(
        &mut self,
        select: &mut Select,
        outer: Option<&Scope<'_>>,
    ) -> (Option<Arc<Columns>>, Vec<Relation>) {
        let mut from = std::mem::take(&mut select.from);
        let mut relations = vec![];
        for item in &mut from {
            self.joined(item, &mut relations, outer);
        }
        let scope = Scope {
            relations: &relations,
            outer,
        };

        let mut projection = std::mem::take(&mut select.projection);
        let columns = self.projection(&mut projection, &scope);

        // These see the columns of the FROM, and after them the names given in the projection.
        let result = [Relation {
            qualifier: vec![],
            short: None,
            columns: columns.clone(),
        }];
        let behind = Scope {
            relations: &result,
            outer,
        };
        let late = Scope {
            relations: &relations,
            outer: Some(&behind),
        };
        let mut group_by = std::mem::replace(
            &mut select.group_by,
            ast::GroupByExpr::Expressions(vec![], vec![]),
        );
        let mut having = select.having.take();
        let mut qualify = select.qualify.take();
        self.within(&mut group_by, Some(&late));
        self.within(&mut having, Some(&late));
        self.within(&mut qualify, Some(&late));

        self.within(select, Some(&scope));
        select.from = from;
        select.projection = projection;
        select.group_by = group_by;
        select.having = having;
        select.qualify = qualify;
        (columns, relations)
    }

    /// All expressions of a node in one scope, and the subqueries in them.
    fn within<V: VisitMut>(&mut self, node: &mut V, scope: Option<&Scope<'_>>) {
        let mut expressions = Expressions {
            walk: self,
            scope,
            depth: 0,
            parameters: vec![],
        };
        // The visitor never breaks off.
        let _: ControlFlow<()> = node.visit(&mut expressions);
    }

    /// A name in an expression.
    fn identifier(&self, ident: &mut Ident, scope: &Scope<'_>) {
        if let Meaning::Spelled(spelling) =
            scope.column(&self.normalized(ident), ident.quote_style.is_some())
        {
            respelled(ident, spelling);
        }
    }

    /// A qualified name in an expression: `table.column`, `schema.table.column`, or a column and a part of its value.
    fn compound(&self, idents: &mut Vec<Ident>, scope: &Scope<'_>) {
        let names: Vec<String> = idents.iter().map(|ident| self.normalized(ident)).collect();
        for length in (1..names.len()).rev() {
            if let Some(relation) = scope.relation(&names[..length]) {
                self.column(idents.get_mut(length), std::slice::from_ref(relation));
                return;
            }
        }
        let Some((first, rest)) = idents.split_first_mut() else {
            return;
        };
        if scope.column(&names[0], first.quote_style.is_some()) != Meaning::Nothing {
            self.identifier(first, scope);
        } else if let Some(relation) = scope.short(&names[0]) {
            self.column(rest.first_mut(), std::slice::from_ref(relation));
            let qualifier = relation
                .qualifier
                .iter()
                .map(|part| Ident::with_quote('"', part));
            idents.splice(..1, qualifier);
        }
    }
}

fn respelled(ident: &mut Ident, spelling: &str) {
    ident.value = spelling.to_owned();
    ident.quote_style = Some('"');
}

fn last(name: &mut ObjectName) -> Option<&mut Ident> {
    match name.0.last_mut() {
        Some(ObjectNamePart::Identifier(ident)) => Some(ident),
        _ => None,
    }
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
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.walk.query(query, self.scope);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let (0, Some(scope)) = (self.depth, self.scope) else {
            return ControlFlow::Continue(());
        };
        let is_parameter = |ident: &Ident| self.parameters.contains(&self.walk.normalized(ident));
        match expr {
            Expr::Identifier(ident) if !is_parameter(ident) => self.walk.identifier(ident, scope),
            Expr::CompoundIdentifier(idents) if !idents.first().is_some_and(is_parameter) => {
                self.walk.compound(idents, scope);
            }
            Expr::Lambda(lambda) => {
                let names = lambda
                    .params
                    .iter()
                    .map(|parameter| self.walk.normalized(&parameter.name));
                self.parameters.extend(names);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let (0, Some(_), Expr::Lambda(lambda)) = (self.depth, self.scope, expr) {
            let around = self.parameters.len() - lambda.params.iter().count();
            self.parameters.truncate(around);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;

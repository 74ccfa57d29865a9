//! Queries, selects and what they select from.
//!
//! Every field of the syntax tree is looked at, so that no clause is dropped without a word.

use std::{collections::HashSet, ops::ControlFlow};

use super::exists::count_rows;
use super::{QueryError, Rewriter, Spelling, lower, named, scope::Scope};
use datafusion::sql::sqlparser::{
    ast::{
        Cte, Distinct, Expr, GroupByExpr, Ident, LimitClause, NamedWindowExpr, ObjectName, OrderBy,
        OrderByExpr, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind,
        SetExpr, SetOperator, SetQuantifier, Spanned, VisitMut, VisitorMut,
        WildcardAdditionalOptions,
    },
    tokenizer::Span,
};

type Done<T = ()> = Result<T, QueryError>;

impl Rewriter<'_, '_> {
    /// Rewrites a query; returns how its columns are spelled.
    pub(super) fn query(&mut self, query: &mut Query) -> Done<Spelling> {
        let span = query.body.span();
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        refuse(fetch.is_some(), span, "FETCH")?;
        refuse(!locks.is_empty(), span, "FOR UPDATE or FOR SHARE")?;
        refuse(for_clause.is_some(), span, "FOR")?;
        refuse(settings.is_some(), span, "SETTINGS")?;
        refuse(format_clause.is_some(), span, "FORMAT")?;
        refuse(!pipe_operators.is_empty(), span, "pipe syntax")?;
        let outer = self.common.len();
        if let Some(with) = with {
            refuse(with.recursive, span, "WITH RECURSIVE")?;
            for cte in &mut with.cte_tables {
                self.common_table(cte)?;
            }
        }
        let (spelling, mut scope) = self.set(body)?;
        // What is selected hides what it is selected from.
        scope.hide(&spelling);
        scope.add(named(""), spelling.clone());
        self.enter(scope);
        if let Some(OrderBy { kind, interpolate }) = order_by {
            refuse(interpolate.is_some(), span, "INTERPOLATE")?;
            match kind {
                OrderByKind::All(_) => return Err(QueryError::unsupported(span, "ORDER BY ALL")),
                OrderByKind::Expressions(orders) => self.orders(orders)?,
            }
        }
        match limit_clause {
            None => {}
            Some(LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            }) => {
                refuse(!limit_by.is_empty(), span, "LIMIT … BY")?;
                if let Some(limit) = limit {
                    self.expression(limit)?;
                }
                if let Some(offset) = offset {
                    self.expression(&mut offset.value)?;
                }
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                return Err(QueryError::unsupported(span, "LIMIT with a comma"));
            }
        }
        self.leave();
        self.common.truncate(outer);
        Ok(spelling)
    }

    fn common_table(&mut self, cte: &mut Cte) -> Done {
        let span = cte.alias.name.span;
        refuse(cte.from.is_some(), span, "FROM in WITH")?;
        refuse(cte.materialized.is_some(), span, "MATERIALIZED")?;
        refuse(!cte.alias.columns.is_empty(), span, "column lists in WITH")?;
        let spelling = self.query(&mut cte.query)?;
        lower(&mut cte.alias.name);
        self.common.push((cte.alias.name.value.clone(), spelling));
        Ok(())
    }

    /// Sees what these tables bring into sight, until it leaves them.
    fn enter(&mut self, scope: Scope) {
        self.outer.push(std::mem::replace(&mut self.scope, scope));
    }

    fn leave(&mut self) -> Scope {
        std::mem::replace(&mut self.scope, self.outer.pop().unwrap_or_default())
    }

    /// Rewrites what is selected; returns how its columns are spelled, and what else `ORDER BY` may name.
    fn set(&mut self, body: &mut SetExpr) -> Done<(Spelling, Scope)> {
        let span = body.span();
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => Ok((self.query(query)?, Scope::default())),
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let allowed = match op {
                    SetOperator::Union => {
                        matches!(set_quantifier, SetQuantifier::All | SetQuantifier::Distinct)
                    }
                    SetOperator::Except | SetOperator::Intersect => {
                        matches!(set_quantifier, SetQuantifier::Distinct)
                    }
                    SetOperator::Minus => false,
                };
                if !allowed {
                    return Err(QueryError::at(
                        span,
                        format!(
                            "{op} {set_quantifier} cannot be run: write UNION ALL, UNION DISTINCT, INTERSECT DISTINCT or EXCEPT DISTINCT"
                        ),
                    ));
                }
                // The engine knows the distinct kinds of these two by no word.
                if !matches!(op, SetOperator::Union) {
                    *set_quantifier = SetQuantifier::None;
                }
                let (spelling, _) = self.set(left)?;
                self.set(right)?;
                Ok((spelling, Scope::default()))
            }
            SetExpr::Values(_) => Err(QueryError::unsupported(span, "VALUES")),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(QueryError::at(
                    span,
                    "Only SELECT statements can be run, and this changes data",
                ))
            }
            SetExpr::Table(_) => Err(QueryError::unsupported(span, "TABLE")),
        }
    }

    fn select(&mut self, select: &mut Select) -> Done<(Spelling, Scope)> {
        let span = select.span();
        let Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor: _,
        } = select;
        let _ = optimizer_hints;
        refuse(select_modifiers.is_some(), span, "modifiers of SELECT")?;
        refuse(top.is_some(), span, "TOP")?;
        refuse(exclude.is_some(), span, "EXCLUDE")?;
        refuse(into.is_some(), span, "SELECT INTO")?;
        refuse(!lateral_views.is_empty(), span, "LATERAL VIEW")?;
        refuse(prewhere.is_some(), span, "PREWHERE")?;
        refuse(!connect_by.is_empty(), span, "CONNECT BY")?;
        refuse(!cluster_by.is_empty(), span, "CLUSTER BY")?;
        refuse(!distribute_by.is_empty(), span, "DISTRIBUTE BY")?;
        refuse(!sort_by.is_empty(), span, "SORT BY")?;
        refuse(
            value_table_mode.is_some(),
            span,
            "SELECT AS STRUCT or VALUE",
        )?;
        if let Some(Distinct::On(_)) = distinct {
            return Err(QueryError::unsupported(span, "DISTINCT ON"));
        }
        self.enter(Scope::default());
        for tables in from.iter_mut() {
            self.tables(tables)?;
        }
        if let Some(condition) = selection {
            self.expression(condition)?;
        }
        *projection = self.scope.expand(std::mem::take(projection));
        let spelling = self.projection(projection)?;
        self.group_by(group_by, projection, span)?;
        if let Some(condition) = having {
            self.expression(condition)?;
            replace_aliases(condition, projection);
        }
        for definition in named_window {
            lower(&mut definition.0);
            match &mut definition.1 {
                NamedWindowExpr::NamedWindow(name) => {
                    lower(name);
                }
                NamedWindowExpr::WindowSpec(window) => self.window(window)?,
            }
        }
        if let Some(condition) = qualify {
            self.expression(condition)?;
        }
        Ok((spelling, self.leave()))
    }

    /// Names that are not written are given as BigQuery does: a column's own, `f0_`, `f1_`, … for the others.
    fn projection(&mut self, items: &mut [SelectItem]) -> Done<Spelling> {
        let mut spelling = Spelling::new();
        let mut unnamed = 0;
        let mut written_out = HashSet::new();
        for item in items {
            let span = item.span();
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    count_rows(expr);
                    let is_plain = matches!(expr, Expr::Identifier(_));
                    let written = match &*expr {
                        Expr::Identifier(name) => Some(name.value.clone()),
                        Expr::CompoundIdentifier(names) => names.last().map(|n| n.value.clone()),
                        _ => None,
                    };
                    self.expression(expr)?;
                    match written {
                        Some(written) => {
                            if is_plain {
                                once(&mut written_out, &written, span)?;
                            }
                            let name = written.to_lowercase();
                            // What it stands for may have no name of its own.
                            if is_plain && !matches!(expr, Expr::Identifier(_)) {
                                let expr = std::mem::replace(expr, Expr::Identifier(named("")));
                                let alias = named(&name);
                                *item = SelectItem::ExprWithAlias { expr, alias };
                            }
                            spelling.insert(name, written);
                        }
                        None => {
                            let name = format!("f{unnamed}_");
                            unnamed += 1;
                            let expr = std::mem::replace(expr, Expr::Identifier(named("")));
                            spelling.insert(name.clone(), name.clone());
                            *item = SelectItem::ExprWithAlias {
                                expr,
                                alias: named(&name),
                            };
                        }
                    }
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    count_rows(expr);
                    self.expression(expr)?;
                    let written = lower(alias);
                    once(&mut written_out, &written, span)?;
                    spelling.insert(alias.value.clone(), written);
                }
                SelectItem::Wildcard(options) => {
                    self.wildcard(options, span)?;
                    spelling.extend(without(self.scope.spelling(), options));
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
                        return Err(QueryError::unsupported(span, "fields of an expression"));
                    };
                    lower_name(name, span)?;
                    self.wildcard(options, span)?;
                    let parts = idents(name, span)?;
                    let columns = parts
                        .last()
                        .and_then(|part| self.scope.columns_of(&part.value));
                    spelling.extend(without(columns.cloned().unwrap_or_default(), options));
                }
                SelectItem::ExprWithAliases { .. } => {
                    return Err(QueryError::unsupported(span, "several aliases"));
                }
            }
        }
        Ok(spelling)
    }

    fn wildcard(&mut self, options: &mut WildcardAdditionalOptions, span: Span) -> Done {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        refuse(opt_ilike.is_some(), span, "ILIKE behind *")?;
        refuse(opt_exclude.is_some(), span, "EXCLUDE")?;
        refuse(opt_rename.is_some(), span, "RENAME")?;
        refuse(opt_alias.is_some(), span, "an alias of *")?;
        if let Some(except) = opt_except {
            lower(&mut except.first_element);
            except.additional_elements.iter_mut().for_each(|name| {
                lower(name);
            });
        }
        if let Some(replace) = opt_replace {
            for item in &mut replace.items {
                self.expression(&mut item.expr)?;
                lower(&mut item.column_name);
            }
        }
        Ok(())
    }

    /// Aliases win over columns of the same name in GROUP BY; in the engine it is the other way round.
    fn group_by(&mut self, group_by: &mut GroupByExpr, items: &[SelectItem], span: Span) -> Done {
        match group_by {
            GroupByExpr::All(modifiers) => refuse(!modifiers.is_empty(), span, "GROUP BY … WITH"),
            GroupByExpr::Expressions(expressions, modifiers) => {
                refuse(!modifiers.is_empty(), span, "GROUP BY … WITH")?;
                for expr in expressions {
                    if !replace_alias(expr, items) {
                        self.expression(expr)?;
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn orders(&mut self, orders: &mut [OrderByExpr]) -> Done {
        for order in orders {
            refuse(order.with_fill.is_some(), order.expr.span(), "WITH FILL")?;
            self.expression(&mut order.expr)?;
        }
        Ok(())
    }
}

pub(super) fn refuse(refused: bool, span: Span, what: &str) -> Done {
    if refused {
        Err(QueryError::unsupported(span, what))
    } else {
        Ok(())
    }
}

/// The parts of a dotted name.
pub(super) fn idents(name: &ObjectName, span: Span) -> Done<Vec<Ident>> {
    name.0
        .iter()
        .map(|part| part.as_ident().cloned())
        .collect::<Option<_>>()
        .ok_or_else(|| QueryError::unsupported(span, "names that are calls"))
}

/// Refuses a second column of the same name.
fn once(names: &mut HashSet<String>, written: &str, span: Span) -> Done {
    if names.insert(written.to_lowercase()) {
        return Ok(());
    }
    let message = format!("There are two columns named `{written}`");
    Err(QueryError::at(span, message))
}

pub(super) fn lower_name(name: &mut ObjectName, span: Span) -> Done {
    let mut parts = idents(name, span)?;
    parts.iter_mut().for_each(|part| {
        lower(part);
    });
    *name = ObjectName::from(parts);
    Ok(())
}

/// Puts what an alias stands for in its place; whether it is one.
fn replace_alias(expr: &mut Expr, items: &[SelectItem]) -> bool {
    let Expr::Identifier(name) = &*expr else {
        return false;
    };
    let name = name.value.to_lowercase();
    let meant = items.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if alias.value == name => Some(expr),
        _ => None,
    });
    if let Some(meant) = meant {
        *expr = meant.clone();
        return true;
    }
    false
}

/// The columns that `*` stands for, without those behind `EXCEPT`.
fn without(mut columns: Spelling, options: &WildcardAdditionalOptions) -> Spelling {
    if let Some(except) = &options.opt_except {
        columns.remove(&except.first_element.value);
        for name in &except.additional_elements {
            columns.remove(&name.value);
        }
    }
    columns
}

/// The same everywhere in a condition, outside of subqueries.
fn replace_aliases(condition: &mut Expr, items: &[SelectItem]) {
    struct Inner<'a>(&'a [SelectItem], usize);
    impl VisitorMut for Inner<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.1 += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.1 -= 1;
            ControlFlow::Continue(())
        }
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if self.1 == 0 {
                replace_alias(expr, self.0);
            }
            ControlFlow::Continue(())
        }
    }
    let _ = condition.visit(&mut Inner(items, 0));
}

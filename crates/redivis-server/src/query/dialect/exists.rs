//! `EXISTS` among what is selected, which the engine has in conditions alone: there it is whether a count is zero.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, ObjectName, Query, SelectItem, SetExpr, Value, VisitMut,
    VisitorMut,
};

use super::named;

/// Writes each `EXISTS` of an expression that is a plain SELECT as a comparison of its rows' number with zero.
pub(super) fn count_rows(expr: &mut Expr) {
    struct Outside(usize);

    impl VisitorMut for Outside {
        type Break = ();

        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.0 -= 1;
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if self.0 == 0
                && let Expr::Exists { subquery, negated } = expr
                && select_count(subquery)
            {
                let none = Expr::Value(Value::Number("0".to_owned(), false).into());
                let op = match negated {
                    true => BinaryOperator::Eq,
                    false => BinaryOperator::Gt,
                };
                *expr = Expr::Nested(Box::new(Expr::BinaryOp {
                    left: Box::new(Expr::Subquery(subquery.clone())),
                    op,
                    right: Box::new(none),
                }));
            }
            ControlFlow::Continue(())
        }
    }

    // It never breaks off.
    let _ = expr.visit(&mut Outside(0));
}

/// Makes a query that of its rows' number; `false` where its rows are not those that it selects from.
fn select_count(query: &mut Query) -> bool {
    let is_whole = query.limit_clause.is_none() && query.fetch.is_none();
    let SetExpr::Select(select) = &mut *query.body else {
        return false;
    };
    let has_groups =
        !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let is_value = |item: &SelectItem| {
        let (SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }) = item
        else {
            return true;
        };
        // A function may be an aggregate, of which there is one row in any case.
        matches!(
            value,
            Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_)
        )
    };
    if !is_whole
        || has_groups
        || select.distinct.is_some()
        || select.having.is_some()
        || select.qualify.is_some()
        || !select.projection.iter().all(is_value)
    {
        return false;
    }
    select.projection = vec![SelectItem::UnnamedExpr(count())];
    true
}

fn count() -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![named("count")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)],
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

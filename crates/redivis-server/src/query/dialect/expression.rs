//! Expressions: those that mean the same pass, those that mean something else become calls of our own functions.
//!
//! Names that start with `$` are functions which nobody can write: operators and casts with BigQuery's meaning.

use datafusion::sql::sqlparser::{
    ast::{
        AccessExpr, Array, BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, Expr,
        Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
        ObjectName, Spanned, Subscript, TimezoneInfo, TypedString, UnaryOperator, Value,
        WindowSpec,
    },
    tokenizer::Span,
};

use super::{
    QueryError, Rewriter,
    literal::{bytes, literal},
    lower, named,
    select::refuse,
};

use crate::token::hex;

type Done<T = ()> = Result<T, QueryError>;

impl Rewriter<'_, '_> {
    /// Rewrites an expression and what is within it.
    pub(super) fn expression(&mut self, expr: &mut Expr) -> Done {
        let span = expr.span();
        let taken = std::mem::replace(expr, Expr::Value(Value::Null.into()));
        *expr = self.rewritten(taken, span)?;
        Ok(())
    }

    pub(super) fn expressions(&mut self, all: &mut [Expr]) -> Done {
        all.iter_mut().try_for_each(|expr| self.expression(expr))
    }

    /// What a name stands for, if the innermost `SELECT` that knows it merged several columns to it.
    fn merged(&self, name: &str) -> Option<Expr> {
        let name = name.to_lowercase();
        let mut scopes = std::iter::once(&self.scope).chain(self.outer.iter().rev());
        scopes
            .find(|scope| scope.has(&name))?
            .merged(&name)
            .cloned()
    }

    fn rewritten(&mut self, mut expr: Expr, span: Span) -> Done<Expr> {
        match &mut expr {
            Expr::Identifier(name) => {
                if name.value.starts_with('@') {
                    return Err(QueryError::unsupported(span, "variables and parameters"));
                }
                if let Some(merged) = self.merged(&name.value) {
                    return Ok(merged);
                }
                lower(name);
            }
            Expr::CompoundIdentifier(names) => names.iter_mut().for_each(|name| {
                lower(name);
            }),
            Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::Nested(inner) => self.expression(inner)?,
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.expression(left)?;
                self.expression(right)?;
            }
            Expr::InList { expr, list, .. } => {
                self.expression(expr)?;
                self.expressions(list)?;
            }
            Expr::InSubquery { expr, subquery, .. } => {
                self.expression(expr)?;
                self.query(subquery)?;
            }
            Expr::InUnnest {
                expr: element,
                array_expr,
                negated,
            } => {
                self.expression(element)?;
                self.expression(array_expr)?;
                let (array, element, negated) = (
                    array_expr.as_ref().clone(),
                    element.as_ref().clone(),
                    *negated,
                );
                let found = call("array_has", [array, element]);
                return Ok(if negated { not(found) } else { found });
            }
            Expr::Between {
                expr, low, high, ..
            } => {
                self.expression(expr)?;
                self.expression(low)?;
                self.expression(high)?;
            }
            Expr::BinaryOp { left, op, right } => {
                self.expression(left)?;
                self.expression(right)?;
                let name = match op {
                    BinaryOperator::Plus => "$add",
                    BinaryOperator::Minus => "$subtract",
                    BinaryOperator::Multiply => "$multiply",
                    BinaryOperator::Divide => "$divide",
                    BinaryOperator::StringConcat => "$concat",
                    BinaryOperator::BitwiseAnd => "$bit_and",
                    BinaryOperator::BitwiseOr => "$bit_or",
                    BinaryOperator::BitwiseXor => "$bit_xor",
                    BinaryOperator::Eq
                    | BinaryOperator::NotEq
                    | BinaryOperator::Lt
                    | BinaryOperator::LtEq
                    | BinaryOperator::Gt
                    | BinaryOperator::GtEq
                    | BinaryOperator::And
                    | BinaryOperator::Or => return Ok(expr),
                    other => {
                        return Err(QueryError::unsupported(
                            span,
                            format!("the operator {other}"),
                        ));
                    }
                };
                return Ok(call(name, [left.as_ref().clone(), right.as_ref().clone()]));
            }
            Expr::Like {
                any,
                expr,
                pattern,
                escape_char,
                ..
            } => {
                refuse(*any, span, "LIKE ANY")?;
                refuse(escape_char.is_some(), span, "LIKE … ESCAPE")?;
                self.expression(expr)?;
                self.expression(pattern)?;
            }
            Expr::UnaryOp { op, expr: inner } => {
                // The least integer is not a positive one negated.
                let is_number = matches!(inner.as_ref(), Expr::Value(value) if matches!(value.value, Value::Number(..)));
                let least = matches!(inner.as_ref(), Expr::Value(value) if matches!(&value.value, Value::Number(digits, _) if digits == LEAST));
                if least && *op == UnaryOperator::Minus {
                    return Ok(call("$least_integer", []));
                }
                self.expression(inner)?;
                match op {
                    UnaryOperator::Not => {}
                    UnaryOperator::Plus => return Ok(inner.as_ref().clone()),
                    UnaryOperator::Minus if is_number => {}
                    UnaryOperator::Minus => return Ok(call("$negate", [inner.as_ref().clone()])),
                    UnaryOperator::BitwiseNot => {
                        return Ok(call("$bit_not", [inner.as_ref().clone()]));
                    }
                    other => {
                        return Err(QueryError::unsupported(
                            span,
                            format!("the operator {other}"),
                        ));
                    }
                }
            }
            Expr::Cast {
                kind,
                expr: inner,
                data_type,
                array,
                format,
            } => {
                refuse(*array, span, "arrays in casts")?;
                refuse(format.is_some(), span, "CAST … FORMAT")?;
                self.expression(inner)?;
                let name = cast_to(data_type, span)?;
                let inner = inner.as_ref().clone();
                return match kind {
                    CastKind::Cast => Ok(call(name, [inner])),
                    CastKind::SafeCast => Ok(call(&format!("safe.{name}"), [inner])),
                    CastKind::TryCast | CastKind::DoubleColon => {
                        Err(QueryError::unsupported(span, "TRY_CAST and ::"))
                    }
                };
            }
            Expr::TypedString(TypedString {
                data_type, value, ..
            }) => {
                literal(value)?;
                let name = cast_to(data_type, span)?;
                return Ok(call(name, [Expr::Value(value.clone())]));
            }
            Expr::Extract { field, expr, .. } => {
                self.expression(expr)?;
                return Ok(call("extract", [part(field), expr.as_ref().clone()]));
            }
            Expr::Ceil { expr, field } => return self.rounded("ceil", expr, field, span),
            Expr::Floor { expr, field } => return self.rounded("floor", expr, field, span),
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => {
                let mut arguments = vec![expr.as_ref().clone()];
                arguments.extend(substring_from.as_deref().cloned());
                arguments.extend(substring_for.as_deref().cloned());
                self.expressions(&mut arguments)?;
                return Ok(call("substr", arguments));
            }
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters,
            } => {
                refuse(
                    trim_where.is_some() || trim_what.is_some(),
                    span,
                    "TRIM … FROM",
                )?;
                let mut arguments = vec![expr.as_ref().clone()];
                arguments.extend(trim_characters.iter().flatten().cloned());
                self.expressions(&mut arguments)?;
                return Ok(call("trim", arguments));
            }
            Expr::Value(value) => {
                if let Some(bytes) = bytes(value)? {
                    return Ok(call("from_hex", [text(hex(&bytes))]));
                }
                literal(value)?;
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                if let Some(operand) = operand {
                    self.expression(operand)?;
                }
                for branch in conditions {
                    self.expression(&mut branch.condition)?;
                    self.expression(&mut branch.result)?;
                }
                if let Some(result) = else_result {
                    self.expression(result)?;
                }
            }
            Expr::Exists { subquery, .. } | Expr::Subquery(subquery) => {
                self.query(subquery)?;
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                for set in sets {
                    self.expressions(set)?;
                }
            }
            Expr::Array(Array { elem, named: _ }) => {
                self.expressions(elem)?;
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.expression(root)?;
                let mut value = root.as_ref().clone();
                for access in access_chain {
                    let AccessExpr::Subscript(Subscript::Index { index }) = access else {
                        return Err(QueryError::unsupported(span, "fields of an expression"));
                    };
                    value = self.element(value, index, span)?;
                }
                return Ok(value);
            }
            Expr::Function(function) => {
                let function = function.clone();
                return self.call(function, span);
            }
            other => {
                return Err(QueryError::unsupported(span, format!("`{other}`")));
            }
        }
        Ok(expr)
    }

    fn rounded(
        &mut self,
        name: &str,
        expr: &mut Expr,
        field: &CeilFloorKind,
        span: Span,
    ) -> Done<Expr> {
        let plain = matches!(
            field,
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime)
        );
        refuse(!plain, span, "CEIL and FLOOR of dates")?;
        self.expression(expr)?;
        Ok(call(name, [expr.clone()]))
    }

    /// `array[OFFSET(0)]` and its relatives.
    fn element(&mut self, array: Expr, index: &mut Expr, span: Span) -> Done<Expr> {
        let unknown = || {
            QueryError::at(
                span,
                "Elements of arrays are named by OFFSET, ORDINAL, SAFE_OFFSET or SAFE_ORDINAL",
            )
        };
        let Expr::Function(position) = index else {
            return Err(unknown());
        };
        let name = match position.name.to_string().to_uppercase().as_str() {
            "OFFSET" => "$offset",
            "ORDINAL" => "$ordinal",
            "SAFE_OFFSET" => "$safe_offset",
            "SAFE_ORDINAL" => "$safe_ordinal",
            _ => return Err(unknown()),
        };
        let [mut place] =
            <[Expr; 1]>::try_from(arguments(position, span)?).map_err(|_| unknown())?;
        self.expression(&mut place)?;
        Ok(call(name, [array, place]))
    }

    pub(super) fn window(&mut self, window: &mut WindowSpec) -> Done {
        if let Some(name) = &mut window.window_name {
            lower(name);
        }
        self.expressions(&mut window.partition_by)?;
        self.orders(&mut window.order_by)
    }
}

/// What follows the minus of the least integer.
const LEAST: &str = "9223372036854775808";

/// A call of a function with these arguments.
pub(super) fn call(name: &str, arguments: impl IntoIterator<Item = Expr>) -> Expr {
    let args = arguments
        .into_iter()
        .map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)))
        .collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![named(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

pub(super) fn not(expr: Expr) -> Expr {
    Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: Box::new(expr),
    }
}

pub(super) fn text(value: impl Into<String>) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.into()).into())
}

/// A part of a date as an argument.
pub(super) fn part(field: &impl std::fmt::Display) -> Expr {
    text(field.to_string().to_uppercase())
}

/// The plain arguments of a call.
pub(super) fn arguments(function: &Function, span: Span) -> Done<Vec<Expr>> {
    let list = match &function.args {
        FunctionArguments::None => return Ok(Vec::new()),
        FunctionArguments::Subquery(_) => {
            return Err(QueryError::unsupported(span, "a subquery as argument"));
        }
        FunctionArguments::List(list) => list,
    };
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr.clone()),
            FunctionArg::Unnamed(_) => Err(QueryError::at(span, "* is an argument of COUNT alone")),
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => {
                Err(QueryError::unsupported(span, "named arguments"))
            }
        })
        .collect()
}

/// The function that casts to a type.
fn cast_to(data_type: &DataType, span: Span) -> Done<&'static str> {
    Ok(match data_type {
        DataType::Int64
        | DataType::Int(None)
        | DataType::Integer(None)
        | DataType::BigInt(None)
        | DataType::SmallInt(None)
        | DataType::TinyInt(None) => "$cast_int64",
        DataType::Float64 => "$cast_float64",
        DataType::Bool | DataType::Boolean => "$cast_bool",
        DataType::String(None) => "$cast_string",
        DataType::Bytes(None) => "$cast_bytes",
        DataType::Date => "$cast_date",
        DataType::Datetime(None) => "$cast_datetime",
        DataType::Time(None, TimezoneInfo::None) => "$cast_time",
        DataType::Timestamp(None, TimezoneInfo::None) => "$cast_timestamp",
        DataType::Custom(name, modifiers)
            if modifiers.is_empty() && name.to_string().eq_ignore_ascii_case("byteint") =>
        {
            "$cast_int64"
        }
        other => return Err(QueryError::unsupported(span, format!("the type {other}"))),
    })
}

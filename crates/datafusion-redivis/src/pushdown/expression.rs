//! Expressions over rows.
//!
//! What is matched here is what may be pushed: an expression is said only if BigQuery documents the meaning that it has in
//! DataFusion. Everything else is refused, and stays local.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{Case, InList, Like};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};

use super::block::Column;
use super::refusal::{Said, refuse};
use super::sql::{self, Kind, Sql};
use super::translator::Translator;

/// The rows that expressions are evaluated over, each column of their schema with its text.
pub(super) struct Rows<'a> {
    pub(super) translator: &'a Translator,
    schema: &'a DFSchema,
    columns: &'a [Column],
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        translator: &'a Translator,
        schema: &'a DFSchema,
        columns: &'a [Column],
    ) -> Self {
        Self {
            translator,
            schema,
            columns,
        }
    }

    pub(super) fn schema(&self) -> &'a DFSchema {
        self.schema
    }

    /// What an expression's values are on Redivis.
    pub(super) fn kind(&self, expr: &Expr) -> Said<Kind> {
        Kind::of(&self.data_type(expr)?)
    }

    pub(super) fn data_type(&self, expr: &Expr) -> Said<DataType> {
        match expr.get_type(self.schema) {
            Ok(data_type) => Ok(data_type),
            Err(_) => refuse(format!("{expr} has no type")),
        }
    }

    /// The column that an expression is, if it is nothing else.
    pub(super) fn column(&self, expr: &Expr) -> Option<&'a Column> {
        match expr {
            Expr::Column(column) => {
                let place = self.schema.index_of_column(column).ok()?;
                self.columns.get(place)
            }
            Expr::Alias(alias) => self.column(&alias.expr),
            _ => None,
        }
    }

    /// Its text.
    pub(super) fn say(&self, expr: &Expr) -> Said<Sql> {
        match expr {
            Expr::Alias(alias) => self.say(&alias.expr),
            Expr::Column(name) => match self.column(expr) {
                Some(column) if column.is_opaque => {
                    refuse(format!("{} is no value to compute with", name.name))
                }
                Some(column) => Ok(column.sql.clone()),
                None => refuse(format!("the column {name}")),
            },
            Expr::Literal(value, _) => sql::literal(value),
            Expr::BinaryExpr(binary) => self.binary(binary),
            Expr::Not(inner) => Ok(Sql::compound(format!(
                "NOT {}",
                self.say(inner)?.as_operand()
            ))),
            Expr::IsNull(inner) => self.suffixed(inner, "IS NULL"),
            Expr::IsNotNull(inner) => self.suffixed(inner, "IS NOT NULL"),
            Expr::IsTrue(inner) => self.suffixed(inner, "IS TRUE"),
            Expr::IsNotTrue(inner) => self.suffixed(inner, "IS NOT TRUE"),
            Expr::IsFalse(inner) => self.suffixed(inner, "IS FALSE"),
            Expr::IsNotFalse(inner) => self.suffixed(inner, "IS NOT FALSE"),
            Expr::IsUnknown(inner) => self.suffixed(inner, "IS NULL"),
            Expr::IsNotUnknown(inner) => self.suffixed(inner, "IS NOT NULL"),
            Expr::Negative(inner) => match self.data_type(inner)? {
                DataType::Int64 | DataType::Float64 => {
                    Ok(Sql::compound(format!("-{}", self.say(inner)?.as_operand())))
                }
                other => refuse(format!("the negative of {other}")),
            },
            Expr::Between(between) => {
                let low = self.comparison(Operator::GtEq, &between.expr, &between.low)?;
                let high = self.comparison(Operator::LtEq, &between.expr, &between.high)?;
                let within = Sql::infix(&low, "AND", &high);
                Ok(match between.negated {
                    true => Sql::compound(format!("NOT {}", within.as_operand())),
                    false => within,
                })
            }
            Expr::InList(list) => self.in_list(list),
            Expr::Like(like) => self.like(like),
            Expr::Case(case) => self.case(case),
            Expr::Cast(cast) => self.cast(&cast.expr, cast.field.data_type()),
            Expr::ScalarFunction(call) => self.function(expr, call.name(), &call.args),
            Expr::ScalarSubquery(subquery) if subquery.outer_ref_columns.is_empty() => {
                let query = self.translator.statement(&subquery.subquery)?;
                Ok(Sql::operand(format!(
                    "(\n{}\n)",
                    super::block::indent(&query)
                )))
            }
            other => refuse(format!("{} is not said on Redivis", other.variant_name())),
        }
    }

    fn suffixed(&self, inner: &Expr, suffix: &str) -> Said<Sql> {
        Ok(Sql::compound(format!(
            "{} {suffix}",
            self.say(inner)?.as_operand()
        )))
    }

    fn binary(&self, BinaryExpr { left, op, right }: &BinaryExpr) -> Said<Sql> {
        match op {
            Operator::And | Operator::Or => {
                let symbol = if *op == Operator::And { "AND" } else { "OR" };
                Ok(Sql::infix(&self.say(left)?, symbol, &self.say(right)?))
            }
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq => self.comparison(*op, left, right),
            Operator::IsDistinctFrom | Operator::IsNotDistinctFrom => {
                let kinds = (self.kind(left)?, self.kind(right)?);
                if kinds.0 != kinds.1 || kinds.0 == Kind::Float {
                    return refuse(format!("{op} of these types"));
                }
                let symbol = op.to_string().to_uppercase();
                Ok(Sql::infix(&self.say(left)?, &symbol, &self.say(right)?))
            }
            Operator::StringConcat => match (self.kind(left)?, self.kind(right)?) {
                (Kind::Text, Kind::Text) => {
                    Ok(Sql::infix(&self.say(left)?, "||", &self.say(right)?))
                }
                _ => refuse("|| of what is no text"),
            },
            Operator::Plus | Operator::Minus | Operator::Multiply => {
                match (self.data_type(left)?, self.data_type(right)?) {
                    (DataType::Int64, DataType::Int64) | (DataType::Float64, DataType::Float64) => {
                        Ok(Sql::infix(
                            &self.say(left)?,
                            &op.to_string(),
                            &self.say(right)?,
                        ))
                    }
                    (left, right) => refuse(format!("{left} {op} {right}")),
                }
            }
            Operator::Divide | Operator::Modulo => {
                match (op, self.data_type(left)?, self.data_type(right)?) {
                    (Operator::Divide, DataType::Int64, DataType::Int64) => {
                        Ok(Sql::call("DIV", &[&self.say(left)?, &self.say(right)?]))
                    }
                    (Operator::Modulo, DataType::Int64, DataType::Int64) => {
                        Ok(Sql::call("MOD", &[&self.say(left)?, &self.say(right)?]))
                    }
                    (Operator::Divide, DataType::Float64, DataType::Float64) => {
                        self.quotient(left, right)
                    }
                    (_, left, right) => refuse(format!("{left} {op} {right}")),
                }
            }
            other => refuse(format!("the operator {other}")),
        }
    }

    /// A quotient of floating point numbers. BigQuery's `/` fails where the divisor is zero.
    fn quotient(&self, left: &Expr, right: &Expr) -> Said<Sql> {
        let (a, b) = (self.say(left)?, self.say(right)?);
        Ok(match right {
            Expr::Literal(ScalarValue::Float64(Some(divisor)), _) if *divisor != 0.0 => {
                Sql::infix(&a, "/", &b)
            }
            _ => Sql::call("IEEE_DIVIDE", &[&a, &b]),
        })
    }

    fn in_list(
        &self,
        InList {
            expr,
            list,
            negated,
        }: &InList,
    ) -> Said<Sql> {
        let kind = self.kind(expr)?;
        let mut values = Vec::with_capacity(list.len());
        for value in list {
            if self.kind(value)? != kind {
                return refuse("IN with different types");
            }
            if kind == Kind::Float
                && !matches!(value, Expr::Literal(ScalarValue::Float64(Some(number)), _) if !number.is_nan())
            {
                return refuse("IN with what may be NaN");
            }
            values.push(self.say(value)?.text().to_owned());
        }
        let symbol = if *negated { "NOT IN" } else { "IN" };
        Ok(Sql::compound(format!(
            "{} {symbol} ({})",
            self.say(expr)?.as_operand(),
            values.join(", ")
        )))
    }

    /// `LIKE` with a pattern whose backslashes mean the same to everybody.
    fn like(&self, like: &Like) -> Said<Sql> {
        if like.case_insensitive {
            return refuse("ILIKE: letters outside ASCII have other cases on Redivis");
        }
        let Expr::Literal(pattern, _) = &*like.pattern else {
            return refuse("LIKE with a pattern that is no literal");
        };
        let Some(Some(pattern)) = pattern.try_as_str() else {
            return refuse("LIKE without a pattern");
        };
        let escape = like.escape_char.unwrap_or('\\');
        let mut said = String::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            if character != escape && character != '\\' {
                said.push(character);
            } else if character == escape
                && let Some(escaped @ ('%' | '_')) = characters.next()
            {
                said.push('\\');
                said.push(escaped);
            } else {
                return refuse("LIKE with a backslash before other characters than % and _");
            }
        }
        if self.kind(&like.expr)? != Kind::Text {
            return refuse("LIKE of what is no text");
        }
        let symbol = if like.negated { "NOT LIKE" } else { "LIKE" };
        Ok(Sql::compound(format!(
            "{} {symbol} {}",
            self.say(&like.expr)?.as_operand(),
            sql::text(&said)?
        )))
    }

    fn case(&self, case: &Case) -> Said<Sql> {
        let mut text = String::from("CASE");
        for (when, then) in &case.when_then_expr {
            let when = match &case.expr {
                Some(base) => self.comparison(Operator::Eq, base, when)?,
                None => self.say(when)?,
            };
            let then = self.say(then)?;
            text.push_str(&format!(" WHEN {} THEN {}", when.text(), then.text()));
        }
        if let Some(other) = &case.else_expr {
            text.push_str(&format!(" ELSE {}", self.say(other)?.text()));
        }
        text.push_str(" END");
        Ok(Sql::operand(text))
    }

    /// A cast that means the same and fails for the same values.
    fn cast(&self, expr: &Expr, to: &DataType) -> Said<Sql> {
        let from = self.data_type(expr)?;
        let kinds = (Kind::of(&from)?, Kind::of(to)?);
        let value = self.say(expr)?;
        let cast = |value: &str| Sql::operand(format!("CAST({value} AS {})", kinds.1.name()));
        Ok(match kinds {
            (Kind::Integer, Kind::Integer) if !holds(to, &from) => {
                return refuse(format!("a cast of {from} to {to}"));
            }
            (from, to) if from == to => value,
            (Kind::Integer, Kind::Float | Kind::Text)
            | (Kind::Boolean, Kind::Text)
            | (Kind::Date, Kind::Text | Kind::DateTime)
            | (Kind::DateTime, Kind::Date) => cast(value.text()),
            (Kind::Boolean, Kind::Integer) => cast(value.text()),
            // BigQuery rounds.
            (Kind::Float, Kind::Integer) if *to == DataType::Int64 => {
                cast(&format!("TRUNC({})", value.text()))
            }
            _ => return refuse(format!("a cast of {from} to {to}")),
        })
    }
}

/// Whether every integer of one type is one of the other.
fn holds(wide: &DataType, narrow: &DataType) -> bool {
    let width = |it: &DataType| it.primitive_width().unwrap_or(usize::MAX);
    match (wide.is_signed_integer(), narrow.is_signed_integer()) {
        (true, false) => width(wide) > width(narrow),
        (false, true) => false,
        _ => width(wide) >= width(narrow),
    }
}

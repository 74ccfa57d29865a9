//! What is true of a row, or not, or not known.

use super::literal::text;
use super::spelling::{Pair, both, each, joined};
use super::{Column, Generator, Kind};

const PATTERNS: [&str; 16] = [
    "%",
    "",
    "a%",
    "%s%",
    "_",
    "__%",
    "100\\%",
    "%\\_%",
    "50\\%\\_off",
    "%e_",
    "%'%",
    "%\n%",
    "str_ße",
    "%😀%",
    "ΣΊ%",
    "%ΟΣ",
];

impl Generator {
    pub(super) fn condition(&mut self, columns: &[Column], depth: usize) -> Pair {
        if depth > 0 && self.one_in(3) {
            let a = self.condition(columns, depth - 1);
            let b = self.condition(columns, depth - 1);
            return match self.rng.usize(0..4) {
                0 => both("(NOT {0})", &[&a]),
                1 => both("({0} OR {1})", &[&a, &b]),
                2 => {
                    let test = *self.pick(&[
                        "TRUE",
                        "FALSE",
                        "UNKNOWN",
                        "NOT TRUE",
                        "NOT FALSE",
                        "NOT UNKNOWN",
                    ]);
                    // DuckDB knows no UNKNOWN.
                    let duck = test.replace("UNKNOWN", "NULL");
                    each(
                        &format!("({{0}} IS {test})"),
                        &format!("({{0}} IS {duck})"),
                        &[&a],
                    )
                }
                _ => both("({0} AND {1})", &[&a, &b]),
            };
        }
        let kind = self.kind();
        match self.rng.usize(0..11) {
            0..=3 => {
                let operator = *self.pick(&["=", "<>", "<", "<=", ">", ">="]);
                let a = self.expression(columns, kind, depth);
                let b = self.expression(columns, kind, depth);
                both(&format!("({{0}} {operator} {{1}})"), &[&a, &b])
            }
            4 => {
                let a = self.expression(columns, kind, depth);
                let test = *self.pick(&["IS NULL", "IS NOT NULL"]);
                both(&format!("({{0}} {test})"), &[&a])
            }
            5 => {
                let a = self.expression(columns, kind, depth);
                let (low, high) = (self.literal(kind), self.literal(kind));
                let not = *self.pick(&["", "NOT "]);
                both(
                    &format!("({{0}} {not}BETWEEN {{1}} AND {{2}})"),
                    &[&a, &low, &high],
                )
            }
            6 => {
                let a = self.expression(columns, kind, depth);
                let mut list: Vec<Pair> = (0..self.rng.usize(1..6))
                    .map(|_| self.literal(kind))
                    .collect();
                // DataFusion's lists of several numbers tell 0.0 from -0.0.
                if kind == Kind::Float {
                    list.retain(|value| value.ours != "0e0");
                    list.push(both("3e0", &[]));
                }
                if self.one_in(5) {
                    list.push(both("NULL", &[]));
                }
                let not = *self.pick(&["", "NOT "]);
                both(
                    &format!("({{0}} {not}IN ({{1}}))"),
                    &[&a, &joined(&list, ", ")],
                )
            }
            7 => {
                let a = self.expression(columns, Kind::Text, depth);
                let pattern = *self.pick(&PATTERNS);
                let pattern = text(pattern);
                let not = *self.pick(&["", "NOT "]);
                // DuckDB has no character that escapes unless it is told one.
                each(
                    &format!("({{0}} {not}LIKE {{1}})"),
                    &format!("({{0}} {not}LIKE {{1}} ESCAPE '\\')"),
                    &[&a, &pattern],
                )
            }
            8 => {
                let a = self.expression(columns, Kind::Text, depth);
                let function = *self.pick(&["STARTS_WITH", "ENDS_WITH", "CONTAINS"]);
                let sought = *self.pick(&["s", "%", "\\", "Σ", "b", "'"]);
                let sought = text(sought);
                both(&format!("{function}({{0}}, {{1}})"), &[&a, &sought])
            }
            9 => match self.column(columns, |it| it.kind == Kind::DateTime && it.is_plain) {
                Some(column) => {
                    let operator = *self.pick(&["=", "<>", "<", "<=", ">", ">="]);
                    let literal = self.time_stamp();
                    both(
                        &format!("({{0}} {operator} {{1}})"),
                        &[&column.name, &literal],
                    )
                }
                None => both("({0} IS NULL)", &[&self.leaf(columns, kind)]),
            },
            _ => {
                let a = self.leaf(columns, kind);
                let b = self.leaf(columns, kind);
                let not = *self.pick(&["", "NOT "]);
                both(&format!("({{0}} IS {not}DISTINCT FROM {{1}})"), &[&a, &b])
            }
        }
    }

    /// What stands in WHERE: conditions, and subqueries.
    pub(super) fn filter(&mut self, columns: &[Column], depth: usize) -> Pair {
        let mut conditions = vec![];
        for _ in 0..self.rng.usize(1..3) {
            conditions.push(match self.one_in(4) {
                true => self.subquery(columns, depth),
                false => self.condition(columns, 2),
            });
        }
        joined(&conditions, " AND ")
    }

    /// A condition with a subquery in it.
    fn subquery(&mut self, columns: &[Column], depth: usize) -> Pair {
        let inner = self.relation(depth.saturating_sub(1));
        let kind = *self.pick(&[Kind::Int, Kind::Int, Kind::Text, Kind::Date]);
        let asked = self.condition(&inner.columns, 1);
        let (mine, its) = (
            self.column(columns, |column| column.kind == kind),
            self.column(&inner.columns, |column| column.kind == kind),
        );
        let (Some(mine), Some(its)) = (mine, its) else {
            return self.condition(columns, 1);
        };
        let (mine, its) = (mine.name, its.name);
        let from = &inner.from;
        match self.rng.usize(0..8) {
            0 | 1 => both(
                "{0} IN (SELECT {1} FROM {2} WHERE {3})",
                &[&mine, &its, from, &asked],
            ),
            2 => both(
                "{0} NOT IN (SELECT {1} FROM {2} WHERE {3})",
                &[&mine, &its, from, &asked],
            ),
            3 => both(
                "EXISTS (SELECT 1 FROM {2} WHERE {1} = {0} AND {3})",
                &[&mine, &its, from, &asked],
            ),
            4 => both(
                "NOT EXISTS (SELECT 1 FROM {2} WHERE {1} = {0} AND {3})",
                &[&mine, &its, from, &asked],
            ),
            5 => {
                let other = self.condition(columns, 1);
                both(
                    "({4} OR EXISTS (SELECT 1 FROM {2} WHERE {1} = {0} AND {3}))",
                    &[&mine, &its, from, &asked, &other],
                )
            }
            6 => {
                let operator = *self.pick(&["=", "<", ">=", "<>"]);
                let aggregate = *self.pick(&["MIN", "MAX"]);
                both(
                    &format!("{{0}} {operator} (SELECT {aggregate}({{1}}) FROM {{2}} WHERE {{3}})"),
                    &[&mine, &its, from, &asked],
                )
            }
            _ => {
                let aggregate = *self.pick(&["COUNT(*)", "COUNT({1})"]);
                both(
                    &format!(
                        "(SELECT {aggregate} FROM {{2}} WHERE {{1}} = {{0}} AND {{3}}) < {}",
                        self.rng.usize(0..4)
                    ),
                    &[&mine, &its, from, &asked],
                )
            }
        }
    }
}

//! Aggregates, over groups and sets of groups.

use super::relation::Relation;
use super::select::output;
use super::spelling::{Pair, both, each, joined, plain};
use super::{Column, Generator, Kind, Select};

impl Generator {
    /// `SELECT … FROM … GROUP BY … HAVING …`.
    pub(super) fn groups(&mut self, depth: usize) -> Select {
        let relation = self.relation(depth);
        let keys: Vec<(Pair, Column)> = (0..self.rng.usize(0..3))
            .filter_map(|place| self.group_key(&relation, place))
            .collect();
        let mut by = Pair::default();
        if !keys.is_empty() {
            let names: Vec<Pair> = keys.iter().map(|(key, _)| key.clone()).collect();
            by = both(" GROUP BY {0}", &[&joined(&names, ", ")]);
        }
        self.grouped(&relation, keys, &by, depth)
    }

    pub(super) fn grouping_sets(&mut self, depth: usize) -> Select {
        let relation = self.relation(depth);
        let mut keys: Vec<(Pair, Column)> = vec![];
        for place in 0..2 {
            // DataFusion takes a key that is a literal for the same in every set, and sorts by it no more.
            let column = self.column(&relation.columns, |it| {
                it.is_stored && it.is_ordered && keys.iter().all(|(key, _)| *key != it.name)
            });
            let Some(column) = column else {
                return self.groups(depth);
            };
            keys.push((
                column.name.clone(),
                output(place, column.kind, Some(&column)),
            ));
        }
        let names = [&keys[0].0, &keys[1].0];
        let form = *self.pick(&[
            " GROUP BY ROLLUP({0}, {1})",
            " GROUP BY CUBE({0}, {1})",
            " GROUP BY GROUPING SETS (({0}), ({1}))",
            " GROUP BY GROUPING SETS (({0}, {1}), ({1}), ())",
        ]);
        let by = both(form, &names);
        if self.rng.bool() {
            let of_first = both("GROUPING({0})", &[&keys[0].0]);
            keys.push((of_first, output(2, Kind::Int, None)));
        }
        self.grouped(&relation, keys, &by, depth)
    }

    fn grouped(
        &mut self,
        relation: &Relation,
        keys: Vec<(Pair, Column)>,
        by: &Pair,
        depth: usize,
    ) -> Select {
        let mut selected = vec![];
        let mut columns = vec![];
        for (key, column) in keys {
            selected.push(both("{0} AS {1}", &[&key, &column.name]));
            columns.push(column);
        }
        for _ in 0..self.rng.usize(1..4) {
            let (value, kind) = self.aggregate(&relation.columns, true);
            let column = output(columns.len(), kind, None);
            selected.push(both("{0} AS {1}", &[&value, &column.name]));
            columns.push(column);
        }
        let filter = self.where_(relation, depth);
        let mut having = Pair::default();
        if self.one_in(4) {
            having = match self.rng.bool() {
                true => plain(format!(" HAVING COUNT(*) > {}", self.rng.usize(0..4))),
                false => {
                    let (value, _) = self.aggregate(&relation.columns, false);
                    both(" HAVING {0} IS NOT NULL", &[&value])
                }
            };
        }
        let columns = columns.into_iter().map(once).collect();
        Select {
            sql: both(
                "SELECT {0} FROM {1}{2}{3}{4}",
                &[
                    &joined(&selected, ", "),
                    &relation.from,
                    &filter,
                    by,
                    &having,
                ],
            ),
            columns,
        }
    }

    /// What is grouped by: a column, or what is computed from one. A number alone would be a place.
    fn group_key(&mut self, relation: &Relation, place: usize) -> Option<(Pair, Column)> {
        let column = self.column(&relation.columns, |column| column.is_ordered)?;
        if self.one_in(3) {
            let value = self.expression(&relation.columns, column.kind, 2);
            if value.ours.contains('"') && column.kind != Kind::Float {
                return Some((value, output(place, column.kind, None)));
            }
        }
        Some((
            column.name.clone(),
            output(place, column.kind, Some(&column)),
        ))
    }

    /// An aggregate, and what it is; `filtered` if it may have a FILTER.
    pub(super) fn aggregate(&mut self, columns: &[Column], filtered: bool) -> (Pair, Kind) {
        let filter = match filtered && self.one_in(4) {
            true => {
                let filter = self.condition(columns, 1);
                both(" FILTER (WHERE {0})", &[&filter])
            }
            false => Pair::default(),
        };
        match self.rng.usize(0..10) {
            0 => (both("COUNT(*){0}", &[&filter]), Kind::Int),
            1 => {
                let kind = self.kind();
                let value = self.expression(columns, kind, 1);
                (both("COUNT({0}){1}", &[&value, &filter]), Kind::Int)
            }
            2 => {
                let kind = *self.pick(&[Kind::Int, Kind::Text, Kind::Date, Kind::Bool]);
                let value = self.leaf(columns, kind);
                (
                    both("COUNT(DISTINCT {0}){1}", &[&value, &filter]),
                    Kind::Int,
                )
            }
            3 | 4 => {
                let value = self.expression(columns, Kind::Int, 1);
                let distinct = match self.one_in(4) {
                    true => "DISTINCT ",
                    false => "",
                };
                // DuckDB's sums are wider.
                let ours = format!("SUM({distinct}{{0}} % 1000){{1}}");
                let duck = format!("CAST({ours} AS BIGINT)");
                (each(&ours, &duck, &[&value, &filter]), Kind::Int)
            }
            5 => {
                let value = self.expression(columns, Kind::Int, 1);
                (both("AVG({0} % 1000){1}", &[&value, &filter]), Kind::Float)
            }
            6 => match self.column(columns, |it| it.kind == Kind::Float && it.is_plain) {
                Some(column) => {
                    let function =
                        *self.pick(&["SUM", "AVG", "STDDEV", "STDDEV_POP", "VAR_POP", "VAR_SAMP"]);
                    let of = both(&format!("{function}({{0}}){{1}}"), &[&column.name, &filter]);
                    (of, Kind::Float)
                }
                None => (both("COUNT(*){0}", &[&filter]), Kind::Int),
            },
            7 => {
                let function = *self.pick(&["BOOL_AND", "BOOL_OR"]);
                let value = self.condition(columns, 1);
                let of = both(&format!("{function}({{0}}){{1}}"), &[&value, &filter]);
                (of, Kind::Bool)
            }
            _ => {
                let (function, kind) = (*self.pick(&["MIN", "MAX"]), self.kind());
                let mut value = self.expression(columns, kind, 1);
                if kind == Kind::Float {
                    // DataFusion's least of several numbers and NaN depends on the order of rows.
                    value = both("CASE WHEN NOT ISNAN({0}) THEN {0} END", &[&value]);
                }
                let of = both(&format!("{function}({{0}}){{1}}"), &[&value, &filter]);
                (of, kind)
            }
        }
    }
}

/// A column whose values stand once. DataFusion has NaN more than once among the first of them.
pub(super) fn once(column: Column) -> Column {
    Column {
        is_ordered: column.is_ordered && column.kind != Kind::Float,
        ..column
    }
}

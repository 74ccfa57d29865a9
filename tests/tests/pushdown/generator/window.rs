//! Windows, in orders that leave none of a table's rows free.

use super::select::output;
use super::spelling::{Pair, both, joined};
use super::{Column, Generator, Kind, Select};

impl Generator {
    pub(super) fn windows(&mut self, depth: usize) -> Select {
        let relation = self.relation(depth);
        let all = &relation.columns;
        let mut selected = vec![];
        let mut columns = vec![];
        let mut add = |value: Pair, kind: Kind, source: Option<&Column>| {
            let column = output(columns.len(), kind, source);
            selected.push(both("{0} AS {1}", &[&value, &column.name]));
            columns.push(column);
        };
        for column in all.iter().take(3) {
            add(column.name.clone(), column.kind, Some(column));
        }
        for _ in 0..self.rng.usize(1..3) {
            let (value, kind) = self.window(all);
            add(value, kind, None);
        }
        let filter = self.where_(&relation, depth);
        Select {
            sql: both(
                "SELECT {0} FROM {1}{2}",
                &[&joined(&selected, ", "), &relation.from, &filter],
            ),
            columns,
        }
    }

    fn window(&mut self, columns: &[Column]) -> (Pair, Kind) {
        let mut partition = Pair::default();
        if self.rng.bool()
            && let Some(column) = self.column(columns, |column| column.is_ordered)
        {
            partition = both("PARTITION BY {0} ", &[&column.name]);
        }
        // DataFusion has no ranges of times.
        let mut places: Vec<&Column> = columns
            .iter()
            .filter(|it| it.is_ordered && it.kind != Kind::Time)
            .collect();
        if places.is_empty() {
            return (both("COUNT(*) OVER ({0})", &[&partition]), Kind::Int);
        }
        self.rng.shuffle(&mut places);
        let keys: Vec<Pair> = places.iter().map(|column| self.key(&column.name)).collect();
        let order = joined(&keys, ", ");
        let frame = *self.pick(&[
            "",
            " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
            " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING",
            " ROWS BETWEEN 1 PRECEDING AND 3 FOLLOWING",
            " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
            " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
        ]);
        let kind = *self.pick(&[Kind::Int, Kind::Text, Kind::Date, Kind::Bool]);
        let value = self.leaf(columns, kind);
        let over = |call: &str, frame: &str| {
            both(
                &format!("{call} OVER ({{1}}ORDER BY {{2}}{frame})"),
                &[&value, &partition, &order],
            )
        };
        match self.rng.usize(0..6) {
            0 => {
                let (function, kind) = *self.pick(&[
                    ("ROW_NUMBER()", Kind::Int),
                    ("RANK()", Kind::Int),
                    ("DENSE_RANK()", Kind::Int),
                    ("PERCENT_RANK()", Kind::Float),
                    ("CUME_DIST()", Kind::Float),
                ]);
                (over(function, ""), kind)
            }
            1 => {
                let function = *self.pick(&["LAG({0})", "LEAD({0}, 2)", "LAG({0}, 1)"]);
                (over(function, ""), kind)
            }
            2 => {
                let function = *self.pick(&["FIRST_VALUE({0})", "LAST_VALUE({0})"]);
                (over(function, frame), kind)
            }
            3 => {
                // All rows of a part, in no order.
                let (value, kind) = self.aggregate(columns, false);
                if value.ours.contains("DISTINCT") || value.duck != value.ours {
                    return (over("COUNT({0})", frame), Kind::Int);
                }
                (both("{0} OVER ({1})", &[&value, &partition]), kind)
            }
            4 => (over("COUNT({0})", frame), Kind::Int),
            _ => (over("MAX({0})", frame), kind),
        }
    }
}

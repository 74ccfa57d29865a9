//! SELECTs.

use super::aggregate::once;
use super::relation::Relation;
use super::spelling::{Pair, both, joined, plain};
use super::{Column, Generator, Kind, Select};

impl Generator {
    /// A SELECT that conditions may stand above.
    ///
    /// DataFusion loses a condition on what is a literal in an aggregate of no groups, as a set of none is.
    pub(super) fn nested(&mut self, depth: usize) -> Select {
        loop {
            let select = self.select(depth);
            let sets = ["GROUPING SETS", "ROLLUP", "CUBE"];
            if !sets.iter().any(|word| select.sql.ours.contains(word)) {
                return select;
            }
        }
    }

    pub(super) fn select(&mut self, depth: usize) -> Select {
        match self.rng.usize(0..12) {
            0..=3 => self.rows(depth),
            4..=6 => self.groups(depth),
            7 => self.grouping_sets(depth),
            8 => self.windows(depth),
            9 => self.distinct(depth),
            10 => self.limited(depth),
            _ => self.united(depth),
        }
    }

    /// `SELECT … FROM … WHERE …`.
    fn rows(&mut self, depth: usize) -> Select {
        let relation = self.relation(depth);
        let kinds: Vec<Kind> = (0..self.rng.usize(1..5)).map(|_| self.kind()).collect();
        self.rows_of(&relation, &kinds, depth, "")
    }

    fn distinct(&mut self, depth: usize) -> Select {
        let relation = self.relation(depth);
        let kinds: Vec<Kind> = (0..self.rng.usize(1..3)).map(|_| self.kind()).collect();
        let mut select = self.rows_of(&relation, &kinds, depth, "DISTINCT ");
        select.columns = select.columns.into_iter().map(once).collect();
        select
    }

    fn rows_of(&mut self, relation: &Relation, kinds: &[Kind], depth: usize, how: &str) -> Select {
        let mut selected = vec![];
        let mut columns = vec![];
        for kind in kinds {
            let value = match self.rng.bool() {
                true => self.leaf(&relation.columns, *kind),
                false => self.expression(&relation.columns, *kind, 2),
            };
            let source = relation.columns.iter().find(|it| it.name == value);
            let column = output(columns.len(), *kind, source);
            selected.push(both("{0} AS {1}", &[&value, &column.name]));
            columns.push(column);
        }
        let filter = self.where_(relation, depth);
        Select {
            sql: both(
                &format!("SELECT {how}{{0}} FROM {{1}}{{2}}"),
                &[&joined(&selected, ", "), &relation.from, &filter],
            ),
            columns,
        }
    }

    /// `WHERE …`, or nothing.
    pub(super) fn where_(&mut self, relation: &Relation, depth: usize) -> Pair {
        match self.one_in(4) {
            true => Pair::default(),
            false => {
                let filter = self.filter(&relation.columns, depth);
                both(" WHERE {0}", &[&filter])
            }
        }
    }

    /// The first rows of an order that leaves none free.
    fn limited(&mut self, depth: usize) -> Select {
        let select = self.select(depth.saturating_sub(1));
        let sql = self.ordered(&select);
        let name = self.name("q");
        Select {
            sql: both(&format!("SELECT * FROM ({{0}}) AS {name}"), &[&sql]),
            ..select
        }
    }

    /// The rows in the order of all their columns, perhaps only some of them.
    pub(super) fn ordered(&mut self, select: &Select) -> Pair {
        let mut places: Vec<usize> = (0..select.columns.len()).collect();
        self.rng.shuffle(&mut places);
        let keys: Vec<Pair> = places
            .into_iter()
            .map(|place| self.key(&select.columns[place].name))
            .collect();
        let mut sql = both("{0} ORDER BY {1}", &[&select.sql, &joined(&keys, ", ")]);
        // What differs in the sign of zero alone is in an order to DataFusion, and to no other engine.
        let is_total = select.columns.iter().all(|column| column.is_ordered);
        if is_total && !self.one_in(4) {
            let limit = format!(" LIMIT {}", self.rng.usize(0..12));
            sql = both("{0}{1}", &[&sql, &plain(limit)]);
            if self.one_in(3) {
                let offset = format!(" OFFSET {}", self.rng.usize(0..9));
                sql = both("{0}{1}", &[&sql, &plain(offset)]);
            }
        }
        sql
    }

    /// A key of an order.
    pub(super) fn key(&mut self, value: &Pair) -> Pair {
        let direction = *self.pick(&["ASC", "DESC"]);
        let nulls = *self.pick(&["FIRST", "LAST"]);
        both(&format!("{{0}} {direction} NULLS {nulls}"), &[value])
    }

    /// Sets of rows. `EXCEPT ALL` and `INTERSECT ALL` are left out: DataFusion does not count rows that stand twice.
    fn united(&mut self, depth: usize) -> Select {
        let kinds: Vec<Kind> = (0..self.rng.usize(1..4)).map(|_| self.kind()).collect();
        let word = *self.pick(&["UNION ALL", "UNION ALL", "UNION", "EXCEPT", "INTERSECT"]);
        let below = depth.saturating_sub(1);
        let (one, other) = (self.relation(below), self.relation(below));
        let a = self.rows_of(&one, &kinds, below, "");
        let b = self.rows_of(&other, &kinds, below, "");
        let name = self.name("q");
        let columns = a.columns.iter().zip(&b.columns).map(|(a, b)| Column {
            is_ordered: a.is_ordered && b.is_ordered,
            is_plain: a.is_plain && b.is_plain,
            ..a.clone()
        });
        Select {
            sql: both(
                &format!("SELECT * FROM ({{0}} {word} {{1}}) AS {name}"),
                &[&a.sql, &b.sql],
            ),
            columns: columns.collect(),
        }
    }
}

/// A column of a SELECT, by its place; `source` if it is that column.
pub(super) fn output(place: usize, kind: Kind, source: Option<&Column>) -> Column {
    Column {
        name: plain(format!("\"c{place}\"")),
        kind,
        is_plain: source.is_some_and(|column| column.is_plain),
        is_stored: source.is_some_and(|column| column.is_stored),
        // Rounded and multiplied numbers are zeros of both signs, too.
        is_ordered: match source {
            Some(column) => column.is_ordered,
            None => kind != Kind::Float,
        },
    }
}

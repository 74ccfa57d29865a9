//! What stands in FROM.

use super::spelling::{Pair, both, plain};
use super::{Column, Generator, Kind};
use crate::data::long_name;

/// Something in FROM, and the columns that it has.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) from: Pair,
    pub(super) columns: Vec<Column>,
}

impl Generator {
    pub(super) fn relation(&mut self, depth: usize) -> Relation {
        match (depth, self.rng.usize(0..10)) {
            (1.., 0..=2) => self.join(depth - 1),
            (1.., 3) => {
                let select = self.nested(depth - 1);
                let name = self.name("q");
                let columns = qualified(&name, &select.columns);
                Relation {
                    from: both(&format!("({{0}}) AS {name}"), &[&select.sql]),
                    columns,
                }
            }
            _ => self.table(),
        }
    }

    fn table(&mut self) -> Relation {
        if !self.common.is_empty() && self.rng.bool() {
            let (common, columns) = self.common[0].clone();
            let name = self.name("r");
            return Relation {
                from: plain(format!("{common} AS {name}")),
                columns: qualified(&name, &columns),
            };
        }
        let table = *self.pick(&[
            "wide", "wide", "wide", "wide", "wide", "pairs", "pairs", "words", "dates", "lone",
            "vacant",
        ]);
        let name = self.name("r");
        let columns = columns_of(table).into_iter().map(|(column, kind)| Column {
            name: plain(format!("{name}.\"{column}\"")),
            kind,
            is_plain: matches!(column.as_str(), "price" | "word" | "day" | "moment"),
            is_stored: true,
            is_ordered: column != "zero",
        });
        Relation {
            columns: columns.collect(),
            from: plain(format!("{table} AS {name}")),
        }
    }

    fn join(&mut self, depth: usize) -> Relation {
        let (left, right) = (self.relation(depth), self.table());
        let kind = *self.pick(&[Kind::Int, Kind::Int, Kind::Int, Kind::Text, Kind::Date]);
        let keys = (
            self.column(&left.columns, |column| column.kind == kind),
            self.column(&right.columns, |column| column.kind == kind),
        );
        let (Some(a), Some(b)) = keys else {
            return left;
        };
        let mut columns = left.columns.clone();
        let word = match self.rng.usize(0..8) {
            0..=2 => "JOIN",
            3 | 4 => "LEFT JOIN",
            5 => "RIGHT JOIN",
            6 => "FULL JOIN",
            _ => *self.pick(&["LEFT SEMI JOIN", "LEFT ANTI JOIN"]),
        };
        let mut all = columns.clone();
        all.extend(right.columns.clone());
        let mut on = both("{0} = {1}", &[&a.name, &b.name]);
        if self.one_in(3) {
            let extra = self.condition(&all, 1);
            on = both("{0} AND {1}", &[&on, &extra]);
        }
        // DuckDB's have no LEFT in front of them.
        let duck = match word {
            "LEFT SEMI JOIN" => "SEMI JOIN",
            "LEFT ANTI JOIN" => "ANTI JOIN",
            other => other,
        };
        if word == duck {
            columns = all;
        }
        let from = super::spelling::each(
            &format!("{{0}} {word} {{1}} ON {{2}}"),
            &format!("{{0}} {duck} {{1}} ON {{2}}"),
            &[&left.from, &right.from, &on],
        );
        Relation { from, columns }
    }
}

fn qualified(name: &str, columns: &[Column]) -> Vec<Column> {
    let columns = columns.iter().map(|column| Column {
        name: both(&format!("{name}.{{0}}"), &[&column.name]),
        ..column.clone()
    });
    columns.collect()
}

fn columns_of(table: &str) -> Vec<(String, Kind)> {
    use Kind::{Bool, Date, DateTime, Float, Int, Text, Time};
    let named = |columns: &[(&str, Kind)]| -> Vec<(String, Kind)> {
        let columns = columns.iter();
        columns
            .map(|(name, kind)| ((*name).to_owned(), *kind))
            .collect()
    };
    match table {
        "pairs" => named(&[
            ("key", Int),
            ("value", Int),
            ("text", Text),
            ("day", Date),
            ("odd", Float),
        ]),
        "words" => {
            let mut columns = named(&[
                ("order", Int),
                ("select", Text),
                ("Group", Int),
                ("t1", Int),
            ]);
            columns.extend(['a', 'b'].map(|last| (long_name(last), Int)));
            columns
        }
        "dates" => named(&[("number", Int), ("date", Date), ("time", DateTime)]),
        _ => named(&[
            ("id", Int),
            ("small", Int),
            ("big", Int),
            ("odd", Float),
            ("zero", Float),
            ("price", Float),
            ("text", Text),
            ("word", Text),
            ("flag", Bool),
            ("day", Date),
            ("moment", DateTime),
            ("clock", Time),
        ]),
    }
}

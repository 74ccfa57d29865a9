//! Random statements, each in DataFusion's dialect and in DuckDB's.
//!
//! What one engine spells differently is written twice where it is generated. What DataFusion and DuckDB, or the SQL
//! standard, answer differently without any pushing is left out, with a word about it.

mod aggregate;
mod condition;
mod expression;
mod literal;
mod relation;
mod select;
mod spelling;
mod window;

use fastrand::Rng;

pub(crate) use spelling::Pair;
use spelling::both;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Date,
    DateTime,
    Time,
}

/// A column that expressions may name.
#[derive(Debug, Clone)]
struct Column {
    name: Pair,
    kind: Kind,
    /// Whether sums of it don't depend on their order, and its texts have letters of ASCII alone.
    is_plain: bool,
    /// Whether it is a table's own, and not computed.
    is_stored: bool,
    /// Whether it can stand in an order that has to be the same everywhere.
    is_ordered: bool,
}

/// A SELECT, whose columns are called `c0`, `c1`, ….
#[derive(Debug, Clone)]
struct Select {
    sql: Pair,
    columns: Vec<Column>,
}

/// What a statement is made with.
struct Generator {
    rng: Rng,
    names: usize,
    /// Common table expressions, by their names.
    common: Vec<(String, Vec<Column>)>,
}

/// A statement.
pub(crate) struct Statement {
    pub(crate) sql: Pair,
    /// Whether its rows have an order.
    pub(crate) is_ordered: bool,
}

/// The statement of a seed.
pub(crate) fn statement(seed: u64) -> Statement {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
        names: 0,
        common: vec![],
    };
    let mut with = Pair::default();
    if generator.one_in(7) {
        let select = generator.nested(1);
        let name = generator.name("w");
        with = both(&format!("WITH {name} AS ({{0}}) "), &[&select.sql]);
        generator.common.push((name, select.columns));
    }
    let depth = generator.rng.usize(1..3);
    let select = generator.select(depth);
    let (sql, is_ordered) = match generator.one_in(3) {
        true => (generator.ordered(&select), true),
        false => (select.sql, false),
    };
    Statement {
        sql: both("{0}{1}", &[&with, &sql]),
        is_ordered,
    }
}

impl Generator {
    fn one_in(&mut self, many: usize) -> bool {
        self.rng.usize(0..many) == 0
    }

    /// One of these.
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.rng.usize(0..of.len())]
    }

    fn name(&mut self, letter: &str) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    /// A kind, the more frequent ones more often.
    fn kind(&mut self) -> Kind {
        use Kind::{Bool, Date, DateTime, Float, Int, Text, Time};
        *self.pick(&[
            Int, Int, Int, Int, Text, Text, Text, Float, Float, Date, DateTime, Bool, Time,
        ])
    }
}

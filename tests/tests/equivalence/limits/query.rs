//! Random queries whose answer does not depend on the order in which rows come, or whose freedom is known.
//!
//! A LIMIT without a total order leaves the choice of rows free: then the query says how many rows it must give, and which
//! unlimited query they must come from. Where a limit stands inside of a query, its rows are ordered, or only counted.

mod limited;

use fastrand::Rng;

use super::tables::TABLES;

/// What an answer must be.
pub(super) enum Expected {
    /// The rows that the same query gives elsewhere, in any order.
    Rows,
    /// The same, in the same order.
    List,
    /// So many rows of those that another query gives, after leaving out some.
    Some {
        unlimited: String,
        offset: usize,
        limit: Option<usize>,
    },
}

pub(super) struct Query {
    pub(super) sql: String,
    pub(super) expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Float,
    Text,
    Boolean,
    Date,
    Moment,
}

const VARIABLES: [(&str, Kind); 7] = [
    ("id", Kind::Integer),
    ("grp", Kind::Integer),
    ("num", Kind::Float),
    ("name", Kind::Text),
    ("flag", Kind::Boolean),
    ("day", Kind::Date),
    ("moment", Kind::Moment),
];

/// The tables that are small enough to be joined and compared whole.
const SMALL: usize = 5;

/// The random query of a seed.
pub(super) fn query(seed: u64) -> Query {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
        aliases: 0,
    };
    match generator.rng.u8(0..20) {
        0 => generator.long(),
        1 | 2 => generator.counted(),
        3 => generator.limited_parts(),
        4 => generator.nothing_but_rows(),
        _ => generator.whole(),
    }
}

struct Generator {
    rng: Rng,
    aliases: usize,
}

/// A SELECT and the kinds of its columns, named `c0`, `c1`, ….
struct Select {
    sql: String,
    kinds: Vec<Kind>,
}

/// What stands after FROM, and the columns that can be named with it.
struct Relation {
    sql: String,
    columns: Vec<(String, Kind)>,
}

impl Generator {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(0..of.len())]
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(0..100) < percent
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    fn small(&mut self) -> &'static str {
        TABLES[self.rng.usize(0..SMALL)].name
    }

    /// Any query, with any tail.
    fn whole(&mut self) -> Query {
        let depth = self.one(&[0, 0, 0, 1, 1, 2]);
        let Select { sql, kinds } = self.select(depth);
        let ordered = self.chance(35);
        let (limit, offset) = match self.rng.u8(0..4) {
            0 => (None, 0),
            1 => (None, self.count(500)),
            2 => (Some(self.count(500)), 0),
            _ => (Some(self.count(500)), self.count(300)),
        };
        let sql_tail = tail(limit, offset);
        if ordered {
            let order = self.order(kinds.len());
            return Query {
                sql: format!("{sql} {order}{sql_tail}"),
                expected: Expected::List,
            };
        }
        let expected = if sql_tail.is_empty() {
            Expected::Rows
        } else {
            Expected::Some {
                unlimited: sql.clone(),
                offset,
                limit,
            }
        };
        Query {
            sql: format!("{sql}{sql_tail}"),
            expected,
        }
    }

    /// By every column, so that rows that are equal to it are equal at all.
    fn order(&mut self, columns: usize) -> String {
        let mut places: Vec<usize> = (1..=columns).collect();
        self.rng.shuffle(&mut places);
        let keys: Vec<String> = places
            .into_iter()
            .map(|place| {
                let direction = self.one(&["", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST"]);
                format!("{place}{direction}")
            })
            .collect();
        format!("ORDER BY {}", keys.join(", "))
    }

    /// 0, 1, about a table's size, far beyond it, or anything.
    fn count(&mut self, around: usize) -> usize {
        match self.rng.u8(0..10) {
            0 => 0,
            1 => 1,
            2 => self.one(&[19, 20, 21, 199, 200, 201, 399, 400, 401, 419, 420, 421]),
            3 => self.one(&[10_000, 10_001, 1_000_000]),
            _ => self.rng.usize(0..around),
        }
    }

    fn select(&mut self, depth: u8) -> Select {
        match self.rng.u8(0..10) {
            0 | 1 => self.aggregate(depth),
            2 => self.set_operation(depth),
            3 if depth > 0 => self.common_table(depth),
            _ => self.projection(depth),
        }
    }

    fn projection(&mut self, depth: u8) -> Select {
        let Relation { sql: from, columns } = self.relation(depth);
        let width = self.rng.usize(1..=4);
        let picked: Vec<(String, Kind)> = (0..width).map(|_| self.expression(&columns)).collect();
        let distinct = if self.chance(20) { "DISTINCT " } else { "" };
        let filter = self.filter(&columns);
        Select {
            sql: format!("SELECT {distinct}{} FROM {from}{filter}", listed(&picked)),
            kinds: picked.into_iter().map(|(_, kind)| kind).collect(),
        }
    }

    fn aggregate(&mut self, depth: u8) -> Select {
        let Relation { sql: from, columns } = self.relation(depth);
        let keys = self.rng.usize(0..=2);
        let mut picked: Vec<(String, Kind)> = (0..keys)
            .map(|_| columns[self.rng.usize(0..columns.len())].clone())
            .collect();
        for _ in 0..self.rng.usize(1..=2) {
            let (column, kind) = columns[self.rng.usize(0..columns.len())].clone();
            let numeric = matches!(kind, Kind::Integer | Kind::Float);
            picked.push(match self.rng.u8(0..6) {
                0 => ("count(*)".to_owned(), Kind::Integer),
                1 => (format!("count({column})"), Kind::Integer),
                2 => (format!("count(DISTINCT {column})"), Kind::Integer),
                3 if numeric => (format!("sum({column})"), kind),
                4 if kind != Kind::Boolean => (format!("min({column})"), kind),
                5 if kind != Kind::Boolean => (format!("max({column})"), kind),
                _ => ("count(*)".to_owned(), Kind::Integer),
            });
        }
        let filter = self.filter(&columns);
        let mut group = String::new();
        if keys > 0 {
            let keys: Vec<&str> = picked[..keys].iter().map(|(key, _)| key.as_str()).collect();
            group = format!(" GROUP BY {}", keys.join(", "));
            if self.chance(25) {
                group.push_str(&format!(" HAVING count(*) > {}", self.rng.u8(0..4)));
            }
        }
        Select {
            sql: format!("SELECT {} FROM {from}{filter}{group}", listed(&picked)),
            kinds: picked.into_iter().map(|(_, kind)| kind).collect(),
        }
    }

    /// Over two tables with the same variables.
    fn set_operation(&mut self, depth: u8) -> Select {
        let width = self.rng.usize(1..=3);
        // Each once: DataFusion 55 can't merge the sorted parts of a union that has a column under two names.
        let picked = self.rng.choose_multiple(VARIABLES, width);
        let side = |generator: &mut Self| {
            let columns = VARIABLES.map(|(name, kind)| (name.to_owned(), kind));
            let from = generator.small();
            let picked: Vec<(String, Kind)> = picked
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), *kind))
                .collect();
            let filter = generator.filter(&columns);
            format!("SELECT {} FROM {from}{filter}", listed(&picked))
        };
        let mut sql = side(self);
        for _ in 0..=depth {
            let operation = self.one(&["UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
            let other = side(self);
            sql = format!("({sql}) {operation} ({other})");
        }
        let alias = self.alias();
        Select {
            sql: format!("SELECT * FROM ({sql}) AS {alias}"),
            kinds: picked.into_iter().map(|(_, kind)| kind).collect(),
        }
    }

    fn common_table(&mut self, depth: u8) -> Select {
        let name = self.alias();
        let Select { sql, kinds } = self.ordered_part(depth - 1);
        let columns: Vec<(String, Kind)> = kinds
            .iter()
            .enumerate()
            .map(|(place, kind)| (format!("{name}.c{place}"), *kind))
            .collect();
        let picked = self.expression(&columns);
        let (other, left) = (self.alias(), self.one(&["", "LEFT "]));
        let table = self.small();
        let on = match columns.iter().find(|(_, kind)| *kind == Kind::Integer) {
            Some((column, _)) => format!("{other}.id = {column}"),
            None => format!("{other}.id = 110"),
        };
        let picked = [picked, (format!("{other}.id"), Kind::Integer)];
        Select {
            sql: format!(
                "WITH {name} AS ({sql}) SELECT {} FROM {name} {left}JOIN {table} AS {other} ON {on}",
                listed(&picked)
            ),
            kinds: picked.into_iter().map(|(_, kind)| kind).collect(),
        }
    }

    /// A select that may be limited, and is ordered if it is.
    fn ordered_part(&mut self, depth: u8) -> Select {
        let mut select = self.select(depth);
        if self.chance(50) {
            let order = self.order(select.kinds.len());
            let (limit, offset) = (self.count(300), self.one(&[0, 0, 1, 30]));
            select.sql = format!("{} {order}{}", select.sql, tail(Some(limit), offset));
        }
        select
    }

    fn relation(&mut self, depth: u8) -> Relation {
        let choice = self.rng.u8(0..10);
        if depth == 0 || choice < 4 {
            let (table, alias) = (self.small(), self.alias());
            let columns = VARIABLES.map(|(name, kind)| (format!("{alias}.{name}"), kind));
            return Relation {
                sql: format!("{table} AS {alias}"),
                columns: columns.to_vec(),
            };
        }
        if choice < 6 {
            let Select { sql, kinds } = self.ordered_part(depth - 1);
            let alias = self.alias();
            let columns = kinds.iter().enumerate();
            return Relation {
                columns: columns
                    .map(|(place, kind)| (format!("{alias}.c{place}"), *kind))
                    .collect(),
                sql: format!("({sql}) AS {alias}"),
            };
        }
        let (left, right) = (self.relation(depth - 1), self.relation(0));
        let how = self.one(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
        let integers = |relation: &Relation| {
            let found = relation
                .columns
                .iter()
                .find(|(_, kind)| *kind == Kind::Integer);
            found.map(|(column, _)| column.clone())
        };
        let on = match (integers(&left), integers(&right)) {
            (Some(one), Some(other)) => format!("{one} = {other}"),
            (_, other) => format!("{} < 0", other.unwrap_or_else(|| "0".to_owned())),
        };
        Relation {
            sql: format!("{} {how} {} ON {on}", left.sql, right.sql),
            columns: [left.columns, right.columns].concat(),
        }
    }

    fn expression(&mut self, columns: &[(String, Kind)]) -> (String, Kind) {
        let (column, kind) = columns[self.rng.usize(0..columns.len())].clone();
        if self.chance(75) {
            return (column, kind);
        }
        match kind {
            Kind::Integer => (format!("{column} * 2 - 1"), kind),
            Kind::Float => (format!("{column} / 2"), kind),
            Kind::Text => (format!("{column} || 'x'"), kind),
            Kind::Boolean => (format!("NOT {column}"), kind),
            Kind::Date | Kind::Moment => (format!("{column} IS NULL"), Kind::Boolean),
        }
    }

    fn filter(&mut self, columns: &[(String, Kind)]) -> String {
        if self.chance(40) {
            return String::new();
        }
        let mut filter = self.predicate(columns);
        if self.chance(30) {
            let (how, other) = (self.one(&["AND", "OR", "AND NOT"]), self.predicate(columns));
            filter = format!("{filter} {how} ({other})");
        }
        format!(" WHERE {filter}")
    }

    fn predicate(&mut self, columns: &[(String, Kind)]) -> String {
        let (column, kind) = columns[self.rng.usize(0..columns.len())].clone();
        let compared = self.one(&["<", ">", "<=", "<>", "="]);
        match (self.rng.u8(0..8), kind) {
            (0, _) => format!("{column} IS NULL"),
            (1, _) => format!("{column} IS NOT NULL"),
            (2, Kind::Integer) => {
                let (table, below) = (self.small(), self.rng.i32(0..400));
                let not = self.one(&["", "NOT "]);
                format!("{column} {not}IN (SELECT id FROM {table} WHERE id > {below})")
            }
            (3, Kind::Integer) => {
                let (table, alias) = (self.small(), self.alias());
                format!("EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {alias}.id = {column})")
            }
            (4, Kind::Integer) => {
                let table = self.small();
                format!("{column} > (SELECT count(*) FROM {table})")
            }
            (_, Kind::Integer) => format!("{column} {compared} {}", self.rng.i32(0..600)),
            (_, Kind::Float) => format!("{column} {compared} {}", self.rng.i32(-100..100)),
            (_, Kind::Text) => {
                let first = self.rng.char('a'..='e');
                let pattern = self.one(&["{}%", "%{}", "{}_"]);
                format!(
                    "{column} LIKE '{}'",
                    pattern.replace("{}", &first.to_string())
                )
            }
            (_, Kind::Boolean) => column,
            (_, Kind::Date) => format!("{column} {compared} DATE '1997-05-06'"),
            (_, Kind::Moment) => format!("{column} {compared} TIMESTAMP '1999-02-03 04:05:06'"),
        }
    }
}

fn listed(columns: &[(String, Kind)]) -> String {
    let columns = columns.iter().enumerate();
    let columns: Vec<String> = columns
        .map(|(place, (column, _))| format!("{column} AS c{place}"))
        .collect();
    columns.join(", ")
}

fn tail(limit: Option<usize>, offset: usize) -> String {
    let mut tail = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    if offset > 0 {
        tail.push_str(&format!(" OFFSET {offset}"));
    }
    tail
}

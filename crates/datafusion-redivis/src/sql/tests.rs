//! Properties of the whole layer, over statements that are made of a tape of choices.

use datafusion::sql::parser::{DFParser, Statement};
use proptest::prelude::*;

use super::identifiers::{respell, tests::names};
use super::{functions, references, statement, urls};

/// Choices for a statement's parts; when it is used up, the first of each, which are the simple ones.
struct Tape {
    choices: std::vec::IntoIter<u8>,
    /// Whether every name is spelled as the column is, and no join merges columns.
    exact: bool,
    /// How many aliases there are: two tables of one alias are no statement.
    aliases: usize,
    /// How deep the query is, which the parser bounds too.
    depth: usize,
}

impl Tape {
    fn pick(&mut self, count: usize) -> usize {
        usize::from(self.choices.next().unwrap_or(0)) % count
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.pick(of.len())]
    }

    fn list(&mut self, each: impl Fn(&mut Self) -> String) -> String {
        let count = 1 + self.pick(3);
        let parts: Vec<String> = (0..count).map(|_| each(self)).collect();
        parts.join(", ")
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    fn column(&mut self) -> String {
        let name = match self.exact {
            true => self.one(&[
                r#""StationID""#,
                r#""Name""#,
                "elev",
                r#""Day""#,
                r#""VALUE""#,
            ]),
            false => self.one(&[
                "stationid",
                r#""StationID""#,
                "NAME",
                "elev",
                "a",
                r#""A""#,
                "Day",
                "value",
                "k",
                "nothing",
            ]),
        };
        match self.pick(3) {
            0 => name.to_owned(),
            _ => format!(
                "{}.{name}",
                self.one(&["s", "o", "t1", "t2", "stations", "datafusion.public.s"])
            ),
        }
    }

    fn expr(&mut self) -> String {
        match self.pick(14) {
            0..=4 => self.column(),
            5 => "1".to_owned(),
            6 => format!("{} + {}", self.expr(), self.expr()),
            7 => format!("coalesce({})", self.list(Self::expr)),
            8 => format!("({})", self.query()),
            9 => format!("{} IN ({})", self.column(), self.query()),
            10 => format!("EXISTS ({})", self.query()),
            11 => format!("CASE WHEN {} = 1 THEN {} END", self.expr(), self.expr()),
            12 => format!("sum({}) OVER (PARTITION BY {})", self.expr(), self.expr()),
            _ => format!("CAST({} AS VARCHAR)", self.expr()),
        }
    }

    fn item(&mut self) -> String {
        match self.pick(8) {
            0..=2 => self.expr(),
            3 => format!("{} AS {}", self.expr(), self.one(&["k", r#""K""#, "elev"])),
            4 => "*".to_owned(),
            5 => format!("{}.*", self.one(&["s", "o", "t1"])),
            6 => format!("* EXCLUDE ({})", self.one(&[r#""StationID""#, "elev"])),
            _ => format!(
                "* REPLACE ({} AS {})",
                self.expr(),
                self.one(&[r#""StationID""#, "elev"])
            ),
        }
    }

    fn factor(&mut self) -> String {
        let count = if self.exact { 5 } else { 9 };
        match self.pick(count) {
            0 => "s".to_owned(),
            1 => "o".to_owned(),
            2 => format!("s AS {}", self.alias()),
            3 => format!("({}) AS {}", self.query(), self.alias()),
            4 => format!("({})", self.from()),
            5 => "local".to_owned(),
            6 => "generate_series(1, 2)".to_owned(),
            7 => "redivis.'demo.weather:v1_0.Stations'".to_owned(),
            _ => "nowhere".to_owned(),
        }
    }

    fn from(&mut self) -> String {
        let mut from = self.factor();
        for _ in 0..self.pick(3) {
            let kind = self.one(&[
                "JOIN",
                "LEFT JOIN",
                "RIGHT JOIN",
                "FULL JOIN",
                "LEFT SEMI JOIN",
            ]);
            let right = self.factor();
            let count = if self.exact { 1 } else { 4 };
            from = match self.pick(count) {
                0 => format!("{from} {kind} {right} ON {}", self.expr()),
                1 => format!("{from} NATURAL {kind} {right}"),
                _ => format!(
                    "{from} {kind} {right} USING ({})",
                    self.one(&["stationid", "k", "elev"])
                ),
            };
        }
        from
    }

    fn query(&mut self) -> String {
        if self.choices.len() < 4 || self.depth == 4 {
            return "SELECT 1 AS k".to_owned();
        }
        self.depth += 1;
        let with = match self.pick(6) {
            1 => format!("WITH o AS ({}) ", self.query()),
            2 => format!("WITH s(elev) AS ({}) ", self.query()),
            _ => String::new(),
        };
        let mut query = format!(
            "{with}SELECT {} FROM {}",
            self.list(Self::item),
            self.from()
        );
        for clause in ["WHERE", "GROUP BY", "HAVING"] {
            if self.pick(3) == 1 {
                query = format!("{query} {clause} {}", self.expr());
            }
        }
        let query = match self.pick(6) {
            1 => format!("{query} UNION ({})", self.query()),
            2 => format!("{query} ORDER BY {} LIMIT 3", self.list(Self::expr)),
            _ => query,
        };
        self.depth -= 1;
        query
    }

    fn statement(&mut self) -> String {
        let query = self.query();
        match self.pick(8) {
            1 => format!("EXPLAIN {query}"),
            2 => format!("PREPARE p AS {query}"),
            3 => format!("CREATE VIEW v AS {query}"),
            4 => format!("INSERT INTO s {query}"),
            5 => format!("COPY ({query}) TO 'x.csv'"),
            6 => format!("CREATE TABLE redivis.o.\"d:next\".t AS {query}"),
            _ => query,
        }
    }
}

fn parsed(sql: &str) -> Option<Statement> {
    DFParser::parse_sql(sql).ok()?.pop_front()
}

fn tape(exact: bool) -> impl Strategy<Value = Tape> {
    proptest::collection::vec(any::<u8>(), 0..80).prop_map(move |choices| Tape {
        choices: choices.into_iter(),
        exact,
        aliases: 0,
        depth: 0,
    })
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut copy = Tape {
            choices: self.choices.clone(),
            ..*self
        };
        f.write_str(&copy.statement())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn statements_whose_names_are_exact_stay_as_they_are(mut tape in tape(true)) {
        let sql = tape.statement();
        let before = parsed(&sql).unwrap();
        let mut after = before.clone();
        respell(&mut after, &names()).unwrap();
        prop_assert_eq!(after.to_string(), before.to_string());
    }

    /// What is respelled says the same when it is printed and read, and is respelled no further.
    #[test]
    fn respelled_statements_are_stable(mut tape in tape(false)) {
        let sql = tape.statement();
        let mut once = parsed(&sql).unwrap();
        if respell(&mut once, &names()).is_err() {
            return Ok(());
        }
        let text = once.to_string();
        if matches!(statement::body(&mut once), statement::Body::CopyTo(_)) {
            // Printed without quotes around its target.
            return Ok(());
        }
        let mut twice = parsed(&text).unwrap();
        prop_assert_eq!(&twice, &once);
        respell(&mut twice, &names()).unwrap();
        prop_assert_eq!(twice.to_string(), text);
    }

    /// Words of a statement in another order or number: what the parser takes, the layer takes or refuses.
    #[test]
    fn nothing_that_parses_panics(mut tape in tape(false), swaps in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..4)) {
        let sql = tape.statement();
        let mut words: Vec<&str> = sql.split(' ').collect();
        for (from, to) in swaps {
            let (from, to) = (usize::from(from) % words.len(), usize::from(to) % words.len());
            match from % 3 {
                0 => words.swap(from, to),
                1 => words.insert(to, words[from]),
                _ => words[to] = words[from],
            }
        }
        let Some(mut statement) = parsed(&words.join(" ")) else {
            return Ok(());
        };
        references::quote(&mut statement, |schema| schema == "redivis");
        let _ = urls::encode(&mut statement);
        functions::visit(&mut statement, |_| {});
        let _ = respell(&mut statement, &names());
        let _ = statement::take(&statement).unwrap();
    }
}

//! Joins that merge columns (`USING`, `NATURAL`) answer what DuckDB answers, whatever they join and wherever the merged column
//! is named: tables of the session, tables on Redivis, and both together.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion_redivis::{DefaultParent, Redivis};
use redivis_tests::duckdb::{self, Answer};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::session::session;

const QUERIES: usize = 240;

/// Tables with keys that are missing elsewhere, that repeat, and that are null; `K` is spelled otherwise.
const TABLES: [(&str, &[&str], &str); 5] = [
    ("a", &["x", "k", "j"], "1,1,1 2,2,2 3,2,3 4,,4 5,5, 6,6,6"),
    (
        "b",
        &["y", "j", "k"],
        "10,1,1 20,9,2 30,3,2 40,, 50,5,5 60,6,7 70,7,",
    ),
    ("c", &["z", "k"], "100,1 200,7 300,8 400, 500,8"),
    ("d", &["K", "w"], "1,-1 7,-2 8,-3 9,-4 ,-5"),
    ("e", &["m", "v"], "1,11 2,22 7,77 9,99 ,0"),
];

struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<&'static str>>,
}

fn tables() -> impl Iterator<Item = Table> {
    TABLES.iter().map(|(name, columns, rows)| Table {
        name,
        columns,
        rows: rows
            .split(' ')
            .map(|row| row.split(',').collect())
            .collect(),
    })
}

impl Table {
    fn statements(&self) -> [String; 2] {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|it| format!("\"{it}\" BIGINT"))
            .collect();
        let value = |value: &&str| if value.is_empty() { "NULL" } else { value }.to_owned();
        let rows = self.rows.iter().map(|row| {
            let values: Vec<String> = row.iter().map(value).collect();
            format!("({})", values.join(", "))
        });
        let rows: Vec<String> = rows.collect();
        [
            format!("CREATE TABLE {} ({})", self.name, columns.join(", ")),
            format!("INSERT INTO {} VALUES {}", self.name, rows.join(", ")),
        ]
    }

    fn csv(&self) -> String {
        let rows = self.rows.iter().map(|row| row.join(","));
        let lines: Vec<String> = std::iter::once(self.columns.join(","))
            .chain(rows)
            .collect();
        lines.join("\n") + "\n"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_columns_are_what_duckdb_makes_them() {
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let queries: Vec<String> = (0..QUERIES).map(|_| query(&mut random)).collect();
    let setup: Vec<String> = tables().flat_map(|table| table.statements()).collect();
    let expected = {
        // What DuckDB calls SEMI JOIN is LEFT SEMI JOIN here.
        let queries: Vec<String> = queries
            .iter()
            .map(|it| it.replace("LEFT SEMI", "SEMI"))
            .collect();
        let setup = setup.clone();
        let answers = tokio::task::spawn_blocking(move || duckdb::answers(&setup, &queries));
        let mut answers = answers.await.unwrap();
        // A header is spelled as in the query there, and as in the table here.
        for answer in answers.iter_mut().flatten() {
            for column in &mut answer.columns {
                *column = column.to_lowercase();
            }
        }
        answers
    };
    let answered = expected.iter().filter(|answer| answer.is_ok()).count();
    assert!(
        answered > QUERIES / 2,
        "DuckDB answers {answered} of {QUERIES}"
    );

    let data = TempDir::new().unwrap();
    let folder = data.path().join("lab/joins");
    std::fs::create_dir_all(&folder).unwrap();
    for table in tables() {
        std::fs::write(folder.join(format!("{}.csv", table.name)), table.csv()).unwrap();
    }
    let server = Server::directory(data.path());
    // The tables are local, or some of them, or none.
    for (local, every) in [("abcde", 1), ("bd", 4), ("", 4)] {
        let (_, redivis) = session(server.endpoint(), server.token());
        redivis.set_default_parent(Some(DefaultParent::Dataset("lab.joins".parse().unwrap())));
        for table in tables().filter(|table| local.contains(table.name)) {
            for statement in table.statements() {
                run(&redivis, &statement).await.unwrap();
            }
        }
        let mut different = vec![];
        for (sql, expected) in queries.iter().zip(&expected).step_by(every) {
            match (run(&redivis, sql).await, expected) {
                (Ok(answer), Ok(expected)) if answer == *expected => {}
                (Err(_), Err(_)) => {}
                (answer, _) => different.push(format!("{sql}\n{answer:?}\n{expected:?}")),
            }
        }
        assert!(different.is_empty(), "{}", different.join("\n\n"));
    }
}

async fn run(redivis: &Redivis, sql: &str) -> Result<Answer, DataFusionError> {
    let frame = redivis.sql(sql).await?;
    let fields = frame.schema().fields().iter();
    let columns = fields.map(|field| field.name().to_lowercase()).collect();
    let mut rows = vec![];
    for batch in frame.collect().await? {
        rows.extend(texts(&batch)?);
    }
    rows.sort();
    Ok(Answer { columns, rows })
}

fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>, DataFusionError> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch.columns().iter();
    let columns: Vec<_> = columns
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<_, _>>()?;
    let row = |row| {
        columns
            .iter()
            .map(|column| column.value(row).to_string())
            .collect()
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

/// A query over a join, with the merged column somewhere in it.
fn query(random: &mut fastrand::Rng) -> String {
    let from = from(random);
    let table = from.tables[random.usize(..from.tables.len())];
    let own = own(table);
    let other = self::from(random).sql;
    let from = from.sql;
    let queries = [
        format!("SELECT * FROM {from}"),
        format!("SELECT k FROM {from}"),
        format!("SELECT K, {table}.k AS own, {own} FROM {from}"),
        format!("SELECT {table}.* FROM {from}"),
        format!("SELECT {table}.* EXCLUDE (k), k FROM {from}"),
        format!("SELECT k, count(*) AS n, sum({own}) AS s FROM {from} GROUP BY k"),
        format!(
            "SELECT k % 2 AS odd, count(k) AS n FROM {from} GROUP BY k % 2 HAVING count(k) > 1"
        ),
        format!("SELECT k, count(*) AS n FROM {from} GROUP BY k HAVING k > 1 OR k IS NULL"),
        format!("SELECT * FROM {from} WHERE k IS NULL OR k > 5"),
        format!("SELECT * EXCLUDE (k) FROM {from}"),
        format!("SELECT * EXCLUDE ({own}) FROM {from} WHERE {table}.k IS NOT NULL"),
        format!("SELECT * REPLACE (k * 10 AS k) FROM {from}"),
        format!("SELECT * REPLACE (coalesce({own}, k) AS {own}) FROM {from}"),
        format!("SELECT * RENAME (k AS key) FROM {from}"),
        format!("SELECT k FROM {from} ORDER BY k NULLS LAST LIMIT 3"),
        format!("SELECT {own} FROM {from} ORDER BY k DESC NULLS LAST, {own} NULLS LAST LIMIT 2"),
        format!("SELECT {table}.k AS k FROM {from} ORDER BY k NULLS LAST LIMIT 2"),
        format!(
            "SELECT {own}, sum(k) OVER (PARTITION BY k) AS s, max(k) OVER w AS m FROM {from} WINDOW w AS (PARTITION BY {own})"
        ),
        format!("SELECT k FROM {from} QUALIFY row_number() OVER (ORDER BY k NULLS LAST) <= 2"),
        format!("SELECT DISTINCT k FROM {from}"),
        format!("SELECT k, {own}, count(*) AS n FROM {from} GROUP BY ALL"),
        format!("SELECT DISTINCT ON (k) k FROM {from} ORDER BY k"),
        format!(
            "SELECT t.k, n FROM (SELECT k, count(*) AS n FROM {from} GROUP BY k) t WHERE t.k > 0"
        ),
        format!(
            "WITH t AS (SELECT k, {own} FROM {from}) SELECT k, max({own}) AS m FROM t GROUP BY k"
        ),
        format!("SELECT k, (SELECT max(v) FROM e WHERE m = k) AS v FROM {from}"),
        format!("SELECT k FROM {from} WHERE NOT EXISTS (SELECT 1 FROM e WHERE e.m = k AND v > 20)"),
        format!("SELECT k FROM {from} WHERE k IN (SELECT k FROM {other})"),
        format!("SELECT k FROM {from} UNION SELECT -k FROM {other}"),
        format!("SELECT k, v FROM {from} LEFT JOIN e ON m = k"),
        format!("SELECT k, {own}, e.* FROM {from}, e WHERE m = k"),
        format!("SELECT * FROM {from} LEFT SEMI JOIN (SELECT k FROM {other}) s USING (k)"),
        format!(
            "SELECT * FROM (SELECT k, {own} FROM {from}) s FULL JOIN (SELECT k, count(*) AS n FROM {other} GROUP BY k) t USING (k)"
        ),
        format!("SELECT CASE WHEN k IS NULL THEN -1 ELSE k + 1 END AS next FROM {from}"),
    ];
    queries[random.usize(..queries.len())].clone()
}

/// A column that no other table has.
fn own(table: &str) -> &'static str {
    match table {
        "a" => "x",
        "b" => "y",
        "c" => "z",
        _ => "w",
    }
}

struct From {
    tables: Vec<&'static str>,
    sql: String,
}

/// Two to four of the tables, joined from left to right, or in parentheses.
fn from(random: &mut fastrand::Rng) -> From {
    let mut tables = vec!["a", "b", "c", "d"];
    random.shuffle(&mut tables);
    tables.truncate(random.usize(2..=4));
    let mut parts: Vec<From> = tables
        .iter()
        .map(|table| From {
            tables: vec![table],
            sql: (*table).to_owned(),
        })
        .collect();
    while parts.len() > 1 {
        // Mostly the left-most two.
        let place = match random.usize(..3) {
            0 => random.usize(..parts.len() - 1),
            _ => 0,
        };
        let right = parts.remove(place + 1);
        let left = &mut parts[place];
        let kind = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][random.usize(..4)];
        let has_both = |from: &From| from.tables.contains(&"a") || from.tables.contains(&"b");
        let nested = match right.tables.len() {
            1 => right.sql.clone(),
            _ => format!("({})", right.sql),
        };
        let constraint = match random.usize(..8) {
            0 => None,
            1 if has_both(left) && has_both(&right) => Some("USING (k, j)"),
            2 if has_both(left) && has_both(&right) => Some("USING (j, K)"),
            3 => Some("USING (\"k\")"),
            _ => Some("USING (k)"),
        };
        left.sql = match constraint {
            Some(constraint) => format!("{} {kind} {nested} {constraint}", left.sql),
            None => format!("{} NATURAL {kind} {nested}", left.sql),
        };
        left.tables.extend(right.tables);
    }
    parts.remove(0)
}

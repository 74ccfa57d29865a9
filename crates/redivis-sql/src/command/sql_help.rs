//! `\h`: what SQL statements look like here.

use std::fmt::Write as _;

use super::{Command, Next};
use crate::failure::Failure;
use crate::report::narrate;

/// Statements, what they look like, and what is worth knowing.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    (
        "SELECT",
        "SELECT [DISTINCT] column, … | * [EXCLUDE (column)]\nFROM table [JOIN table USING (column) | ON condition]\n\
         WHERE condition GROUP BY column, … | ALL HAVING condition\nQUALIFY condition ORDER BY column [DESC] [NULLS LAST] LIMIT n OFFSET n;\n\
         FROM may come first: FROM t LIMIT 10;",
    ),
    (
        "FROM",
        "FROM owner.dataset.table                 a table of Redivis\nFROM redivis.'owner.dataset:v1_0.table'  one version of it\n\
         FROM `owner.dataset.table`               the same, as in Redivis's own SQL\nFROM 'file.parquet'                      a local file\n\
         FROM redivis_query('SELECT …')           what a query on Redivis gives",
    ),
    (
        "WITH",
        "WITH name AS (SELECT …), other AS (SELECT … FROM name)\nSELECT … FROM other;",
    ),
    (
        "JOIN",
        "FROM a [LEFT | RIGHT | FULL | CROSS | LEFT SEMI | LEFT ANTI] JOIN b ON a.x = b.y\nFROM a JOIN b USING (x)",
    ),
    (
        "CREATE TABLE",
        "CREATE [OR REPLACE] TABLE name AS SELECT …;                       in memory\n\
         CREATE TABLE redivis.'owner.dataset:next.table' AS SELECT …;      on Redivis",
    ),
    ("CREATE VIEW", "CREATE [OR REPLACE] VIEW name AS SELECT …;"),
    (
        "CREATE EXTERNAL TABLE",
        "CREATE EXTERNAL TABLE name STORED AS PARQUET | CSV | JSON | ARROW LOCATION 'path' [OPTIONS (…)];\n\
         CREATE EXTERNAL TABLE name STORED AS REDIVIS LOCATION 'owner.dataset.table';",
    ),
    (
        "INSERT",
        "INSERT INTO table [(column, …)] SELECT … | VALUES (…), …;\non Redivis, into an unreleased version: redivis.'owner.dataset:next.table'",
    ),
    (
        "COPY",
        "COPY (SELECT …) | table TO 'file.parquet' | 'file.csv' | 'file.json' [STORED AS format] [OPTIONS (…)];\n\
         COPY (SELECT …) TO 'redivis://owner.dataset:next.table/name.parquet';",
    ),
    (
        "EXPLAIN",
        "EXPLAIN SELECT …;            the plan, and what would be asked of Redivis\nEXPLAIN ANALYZE SELECT …;    the same with what happened when it ran",
    ),
    (
        "DESCRIBE",
        "DESCRIBE table;\nDESCRIBE SELECT …;\n\\d table also tells labels, \\d+ table all there is",
    ),
    (
        "SUMMARIZE",
        "SUMMARIZE table;\nof a table of Redivis, from the statistics that Redivis has, without reading it",
    ),
    (
        "SHOW",
        "SHOW TABLES;  SHOW COLUMNS FROM table;  SHOW FUNCTIONS [LIKE 'text%'];\nSHOW ALL;     SHOW redivis.max_streams;",
    ),
    (
        "SET",
        "SET redivis.max_streams = 4;\nRESET redivis.max_streams;\nSHOW ALL lists the settings",
    ),
    (
        "DROP",
        "DROP TABLE [IF EXISTS] name;\nDROP VIEW [IF EXISTS] name;\nDROP TABLE redivis.'owner.dataset:next.table';",
    ),
    (
        "CALL",
        "CALL redivis.create_dataset('owner.dataset');\nCALL redivis.next_version('owner.dataset');\n\
         CALL redivis.release('owner.dataset', 'notes');\nCALL redivis.cache('owner.dataset:v1_0.table', ['column']);\nCALL redivis.forget('owner.dataset.table');",
    ),
    (
        "ATTACH",
        "ATTACH 'owner.dataset:v1_0' AS name;    its tables are name.table\nATTACH 'folder' AS name;                its files are name.file\n\
         ATTACH 'file.parquet' AS name;          a table, as is 'owner.dataset.table'\nDETACH name;  \\attach lists what is attached",
    ),
    (
        "VALUES",
        "VALUES (1, 'a'), (2, 'b');\nSELECT * FROM (VALUES (1, 'a')) AS t(number, text);",
    ),
    (
        "WINDOW",
        "function(…) OVER (PARTITION BY column ORDER BY column [ROWS BETWEEN n PRECEDING AND CURRENT ROW])",
    ),
    (
        "UNION",
        "SELECT … UNION [ALL] | INTERSECT | EXCEPT SELECT …;",
    ),
    (
        "CASE",
        "CASE WHEN condition THEN value … ELSE value END\nCASE value WHEN value THEN value … END",
    ),
    (
        "CAST",
        "CAST(value AS type), value::type, and TRY_CAST(value AS type), which is null where it can't be\n\
         types: BIGINT, DOUBLE, VARCHAR, BOOLEAN, DATE, TIMESTAMP, TIME, INTERVAL, DECIMAL(p, s)",
    ),
];

pub(super) const COMMAND: Command = Command {
    name: r"\h",
    arguments: "[STATEMENT]",
    summary: "what an SQL statement looks like, for example \\h COPY",
    run: |_, _, arguments| {
        Box::pin(async move {
            narrate(text(arguments)?);
            Ok(Next::Continue)
        })
    },
};

fn text(asked: &str) -> Result<String, Failure> {
    let asked = asked.to_uppercase();
    let asked = asked.split_whitespace().collect::<Vec<_>>().join(" ");
    if asked.is_empty() {
        let names: Vec<&str> = STATEMENTS.iter().map(|(name, _)| *name).collect();
        return Ok(format!(r"\h and one of: {}", names.join(", ")));
    }
    let mut text = String::new();
    for (name, words) in STATEMENTS {
        if name.starts_with(&asked) || asked.starts_with(name) {
            let _ = write!(text, "{name}\n  {}\n", words.replace('\n', "\n  "));
        }
    }
    match text.is_empty() {
        true => Err(Failure::Usage(format!(
            r"no help for {asked}; \h alone lists what there is, SHOW FUNCTIONS the functions"
        ))),
        false => Ok(text.trim_end().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn help_is_found_by_its_first_words() {
        assert!(text("create").is_ok_and(|text| text.matches("CREATE").count() >= 6));
        assert!(text("select *").is_ok_and(|text| text.starts_with("SELECT\n")));
        assert!(text("").is_ok_and(|text| text.contains("COPY")));
        assert!(text("nonsense").is_err());
    }
}

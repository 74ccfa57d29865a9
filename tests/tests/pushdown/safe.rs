//! What is sent is one SELECT and nothing else, whatever stands in the literals and names of a statement.
//!
//! A parser that is not ours reads it: it has to find the texts of the statement, each as it was, and no others.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use fastrand::Rng;
use redivis_tests::server::Server;
use redivis_tests::sqlglot;
use tempfile::TempDir;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow,
    RecordBatchIterator, RegionArrow, SupplierArrow,
};

use crate::data::{DATASET, write_all, write_empty};
use crate::session::{Mode, Plan};

const STATEMENTS: u64 = 150;

/// Pieces that end a text, a name or a statement where they are not quoted, or begin something else.
const PIECES: [&str; 34] = [
    "'",
    "''",
    "'''",
    "\"",
    "\"\"\"",
    "\\",
    "\\\\",
    "\\'",
    "\n",
    "\r\n",
    "\t",
    "`",
    "--",
    "-- \n",
    "/*",
    "*/",
    "#",
    ";",
    "; DROP TABLE t; --",
    "' OR 1=1 --",
    "\\' OR TRUE --",
    ")",
    "(",
    "{}",
    "@p",
    "$$",
    "%",
    "_",
    "ß😀",
    "\u{2028}",
    "\u{feff}",
    "\\x27",
    "\\u0027",
    "r'",
];

#[tokio::test(flavor = "multi_thread")]
async fn literals_and_names_stay_what_they_are() {
    let folder = TempDir::new().unwrap();
    write_all(folder.path());
    let path = folder.path().to_owned();
    let server = tokio::task::spawn_blocking(move || Server::directory(&path))
        .await
        .unwrap();
    let always = Mode::new(&server, DATASET, "always").await;
    let off = Mode::new(&server, DATASET, "off").await;

    let mut sent = vec![];
    for seed in 0..STATEMENTS {
        let hostile = Hostile::of(seed);
        let there = always.run(&hostile.sql).await;
        let there = there.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", hostile.sql));
        let [said] = there.plan.sent.as_slice() else {
            panic!("seed {seed}: {:?}\n{}", there.plan, hostile.sql);
        };
        if seed % 5 == 0 {
            let here = off.run(&hostile.sql).await.unwrap();
            let difference = there.answer.difference(&here.answer);
            assert_eq!(difference, None, "seed {seed}: {}\n{said}", hostile.sql);
        }
        sent.push((hostile, said.clone()));
    }
    tokio::task::spawn_blocking(move || {
        let texts: Vec<String> = sent.iter().map(|(_, said)| said.clone()).collect();
        for (seed, ((hostile, said), parsed)) in sent.iter().zip(selects(&texts)).enumerate() {
            let found: BTreeSet<&String> = parsed.texts.iter().collect();
            let expected: BTreeSet<&String> = hostile.texts.iter().collect();
            assert_eq!(found, expected, "seed {seed}: {}\n{said}", hostile.sql);
            for name in &parsed.names {
                let is_name = |c: char| c.is_ascii_alphanumeric() || "_.:".contains(c);
                assert!(name.chars().all(is_name), "seed {seed}: {name}\n{said}");
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_are_not_sent() {
    let folder = TempDir::new().unwrap();
    write_all(folder.path());
    let path = folder.path().to_owned();
    let server = tokio::task::spawn_blocking(move || Server::directory(&path))
        .await
        .unwrap();
    let always = Mode::new(&server, DATASET, "always").await;
    for control in ["\0", "\u{7}", "\u{1b}[31m", "\u{85}"] {
        let sql = format!("SELECT \"id\" FROM wide WHERE \"text\" = 'a{control}b'");
        let outcome = always.run(&sql).await.unwrap();
        assert_eq!(outcome.plan.sent.len(), 0, "{:?}", outcome.plan);
        assert!(
            outcome.plan.scans[0].contains("control characters"),
            "{:?}",
            outcome.plan
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_of_tpch_is_one_select() {
    const QUERIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql/tpch");
    let folder = TempDir::new().unwrap();
    write_tpch(&folder.path().join("bench/tpch"));
    let path = folder.path().to_owned();
    let server = tokio::task::spawn_blocking(move || Server::directory(&path))
        .await
        .unwrap();
    let always = Mode::new(&server, "bench.tpch", "always").await;
    let mut shown = Plan::default();
    for query in 1..=22 {
        let sql = std::fs::read_to_string(format!("{QUERIES}/q{query:02}.sql")).unwrap();
        shown.add(&always.plan(&sql).await.unwrap());
    }
    assert!(shown.sent.len() >= 22, "{}", shown.sent.len());
    tokio::task::spawn_blocking(move || selects(&shown.sent))
        .await
        .unwrap();
}

/// What the parser finds in each statement, all of which are one SELECT without comments.
#[track_caller]
pub(crate) fn selects(statements: &[String]) -> Vec<sqlglot::Parsed> {
    let all = sqlglot::parsed(statements).into_iter().zip(statements);
    all.map(|(parsed, sql)| {
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}\n{sql}"));
        assert_eq!(parsed.kinds, ["Select"], "{sql}");
        assert_eq!(parsed.comments, [""; 0], "{sql}");
        parsed
    })
    .collect()
}

/// A statement with texts and names that try to break out.
struct Hostile {
    sql: String,
    /// Its texts, as they have to be sent.
    texts: Vec<String>,
}

impl Hostile {
    fn of(seed: u64) -> Hostile {
        let mut rng = Rng::with_seed(seed);
        let mut text = || -> String {
            let pieces = 1 + rng.usize(0..5);
            let pieces = (0..pieces).map(|_| PIECES[rng.usize(0..PIECES.len())]);
            pieces.collect()
        };
        let mut texts: Vec<String> = (0..6).map(|_| text()).collect();
        // No text is another one, so that none is left out.
        for (place, text) in texts.iter_mut().enumerate() {
            text.push_str(&place.to_string());
        }
        let names: Vec<String> = (0..2).map(|place| format!("{}{place}", text())).collect();
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let named = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        // A backslash before anything else means different things to different engines, and is not sent.
        let pattern = texts[5].replace('\\', "");
        let pattern = format!("{}%", pattern.replace('%', "\\%").replace('_', "\\_"));
        let sql = format!(
            "SELECT {table}.\"id\" AS {alias}, {table}.\"text\" || {first} AS joined FROM wide AS {table} \
             WHERE {table}.\"text\" <> {second} AND ({table}.\"text\" IN ({third}, {fourth}, {fifth}, 'a', '') \
             OR {table}.\"text\" LIKE {pattern} OR {table}.\"id\" > 3)",
            table = named(&names[0]),
            alias = named(&names[1]),
            first = quoted(&texts[0]),
            second = quoted(&texts[1]),
            third = quoted(&texts[2]),
            fourth = quoted(&texts[3]),
            fifth = quoted(&texts[4]),
            pattern = quoted(&pattern),
        );
        texts[5] = pattern;
        texts.extend(["a", ""].map(str::to_owned));
        Hostile { sql, texts }
    }
}

/// TPC-H's tables without rows: plans need no more than their columns.
fn write_tpch(folder: &Path) {
    fn columns(batches: impl RecordBatchIterator) -> SchemaRef {
        Arc::clone(batches.schema())
    }
    let (scale, part, parts) = (0.001, 1, 1);
    for (table, columns) in [
        (
            "customer",
            columns(CustomerArrow::new(CustomerGenerator::new(
                scale, part, parts,
            ))),
        ),
        (
            "lineitem",
            columns(LineItemArrow::new(LineItemGenerator::new(
                scale, part, parts,
            ))),
        ),
        (
            "nation",
            columns(NationArrow::new(NationGenerator::new(scale, part, parts))),
        ),
        (
            "orders",
            columns(OrderArrow::new(OrderGenerator::new(scale, part, parts))),
        ),
        (
            "part",
            columns(PartArrow::new(PartGenerator::new(scale, part, parts))),
        ),
        (
            "partsupp",
            columns(PartSuppArrow::new(PartSuppGenerator::new(
                scale, part, parts,
            ))),
        ),
        (
            "region",
            columns(RegionArrow::new(RegionGenerator::new(scale, part, parts))),
        ),
        (
            "supplier",
            columns(SupplierArrow::new(SupplierGenerator::new(
                scale, part, parts,
            ))),
        ),
    ] {
        write_empty(folder, table, &columns);
    }
}

//! Generated statements: the same rows in `always`, in `off`, and from DuckDB on the same files.
//!
//! `REDIVIS_PUSHDOWN_STATEMENTS` is how many, `REDIVIS_PUSHDOWN_SEED` the seed of the first.

use std::sync::Arc;

use futures::{StreamExt, stream};
use redivis_tests::duckdb;
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::data::{DATASET, TABLES, write_all};
use crate::generator::{Statement, statement};
use crate::safe::selects;
use crate::session::{Mode, Outcome};

const STATEMENTS: u64 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn generated_statements_give_the_same_everywhere() {
    let first = setting("REDIVIS_PUSHDOWN_SEED").unwrap_or(0);
    let count = setting("REDIVIS_PUSHDOWN_STATEMENTS").unwrap_or(STATEMENTS);
    let folder = TempDir::new().unwrap();
    write_all(folder.path());
    let (path, seeds) = (folder.path().to_owned(), first..first + count);
    let (server, theirs) = tokio::task::spawn_blocking(move || {
        let setup: Vec<String> = TABLES
            .iter()
            .map(|table| {
                let file = path.join(DATASET.replace('.', "/")).join(table);
                format!("CREATE TABLE {table} AS FROM '{}.parquet'", file.display())
            })
            .collect();
        let queries: Vec<String> = seeds.map(|seed| statement(seed).sql.duck).collect();
        let theirs = duckdb::answers(&setup, &queries);
        (Server::directory(&path), theirs)
    })
    .await
    .unwrap();
    let always = Mode::new(&server, DATASET, "always").await;
    let off = Mode::new(&server, DATASET, "off").await;

    let cases: Vec<Case> = stream::iter((first..).zip(theirs))
        .map(|(seed, theirs)| {
            let (always, off) = (always.clone(), off.clone());
            let case = tokio::spawn(async move { Case::run(seed, &always, &off, theirs).await });
            async move { case.await.unwrap() }
        })
        .buffer_unordered(3)
        .collect()
        .await;
    let sent: Vec<String> = cases.iter().flat_map(|case| case.sent.clone()).collect();
    judge(cases);
    tokio::task::spawn_blocking(move || selects(&sent))
        .await
        .unwrap();
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// What came of a statement.
struct Case {
    seed: u64,
    verdict: Verdict,
    statement: Statement,
    sent: Vec<String>,
    is_remote: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    /// Only one engine fails for a documented reason.
    Excused(&'static str),
    /// DataFusion itself refuses it.
    Refused(String),
    Different(String),
}

/// What BigQuery refuses to compute and DataFusion does not, or not as soon.
const EXCUSES: [(&str, &str); 5] = [
    ("not within the range of int64", "overflow"),
    // BigQuery's words for a float that would be infinite.
    ("floating point error", "overflow"),
    ("overflow", "overflow"),
    ("division by zero", "division by zero"),
    ("divide by zero", "division by zero"),
];

impl Case {
    async fn run(
        seed: u64,
        always: &Mode,
        off: &Mode,
        theirs: Result<duckdb::Answer, String>,
    ) -> Case {
        let statement = statement(seed);
        let here = off.run(&statement.sql.ours).await;
        let there = always.run(&statement.sql.ours).await;
        let (mut sent, mut is_remote) = (vec![], true);
        if let Ok(there) = &there {
            sent.clone_from(&there.plan.sent);
            is_remote = !(sent.is_empty() && there.plan.scans.is_empty());
        } else if let Ok(plan) = always.plan(&statement.sql.ours).await {
            let mut shown = crate::session::Plan::default();
            shown.add(&Arc::clone(&plan));
            sent = shown.sent;
        }
        let here = here.map_err(|error| error.to_string());
        let there = there.map_err(|error| error.to_string());
        let verdict = verdict(&statement, here, there, theirs);
        Case {
            seed,
            verdict,
            statement,
            sent,
            is_remote,
        }
    }
}

fn verdict(
    statement: &Statement,
    here: Result<Outcome, String>,
    there: Result<Outcome, String>,
    theirs: Result<duckdb::Answer, String>,
) -> Verdict {
    let excuse = |error: &str| {
        let error = error.to_lowercase();
        let excuse = EXCUSES.iter().find(|(words, _)| error.contains(words));
        excuse.map(|(_, excuse)| Verdict::Excused(excuse))
    };
    let (here, there) = match (here, there) {
        (Ok(here), Ok(there)) => (here.answer, there.answer),
        (Err(error), _) => return excuse(&error).unwrap_or(Verdict::Refused(error)),
        (Ok(_), Err(error)) => {
            let different = Verdict::Different(format!("always fails: {error}"));
            return excuse(&error).unwrap_or(different);
        }
    };
    if let Some(difference) = there.difference(&here) {
        return Verdict::Different(format!("always is not off: {difference}"));
    }
    if statement.is_ordered && !there.is_in_order_of(&here) {
        return Verdict::Different("always has another order than off".to_owned());
    }
    match theirs {
        Ok(theirs) => match here.difference(&here.like(&theirs)) {
            Some(difference) => Verdict::Different(format!("off is not DuckDB: {difference}")),
            None => Verdict::Same,
        },
        Err(error) => {
            let different = Verdict::Different(format!("DuckDB fails: {error}"));
            excuse(&error).unwrap_or(different)
        }
    }
}

fn judge(cases: Vec<Case>) {
    let share = |count: usize| 100.0 * count as f64 / cases.len() as f64;
    let count = |is: &dyn Fn(&&Case) -> bool| cases.iter().filter(is).count();
    let remote = count(&|case| case.is_remote);
    let pushed = count(&|case| !case.sent.is_empty());
    let excused = count(&|case| matches!(case.verdict, Verdict::Excused(_)));
    let refused = count(&|case| matches!(case.verdict, Verdict::Refused(_)));
    let mut different: Vec<&Case> = cases
        .iter()
        .filter(|case| matches!(case.verdict, Verdict::Different(_) | Verdict::Refused(_)))
        .collect();
    different.sort_by_key(|case| {
        (
            matches!(case.verdict, Verdict::Refused(_)),
            case.statement.sql.ours.len(),
        )
    });
    let summary = format!(
        "{} statements, {remote} read tables, {pushed} are pushed, {excused} fail for a documented reason, {refused} are refused by DataFusion",
        cases.len()
    );
    eprintln!("{summary}");
    let mut told = String::new();
    for case in different.iter().take(40) {
        told.push_str(&format!(
            "\n--- seed {}: {:?}\n{}\n-- DuckDB:\n{}\n-- sent:\n{}\n",
            case.seed,
            case.verdict,
            case.statement.sql.ours,
            case.statement.sql.duck,
            case.sent.join("\n;\n")
        ));
    }
    let wrong = count(&|case| matches!(case.verdict, Verdict::Different(_)));
    assert!(wrong == 0, "{summary}, {wrong} differ\n{told}");
    assert!(share(excused) < 4.0, "{summary}");
    assert!(share(refused) < 2.0, "{summary}\n{told}");
    assert!(10 * pushed >= 8 * remote, "{summary}");
}

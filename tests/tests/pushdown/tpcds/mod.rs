//! TPC-DS: its queries in the three modes, and how much of each runs on Redivis.
//!
//! Their limits are taken off, since their orders leave ties: all rows are compared.

mod tables;

use std::fs;

use futures::{StreamExt, stream};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::safe::selects;
use crate::session::{Mode, Plan};

/// The query that names its common tables so often that it becomes too large for the local server.
const LARGE: u64 = 14;
const TOO_LARGE: &str = "The query has more than 1000 operators";
const QUERIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pushdown/tpcds/queries");
const DATASET: &str = "bench.tpcds";

/// What came of a query.
struct Case {
    query: u64,
    /// Why DataFusion does not plan or run it, whatever the mode.
    refused: Option<String>,
    plan: Plan,
    /// How the modes differ.
    difference: Option<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn all_queries_give_the_same_in_all_modes() {
    let folder = TempDir::new().unwrap();
    tables::write_all(&folder.path().join(DATASET.replace('.', "/"))).await;
    let path = folder.path().to_owned();
    let server = tokio::task::spawn_blocking(move || Server::directory(&path))
        .await
        .unwrap();
    let off = Mode::new(&server, DATASET, "off").await;
    let always = Mode::new(&server, DATASET, "always").await;
    let auto = Mode::new(&server, DATASET, "auto").await;

    let mut cases: Vec<Case> = stream::iter(1..=99)
        .map(|query| {
            let modes = (off.clone(), always.clone(), auto.clone());
            let case =
                tokio::spawn(async move { Case::run(query, &modes.0, &modes.1, &modes.2).await });
            async move { case.await.unwrap() }
        })
        .buffer_unordered(2)
        .collect()
        .await;
    cases.sort_by_key(|case| case.query);
    judge(&cases);
    let sent: Vec<String> = cases.into_iter().flat_map(|case| case.plan.sent).collect();
    tokio::task::spawn_blocking(move || selects(&sent))
        .await
        .unwrap();
}

impl Case {
    async fn run(query: u64, off: &Mode, always: &Mode, auto: &Mode) -> Case {
        let text = fs::read_to_string(format!("{QUERIES}/q{query:02}.sql")).unwrap();
        let text = text.trim_end().trim_end_matches(';').trim_end();
        let whole = text.strip_suffix("LIMIT 100").unwrap_or(text);
        let mut case = Case {
            query,
            refused: None,
            plan: Plan::default(),
            difference: None,
        };
        let expected = match off.run(whole).await {
            Ok(outcome) => outcome.answer,
            Err(error) => {
                case.refused = Some(error.to_string());
                return case;
            }
        };
        case.plan.add(&always.plan(text).await.unwrap());
        for (name, mode) in [("always", always), ("auto", auto)] {
            case.difference = match mode.run(whole).await {
                Ok(outcome) => outcome.answer.difference(&expected),
                // The local server takes no statement that is larger; `auto` reads the tables then.
                Err(error) if query == LARGE && error.to_string().contains(TOO_LARGE) => None,
                Err(error) => Some(error.to_string()),
            }
            .map(|difference| format!("{name}: {difference}"));
            if case.difference.is_some() {
                break;
            }
        }
        case
    }

    /// How much of it runs on Redivis.
    fn pushed(&self) -> String {
        if let Some(error) = &self.refused {
            return format!("not run: {}", error.lines().next().unwrap_or_default());
        }
        let Plan {
            sent,
            scans,
            operators,
        } = &self.plan;
        let is_sort = |operator: &String| operator.starts_with("Sort");
        match (sent.len(), scans.first()) {
            (0, Some(scan)) => format!("nothing: {scan}"),
            (1, None) if operators.is_empty() => "wholly".to_owned(),
            (1, None) if operators.iter().all(is_sort) => "but for the last sort".to_owned(),
            (parts, scan) => {
                let scans = scans.len();
                let why = scan.map_or("", String::as_str);
                format!("{parts} parts, {scans} tables are read {why}")
            }
        }
    }
}

fn judge(cases: &[Case]) {
    let (mut whole, mut parts) = (0, 0);
    let mut different = String::new();
    for case in cases {
        let pushed = case.pushed();
        eprintln!("q{:02}: {pushed}", case.query);
        whole += usize::from(pushed == "wholly" || pushed == "but for the last sort");
        parts += usize::from(!case.plan.sent.is_empty());
        if let Some(difference) = &case.difference {
            let sent = case.plan.sent.join("\n;\n");
            different.push_str(&format!("\nq{:02}: {difference}\n{sent}\n", case.query));
        }
    }
    let run = cases.iter().filter(|case| case.refused.is_none()).count();
    eprintln!(
        "{run} queries run, {whole} of them wholly or but for the last sort on Redivis, {parts} at least in part"
    );
    assert_eq!(different, "");
    assert!(
        run == 99 && whole >= 87 && parts == 99,
        "{run} {whole} {parts}"
    );
}

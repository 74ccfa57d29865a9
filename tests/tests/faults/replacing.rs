//! New rows in the place of a table's old ones, with a fault at each step: the old rows, or the new ones, or the error says
//! what is there.

use std::collections::HashSet;

use redivis::resource::{NewDataset, NewTable, Table, TableChanges, UploadMergeStrategy};
use redivis::write::{Content, UploadRequest, VariableMetadata};
use redivis::{Client, RetryPolicy, Token};
use redivis_tests::proxy::{Action, Proxy, Request};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::wire::within;

/// Rows of each part of a table, so that their sum says which parts it has.
const INHERITED: u64 = 1;
const FIRST: u64 = 2;
const SECOND: u64 = 4;
const NEW: u64 = 8;

/// What the table has before.
#[derive(Debug, Clone, Copy)]
struct Before {
    inherited: bool,
    uploads: bool,
    strategy: UploadMergeStrategy,
}

impl Before {
    const ALL: [Before; 4] = {
        const fn of(inherited: bool, uploads: bool, strategy: UploadMergeStrategy) -> Before {
            Before {
                inherited,
                uploads,
                strategy,
            }
        }
        [
            of(true, false, UploadMergeStrategy::Append),
            of(false, true, UploadMergeStrategy::Append),
            of(true, true, UploadMergeStrategy::Append),
            of(true, true, UploadMergeStrategy::Replace),
        ]
    };

    fn rows(self) -> u64 {
        let uploads = if self.uploads { FIRST + SECOND } else { 0 };
        let hidden = self.uploads && self.strategy == UploadMergeStrategy::Replace;
        let inherited = if self.inherited && !hidden {
            INHERITED
        } else {
            0
        };
        inherited + uploads
    }
}

struct Bench {
    server: Server,
    proxy: Proxy,
    made: usize,
    _data: TempDir,
}

impl Bench {
    async fn start() -> Bench {
        let data = TempDir::new().unwrap();
        let folder = data.path().to_owned();
        let server = tokio::task::spawn_blocking(move || Server::directory(&folder));
        let server = server.await.unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        Bench {
            server,
            proxy,
            made: 0,
            _data: data,
        }
    }

    fn client(&self, endpoint: &str) -> Client {
        Client::builder()
            .endpoint(endpoint)
            .token(Token::new(self.server.token().unwrap()))
            .retry(RetryPolicy {
                max_attempts: 3,
                initial_backoff: std::time::Duration::from_millis(1),
                max_backoff: std::time::Duration::from_millis(2),
                ..RetryPolicy::default()
            })
            .build()
            .unwrap()
    }

    /// A table with these rows, in a dataset of its own.
    async fn table(&mut self, before: Before) -> Table {
        self.made += 1;
        let client = self.client(self.server.endpoint());
        let new = NewDataset {
            name: format!("d{}", self.made),
            ..NewDataset::default()
        };
        let dataset = client.create_dataset("ada", &new).await.unwrap();
        let new = NewTable {
            name: "t".to_owned(),
            description: Some("what it is".to_owned()),
            ..NewTable::default()
        };
        if before.inherited {
            let table = client.create_table(&dataset.uri, &new).await.unwrap();
            upload(&client, &table, "inherited", INHERITED).await;
            client.release(&dataset.uri, None).await.unwrap();
            client.create_version(&dataset.uri).await.unwrap();
        } else {
            client.create_table(&dataset.uri, &new).await.unwrap();
        }
        let table = format!("ada.d{}:next.t", self.made).parse().unwrap();
        let table = client.table(&table).await.unwrap();
        let changes = TableChanges {
            upload_merge_strategy: Some(before.strategy),
            ..TableChanges::default()
        };
        client.update_table(&table.uri, &changes).await.unwrap();
        if before.uploads {
            let first = upload(&client, &table, "first", FIRST);
            tokio::join!(first, upload(&client, &table, "second", SECOND));
        }
        let table = self.look(&table).await;
        assert_eq!(table.num_rows, Some(before.rows()), "{before:?}");
        table
    }

    async fn look(&self, table: &Table) -> Table {
        let client = self.client(self.server.endpoint());
        client.table(&table.reference().unwrap()).await.unwrap()
    }
}

fn rows(count: u64) -> Content {
    Content::bytes(format!(
        "n\n{}",
        "1\n".repeat(usize::try_from(count).unwrap())
    ))
}

/// What is said about the variable by the old uploads.
const LABEL: &str = "how many";

fn named(name: &str) -> UploadRequest {
    UploadRequest {
        name: name.to_owned(),
        upload_type: Some("delimited".to_owned()),
        ..UploadRequest::default()
    }
}

async fn upload(client: &Client, table: &Table, name: &str, count: u64) {
    let mut request = named(name);
    let label = VariableMetadata {
        label: Some(LABEL.to_owned()),
        ..VariableMetadata::default()
    };
    request.metadata.insert("n".to_owned(), label);
    let uploaded = client
        .upload(&table.uri, &request, &rows(count), &Default::default())
        .await;
    assert_eq!(uploaded.unwrap().num_rows, Some(count));
}

fn refused() -> Action {
    let words = r#"{"status": 403, "error": "forbidden", "error_description": "not now"}"#;
    Action::reply(403, &[("Content-Type", "application/json")], words)
}

/// Replaces the rows while `fault` says what becomes of each request, and asserts what the outcome promises. Whether it was
/// done.
async fn replace(
    bench: &mut Bench,
    before: Before,
    fault: impl FnMut(&Request) -> Action + Send + 'static,
) -> bool {
    let table = bench.table(before).await;
    bench.proxy.script(fault);
    let client = bench.client(&bench.proxy.endpoint());
    let (name, new) = (named("new"), rows(NEW));
    let progress = Default::default();
    let replaced = within(client.replace_uploads(&table.uri, &name, &new, &progress)).await;
    let after = bench.look(&table).await;
    assert_eq!((&after.id, &after.name), (&table.id, &table.name));
    assert_eq!(after.description.as_deref(), Some("what it is"));
    let there = after.num_rows.unwrap();
    match &replaced {
        Ok(upload) => {
            assert_eq!(upload.num_rows, Some(NEW));
            assert_eq!(there, NEW, "{before:?}");
        }
        Err(error) if error.may_have_happened() => {
            let words = error.message();
            let remedies = ["delete", "look at", "set it to"];
            assert!(
                remedies.iter().any(|remedy| words.contains(remedy)),
                "{words}"
            );
            let has_all_old = there & before.rows() == before.rows();
            assert!(
                there & NEW != 0 || has_all_old,
                "{before:?}: {there}, {words}"
            );
        }
        Err(error) => {
            assert_eq!(there, before.rows(), "{before:?}: {error}");
            assert_eq!(
                after.upload_merge_strategy,
                Some(before.strategy),
                "{error}"
            );
        }
    }
    // What is released next is what is there now.
    if replaced.is_ok() {
        let client = bench.client(bench.server.endpoint());
        let variable = client.variable(&after.uri, "n").await.unwrap();
        assert_eq!(variable.label.as_deref(), Some(LABEL));
        let next = format!("ada.d{}:next", bench.made).parse().unwrap();
        let next = client.dataset(&next).await.unwrap();
        client.release(&next.uri, None).await.unwrap();
        let released = format!("ada.d{}.t", bench.made).parse().unwrap();
        assert_eq!(client.table(&released).await.unwrap().num_rows, Some(NEW));
    }
    replaced.is_ok()
}

/// Tries it with every table, each on a server of its own, and with `fault(step)` for one step after the other until it is
/// done or there were `steps`. `fault` gets the number of a request that changes something, and the step.
async fn try_steps<F>(steps: usize, fault: F) -> Vec<usize>
where
    F: Fn(usize, usize, &Request) -> Action + Copy + Send + 'static,
{
    let tries = Before::ALL.map(|before| async move {
        let mut bench = Bench::start().await;
        for step in 1..=steps {
            let mut turn = 0;
            let script = move |request: &Request| {
                turn += usize::from(request.method != "GET");
                fault(turn, step, request)
            };
            if replace(&mut bench, before, script).await {
                return step;
            }
        }
        steps + 1
    });
    futures::future::join_all(tries).await
}

fn is_change(request: &Request) -> bool {
    request.method != "GET"
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_are_replaced_whatever_the_table_had() {
    assert_eq!(try_steps(1, |_, _, _| Action::Pass).await, [1; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_refused() {
    let done = try_steps(20, |turn, step, request| {
        match is_change(request) && turn == step {
            true => refused(),
            false => Action::Pass,
        }
    });
    // After a place for the bytes, the bytes and the upload: the strategy; two uploads; both.
    assert_eq!(done.await, [5, 6, 7, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_lost_for_good_at_a_step() {
    // The last step is carried out, and its answer is lost, or not.
    let done = try_steps(20, |turn, step, request| match (turn, step % 2) {
        (turn, 0) if turn == step / 2 && is_change(request) => Action::Lose,
        (turn, _) if turn >= step.div_ceil(2) => Action::Close,
        _ => Action::Pass,
    });
    assert_eq!(done.await, [9, 11, 13, 11]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_change_nothing() {
    let mut bench = Bench::start().await;
    for before in Before::ALL {
        // The answer to each change, when it is first asked for.
        let mut lost = HashSet::new();
        let fault = move |request: &Request| match is_change(request)
            && lost.insert((request.method.clone(), request.target.clone()))
        {
            true => Action::Lose,
            false => Action::Pass,
        };
        assert!(replace(&mut bench, before, fault).await, "{before:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_leaves_the_old_rows() {
    let done = try_steps(1, |_, _, request| {
        match request.path().ends_with("/uploads/new") {
            true => Action::Field {
                name: "status",
                value: Some("failed".into()),
            },
            false => Action::Pass,
        }
    });
    assert_eq!(done.await, [2; 4]);
}

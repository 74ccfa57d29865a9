//! `CREATE OR REPLACE TABLE`: what stays of the table, and what becomes of it where a step fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::util::display::array_value_to_string;
use redivis::resource::{Table, TableChanges, UploadMergeStrategy};
use redivis::write::{Content, UploadRequest, VariableMetadata};
use redivis_tests::proxy::{Action, Request};

use crate::write::{T, Written, json, table};

impl Written {
    async fn draft(&self) -> Table {
        let reference = "ada.notes:next.t".parse().unwrap();
        self.redivis.client().table(&reference).await.unwrap()
    }

    async fn merging(&self, strategy: UploadMergeStrategy) {
        let changes = TableChanges {
            upload_merge_strategy: Some(strategy),
            ..TableChanges::default()
        };
        let table = self.draft().await;
        let client = self.redivis.client();
        client.update_table(&table.uri, &changes).await.unwrap();
    }

    async fn next_version(&self) {
        self.run("CALL redivis.release('ada.notes')").await;
        self.run("CALL redivis.next_version('ada.notes')").await;
    }

    async fn tables(&self) -> Vec<String> {
        use futures::TryStreamExt;
        let client = self.redivis.client();
        let tables = client.dataset_tables(&"ada.notes:next".parse().unwrap());
        tables
            .map_ok(|table| table.name)
            .try_collect()
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_table_keeps_its_id_descriptions_and_labels() {
    let it = table().await;
    let client = it.redivis.client();
    let described = TableChanges {
        description: Some("What was seen".to_owned()),
        ..TableChanges::default()
    };
    let first = it.draft().await;
    client.update_table(&first.uri, &described).await.unwrap();
    let label = VariableMetadata {
        label: Some("Number".to_owned()),
        ..VariableMetadata::default()
    };
    let labelled = UploadRequest {
        name: "labelled.csv".to_owned(),
        metadata: [("x".to_owned(), label)].into(),
        ..UploadRequest::default()
    };
    let rows = Content::bytes("x\n2\n");
    let progress = Arc::default();
    let uploaded = client.upload(&first.uri, &labelled, &rows, &progress);
    uploaded.await.unwrap();
    it.next_version().await;
    assert_eq!(it.sum().await, "3");
    for (query, sum) in [
        ("SELECT 5 AS x, 'new' AS y", "5"),
        ("SELECT 6 AS x, 1.5 AS z", "6"),
    ] {
        it.run(&format!("CREATE OR REPLACE TABLE {T} AS {query}"))
            .await;
        assert_eq!(it.sum().await, sum, "{query}");
        let now = it.draft().await;
        assert_eq!(now.reference_id, first.reference_id, "{query}");
        assert_eq!(now.description.as_deref(), Some("What was seen"), "{query}");
        let x = client.variable(&now.uri, "x").await.unwrap();
        assert_eq!(x.label.as_deref(), Some("Number"), "{query}");
    }
    it.run(&format!("INSERT INTO {T} (x) SELECT 10")).await;
    assert_eq!(it.sum().await, "16");
    it.run(&format!(
        "CREATE OR REPLACE TABLE {T} AS SELECT 1 AS w WHERE false"
    ))
    .await;
    let empty = it.redivis.sql(&format!("SELECT * FROM {T}")).await.unwrap();
    let names: Vec<_> = empty
        .schema()
        .fields()
        .iter()
        .map(|it| it.name().as_str())
        .collect();
    assert_eq!(names, ["w"]);
    assert_eq!(empty.count().await.unwrap(), 0);
    assert_eq!(it.draft().await.reference_id, first.reference_id);
    let released = it.run("SELECT sum(x) FROM redivis.'ada.notes:v1_0.t'");
    let released = released.await;
    assert_eq!(
        array_value_to_string(released[0].column(0), 0).unwrap(),
        "3"
    );
    assert_eq!(it.tables().await, ["t"]);
}

fn is_step(request: &Request) -> bool {
    request.method != "GET" && request.method != "HEAD"
}

fn refused() -> Action {
    json(
        403,
        r#"{"status": 403, "error": "forbidden", "error_description": "not yours"}"#,
    )
}

/// What happens to the steps of a statement.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// One is refused.
    Refused,
    /// One and all after it are refused.
    RefusedFrom,
    /// The answer to one is lost.
    Lost,
}

/// Replaces the table's rows again and again, each time with a fault at a later step, until there are no more steps.
async fn replaces(it: &Written, fault: Fault, prepare: impl AsyncFn()) {
    for step in 0.. {
        prepare().await;
        let before = it.sum().await;
        let value = 100 + step;
        let steps = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&steps);
        it.proxy.script(move |request| {
            if !is_step(request) {
                return Action::Pass;
            }
            let now = seen.fetch_add(1, Ordering::AcqRel);
            match fault {
                Fault::Refused if now == step => refused(),
                Fault::RefusedFrom if now >= step => refused(),
                Fault::Lost if now == step => Action::Lose,
                _ => Action::Pass,
            }
        });
        let replaced = it
            .try_run(&format!(
                "CREATE OR REPLACE TABLE {T} AS SELECT {value} AS x"
            ))
            .await;
        it.proxy.script(|_| Action::Pass);
        let what = format!("{fault:?} at step {step}: {replaced:?}");
        let now = it.try_sum().await;
        let Err(error) = &replaced else {
            assert_eq!(now.unwrap(), value.to_string(), "{what}");
            if steps.load(Ordering::Acquire) <= step {
                assert!(step > 3, "{what}");
                return;
            }
            continue;
        };
        if now.as_ref() != Ok(&before) && now.as_ref() != Ok(&value.to_string()) {
            it.tidies_up(error).await;
            let now = it.sum().await;
            assert!(now == before || now == value.to_string(), "{what}: {now}");
        }
        it.merging(UploadMergeStrategy::Append).await;
        it.drops_what_is_left(error).await;
        assert_eq!(it.tables().await, ["t"], "{what}");
    }
}

impl Written {
    async fn try_sum(&self) -> Result<String, String> {
        self.redivis.refresh();
        let rows = self.try_run(&format!("SELECT sum(x) FROM {T}")).await?;
        Ok(array_value_to_string(rows[0].column(0), 0).unwrap())
    }

    /// Does what an error says of rows that are left.
    async fn tidies_up(&self, error: &str) {
        let client = self.redivis.client();
        if error.contains("rename the new table to t") {
            let tables = self.tables().await;
            let [aside] = tables.as_slice() else {
                panic!("{error}: {tables:?}");
            };
            assert!(error.contains(aside), "{error}");
            let reference = format!("ada.notes:next.{aside}").parse().unwrap();
            let table = client.table(&reference).await.unwrap();
            let changes = TableChanges {
                name: Some("t".to_owned()),
                ..TableChanges::default()
            };
            client.update_table(&table.uri, &changes).await.unwrap();
            return self.redivis.refresh();
        }
        if error.contains("set it to `append`") {
            self.merging(UploadMergeStrategy::Append).await;
        }
        let named = match error.split_once("left of ") {
            Some((_, left)) => left,
            None => error.rsplit_once("of upload ").expect(error).1,
        };
        for name in named.split('`').skip(1).step_by(2) {
            let table = self.draft().await;
            if let Some(upload) = client.find_upload(&table.uri, name).await.unwrap() {
                client.delete_upload(&upload.uri).await.unwrap();
            }
        }
        self.redivis.refresh();
    }

    /// Drops the tables that are left beside the one that was to be replaced; an error has named them.
    async fn drops_what_is_left(&self, error: &str) {
        for table in self.tables().await {
            if table != "t" {
                assert!(error.contains(&table), "{table}: {error}");
                self.run(&format!("DROP TABLE redivis.'ada.notes:next.{table}'"))
                    .await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_leaves_a_table_of_the_draft_as_it_was_or_is_to_be() {
    let it = table().await;
    for fault in [Fault::Refused, Fault::RefusedFrom, Fault::Lost] {
        replaces(&it, fault, async || {}).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_leaves_a_released_table_as_it_was_or_is_to_be() {
    let it = table().await;
    for fault in [Fault::Refused, Fault::RefusedFrom, Fault::Lost] {
        // With the rows of the version before, and later with two uploads beside them.
        replaces(&it, fault, async || {
            it.next_version().await;
            it.merging(UploadMergeStrategy::Append).await;
        })
        .await;
        replaces(&it, fault, async || {
            it.next_version().await;
            it.merging(UploadMergeStrategy::Append).await;
            it.run(&format!("INSERT INTO {T} SELECT 1")).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_appears_with_its_rows_and_never_in_the_place_of_somebody_elses() {
    let it = table().await;
    let other = it.other();
    let new = "redivis.'ada.notes:next.new'";
    let runtime = tokio::runtime::Handle::current();
    let mut created = false;
    it.proxy.script(move |request| {
        if request.method == "POST" && request.path().ends_with("/tempUploads") && !created {
            created = true;
            let run = async |sql: String| other.sql(&sql).await?.collect().await;
            tokio::task::block_in_place(|| {
                runtime.block_on(async {
                    let insert = format!("INSERT INTO {new} SELECT 10 AS x");
                    run(insert).await.unwrap_err();
                    let create = format!("CREATE TABLE {new} AS SELECT 10 AS x");
                    run(create).await.unwrap();
                })
            });
        }
        Action::Pass
    });
    let error = it
        .error(&format!("CREATE TABLE {new} AS SELECT 1 AS x"))
        .await;
    assert!(error.contains("new"), "{error}");
    it.proxy.script(|_| Action::Pass);
    let rows = it.run(&format!("SELECT sum(x) FROM {new}")).await;
    assert_eq!(array_value_to_string(rows[0].column(0), 0).unwrap(), "10");
    let mut tables = it.tables().await;
    tables.sort();
    assert_eq!(tables, ["new", "t"]);
}

//! What becomes of a write that fails or is dropped: the table is as it was, or the error says what is left.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::execution::context::SessionContext;
use datafusion_redivis::{Redivis, RedivisTable};
use redivis::resource::{NewTable, UploadMergeStrategy};
use redivis_tests::proxy::{Action, Proxy, Request};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::session::session;

pub(crate) const T: &str = "redivis.'ada.notes:next.t'";

pub(crate) struct Written {
    pub(crate) proxy: Proxy,
    pub(crate) ctx: SessionContext,
    pub(crate) redivis: Redivis,
    server: Server,
    _data: TempDir,
}

/// A table of one row, behind a proxy.
pub(crate) async fn table() -> Written {
    let data = TempDir::new().unwrap();
    let folder = data.path().to_owned();
    let server = tokio::task::spawn_blocking(move || Server::directory(&folder));
    let server = server.await.unwrap();
    let proxy = Proxy::start(server.endpoint()).await;
    let (ctx, redivis) = session(&proxy.endpoint(), server.token());
    let it = Written {
        proxy,
        ctx,
        redivis,
        server,
        _data: data,
    };
    it.run("CALL redivis.create_dataset('ada.notes')").await;
    it.run(&format!("CREATE TABLE {T} AS SELECT 1 AS x")).await;
    it
}

impl Written {
    /// Another session, which reaches the server without the proxy.
    pub(crate) fn other(&self) -> Redivis {
        session(self.server.endpoint(), self.server.token()).1
    }

    pub(crate) async fn try_run(&self, sql: &str) -> Result<Vec<RecordBatch>, String> {
        let ran = async { self.redivis.sql(sql).await?.collect().await };
        ran.await.map_err(|error| error.to_string())
    }

    pub(crate) async fn run(&self, sql: &str) -> Vec<RecordBatch> {
        let ran = self.try_run(sql).await;
        ran.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) async fn error(&self, sql: &str) -> String {
        self.try_run(sql).await.expect_err(sql)
    }

    pub(crate) async fn sum(&self) -> String {
        self.proxy.script(|_| Action::Pass);
        let rows = self.run(&format!("SELECT sum(x) FROM {T}")).await;
        array_value_to_string(rows[0].column(0), 0).unwrap()
    }

    /// From when an upload is created on, says this of it.
    pub(crate) fn says(&self, rest: &'static str) {
        let mut created = false;
        self.proxy.script(move |request| {
            created |= is_creation(request);
            match created && is_poll(request) {
                true => json(
                    200,
                    format!(
                        r#"{{"kind": "upload", "uri": "{}", "name": "u", {rest}}}"#,
                        request.path()
                    ),
                ),
                false => Action::Pass,
            }
        });
    }
}

pub(crate) fn json(status: u16, body: impl AsRef<[u8]>) -> Action {
    Action::reply(status, &[("Content-Type", "application/json")], body)
}

pub(crate) fn is_creation(request: &Request) -> bool {
    request.method == "POST" && request.path().ends_with("/uploads")
}

pub(crate) fn is_poll(request: &Request) -> bool {
    request.method == "GET" && request.path().contains("/uploads/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_upload_is_told_in_the_services_words_and_removed() {
    let it = table().await;
    it.says(r#""status": "failed", "errorMessage": "row 7 is odd""#);
    let error = it.error(&format!("INSERT INTO {T} SELECT 10")).await;
    assert!(error.contains("row 7 is odd"), "{error}");
    assert_eq!(it.sum().await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_differs_is_an_error_and_the_upload_is_removed() {
    let it = table().await;
    it.says(r#""status": "completed", "numRows": 2"#);
    let error = it
        .error(&format!("INSERT INTO {T} VALUES (10), (20), (30)"))
        .await;
    assert!(
        error.contains("3 rows were sent") && error.contains("counts 2 of them"),
        "{error}"
    );
    assert_eq!(it.sum().await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_dropped_while_it_waits_leaves_no_rows() {
    let it = table().await;
    let reference = "ada.notes:next.t".parse().unwrap();
    let by_hand = RedivisTable::fetch(&it.redivis.client(), &reference).await;
    let by_hand = Arc::new(by_hand.unwrap());
    it.ctx.register_table("by_hand", by_hand).unwrap();
    for table in [T, "by_hand"] {
        it.says(r#""status": "running""#);
        let statement = format!("INSERT INTO {table} SELECT 10");
        let before = it.proxy.requests().len();
        let sees_a_poll = async {
            let is_waited_for = |requests: Vec<Request>| {
                requests[before..].iter().filter(|it| is_poll(it)).count() >= 5
            };
            while !is_waited_for(it.proxy.requests()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            ended = it.try_run(&statement) => panic!("{ended:?}"),
            () = sees_a_poll => {}
        }
        it.proxy.script(|_| Action::Pass);
        assert!(it.redivis.settle().await.is_empty());
        assert_eq!(it.sum().await, "1", "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_whose_answer_is_lost_are_there_once() {
    let it = table().await;
    let mut lost = false;
    it.proxy.script(move |request| {
        if !lost && is_creation(request) {
            lost = true;
            return Action::Lose;
        }
        Action::Pass
    });
    it.run(&format!("INSERT INTO {T} SELECT 10")).await;
    assert_eq!(it.sum().await, "11");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_removed_is_named() {
    let it = table().await;
    let mut created = false;
    it.proxy.script(move |request| {
        created |= is_creation(request);
        let failed = format!(
            r#"{{"uri": "{}", "name": "u", "status": "failed", "errorMessage": "no"}}"#,
            request.path()
        );
        let refused = r#"{"status": 403, "error": "forbidden", "error_description": "not yours"}"#;
        match request.method.as_str() {
            "GET" if created && is_poll(request) => json(200, failed),
            "DELETE" => json(403, refused),
            _ => Action::Pass,
        }
    });
    it.run("SET redivis.upload_name = 'u'").await;
    let error = it.error(&format!("INSERT INTO {T} SELECT 10")).await;
    assert!(
        error.contains("not yours")
            && error.contains("CALL redivis.delete_upload('ada.notes:next.t', 'u')"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_could_not_be_filled_is_deleted_again() {
    let it = table().await;
    let new = "redivis.'ada.notes:next.new'";
    it.proxy
        .script(|request| match request.path().ends_with("/tempUploads") {
            true => json(
                400,
                r#"{"status": 400, "error": "invalid", "error_description": "no room"}"#,
            ),
            false => Action::Pass,
        });
    let error = it
        .error(&format!("CREATE TABLE {new} AS SELECT 1 AS x"))
        .await;
    assert!(error.contains("no room"), "{error}");
    let error = it
        .error(&format!("CREATE OR REPLACE TABLE {T} AS SELECT 5 AS x"))
        .await;
    assert!(error.contains("no room"), "{error}");
    it.proxy.script(|_| Action::Pass);
    let error = it.error(&format!("SELECT * FROM {new}")).await;
    assert!(error.contains("does not exist"), "{error}");
    assert_eq!(it.sum().await, "1");
    // A query that fails makes no table.
    it.error(&format!("CREATE TABLE {new} AS SELECT 1 / 0 AS x"))
        .await;
    it.error(&format!("SELECT * FROM {new}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_and_no_rows_send_nothing() {
    let it = table().await;
    it.run(&format!("SELECT * FROM {T}")).await;
    let before = it.proxy.requests().len();
    it.run(&format!("EXPLAIN INSERT INTO {T} VALUES (1)")).await;
    it.run(&format!("INSERT INTO {T} SELECT 1 WHERE false"))
        .await;
    let sent = it.proxy.requests().split_off(before);
    assert!(
        sent.iter().all(|request| request.method == "GET"),
        "{sent:?}"
    );
}

/// The table is one whose uploads replace the rows of the version before; it has the rows 1 and 2 in two uploads.
async fn replaced() -> Written {
    let it = table().await;
    it.run(&format!("DROP TABLE {T}")).await;
    let client = it.redivis.client();
    let new = NewTable {
        name: "t".to_owned(),
        upload_merge_strategy: UploadMergeStrategy::Replace,
        ..NewTable::default()
    };
    let dataset = client.dataset(&"ada.notes:next".parse().unwrap()).await;
    client
        .create_table(&dataset.unwrap().uri, &new)
        .await
        .unwrap();
    it.redivis.refresh();
    it.run(&format!("INSERT INTO {T} SELECT 1 AS x")).await;
    it.run(&format!("INSERT INTO {T} SELECT 2 AS x")).await;
    assert_eq!(it.sum().await, "3");
    it
}

#[tokio::test(flavor = "multi_thread")]
async fn overwriting_leaves_the_new_rows_alone() {
    let it = replaced().await;
    let told = it
        .run(&format!("INSERT OVERWRITE {T} VALUES (10), (20)"))
        .await;
    assert_eq!(array_value_to_string(told[0].column(0), 0).unwrap(), "2");
    assert_eq!(it.sum().await, "30");
    it.run("CALL redivis.release('ada.notes')").await;
    it.run("CALL redivis.next_version('ada.notes')").await;
    assert_eq!(it.sum().await, "30");
    // Rows are never added in the place of others.
    let error = it.error(&format!("INSERT INTO {T} VALUES (1)")).await;
    assert!(error.contains("write INSERT OVERWRITE"), "{error}");
    assert_eq!(it.sum().await, "30");
    // A table may be overwritten with what it has.
    it.run(&format!("INSERT OVERWRITE {T} SELECT x + 1 AS x FROM {T}"))
        .await;
    assert_eq!(it.sum().await, "32");
    it.run(&format!("INSERT INTO {T} VALUES (1)")).await;
    assert_eq!(it.sum().await, "33");
    let released = it
        .run("SELECT sum(x) FROM redivis.'ada.notes:v1_0.t'")
        .await;
    let released = array_value_to_string(released[0].column(0), 0).unwrap();
    assert_eq!(released, "30");
}

#[tokio::test(flavor = "multi_thread")]
async fn overwriting_that_fails_leaves_the_old_rows() {
    let it = replaced().await;
    for inherited in [false, true] {
        if inherited {
            it.run("CALL redivis.release('ada.notes')").await;
            it.run("CALL redivis.next_version('ada.notes')").await;
        }
        let overwrite = format!("INSERT OVERWRITE {T} SELECT 10");
        it.says(r#""status": "failed", "errorMessage": "row 7 is odd""#);
        let error = it.error(&overwrite).await;
        assert!(error.contains("row 7 is odd"), "{error}");
        assert_eq!(it.sum().await, "3", "{inherited}");
        it.says(r#""status": "completed", "numRows": 2"#);
        it.error(&overwrite).await;
        assert_eq!(it.sum().await, "3", "{inherited}");
        for query in ["SELECT 1 / 0", "VALUES (1), (1.5)", "SELECT 1 WHERE false"] {
            it.error(&format!("INSERT OVERWRITE {T} {query}")).await;
            assert_eq!(it.sum().await, "3", "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overwriting_says_which_rows_it_could_not_remove() {
    let it = replaced().await;
    let refused = r#"{"status": 403, "error": "forbidden", "error_description": "not yours"}"#;
    it.proxy
        .script(move |request| match request.method.as_str() {
            "DELETE" => json(403, refused),
            _ => Action::Pass,
        });
    let error = it.error(&format!("INSERT OVERWRITE {T} SELECT 10")).await;
    assert!(
        error.contains("not yours") && error.contains("the old rows and those of upload `insert-"),
        "{error}"
    );
    assert_eq!(it.sum().await, "13");
}

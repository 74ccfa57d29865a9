//! Tables that were fetched and registered by hand: rows are inserted with the checks of all others.

use std::sync::Arc;

use datafusion_redivis::RedivisTable;

use crate::support::{Fixture, fixture};

impl Fixture {
    async fn register(&self, name: &str, reference: &str) {
        let table = RedivisTable::fetch(&self.redivis.client(), &reference.parse().unwrap()).await;
        let registered = self.ctx.register_table(name, Arc::new(table.unwrap()));
        registered.unwrap();
    }

    /// What both ways to run SQL say.
    async fn errors(&self, sql: &str) -> [String; 2] {
        let ran = async { self.ctx.sql(sql).await?.collect().await };
        let error = ran.await.map(drop).expect_err(sql);
        [self.error(sql).await, error.to_string()]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_to_is_refused_in_the_same_words() {
    let it = fixture().await;
    it.batches("CALL redivis.create_dataset('ada.notes')").await;
    it.batches("CALL redivis.create_file_index('ada.notes:next.files')")
        .await;
    it.register("stations", "lab.weather.Stations").await;
    it.register("readings", "lab.weather:next.readings").await;
    it.register("files", "ada.notes:next.files").await;
    for (sql, words) in [
        (
            "INSERT INTO stations VALUES (1, 'x', 2)",
            "write to redivis.'lab.weather:next.Stations'",
        ),
        (
            "INSERT INTO files SELECT * FROM files",
            "COPY … TO 'redivis://ada.notes:next.files/…'",
        ),
        (
            "INSERT OVERWRITE readings VALUES (1, 2.0)",
            "its merge strategy is `append`",
        ),
        (
            "INSERT INTO readings SELECT 1.5, 2",
            "the value `1.5` of column `StationID`",
        ),
    ] {
        for error in it.errors(sql).await {
            assert!(error.contains(words), "{sql}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_knows_of_what_is_written() {
    let it = fixture().await;
    it.register("readings", "lab.weather:next.readings").await;
    let count = "SELECT count(*) FROM redivis.'lab.weather:next.readings'";
    assert_eq!(it.value(count).await, "5");
    it.batches("INSERT INTO readings VALUES (1, 2.0)").await;
    assert_eq!(it.value(count).await, "6");
    let insert = it.ctx.sql("INSERT INTO readings VALUES (1, 2.0)").await;
    insert.unwrap().collect().await.unwrap();
    assert_eq!(it.value(count).await, "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_looked_at_as_it_is_now() {
    let it = fixture().await;
    it.batches("CALL redivis.create_dataset('ada.notes')").await;
    it.batches("CALL redivis.create_table('ada.notes:next.t')")
        .await;
    it.register("t", "ada.notes:next.t").await;
    it.batches("INSERT INTO t SELECT 1 AS x").await;
    // It had no variables when it was registered.
    let error = it.error("INSERT INTO t SELECT 'one' AS x").await;
    assert!(error.contains("variable `x` is integer"), "{error}");
    let error = it.error("INSERT INTO t SELECT 1 AS y").await;
    assert!(error.contains("has no variable `y`"), "{error}");
    it.batches("CALL redivis.release('ada.notes')").await;
    let error = it.error("INSERT INTO t SELECT 1 AS x").await;
    assert!(
        error.contains("CALL redivis.next_version('ada.notes')"),
        "{error}"
    );
}

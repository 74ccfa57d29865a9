//! Rows and tables written through SQL to a local Redivis, and read back.

use crate::support::{Fixture, fixture};

/// A fixture with the dataset `ada.notes`, nothing of which is released.
async fn notes() -> Fixture {
    let it = fixture().await;
    let made = it.rows("CALL redivis.create_dataset('ada.notes')").await;
    assert!(made.to_lowercase().contains("ada.notes"), "{made}");
    it
}

const T: &str = "redivis.'ada.notes:next.t'";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_created_filled_read_and_dropped() {
    let it = notes().await;
    it.batches(&format!(
        "CREATE TABLE {T} AS SELECT 1 AS id, 'one' AS \"Name\""
    ))
    .await;
    // What is written is seen at once, the count and the rows alike.
    assert_eq!(it.value(&format!("SELECT count(*) FROM {T}")).await, "1");
    assert_eq!(
        it.value(&format!("INSERT INTO {T} VALUES (2, 'two'), (3, NULL)"))
            .await,
        "2"
    );
    assert_eq!(
        it.value(&format!("INSERT INTO {T} (NAME) SELECT 'half' WHERE true"))
            .await,
        "1"
    );
    insta::assert_snapshot!(it.rows(&format!("SELECT * FROM {T} ORDER BY id NULLS LAST")).await, @r"
    +----+------+
    | id | Name |
    +----+------+
    | 1  | one  |
    | 2  | two  |
    | 3  |      |
    |    | half |
    +----+------+
    ");
    // A table may be read into itself.
    assert_eq!(
        it.value(&format!("INSERT INTO {T} SELECT * FROM {T}"))
            .await,
        "4"
    );
    assert_eq!(it.value(&format!("SELECT count(*) FROM {T}")).await, "8");
    // No rows are no upload.
    assert_eq!(
        it.value(&format!("INSERT INTO {T} SELECT * FROM {T} WHERE id > 100"))
            .await,
        "0"
    );
    let error = it
        .error(&format!("CREATE TABLE {T} AS SELECT 1 AS id"))
        .await;
    assert!(error.contains("already exists"), "{error}");
    it.batches(&format!("CREATE TABLE IF NOT EXISTS {T} AS SELECT 1 AS id"))
        .await;
    assert_eq!(it.value(&format!("SELECT count(*) FROM {T}")).await, "8");
    it.batches(&format!(
        "CREATE OR REPLACE TABLE {T} AS SELECT sum(id) AS total FROM {T}"
    ))
    .await;
    assert_eq!(
        it.rows(&format!("SELECT * FROM {T}"))
            .await
            .matches("12")
            .count(),
        1
    );
    it.batches(&format!("DROP TABLE {T}")).await;
    let error = it.error(&format!("SELECT * FROM {T}")).await;
    assert!(error.contains("does not exist"), "{error}");
    let error = it.error(&format!("DROP TABLE {T}")).await;
    assert!(error.contains("doesn't exist"), "{error}");
    it.batches(&format!("DROP TABLE IF EXISTS {T}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_goes_through_its_versions() {
    let it = notes().await;
    it.batches(&format!("CREATE TABLE {T} AS VALUES (1), (2)"))
        .await;
    let released = it.rows("CALL redivis.release('ada.notes', 'first')").await;
    assert!(released.contains("v1_0"), "{released}");
    assert_eq!(
        it.value("SELECT count(*) FROM redivis.'ada.notes.t'").await,
        "2"
    );
    let error = it
        .error("INSERT INTO redivis.'ada.notes.t' VALUES (3)")
        .await;
    assert!(
        error.contains(
            "CALL redivis.next_version('ada.notes') and write to redivis.'ada.notes:next.t'"
        ),
        "{error}"
    );
    let error = it
        .error("CREATE TABLE redivis.'ada.notes:next.u' AS SELECT 1 AS x")
        .await;
    assert!(
        error.contains("CALL redivis.next_version('ada.notes')"),
        "{error}"
    );
    assert!(
        it.rows("CALL redivis.next_version('ada.notes')")
            .await
            .contains("ada.notes:next")
    );
    // Rows of the version before stay, and what is released does not change.
    assert_eq!(it.value(&format!("INSERT INTO {T} VALUES (3)")).await, "1");
    assert_eq!(it.value(&format!("SELECT count(*) FROM {T}")).await, "3");
    assert_eq!(
        it.value("SELECT count(*) FROM redivis.'ada.notes:v1_0.t'")
            .await,
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_columns_alone_takes_rows_later() {
    let it = notes().await;
    it.batches(&format!(
        "CREATE TABLE {T} (\"Id\" BIGINT, name VARCHAR, at TIMESTAMP, day DATE, ok BOOLEAN, x DOUBLE, clock TIME)"
    ))
    .await;
    insta::assert_snapshot!(it.rows(&format!("DESCRIBE {T}")).await, @r#"
    +-------------+---------------+-------------+
    | column_name | data_type     | is_nullable |
    +-------------+---------------+-------------+
    | Id          | Int64         | YES         |
    | name        | Utf8          | YES         |
    | at          | Timestamp(µs) | YES         |
    | day         | Date32        | YES         |
    | ok          | Boolean       | YES         |
    | x           | Float64       | YES         |
    | clock       | Time64(µs)    | YES         |
    +-------------+---------------+-------------+
    "#);
    assert_eq!(
        it.value(&format!(
            "INSERT INTO {T} (id, at, day, clock) VALUES (1, '2020-02-29 23:59:59.999999', '2020-02-29', '00:00:00.000001')"
        )).await,
        "1"
    );
    insta::assert_snapshot!(it.rows(&format!("SELECT * FROM {T}")).await, @r#"
    +----+------+----------------------------+------------+----+---+-----------------+
    | Id | name | at                         | day        | ok | x | clock           |
    +----+------+----------------------------+------------+----+---+-----------------+
    | 1  |      | 2020-02-29T23:59:59.999999 | 2020-02-29 |    |   | 00:00:00.000001 |
    +----+------+----------------------------+------------+----+---+-----------------+
    "#);
    it.batches(&format!(
        "CREATE OR REPLACE TABLE {T} AS SELECT 1 AS x WHERE false"
    ))
    .await;
    assert_eq!(it.header(&format!("SELECT * FROM {T}")).await, ["x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_have_names() {
    let it = notes().await;
    it.batches(&format!("CREATE TABLE {T} AS SELECT 1 AS x"))
        .await;
    it.batches("SET redivis.upload_name = 'mine'").await;
    it.batches(&format!("INSERT INTO {T} VALUES (2)")).await;
    let error = it.error(&format!("INSERT INTO {T} VALUES (3)")).await;
    assert!(
        error.contains("has an upload `mine` already")
            && error.contains("CALL redivis.delete_upload('ada.notes:next.t', 'mine')"),
        "{error}"
    );
    assert_eq!(it.value(&format!("SELECT count(*) FROM {T}")).await, "2");
    it.batches("CALL redivis.delete_upload('ada.notes:next.t', 'mine')")
        .await;
    assert_eq!(it.value(&format!("SELECT sum(x) FROM {T}")).await, "1");
    it.batches(&format!("INSERT INTO {T} VALUES (3)")).await;
    it.batches("SET redivis.upload_name = ''").await;
    it.batches(&format!("INSERT INTO {T} VALUES (4)")).await;
    assert_eq!(it.value(&format!("SELECT sum(x) FROM {T}")).await, "8");
    let error = it
        .error("CALL redivis.delete_upload('ada.notes:next.t', 'other')")
        .await;
    assert!(error.contains("has no upload `other`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_makes_an_upload_of_a_file() {
    let it = notes().await;
    it.batches(&format!("CREATE TABLE {T} AS SELECT 1 AS x, 'a' AS y"))
        .await;
    for (number, format) in ["parquet", "csv", "json"].iter().enumerate() {
        let copied = it
            .value(&format!(
                "COPY (SELECT {number} + 10 AS x, 'from {format}' AS y) TO 'redivis://ada.notes:next.t/rows.{format}'"
            ))
            .await;
        assert_eq!(copied, "1");
    }
    insta::assert_snapshot!(it.rows(&format!("SELECT * FROM {T} ORDER BY x")).await, @r#"
    +----+--------------+
    | x  | y            |
    +----+--------------+
    | 1  | a            |
    | 10 | from parquet |
    | 11 | from csv     |
    | 12 | from json    |
    +----+--------------+
    "#);
    let error = it
        .error("COPY (SELECT 1 AS x) TO 'redivis://ada.notes:next.t/rows.csv'")
        .await;
    assert!(error.contains("already"), "{error}");
    // A file that the service cannot read is told in its words, and leaves nothing behind.
    let error = it
        .error("COPY (SELECT 1 AS x) TO 'redivis://ada.notes:next.t/broken.xlsx' STORED AS CSV")
        .await;
    assert!(error.contains("xlsx"), "{error}");
    assert_eq!(it.value(&format!("SELECT count(*) FROM {T}")).await, "4");
    let error = it
        .error("COPY (SELECT 1 AS x) TO 'redivis://lab.weather.Stations/rows.csv'")
        .await;
    assert!(error.contains("released versions never change"), "{error}");
    let error = it
        .error("COPY (SELECT 1 AS x) TO 'redivis://nonsense/rows.csv'")
        .await;
    assert!(error.contains("not a table reference"), "{error}");
    let error = it
        .error("SELECT * FROM 'redivis://ada.notes:next.t/rows.csv'")
        .await;
    assert!(
        error.contains("FROM redivis.'owner.dataset.table'"),
        "{error}"
    );
}

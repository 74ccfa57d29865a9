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
        .error("COPY (SELECT 1 AS \"x y\", 2 AS x_y) TO 'redivis://ada.notes:next.t/broken.csv'")
        .await;
    assert!(error.contains("the same name"), "{error}");
    // Columns would get lost, and several uploads would be verified by nobody.
    let error = it
        .error("COPY (SELECT 1 AS x, 'a' AS y) TO 'redivis://ada.notes:next.t/parted.csv' PARTITIONED BY (y)")
        .await;
    assert!(error.contains("leave it out"), "{error}");
    let error = it
        .error("COPY (SELECT 1 AS x) TO 'redivis://ada.notes:next.t/' STORED AS PARQUET")
        .await;
    assert!(
        error.contains("redivis://ada.notes:next.t/rows.parquet"),
        "{error}"
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_has_the_name_and_the_format_that_were_written() {
    let it = notes().await;
    it.batches(&format!("CREATE TABLE {T} (x BIGINT)")).await;
    for (name, format) in [
        ("as text", "CSV"),
        ("as objects", "JSON"),
        ("as columns", "PARQUET"),
        ("named otherwise.parquet", "CSV"),
        ("100% #1? [a]*.csv", "CSV"),
    ] {
        it.batches(&format!(
            "COPY (SELECT 1 AS x) TO 'redivis://ada.notes:next.t/{name}' STORED AS {format}"
        ))
        .await;
        assert_eq!(it.value(&format!("SELECT sum(x) FROM {T}")).await, "1");
        it.batches(&format!(
            "CALL redivis.delete_upload('ada.notes:next.t', '{name}')"
        ))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_or_explained_insert_is_planned_as_one_that_runs() {
    let it = notes().await;
    it.batches("CALL redivis.create_table('ada.notes:next.t')")
        .await;
    // Without variables yet, it takes the query's.
    let plan = it
        .rows(&format!("EXPLAIN INSERT INTO {T} SELECT 1 AS x"))
        .await;
    assert!(
        plan.contains("RedivisSink(table=ada.notes:next.t, columns=[x])"),
        "{plan}"
    );
    it.batches(&format!("INSERT INTO {T} SELECT 1 AS x")).await;
    for prepare in [
        format!("PREPARE p AS INSERT INTO {T} VALUES ($1)"),
        format!("PREPARE p AS INSERT INTO {T} (X) SELECT $1"),
        format!("PREPARE p(DOUBLE) AS INSERT INTO {T} SELECT $1"),
    ] {
        it.batches(&prepare).await;
        assert_eq!(it.value("EXECUTE p(2)").await, "1");
        let error = it.error("EXECUTE p(4.5)").await;
        assert!(error.contains("`4.5` of column `x`"), "{error}");
        it.batches("DEALLOCATE p").await;
    }
    assert_eq!(it.value(&format!("SELECT sum(x) FROM {T}")).await, "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_convert_nothing_silently_and_take_references_in_quotes() {
    let it = notes().await;
    let error = it
        .error(&format!("CREATE TABLE {T} (x BIGINT) AS SELECT 1.5"))
        .await;
    assert!(
        error.contains("the value `1.5` of column `x`, row 1"),
        "{error}"
    );
    let plan = it
        .rows(&format!("EXPLAIN CREATE TABLE {T} AS SELECT 1 AS x"))
        .await;
    assert!(plan.contains("ada.notes:next.t"), "{plan}");
    it.error(&format!("SELECT * FROM {T}")).await;
    it.batches("CREATE TABLE \"ada.notes:next.t\" AS SELECT 1 AS x")
        .await;
    assert_eq!(it.value(&format!("SELECT x FROM {T}")).await, "1");
    for change in [
        format!("UPDATE {T} SET x = 2"),
        format!("DELETE FROM {T} WHERE x = 1"),
        format!("TRUNCATE TABLE {T}"),
    ] {
        let error = it.error(&change).await;
        assert!(
            error.contains("CREATE OR REPLACE TABLE redivis.'ada.notes:next.t'"),
            "{error}"
        );
    }
    it.batches("DROP TABLE \"ada.notes:next.t\"").await;
    it.error(&format!("SELECT * FROM {T}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_listed_and_read() {
    let it = notes().await;
    it.batches("CALL redivis.create_file_index('ada.notes:next.files')")
        .await;
    for (year, month) in [(2019, 1), (2019, 2), (2020, 1)] {
        it.batches(&format!(
            "COPY (SELECT {year} AS year, {month} AS month) TO 'redivis://ada.notes:next.files/{year}/{month}.parquet'"
        ))
        .await;
    }
    it.batches(
        "COPY (SELECT 'no rows' AS note) TO 'redivis://ada.notes:next.files/notes/Read me.csv'",
    )
    .await;
    insta::assert_snapshot!(it.rows("SELECT * FROM 'redivis://ada.notes:next.files/2019/*.parquet' ORDER BY month").await, @r"
    +------+-------+
    | year | month |
    +------+-------+
    | 2019 | 1     |
    | 2019 | 2     |
    +------+-------+
    ");
    assert_eq!(
        it.value("SELECT note FROM 'redivis://ada.notes:next.files/notes/Read me.csv'")
            .await,
        "no rows"
    );
    let across = "SELECT count(*) FROM 'redivis://ada.notes:next.files/20*/1.parquet'";
    let error = it.error(across).await;
    assert!(error.contains("ignore_subdirectory = false"), "{error}");
    it.batches("SET datafusion.execution.listing_table_ignore_subdirectory = false")
        .await;
    assert_eq!(it.value(across).await, "2");
    // A list of files is no longer believed once something was written.
    it.batches(
        "COPY (SELECT 2021 AS year, 1 AS month) TO 'redivis://ada.notes:next.files/2021/1.parquet'",
    )
    .await;
    assert_eq!(it.value(across).await, "3");
    it.batches(
        "CREATE EXTERNAL TABLE y2019 STORED AS PARQUET LOCATION 'redivis://ada.notes:next.files/2019/'",
    )
    .await;
    assert_eq!(it.value("SELECT sum(month) FROM y2019").await, "3");
    let error = it
        .error("SELECT * FROM 'redivis://ada.notes:next.files/1066/*.parquet'")
        .await;
    assert!(error.contains("no file"), "{error}");
    let error = it
        .error("INSERT INTO redivis.'ada.notes:next.files' VALUES ('x')")
        .await;
    assert!(
        error.contains("COPY … TO 'redivis://ada.notes:next.files/…'"),
        "{error}"
    );
    // Released, the files stay.
    it.batches("CALL redivis.release('ada.notes')").await;
    assert_eq!(
        it.value("SELECT max(year) FROM 'redivis://ada.notes.files/2020/'")
            .await,
        "2020"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_object_store_does_what_the_service_can_and_refuses_the_rest() {
    use object_store::path::Path;
    use object_store::{
        Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    };

    let it = notes().await;
    it.batches("CALL redivis.create_file_index('ada.notes:next.files')")
        .await;
    let url = datafusion::datasource::listing::ListingTableUrl::parse(
        "redivis://ada.notes%3Anext.files/",
    )
    .unwrap();
    let store = it.ctx.runtime_env().object_store(&url).unwrap();
    let path = |path: &str| Path::from(path);
    store
        .put(&path("a/b/one"), PutPayload::from_static(b"0123456789"))
        .await
        .unwrap();
    store
        .put(&path("a/empty"), PutPayload::new())
        .await
        .unwrap();
    let mut parts = store.put_multipart(&path("a/b/two")).await.unwrap();
    // In the order in which they were handed over, whichever is waited for first.
    let first = parts.put_part(PutPayload::from_static(b"first "));
    let second = parts.put_part(PutPayload::from_static(b"second"));
    second.await.unwrap();
    first.await.unwrap();
    assert_eq!(names(store.list(None)).await, ["a/b/one", "a/empty"]);
    parts.complete().await.unwrap();
    let mut given_up = store.put_multipart(&path("a/never")).await.unwrap();
    given_up
        .put_part(PutPayload::from_static(b"x"))
        .await
        .unwrap();
    given_up.abort().await.unwrap();
    drop(store.put_multipart(&path("a/never")).await.unwrap());

    assert_eq!(
        names(store.list(None)).await,
        ["a/b/one", "a/b/two", "a/empty"]
    );
    assert_eq!(
        names(store.list(Some(&path("a/b")))).await,
        ["a/b/one", "a/b/two"]
    );
    assert!(names(store.list(Some(&path("a/b/on")))).await.is_empty());
    let level = store.list_with_delimiter(Some(&path("a"))).await.unwrap();
    assert_eq!(level.common_prefixes, [path("a/b")]);
    assert_eq!(level.objects[0].location, path("a/empty"));

    assert_eq!(store.head(&path("a/b/one")).await.unwrap().size, 10);
    let read = async |location: &str, range: GetRange| {
        let options = GetOptions {
            range: Some(range),
            ..GetOptions::default()
        };
        let got = store.get_opts(&Path::from(location), options).await?;
        Ok::<_, Error>((got.range.clone(), got.bytes().await?))
    };
    assert_eq!(
        read("a/b/one", GetRange::Bounded(2..5)).await.unwrap(),
        (2..5, "234".into())
    );
    assert_eq!(
        read("a/b/one", GetRange::Bounded(8..50)).await.unwrap(),
        (8..10, "89".into())
    );
    assert_eq!(
        read("a/b/one", GetRange::Offset(7)).await.unwrap(),
        (7..10, "789".into())
    );
    assert_eq!(
        read("a/b/one", GetRange::Suffix(1)).await.unwrap(),
        (9..10, "9".into())
    );
    read("a/b/one", GetRange::Bounded(10..11))
        .await
        .unwrap_err();
    assert_eq!(
        store
            .get(&path("a/b/two"))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
        "first second"
    );
    assert_eq!(
        store
            .get(&path("a/empty"))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
        ""
    );
    assert!(matches!(
        store.head(&path("a/never")).await,
        Err(Error::NotFound { .. })
    ));

    // A file of the same name takes the place of the other.
    store
        .put(&path("a/b/one"), PutPayload::from_static(b"new"))
        .await
        .unwrap();
    assert_eq!(
        store
            .get(&path("a/b/one"))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
        "new"
    );

    let create = PutOptions {
        mode: PutMode::Create,
        ..PutOptions::default()
    };
    let refused = store
        .put_opts(&path("x"), PutPayload::from_static(b"x"), create)
        .await;
    assert!(matches!(refused, Err(Error::NotSupported { .. })));
    assert!(matches!(
        store.copy(&path("a/empty"), &path("y")).await,
        Err(Error::NotSupported { .. })
    ));
    assert!(matches!(
        store.rename(&path("a/empty"), &path("y")).await,
        Err(Error::NotSupported { .. })
    ));
    assert!(matches!(
        store.delete(&path("a/empty")).await,
        Err(Error::NotSupported { .. })
    ));
}

async fn names(
    list: futures::stream::BoxStream<'static, object_store::Result<object_store::ObjectMeta>>,
) -> Vec<String> {
    use futures::TryStreamExt;
    let mut names: Vec<String> = list
        .map_ok(|meta| meta.location.to_string())
        .try_collect()
        .await
        .unwrap();
    names.sort();
    names
}

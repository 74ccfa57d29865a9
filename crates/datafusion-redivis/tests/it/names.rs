//! Every spelling of a table's name, and what is refused.

use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion_redivis::DefaultParent;
use redivis::{Client, Token};

use crate::support::{fixture, session};

#[tokio::test]
async fn all_spellings_mean_the_same_table() {
    let it = fixture().await;
    it.batches(
        "CREATE EXTERNAL TABLE carriers STORED AS REDIVIS LOCATION 'demo.nycflights13.airlines'",
    )
    .await;
    it.batches(
        "CREATE EXTERNAL TABLE pinned STORED AS REDIVIS LOCATION 'demo.nycflights13.airlines' OPTIONS (version 'v1.0')",
    )
    .await;
    for name in [
        "redivis.'demo.nycflights13.airlines'",
        r#"redivis."demo.nycflights13.airlines""#,
        "redivis.'Demo.NYCFlights13.Airlines'",
        "redivis.'demo.nycflights13:v1_0.airlines'",
        "redivis.'demo.nycflights13:current.airlines'",
        "redivis.'demo.nycflights13:v1.0.airlines'",
        "`demo.nycflights13.airlines`",
        "\"demo.nycflights13:v1_0.airlines\"",
        "demo.nycflights13.airlines",
        "DEMO.nycflights13.Airlines",
        r#""demo"."nycflights13:v1_0"."airlines""#,
        "redivis('demo.nycflights13.airlines')",
        "REDIVIS('demo.nycflights13.airlines')",
        "redivis($$demo.nycflights13.airlines$$)",
        "TABLE(redivis('demo.nycflights13.airlines'))",
        "LATERAL redivis('demo.nycflights13.airlines')",
        "redivis.demo.nycflights13.airlines",
        "REDIVIS.Demo.nycflights13.Airlines",
        r#"redivis.demo."nycflights13:v1_0"."airlines""#,
        "carriers",
        "pinned",
    ] {
        let sql = format!("SELECT name FROM {name} AS t WHERE t.carrier = 'AS'");
        assert_eq!(it.value(&sql).await, "Alaska Airlines Inc.", "{name}");
    }
}

#[tokio::test]
async fn prepared_and_explained_statements_know_them_too() {
    let it = fixture().await;
    for query in [
        "SELECT NAME FROM redivis('demo.nycflights13.airlines') WHERE Carrier = 'AS'",
        "SELECT name FROM redivis.demo.nycflights13.airlines WHERE CARRIER = 'AS'",
        "SELECT a.name FROM redivis.demo.nycflights13.airlines a FULL JOIN redivis($$demo.nycflights13.airlines$$) b USING (CARRIER) \
         WHERE carrier = 'AS'",
    ] {
        it.batches(&format!("PREPARE p AS {query}")).await;
        assert_eq!(it.value("EXECUTE p").await, "Alaska Airlines Inc.");
        it.batches("DEALLOCATE p").await;
        let explained = it.rows(&format!("EXPLAIN {query}")).await;
        assert!(explained.contains("RedivisScanExec"), "{explained}");
    }
    // Without quotes where tables are described and copied.
    let described = it.rows("DESCRIBE redivis.lab.weather.stations").await;
    assert!(described.contains("StationID"), "{described}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stations.csv");
    let copy = format!("COPY redivis.lab.weather.stations TO '{}'", file.display());
    assert_eq!(it.value(&copy).await, "3");
    // The table's own name and the names around it qualify its columns.
    for qualifier in [
        "stations",
        "weather.stations",
        "Lab.weather.Stations",
        "redivis.lab.weather.stations",
    ] {
        for name in [
            "redivis.lab.weather.stations",
            "redivis.'lab.weather:v1_0.Stations'",
        ] {
            let sql = format!(
                "SELECT count({qualifier}.elev) FROM {name} WHERE {qualifier}.stationid > 1"
            );
            assert_eq!(it.value(&sql).await, "1", "{sql}");
            let sql = format!("SELECT {qualifier}.* FROM {name}");
            assert_eq!(
                it.header(&sql).await,
                ["StationID", "Name", "elev"],
                "{sql}"
            );
        }
    }
}

#[tokio::test]
async fn plain_datafusion_knows_the_names_too() {
    let it = fixture().await;
    for name in [
        "redivis.'demo.nycflights13.airlines'",
        "`demo.nycflights13.airlines`",
        "demo.nycflights13.airlines",
    ] {
        let rows = it
            .ctx
            .sql(&format!("SELECT * FROM {name}"))
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        assert_eq!(
            rows.iter().map(RecordBatch::num_rows).sum::<usize>(),
            16,
            "{name}"
        );
    }
    // The function has to have been asked before, as DataFusion calls it where nothing can wait.
    assert_eq!(
        it.ctx
            .sql("SELECT * FROM redivis('demo.nycflights13.airlines')")
            .await
            .unwrap()
            .count()
            .await
            .unwrap(),
        16
    );
    let error = it
        .ctx
        .sql("SELECT * FROM redivis('demo.nycflights13.planes')")
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("FROM redivis.'demo.nycflights13.planes'"),
        "{error}"
    );
    let error = it
        .ctx
        .sql("SELECT * FROM redivis_query('SELECT 1')")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("Redivis::sql"), "{error}");
}

#[tokio::test]
async fn bare_names_with_a_default_parent() {
    let it = fixture().await;
    assert!(
        it.error("SELECT * FROM airlines")
            .await
            .contains("not found")
    );
    it.redivis.set_default_parent(Some(DefaultParent::Dataset(
        "demo.nycflights13".parse().unwrap(),
    )));
    assert_eq!(it.value("SELECT count(*) FROM airlines").await, "16");
    assert_eq!(it.value("SELECT count(*) FROM `Airlines`").await, "16");
    // Functions are no tables, and what the service says of an unknown table is told.
    assert_eq!(
        it.value("SELECT count(*) FROM generate_series(1, 3)").await,
        "3"
    );
    let error = it.error("SELECT * FROM nosuchtable").await;
    assert!(error.contains("demo.nycflights13.nosuchtable"), "{error}");
    // A local table of that name wins, and can be made and dropped.
    it.batches("CREATE TABLE weather_notes AS SELECT 1 AS x")
        .await;
    assert_eq!(it.value("SELECT x FROM weather_notes").await, "1");
    it.batches("DROP TABLE weather_notes").await;
    let local =
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![7])) as _)]).unwrap();
    it.ctx.register_batch("airlines", local).unwrap();
    assert_eq!(it.value("SELECT n FROM airlines").await, "7");
    it.ctx.deregister_table("airlines").unwrap();
    assert_eq!(it.value("SELECT count(*) FROM airlines").await, "16");
    it.redivis.set_default_parent(None);
    assert!(
        it.error("SELECT * FROM airlines")
            .await
            .contains("not found")
    );
}

#[tokio::test]
async fn what_is_defined_locally_wins_over_redivis() {
    let it = fixture().await;
    let parent = "demo.nycflights13".parse().unwrap();
    it.redivis
        .set_default_parent(Some(DefaultParent::Dataset(parent)));
    for (definition, name) in [
        ("CREATE TABLE planes AS SELECT 1 AS x", "planes"),
        ("CREATE OR REPLACE TABLE planes AS SELECT 1 AS x", "planes"),
        ("CREATE VIEW weather AS SELECT 1 AS x", "weather"),
        (
            "CREATE OR REPLACE VIEW airports AS SELECT 1 AS x",
            "airports",
        ),
        (
            "CREATE TABLE \"demo.nycflights13.planes\" AS SELECT 1 AS x",
            "\"demo.nycflights13.planes\"",
        ),
    ] {
        it.batches(definition).await;
        let value = it.value(&format!("SELECT x FROM {name}")).await;
        assert_eq!(value, "1", "{definition}");
    }
    assert!(
        it.error("CREATE TABLE planes AS SELECT 2 AS x")
            .await
            .contains("already exists")
    );
    it.batches("DROP TABLE planes").await;
    assert_eq!(it.value("SELECT count(*) FROM planes").await, "3322");
    // There is no table left to drop: the one on Redivis is not the session's.
    it.error("DROP TABLE planes").await;
    it.batches("CREATE DATABASE attic").await;
    it.batches("CREATE SCHEMA attic.old").await;
    it.batches("CREATE TABLE attic.old.things AS SELECT 3 AS x")
        .await;
    assert_eq!(it.value("SELECT x FROM attic.old.things").await, "3");
}

#[tokio::test]
async fn what_is_no_reference_is_refused_with_the_reason() {
    // Nothing listens there: a request would fail as a connection, not as a name.
    let client = Client::builder()
        .endpoint("http://127.0.0.1:9/api/v1")
        .token(Token::new("x"))
        .build()
        .unwrap();
    let (_, redivis) = session(client);
    for name in [
        "redivis.'demo.flights'",
        "redivis.'a.b.c.d'",
        "redivis('a/../b.c.d')",
        "redivis.'a.b?x.c'",
        "redivis.''",
    ] {
        let error = redivis
            .sql(&format!("SELECT * FROM {name}"))
            .await
            .unwrap_err();
        let reason = source::<redivis::ReferenceError>(&error);
        assert!(reason.is_some(), "{name}: {error}");
    }
    for name in [
        "nothing",
        "a.nothing",
        r#""no owner".d.t"#,
        "`what is this?`",
    ] {
        let error = redivis
            .sql(&format!("SELECT * FROM {name}"))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("not found"), "{name}: {error}");
    }
}

#[tokio::test]
async fn failures_of_the_service_travel_unchanged() {
    let it = fixture().await;
    for name in [
        "redivis.'demo.nycflights13.nothing'",
        "`demo.nothing.flights`",
        "nobody.at.all",
        "redivis('demo.nycflights13.nothing')",
    ] {
        let error = it
            .redivis
            .sql(&format!("SELECT * FROM {name}"))
            .await
            .unwrap_err();
        let remote = source::<redivis::Error>(&error).unwrap_or_else(|| panic!("{name}: {error}"));
        assert_eq!(remote.kind(), redivis::ErrorKind::NotFound, "{name}");
    }
    let error = it
        .error("CREATE EXTERNAL TABLE t STORED AS REDIVIS LOCATION 'demo.nycflights13.nothing'")
        .await;
    assert!(error.contains("demo.nycflights13.nothing"), "{error}");
    let error = it
        .redivis
        .sql("SELECT * FROM redivis_query('SELECT * FROM `no.such.table`')")
        .await
        .unwrap_err();
    assert!(source::<redivis::Error>(&error).is_some(), "{error}");
}

fn source<'a, E: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref())
}

#[tokio::test]
async fn external_tables_refuse_what_they_cannot_be() {
    let it = fixture().await;
    for (sql, says) in [
        (
            "CREATE EXTERNAL TABLE t STORED AS REDIVIS LOCATION 'not a reference'",
            "not a",
        ),
        (
            "CREATE EXTERNAL TABLE t (a INT) STORED AS REDIVIS LOCATION 'demo.nycflights13.flights'",
            "no column list",
        ),
        (
            "CREATE EXTERNAL TABLE t STORED AS REDIVIS LOCATION 'demo.nycflights13.flights' OPTIONS (colour 'red')",
            "colour",
        ),
        (
            "CREATE EXTERNAL TABLE t STORED AS REDIVIS LOCATION 'demo.nycflights13.flights' OPTIONS (version 'red')",
            "version",
        ),
    ] {
        let error = it.error(sql).await;
        assert!(error.contains(says), "{sql}: {error}");
    }
}

#[tokio::test]
async fn listings_and_schemas_still_work() {
    let it = fixture().await;
    it.batches("CREATE TABLE mine AS SELECT 1 AS x").await;
    assert!(it.rows("SHOW TABLES").await.contains("mine"));
    assert_eq!(it.value("SELECT x FROM datafusion.public.mine").await, "1");
    it.batches("CREATE SCHEMA attic").await;
    it.batches("CREATE TABLE attic.old AS SELECT 2 AS y").await;
    assert_eq!(it.value("SELECT y FROM attic.old").await, "2");
    insta::assert_snapshot!(it.rows("DESCRIBE redivis.'lab.weather.Stations'").await, @r"
    +-------------+-----------+-------------+
    | column_name | data_type | is_nullable |
    +-------------+-----------+-------------+
    | StationID   | Int64     | YES         |
    | Name        | Utf8      | YES         |
    | elev        | Int64     | YES         |
    +-------------+-----------+-------------+
    ");
    it.batches(
        "CREATE VIEW high AS SELECT name FROM redivis.'lab.weather.Stations' WHERE ELEV > 200",
    )
    .await;
    assert_eq!(it.value("SELECT NAME FROM high").await, "Delphi");
}

#[tokio::test]
async fn a_table_is_asked_for_once_a_session() {
    let it = fixture().await;
    let first = it.redivis.table("demo.nycflights13.flights").await.unwrap();
    let second = it.redivis.table("Demo.nycflights13.FLIGHTS").await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert!(first.is_immutable());
    assert!(first.table().qualified_reference.contains(":v1_0"));
    assert_eq!(first.variables().len(), 19);
    it.redivis.refresh();
    let third = it.redivis.table("demo.nycflights13.flights").await.unwrap();
    assert!(!Arc::ptr_eq(&first, &third));
    assert!(
        !it.redivis
            .table("lab.weather:next.readings")
            .await
            .unwrap()
            .is_immutable()
    );
}

//! `INSERT INTO` a table on Redivis: what is planned, and what is refused before anything is sent.

use crate::support::fixture;

const READINGS: &str = "redivis.'lab.weather:next.readings'";

#[tokio::test]
async fn plans() {
    let it = fixture().await;
    // The query's columns keep their types: what they lose in the table's is judged value by value.
    insta::assert_snapshot!(it.explain(&format!(
        "INSERT INTO {READINGS} (reading, STATIONID) SELECT elev / 2.0, stationid FROM redivis.'lab.weather.Stations'"
    )).await, @r#"
    DataSinkExec: sink=RedivisSink(table=lab.weather:next.readings, columns=[StationID, Reading])
      ProjectionExec: expr=[CAST(elev@1 AS Float64) / 2 as Reading, StationID@0 as StationID]
        RedivisScanExec: table=lab.weather:v1_0.Stations, projection=[StationID, elev], streams=1
    "#);
    insta::assert_snapshot!(it.explain(&format!("INSERT INTO {READINGS} (stationid) VALUES (1), (2)")).await, @r#"
    DataSinkExec: sink=RedivisSink(table=lab.weather:next.readings, columns=[StationID, Reading])
      ProjectionExec: expr=[column1@0 as StationID]
        DataSourceExec: partitions=1, partition_sizes=[1]
    "#);
    it.batches("SET redivis.upload_name = 'of-today'").await;
    insta::assert_snapshot!(it.explain(&format!("INSERT INTO {READINGS} SELECT * FROM {READINGS}")).await, @r#"
    DataSinkExec: sink=RedivisSink(table=lab.weather:next.readings, columns=[StationID, Reading], upload=of-today)
      RedivisScanExec: table=lab.weather:next.readings, projection=[StationID, Reading], streams=1
    "#);
}

#[tokio::test]
async fn what_cannot_be_written_to_is_refused_with_what_to_do() {
    let it = fixture().await;
    for (sql, words) in [
        (
            "INSERT INTO redivis.'lab.weather.Stations' VALUES (1, 'x', 2)",
            "CALL redivis.next_version('lab.weather') and write to redivis.'lab.weather:next.Stations'",
        ),
        (
            "INSERT INTO lab.weather.\"Stations\" VALUES (1, 'x', 2)",
            "released versions never change",
        ),
        (
            "REPLACE INTO redivis.'lab.weather:next.readings' VALUES (1, 2.0)",
            "INSERT OVERWRITE",
        ),
        (
            "INSERT OVERWRITE redivis.'lab.weather:next.readings' VALUES (1, 2.0)",
            "CREATE OR REPLACE TABLE redivis.'lab.weather:next.readings'",
        ),
        (
            "CREATE TABLE redivis.'lab.weather.new' AS SELECT 1 AS x",
            "write redivis.'lab.weather:next.new'",
        ),
        (
            "DROP TABLE lab.weather.\"Stations\"",
            "write redivis.'lab.weather:next.Stations'",
        ),
        (
            "CREATE TABLE redivis.'nonsense' AS SELECT 1 AS x",
            "not a table reference",
        ),
        (
            "CREATE TABLE redivis.'lab.weather:next.new' (x BIGINT PRIMARY KEY)",
            "no keys",
        ),
        (
            "CREATE TABLE redivis.'lab.weather:next.new' (x BIGINT NOT NULL)",
            "no keys",
        ),
        (
            "CREATE TABLE redivis.'lab.weather:next.new' AS SELECT CAST(1 AS DECIMAL(10, 2)) AS x",
            "CAST(… AS DOUBLE)",
        ),
        (
            "CALL redivis.publish('lab.weather')",
            "there is no procedure",
        ),
        ("CALL release('lab.weather')", "there is no procedure"),
        (
            "CALL redivis.release()",
            "write CALL redivis.release('owner.dataset'[, 'notes'])",
        ),
        ("CALL redivis.release(1)", "texts in single quotes"),
        ("CALL redivis.release('lab')", "not a dataset reference"),
    ] {
        let error = it.error(sql).await;
        assert!(error.contains(words), "{sql}: {error}");
    }
}

#[tokio::test]
async fn values_that_would_be_lost_are_refused_with_column_and_row() {
    let it = fixture().await;
    for (rows, words) in [
        (
            "VALUES (1, 1.5), (2.5, 1)",
            "the value `2.5` of column `StationID`, row 2,",
        ),
        (
            "VALUES (1 + 0.5, 1)",
            "the value `1.5` of column `StationID`, row 1,",
        ),
        (
            "VALUES (9223372036854775808, 1)",
            "of column `StationID`, row 1,",
        ),
        (
            "VALUES (1, 9007199254740993)",
            "the value `9007199254740993` of column `Reading`, row 1,",
        ),
        ("VALUES ('1', 1)", "CAST(… AS BIGINT)"),
        ("VALUES (CAST('1' AS INT), 'x')", "CAST(… AS DOUBLE)"),
        ("VALUES (random(), 1)", "of column `StationID`, row 1,"),
        (
            "VALUES (1, 0.5), (2, 9007199254740993)",
            "the value `9007199254740993` of column `column2`, row 2,",
        ),
        ("SELECT '1', 1", "CAST(… AS BIGINT)"),
        ("SELECT 1, true", "CAST(… AS DOUBLE)"),
        (
            "SELECT 1 AS a, CAST(1 AS DECIMAL(10, 2)) AS b",
            "CAST(… AS DOUBLE)",
        ),
        (
            "SELECT column1, 1 FROM (VALUES (1.0), (2.0), (2.5)) ORDER BY 1",
            "the value `2.5` of column `StationID`, row 3,",
        ),
        ("VALUES (1)", "the query has 1 columns"),
    ] {
        let error = it.error(&format!("INSERT INTO {READINGS} {rows}")).await;
        assert!(error.contains(words), "{rows}: {error}");
    }
}

//! Columns without regard to case, and the headers that show Redivis's spelling.

use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch, StringArray};

use crate::support::fixture;

const STATIONS: &str = "redivis.'lab.weather.Stations'";

#[tokio::test]
async fn any_spelling_finds_the_variable_and_the_header_is_rediviss() {
    let it = fixture().await;
    for written in [
        "StationID",
        "stationid",
        "STATIONID",
        "StationId",
        r#""StationID""#,
        "\"stationid\"",
        "`STATIONID`",
    ] {
        let sql = format!("SELECT {written} FROM {STATIONS} WHERE {written} = 2");
        assert_eq!(it.header(&sql).await, ["StationID"], "{written}");
        assert_eq!(it.value(&sql).await, "2", "{written}");
    }
    assert_eq!(
        it.header(&format!("SELECT * FROM {STATIONS}")).await,
        ["StationID", "Name", "elev"]
    );
}

#[tokio::test]
async fn statements_of_every_kind_run() {
    let it = fixture().await;
    for (sql, value) in [
        ("SELECT max(ELEV) FROM {} WHERE name LIKE 'D%'", "570"),
        (
            "SELECT s.NAME FROM {} s ORDER BY S.elev DESC NULLS LAST LIMIT 1",
            "Delphi",
        ),
        ("SELECT count(*) FROM {} a JOIN {} b USING (stationid)", "3"),
        (
            "SELECT count(*) FROM {} a JOIN {} b ON a.stationid = b.STATIONID AND a.name = b.NAME",
            "3",
        ),
        (
            "SELECT count(*) FROM (SELECT name, row_number() OVER (PARTITION BY name ORDER BY STATIONID) AS n FROM {}) WHERE N = 1",
            "3",
        ),
        (
            "WITH t AS (SELECT stationid AS id, NAME FROM {}) SELECT name FROM t WHERE ID = 1",
            "Ithaca",
        ),
        (
            "SELECT name FROM {} s WHERE elev = (SELECT max(elev) FROM {} i WHERE i.STATIONID = s.stationid) AND stationid = 2",
            "Delphi",
        ),
        (
            "SELECT stations.name FROM {} WHERE STATIONS.stationid = 1",
            "Ithaca",
        ),
        (
            "SELECT count(name) FROM {} GROUP BY elev IS NULL HAVING count(NAME) = 1",
            "1",
        ),
        (
            "SELECT count(*) FROM (SELECT * EXCEPT (NAME, elev) FROM {})",
            "3",
        ),
        (
            "SELECT name FROM {} UNION SELECT NAME FROM {} ORDER BY name LIMIT 1",
            "Delos",
        ),
    ] {
        assert_eq!(it.value(&sql.replace("{}", STATIONS)).await, value, "{sql}");
    }
}

#[tokio::test]
async fn local_columns_keep_their_exact_names() {
    let it = fixture().await;
    let local = RecordBatch::try_from_iter([
        ("stationid", Arc::new(Int64Array::from(vec![1, 2, 9])) as _),
        (
            "Note",
            Arc::new(StringArray::from(vec!["a", "b", "c"])) as _,
        ),
        (
            "note",
            Arc::new(StringArray::from(vec!["x", "y", "z"])) as _,
        ),
    ])
    .unwrap();
    it.ctx.register_batch("notes", local).unwrap();
    assert_eq!(
        it.value("SELECT note FROM notes WHERE stationid = 9").await,
        "z"
    );
    assert_eq!(
        it.value(r#"SELECT "Note" FROM notes WHERE stationid = 9"#)
            .await,
        "c"
    );
    assert!(
        it.error(r#"SELECT "NOTE" FROM notes"#)
            .await
            .contains("NOTE")
    );
    assert_eq!(
        it.value(&format!(
            "SELECT count(*) FROM notes n JOIN {STATIONS} s ON n.stationid = s.stationid"
        ))
        .await,
        "2"
    );
    // The remote column of the inner query, not the local one outside.
    let sql = format!(
        "SELECT count(*) FROM notes n WHERE EXISTS (SELECT 1 FROM {STATIONS} WHERE stationid = n.stationid)"
    );
    assert_eq!(it.value(&sql).await, "2");
    // Ambiguous in both spellings: said, not guessed.
    let error = it
        .error(&format!("SELECT name FROM {STATIONS} a, {STATIONS} b"))
        .await;
    assert!(error.to_lowercase().contains("ambiguous"), "{error}");
}

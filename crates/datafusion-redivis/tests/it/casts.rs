//! Casts of a query that is written: those that somebody wrote are carried out, those that DataFusion adds lose nothing.

use datafusion::arrow::datatypes::DataType;
use datafusion::dataframe::{DataFrame, DataFrameWriteOptions};
use datafusion::prelude::{cast, col, lit};

use crate::support::{Fixture, fixture};

const T: &str = "redivis.'ada.notes:next.t'";

/// The table `ada.notes:next.t`, without variables, and the local table `zips` of one number.
async fn notes() -> Fixture {
    let it = fixture().await;
    it.batches("CALL redivis.create_dataset('ada.notes')").await;
    it.batches("CALL redivis.create_table('ada.notes:next.t')")
        .await;
    it.batches("CREATE TABLE zips AS SELECT 2138 AS zip, 1.5 AS half")
        .await;
    it
}

async fn write(frame: DataFrame) -> Result<(), String> {
    let table = "redivis.\"ada.notes:next.t\"";
    let written = frame.write_table(table, DataFrameWriteOptions::new()).await;
    written.map(drop).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_variables_gets_the_types_that_were_cast_to() {
    let it = notes().await;
    it.batches(&format!(
        "INSERT INTO {T} SELECT CAST(zip AS VARCHAR) AS zip, CAST(half AS BIGINT) AS half FROM zips"
    ))
    .await;
    assert!(it.rows(&format!("DESCRIBE {T}")).await.contains("Utf8"));
    assert_eq!(
        it.value(&format!("SELECT zip || half FROM {T}")).await,
        "21381"
    );
    it.batches(&format!("DROP TABLE {T}")).await;
    it.batches("CALL redivis.create_table('ada.notes:next.t')")
        .await;
    let zips = it.ctx.table("zips").await.unwrap();
    let zips = zips.select([cast(col("zip"), DataType::Utf8).alias("zip")]);
    write(zips.unwrap()).await.unwrap();
    assert!(it.rows(&format!("DESCRIBE {T}")).await.contains("Utf8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn casts_of_a_data_frame_are_carried_out() {
    let it = notes().await;
    it.batches(&format!("INSERT INTO {T} SELECT '1' AS zip, 1 AS half"))
        .await;
    let zips = it.ctx.table("zips").await.unwrap();
    let text = cast(col("zip"), DataType::Utf8).alias("zip");
    let whole = cast(col("half"), DataType::Int64).alias("half");
    let frame = zips.clone().filter(col("zip").gt(lit(0))).unwrap();
    write(frame.select([text.clone(), whole.clone()]).unwrap())
        .await
        .unwrap();
    // In another order, or without a variable, as SQL never plans it.
    write(zips.clone().select([whole.clone(), text.clone()]).unwrap())
        .await
        .unwrap();
    write(zips.clone().select([text.clone()]).unwrap())
        .await
        .unwrap();
    // This could as well be `INSERT INTO t SELECT zip, half FROM zips`.
    let selected = zips.select([col("zip"), col("half")]).unwrap();
    let last = selected
        .clone()
        .select([text.clone(), whole.clone()])
        .unwrap();
    let error = write(last).await.unwrap_err();
    assert!(
        error.contains("CAST(… AS VARCHAR), of a DataFrame in a select before the last one"),
        "{error}"
    );
    let before = selected.select([text, whole]).unwrap();
    write(before.select([col("zip"), col("half")]).unwrap())
        .await
        .unwrap();
    let sum = format!("SELECT sum(CAST(zip AS BIGINT) + coalesce(half, 0)) FROM {T}");
    assert_eq!(it.value(&sum).await, (2 + 4 * 2138 + 3).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_of_the_context_casts_nothing_silently_and_what_is_written() {
    let it = notes().await;
    it.batches(&format!("INSERT INTO {T} SELECT 1 AS zip, '1' AS half"))
        .await;
    let run = async |query: &str| {
        let insert = format!("INSERT INTO redivis.\"ada.notes:next.t\" {query}");
        let ran = async { it.ctx.sql(&insert).await?.collect().await };
        ran.await.map(drop).map_err(|error| error.to_string())
    };
    for query in [
        "SELECT half, 'x' FROM zips",
        "(zip) SELECT half FROM zips ORDER BY half LIMIT 1",
        "(half, zip) SELECT 'x', half FROM zips",
        "SELECT DISTINCT half, 'x' FROM zips",
        "SELECT half, 'x' FROM zips UNION ALL SELECT half, 'y' FROM zips",
        "SELECT half, 'x' FROM zips INTERSECT SELECT half, 'x' FROM zips",
        "SELECT half, 'x' FROM zips EXCEPT ALL SELECT 1.0, 'x' FROM zips",
        "(zip) SELECT max(half) FROM zips GROUP BY zip HAVING max(half) > 0",
        "(zip) WITH x AS (SELECT half FROM zips) SELECT * FROM x",
        "VALUES (1.5, 'x')",
    ] {
        let error = run(query).await.expect_err(query);
        assert!(
            error.contains("the value `1.5` of column"),
            "{query}: {error}"
        );
    }
    run("SELECT CAST(half AS BIGINT), CAST(zip AS VARCHAR) FROM zips")
        .await
        .unwrap();
    let sum = format!("SELECT sum(zip + CAST(half AS BIGINT)) FROM {T}");
    assert_eq!(it.value(&sum).await, (2 + 1 + 2138).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn casts_of_a_prepared_insert_are_carried_out() {
    let it = notes().await;
    it.batches(&format!("INSERT INTO {T} SELECT 1 AS zip"))
        .await;
    for insert in ["VALUES (CAST($1 AS BIGINT))", "SELECT CAST($1 AS BIGINT)"] {
        it.batches(&format!("PREPARE p AS INSERT INTO {T} {insert}"))
            .await;
        it.batches("EXECUTE p(2.5)").await;
        it.batches("DEALLOCATE p").await;
    }
    assert_eq!(it.value(&format!("SELECT sum(zip) FROM {T}")).await, "5");
}

//! The example program, run as a user would.

use std::process::Command;

use datafusion::prelude::ParquetReadOptions;

use crate::support::fixture;

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_table_joins_a_local_file() {
    let it = fixture().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.parquet");
    let path = path.to_str().unwrap();
    let copy = "COPY (SELECT * FROM (VALUES ('N14228', 'a'), ('N24211', 'b'), ('nobody', 'c')) AS t(tailnum, note)) TO";
    it.batches(&format!("{copy} '{path}' STORED AS PARQUET"))
        .await;
    assert_eq!(
        it.ctx
            .read_parquet(path, ParquetReadOptions::default())
            .await
            .unwrap()
            .count()
            .await
            .unwrap(),
        3
    );

    // `cargo test` builds examples as well, into a folder beside the tests'.
    let test = std::env::current_exe().unwrap();
    let example = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/join_local_parquet");
    let mut command = Command::new(example);
    command
        .arg(path)
        .env("REDIVIS_API_ENDPOINT", it.server.endpoint())
        .env("REDIVIS_API_TOKEN", it.server.token().unwrap());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    it.ctx
        .register_parquet("fleet", path, ParquetReadOptions::default())
        .await
        .unwrap();
    let expected = it
        .rows(
            "SELECT tailnum, count(*) AS flights, sum(distance) AS miles FROM demo.nycflights13.flights
             JOIN fleet USING (tailnum) GROUP BY tailnum ORDER BY miles DESC",
        )
        .await;
    assert!(
        expected.contains("N14228") && expected.contains("N24211") && !expected.contains("nobody")
    );
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim_end(),
        expected
    );
}

//! How often a statement waits for the service, whatever its speed.

use std::process::Command;

use redivis_tests::binaries;
use redivis_tests::proxy::Proxy;
use redivis_tests::server::{self, Server};
use tempfile::TempDir;

/// The output of the built shell for a statement over tables that it knows nothing of, and its round trips.
async fn shell(sql: &'static str) -> (String, usize) {
    let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
    let proxy = Proxy::start(server.endpoint()).await;
    proxy.count_round_trips();
    let home = TempDir::new().unwrap();
    let mut command = Command::new(binaries::redivis_sql());
    command.args(["-c", sql]).env("XDG_STATE_HOME", home.path());
    server::configure(&mut command, &proxy.endpoint(), server.token());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    (
        String::from_utf8(output.stdout).unwrap(),
        proxy.round_trips(),
    )
}

/// The table with its variables, the read session, the read stream.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_rows_of_an_unseen_table_come_after_three_round_trips() {
    let (rows, round_trips) =
        shell("SELECT * FROM redivis.'demo.nycflights13.flights' LIMIT 10").await;
    assert_eq!(rows.lines().count(), 11, "{rows}");
    assert_eq!(round_trips, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_of_five_tables_takes_no_more_round_trips_than_one_table() {
    let (rows, round_trips) = shell(
        "SELECT count(*) AS n FROM redivis.'demo.nycflights13.flights' f \
         JOIN redivis.'demo.nycflights13.airlines' a ON f.carrier = a.carrier \
         JOIN redivis.'demo.nycflights13.airports' o ON f.origin = o.faa \
         JOIN redivis.'demo.nycflights13.planes' p ON f.tailnum = p.tailnum \
         JOIN redivis.'demo.nycflights13.weather' w ON f.origin = w.origin AND f.time_hour = w.time_hour",
    )
    .await;
    assert!(rows.starts_with("n\n"), "{rows}");
    assert_eq!(round_trips, 3);
}

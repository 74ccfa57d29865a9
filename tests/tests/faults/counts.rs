//! What the service counts and what it sends: rows that are missing are told, and counts that something else explains are no
//! reason to refuse rows.

use datafusion_redivis::ScanError;
use redivis_tests::proxy::Action;
use serde_json::{Value, json};

use crate::wire::{ROWS, Row, TABLE, Wire, found, is_stream, rows, truth, within};

const MORE: i64 = ROWS + 1000;

/// Lets the service say other things of the table and of each of its sessions.
async fn say(wire: &Wire, of_table: Value, of_session: Value) {
    let change = |mut answer: Value, says: Value| {
        for (name, value) in says.as_object().unwrap() {
            answer[name] = value.clone();
        }
        let json = [("Content-Type", "application/json")];
        Action::reply(200, &json, answer.to_string())
    };
    let table = change(wire.get("/tables/local.faults.rows").await, of_table);
    let path = "/tables/local.faults:v1_0.rows/readSessions";
    let session = wire.post(path, &json!({"format": "arrow"})).await;
    let session = change(session, of_session);
    wire.proxy.script(move |request| {
        if request.target.ends_with("/readSessions") {
            session.clone()
        } else if request.path().ends_with("/tables/local.faults.rows") {
            table.clone()
        } else {
            Action::Pass
        }
    });
}

/// The rows, or how many came and must have come.
async fn read(wire: &Wire, sql: &str) -> Result<Vec<Row>, (u64, u64)> {
    wire.sql(sql).await.map_err(|error| match found(&error) {
        Some(ScanError::RowCount { came, expected, .. }) => (*came, *expected),
        other => panic!("{error}: {other:?}"),
    })
}

async fn count(wire: &Wire, setting: &str) -> i64 {
    let (_context, redivis) = wire.session(wire.client());
    let sql = format!("SELECT count(*) AS id, CAST(NULL AS TEXT) AS text FROM {TABLE}");
    within(async {
        redivis.sql(setting).await.unwrap();
        let counted = redivis.sql(&sql).await.unwrap().collect().await.unwrap();
        let column = counted[0].column(0);
        datafusion::arrow::util::display::array_value_to_string(column, 0)
    })
    .await
    .unwrap()
    .parse()
    .unwrap()
}

const ERROR: &str = "SET redivis.check_row_counts = error";
const WARN: &str = "SET redivis.check_row_counts = warn";

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_something_explains_is_no_error() {
    let wire = Wire::start().await;
    let all = format!("SELECT id, text FROM {TABLE}");
    for (table, session) in [
        // The session knows what can be read of the table.
        (json!({"numRows": MORE}), json!({"numRows": ROWS})),
        (json!({"numRows": ROWS}), json!({"numRows": MORE})),
        (json!({"numRows": null}), json!({"numRows": null})),
        // Counts of what not everybody sees, of a sample, and of what changes.
        (
            json!({"numRows": MORE, "accessLevel": "sample"}),
            json!({"numRows": null}),
        ),
        (
            json!({"numRows": MORE, "isSample": true}),
            json!({"numRows": null}),
        ),
        (
            json!({"numRows": MORE, "qualifiedReference": "local.faults:next.rows:aaaa"}),
            json!({"numRows": MORE}),
        ),
    ] {
        say(&wire, table.clone(), session.clone()).await;
        let read = read(&wire, &all).await;
        assert!(
            read == Ok(truth()),
            "{table} {session}: {:?}",
            read.map(|rows| rows.len())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_nothing_explains_is_an_error() {
    let wire = Wire::start().await;
    let all = format!("SELECT id, text FROM {TABLE}");
    for (table, session, expected) in [
        (json!({"numRows": MORE}), json!({"numRows": null}), MORE),
        (
            json!({"numRows": MORE}),
            json!({"numRows": MORE + 1}),
            MORE + 1,
        ),
        (
            json!({"numRows": ROWS - 1}),
            json!({"numRows": null}),
            ROWS - 1,
        ),
        // A sample's own count is the session's.
        (
            json!({"numRows": ROWS, "isSample": true}),
            json!({"numRows": MORE}),
            MORE,
        ),
    ] {
        say(&wire, table.clone(), session.clone()).await;
        let error = read(&wire, &all).await.unwrap_err();
        assert_eq!(error, (ROWS as u64, expected as u64), "{table} {session}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_held_to_what_the_counts_leave_of_it() {
    let wire = Wire::start().await;
    let limited = |limit: i64| format!("SELECT id, text FROM {TABLE} LIMIT {limit}");
    // A session may count before its limit or after.
    for of_session in [json!(null), json!(MORE), json!(20_000)] {
        say(
            &wire,
            json!({"numRows": MORE}),
            json!({"numRows": of_session}),
        )
        .await;
        let read = read(&wire, &limited(20_000)).await.unwrap();
        assert!(read == truth()[..20_000], "{of_session}");
    }
    say(&wire, json!({"numRows": MORE}), json!({"numRows": null})).await;
    let error = read(&wire, &limited(ROWS + 500)).await.unwrap_err();
    assert_eq!(error, (ROWS as u64, ROWS as u64 + 500));
    say(&wire, json!({"numRows": MORE}), json!({"numRows": ROWS})).await;
    assert!(read(&wire, &limited(ROWS + 500)).await == Ok(truth()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_says_how_to_go_on() {
    let wire = Wire::start().await;
    say(&wire, json!({"numRows": MORE}), json!({"numRows": null})).await;
    let all = format!("SELECT id, text FROM {TABLE}");
    let told = wire.sql(&all).await.unwrap_err().to_string();
    assert!(told.contains(WARN), "{told}");

    let (_context, redivis) = wire.session(wire.client());
    let read = within(async {
        redivis.sql(WARN).await?;
        redivis.sql(&all).await?.collect().await
    });
    assert!(rows(&read.await.unwrap()) == truth());
    let run = wire
        .shell(&format!("{WARN}; {all}"), Some(wire.token()), "warn")
        .await;
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("40000 rows came where there must be 41000"),
        "{}",
        run.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_without_reading_only_where_reading_is_held_to_the_count() {
    let wire = Wire::start().await;
    say(&wire, json!({"numRows": MORE}), json!({"numRows": null})).await;
    assert_eq!(count(&wire, ERROR).await, MORE);
    assert!(!wire.proxy.requests().iter().any(is_stream));
    assert_eq!(count(&wire, WARN).await, ROWS);
    for limited in ["none", "overview", "metadata", "sample"] {
        let table = json!({"numRows": MORE, "accessLevel": limited});
        say(&wire, table, json!({"numRows": null})).await;
        assert_eq!(count(&wire, ERROR).await, ROWS, "{limited}");
    }
}

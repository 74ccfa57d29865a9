//! Readers without a token: public tables are read in one request, other tables say to sign in.

use futures::TryStreamExt;
use redivis::ErrorKind;
use redivis::read::{RowsRequest, variables_schema};
use redivis_tests::proxy::{Action, Break, Request};

use crate::wire::{ROWS, TABLE, Wire, assert_all, rows, service_error, truth, within};

const PUBLIC: &str = "local.open.rows";

fn is_rows(request: &Request) -> bool {
    request.path().ends_with("/rows")
}

async fn read(
    wire: &Wire,
    sql: &str,
) -> Result<Vec<crate::wire::Row>, datafusion::error::DataFusionError> {
    let (_context, redivis) = wire.session(wire.anonymous().build().unwrap());
    within(async { Ok(rows(&redivis.sql(sql).await?.collect().await?)) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_table_is_read_in_one_request() {
    let wire = Wire::start().await;
    let all = format!("SELECT id, text FROM {PUBLIC}");
    assert_all(&read(&wire, &all).await.unwrap());
    assert_eq!(
        read(&wire, &format!("{all} LIMIT 100")).await.unwrap(),
        truth()[..100]
    );
    let run = wire
        .shell(
            &format!("SELECT count(*), sum(id) FROM {PUBLIC}"),
            None,
            "warn",
        )
        .await;
    let sum = (0..ROWS).sum::<i64>();
    assert!(run.success().ends_with(&format!("\n{ROWS},{sum}\n")));
    for request in wire.proxy.requests() {
        assert_eq!(request.header("authorization"), None);
        assert!(!request.target.contains("readSessions"));
    }
    assert_eq!(
        wire.proxy
            .requests()
            .iter()
            .filter(|request| is_rows(request))
            .count(),
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_before_the_first_row_is_tried_again() {
    let wire = Wire::start().await;
    for how in [Break::Close, Break::End, Break::Reset] {
        let faults = [
            Action::Close,
            Action::Break { after: 300, how },
            Action::reply(503, &[], "busy"),
        ];
        wire.break_requests(is_rows, faults);
        assert_all(
            &read(&wire, &format!("SELECT id, text FROM {PUBLIC}"))
                .await
                .unwrap(),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_after_rows_is_an_error_and_never_a_short_table() {
    let wire = Wire::start().await;
    let client = wire.anonymous().build().unwrap();
    let table = client.table(&PUBLIC.parse().unwrap()).await.unwrap();
    let schema = variables_schema(&client.variables(&table.uri).await.unwrap());
    // Rows may come in another order the next time, so they cannot be resumed.
    for (how, words) in [
        (
            Break::Close,
            "the connection broke while the answer was read",
        ),
        (Break::End, "the answer ended after 16384 of 40000 rows"),
    ] {
        wire.break_requests(
            is_rows,
            [Action::Break {
                after: 400_000,
                how,
            }],
        );
        let stream = client.read_rows(&table, &RowsRequest::default(), schema.clone());
        let error = within(stream.try_collect::<Vec<_>>()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(error.to_string().contains(words), "{error}");

        wire.break_requests(
            is_rows,
            [Action::Break {
                after: 400_000,
                how,
            }],
        );
        let error = read(&wire, &format!("SELECT id, text FROM {PUBLIC}"))
            .await
            .unwrap_err();
        assert!(service_error(&error).to_string().contains(words), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tables_say_to_sign_in() {
    let wire = Wire::start().await;
    let sql = format!("SELECT id, text FROM {TABLE}");
    let error = read(&wire, &sql).await.unwrap_err();
    let error = service_error(&error);
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(
        error
            .message()
            .ends_with("; sign in by `redivis-sql login`, or by setting REDIVIS_API_TOKEN"),
        "{error}"
    );

    let run = wire.shell(&sql, None, "warn").await;
    assert_eq!(run.status.code(), Some(3));
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr
            .contains("or by setting REDIVIS_API_TOKEN (HTTP 401"),
        "{}",
        run.stderr
    );
}

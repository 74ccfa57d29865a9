//! Metadata calls: paths, pages, errors, retries and where the token goes.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use redivis::read::{Format, ReadSessionRequest};
use redivis::resource::{QueryRequest, VariableType};
use redivis::{Client, ErrorKind, RetryPolicy, TableReference};

use crate::script::{Answer, Script, TOKEN, json, response};

pub(crate) fn reference() -> TableReference {
    "demo.nycflights13:v1.0.My flights".parse().unwrap()
}

pub(crate) const TABLE: &str = r#"{"uri":"/tables/demo.nycflights13:ab12:v1_0.flights:cd34","name":"flights",
    "qualifiedReference":"demo.nycflights13:ab12:v1_0.flights:cd34","numRows":3,"numBytes":"42","container":{"kind":"dataset"}}"#;

#[tokio::test]
async fn a_table_its_variables_and_a_read_session() {
    let script = Script::play(vec![
        json("200 OK", TABLE),
        json("200 OK", r#"{"results":[{"name":"a","type":"string"}],"nextPageToken":"p 2"}"#),
        json("200 OK", r#"{"results":[],"nextPageToken":"p3"}"#),
        json("200 OK", r#"{"results":[{"name":"b","type":"integer","extra":1}],"nextPageToken":null}"#),
        json("200 OK", r#"{"kind":"readSession","numRows":3.0,"streams":[{"id":"s1","format":"arrow","expiresAt":1700000000000,"estimatedRows":"3"}]}"#),
    ])
    .await;
    let client = script.client();
    let table = client.table(&reference()).await.unwrap();
    assert!(table.is_released());
    assert_eq!(table.num_bytes, Some(42));
    let variables = client.variables(&table.uri).await.unwrap();
    assert_eq!(variables.len(), 2);
    assert_eq!(variables[1].variable_type, VariableType::Integer);
    let request = ReadSessionRequest {
        max_results: Some(3),
        selected_variables: Some(vec!["a".to_owned()]),
        requested_stream_count: Some(2),
        allowed_ips: vec!["10.0.0.1".to_owned()],
        ..ReadSessionRequest::default()
    };
    let session = client
        .create_read_session(&table.uri, &request)
        .await
        .unwrap();
    assert_eq!(session.num_rows, Some(3));
    assert_eq!(session.streams[0].estimated_rows, Some(3));
    assert_eq!(session.streams[0].format, Format::Arrow);

    assert_eq!(
        script.lines(),
        [
            "GET /api/v1/tables/demo.nycflights13%3Av1_0.My%20flights",
            "GET /api/v1/tables/demo.nycflights13:ab12:v1_0.flights:cd34/variables?maxResults=1000",
            "GET /api/v1/tables/demo.nycflights13:ab12:v1_0.flights:cd34/variables?maxResults=1000&pageToken=p+2",
            "GET /api/v1/tables/demo.nycflights13:ab12:v1_0.flights:cd34/variables?maxResults=1000&pageToken=p3",
            "POST /api/v1/tables/demo.nycflights13:ab12:v1_0.flights:cd34/readSessions",
        ]
    );
    let requests = script.requests();
    for request in &requests {
        let lower = request.to_lowercase();
        assert!(lower.contains(&format!("authorization: bearer {}", TOKEN.to_lowercase())));
        assert!(lower.contains("user-agent: redivis-rust/"));
    }
    let body = requests[4].split("\r\n\r\n").nth(1).unwrap();
    assert_eq!(
        body,
        r#"{"format":"arrow","maxResults":3,"selectedVariables":["a"],"requestedStreamCount":2,"allowedIPs":["10.0.0.1"]}"#
    );
}

#[tokio::test]
async fn refusals_in_the_services_words() {
    let cases: Vec<(Answer, ErrorKind, &str)> = vec![
        (
            json(
                "404 Not Found",
                r#"{"status":404,"error":"not_found","error_description":"No table\nnamed x"}"#,
            ),
            ErrorKind::NotFound,
            "cannot get table demo.nycflights13:v1_0.My flights: No table named x (HTTP 404, not_found)",
        ),
        (
            json(
                "403 Forbidden",
                r#"{"error":{"message":"Access denied","status":403}}"#,
            ),
            ErrorKind::Forbidden,
            "Access denied (HTTP 403)",
        ),
        (
            json(
                "401 Unauthorized",
                &format!(
                    r#"{{"error":"invalid_token","error_description":"{TOKEN} is not valid"}}"#
                ),
            ),
            ErrorKind::Unauthorized,
            "[token] is not valid; check REDIVIS_API_TOKEN (HTTP 401, invalid_token)",
        ),
        (
            Answer::Bytes(response(
                "400 Bad Request",
                "",
                b"<html><title>Bad\x1b[31m</title></html>",
            )),
            ErrorKind::Invalid,
            "Bad [31m (HTTP 400)",
        ),
        (
            Answer::Bytes(response(
                "404 Not Found",
                "X-Redivis-Error-Payload: %7B%22error%22%3A%22gone%22%7D\r\n",
                b"",
            )),
            ErrorKind::NotFound,
            "gone (HTTP 404, gone)",
        ),
        (
            Answer::Bytes(response("501 Not Implemented", "", b"")),
            ErrorKind::Unavailable,
            "not implemented (HTTP 501)",
        ),
    ];
    for (answer, kind, words) in cases {
        let script = Script::play(vec![answer]).await;
        let error = script.client().table(&reference()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error} {error:?}").contains(TOKEN));
        assert_eq!(script.requests().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn anonymous_readers_are_told_to_sign_in() {
    let script = Script::play(vec![json(
        "401 Unauthorized",
        r#"{"error":"unauthorized","error_description":"No credentials were provided"}"#,
    )])
    .await;
    let client = Client::builder()
        .endpoint(format!("http://{}", script.address))
        .build()
        .unwrap();
    let error = client.table(&reference()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("sign in by `redivis-sql login`, or by setting REDIVIS_API_TOKEN"),
        "{error}"
    );
    assert!(
        !script.requests()[0]
            .to_lowercase()
            .contains("authorization")
    );
}

#[tokio::test]
async fn passing_failures_are_tried_again() {
    let script = Script::play(vec![
        Answer::Hangup,
        Answer::Bytes(response("503 Service Unavailable", "", b"")),
        Answer::Bytes(response(
            "429 Too Many Requests",
            "Retry-After: 0\r\n",
            b"slow down",
        )),
        json("200 OK", TABLE),
    ])
    .await;
    script.client().table(&reference()).await.unwrap();

    // A body that breaks off, JSON that stops, silence.
    let mut cut = response(
        "200 OK",
        "Content-Type: application/json\r\n",
        TABLE.as_bytes(),
    );
    cut.truncate(cut.len() - 10);
    let script = Script::play(vec![
        Answer::Bytes(cut.clone()),
        Answer::Stall(Vec::new()),
        Answer::Stall(cut),
        json("200 OK", TABLE),
    ])
    .await;
    script.client().table(&reference()).await.unwrap();
}

#[tokio::test]
async fn giving_up_says_what_was_tried() {
    let busy = Answer::Bytes(response("502 Bad Gateway", "", b"upstream is away"));
    let script = Script::play(vec![busy; 9]).await;
    let error = script.client().table(&reference()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.attempts().map(|tried| tried.0), Some(4));
    assert!(
        error
            .to_string()
            .contains("upstream is away (HTTP 502); gave up after 4 attempts in"),
        "{error}"
    );
    assert_eq!(script.requests().len(), 4);

    // Odd answers are believed sooner.
    let page = Answer::Bytes(response(
        "200 OK",
        "Content-Type: text/html\r\n",
        b"<h1>Log in to the hotel's network</h1>",
    ));
    let script = Script::play(vec![page; 9]).await;
    let error = script.client().table(&reference()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(
        error
            .to_string()
            .contains("not JSON but starts with: <h1>Log in"),
        "{error}"
    );
    assert_eq!(script.requests().len(), 3);

    // Nobody listens.
    let client = script.client();
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    drop(client);
    let client = Client::builder()
        .endpoint(format!("http://{address}"))
        .retry(RetryPolicy {
            max_attempts: 2,
            initial_backoff: Duration::from_millis(1),
            ..RetryPolicy::default()
        })
        .build()
        .unwrap();
    let error = client.table(&reference()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(
        error
            .to_string()
            .contains(&format!("cannot connect to {address}: ")),
        "{error}"
    );
}

#[tokio::test]
async fn the_token_stays_with_its_host() {
    let elsewhere = Script::play(vec![json("200 OK", TABLE)]).await;
    let location = format!("Location: http://{}/stolen\r\n", elsewhere.address);
    let script = Script::play(vec![
        Answer::Bytes(response(
            "307 Temporary Redirect",
            "Location: /api/v1/moved\r\n",
            b"",
        )),
        Answer::Bytes(response("302 Found", &location, b"")),
    ])
    .await;
    script.client().table(&reference()).await.unwrap();
    assert!(
        script.requests()[1].contains(TOKEN),
        "the same host may know"
    );
    assert!(!elsewhere.requests()[0].contains(TOKEN));
    assert!(
        !elsewhere.requests()[0]
            .to_lowercase()
            .contains("authorization")
    );
    assert!(!elsewhere.requests()[0].to_lowercase().contains("referer"));
}

#[tokio::test]
async fn lists_are_fetched_as_they_are_consumed() {
    let script = Script::play(vec![
        json(
            "200 OK",
            &format!(r#"{{"results":[{TABLE},{TABLE}],"nextPageToken":"x"}}"#),
        ),
        json(
            "200 OK",
            &format!(r#"{{"results":[{TABLE}],"nextPageToken":"x"}}"#),
        ),
    ])
    .await;
    let client = script.client();
    let mut tables = client.dataset_tables(&"demo.nycflights13".parse().unwrap());
    tables.next().await.unwrap().unwrap();
    tables.next().await.unwrap().unwrap();
    assert_eq!(script.requests().len(), 1);
    // The same page token again would never end.
    let error = tables.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn lists_that_go_round_in_a_circle_end() {
    let page = |name: usize, token: usize| {
        json(
            "200 OK",
            &format!(
                r#"{{"results":[{{"uri":"/tables/o.d.t{name}","name":"t{name}"}}],"nextPageToken":"{token}"}}"#
            ),
        )
    };
    let first_always = (1..).map(|token| page(0, token)).take(50).collect();
    let three_in_turn = (1..)
        .map(|token| page(token % 3, token % 3))
        .take(50)
        .collect();
    let the_last_two = (1..)
        .map(|token| page(token.min(10 + token % 2), token.min(10 + token % 2)))
        .take(50)
        .collect();
    let cases: [(Vec<Answer>, usize); 3] =
        [(first_always, 1), (three_in_turn, 6), (the_last_two, 17)];
    for (answers, most) in cases {
        let script = Script::play(answers).await;
        let tables = script.client().dataset_tables(&"o.d".parse().unwrap());
        let tables: Vec<_> = tables.collect().await;
        let error = tables.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("came before"), "{error}");
        assert!(tables.len() <= most + 1, "{}", tables.len());
    }
}

#[tokio::test]
async fn owners_are_organizations_or_users() {
    let dataset = r#"{"uri":"/datasets/me.d","name":"d"}"#;
    let script = Script::play(vec![
        json("404 Not Found", r#"{"error":"not_found"}"#),
        json(
            "200 OK",
            &format!(r#"{{"results":[{dataset}],"nextPageToken":null}}"#),
        ),
    ])
    .await;
    let client = script.client();
    let datasets: Vec<_> = client.owner_datasets("me").try_collect().await.unwrap();
    assert_eq!(datasets[0].name, "d");
    assert_eq!(
        script.lines(),
        [
            "GET /api/v1/organizations/me/datasets?maxResults=100",
            "GET /api/v1/users/me/datasets?maxResults=100"
        ]
    );
}

#[tokio::test]
async fn queries_run_to_their_end() {
    let script = Script::play(vec![
        json("201 Created", r#"{"uri":"/queries/7","id":7,"status":"queued"}"#),
        json("200 OK", r#"{"uri":"/queries/7","id":"7","status":"completed","outputNumRows":1,"outputSchema":[{"name":"n","type":"integer"}]}"#),
    ])
    .await;
    let request = QueryRequest {
        query: "SELECT 1 AS n".to_owned(),
        ..QueryRequest::default()
    };
    let query = script.client().query(&request).await.unwrap();
    assert_eq!(query.output_schema[0].variable_type, VariableType::Integer);
    assert_eq!(
        script.lines(),
        ["POST /api/v1/queries", "GET /api/v1/queries/7"]
    );

    let script = Script::play(vec![json(
        "200 OK",
        r#"{"uri":"/queries/8","status":"failed","errorMessage":"Unrecognized name: x at [1:8]"}"#,
    )])
    .await;
    let error = script.client().query(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("Unrecognized name: x at [1:8]"),
        "{error}"
    );

    // It may have started: not started again.
    let script = Script::play(vec![Answer::Hangup]).await;
    script.client().query(&request).await.unwrap_err();
    assert_eq!(script.requests().len(), 1);
}

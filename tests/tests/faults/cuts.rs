//! Connections that are cut, reset, or end politely too early: at every kind of place the read goes on at the next row.

use redivis::ErrorKind;
use redivis_tests::proxy::{Action, Break, Request};

use crate::arrow_body::{ends, rows_before, served};
use crate::wire::{ROWS, TABLE, Wire, assert_all, is_stream, offset, service_error};

fn cut(after: usize, how: Break) -> Action {
    Action::Break { after, how }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_headers() {
    let wire = Wire::start().await;
    let half_a_head = Action::Reply(b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec());
    for chosen in [is_metadata, is_session, is_stream as fn(&Request) -> bool] {
        wire.break_requests(chosen, [Action::Close, Action::Reset, half_a_head.clone()]);
        let rows = wire.read(&wire.client(), 1).await.unwrap();
        assert_all(&rows);
    }
    assert_eq!(wire.offsets(), [0; 6]);
}

fn is_metadata(request: &Request) -> bool {
    request.method == "GET" && !is_stream(request)
}

fn is_session(request: &Request) -> bool {
    request.method == "POST"
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_and_between_messages() {
    let wire = Wire::start().await;
    let client = wire.client();
    let body = served(&wire).await;
    let ends = ends(&body);
    let mut places: Vec<usize> = (0..body.len()).step_by(body.len() / 12).collect();
    for end in &ends {
        places.extend([end - 1, *end, end + 1]);
    }
    places.retain(|place| *place < body.len());
    for how in [Break::Close, Break::End, Break::Reset] {
        for &place in &places {
            let before = wire.offsets().len();
            wire.break_streams([cut(place, how)]);
            let rows = wire.read(&client, 1).await.unwrap();
            assert_all(&rows);
            let offsets = &wire.offsets()[before..];
            let whole = rows_before(&ends, place);
            match how {
                // A reset may take what has arrived with it.
                Break::Reset => assert!(offsets[1] <= whole, "{place}: {offsets:?}"),
                // The sentinel with the body's own end behind it is the end.
                Break::End if place == ends[4] => assert_eq!(offsets, [0]),
                _ => assert_eq!(offsets, [0, whole], "{how:?} after {place}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_sentinel_nothing_is_missing() {
    let wire = Wire::start().await;
    let body = served(&wire).await;
    // The sentinel is there, and the end of the stream; only the body's own end is not.
    wire.break_streams([cut(body.len(), Break::Close)]);
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
    assert_eq!(wire.offsets(), [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn again_and_again_on_every_stream() {
    let wire = Wire::start().await;
    // Every answer is cut, some after rows and some before; rows start the count of attempts afresh.
    let mut requests = 0;
    wire.proxy.script(move |request| {
        if !is_stream(request) {
            return Action::Pass;
        }
        requests += 1;
        let how = [Break::Close, Break::End, Break::Reset][requests % 3];
        match requests {
            1..60 if requests % 4 == 0 => Action::Close,
            1..60 if requests % 2 == 0 => cut(250_000 + 1013 * requests, how),
            1..60 => cut(100 * requests, how),
            _ => Action::Pass,
        }
    });
    let client = wire
        .builder()
        .retry(redivis::RetryPolicy {
            max_attempts: 80,
            ..crate::wire::patience()
        })
        .build()
        .unwrap();
    for streams in [1, 2, 7] {
        assert_all(&wire.read(&client, streams).await.unwrap());
    }
    assert!(wire.offsets().len() > 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn below_sql() {
    let wire = Wire::start().await;
    for how in [Break::Close, Break::End, Break::Reset] {
        wire.break_streams([cut(400_000, how), Action::Reset, cut(10, how)]);
        let rows = wire.sql(&format!("SELECT id, text FROM {TABLE}")).await;
        assert_all(&rows.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_gets_to_its_sentinel_is_never_complete() {
    let wire = Wire::start().await;
    let ends = ends(&served(&wire).await);
    for how in [Break::Close, Break::End] {
        let (first, schema) = (ends[3], ends[0]);
        wire.proxy.script(move |request| match is_stream(request) {
            true if offset(request) == 0 => cut(first, how),
            true => cut(schema, how),
            false => Action::Pass,
        });
        let error = wire.read(&wire.client(), 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        let told = error.to_string();
        assert!(told.starts_with("cannot read stream "), "{told}");
        assert!(told.contains("; gave up after 4 attempts in "), "{told}");
        let sql = format!("SELECT id, text FROM {TABLE}");
        let error = wire.sql(&sql).await.unwrap_err();
        assert_eq!(service_error(&error).kind(), ErrorKind::Transport);
    }
    assert_eq!(wire.offsets(), [0, ROWS, ROWS, ROWS].repeat(4));
}

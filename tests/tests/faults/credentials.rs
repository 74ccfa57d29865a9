//! The token: it reaches the endpoint and nothing else, whatever goes wrong and however much is logged.

use redivis::ErrorKind;
use redivis_tests::process::Finished;
use redivis_tests::proxy::{Action, Break, Proxy, Request};

use crate::wire::{TABLE, Wire, assert_all, is_stream, service_error, shell};

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn all() -> String {
    format!("SELECT id, text FROM {TABLE}")
}

fn unauthorized() -> Action {
    let body = r#"{"status":401,"error":"invalid_token","error_description":"The token has been revoked"}"#;
    Action::reply(401, &[JSON], body)
}

fn cut() -> Action {
    Action::Break {
        after: 400_000,
        how: Break::Close,
    }
}

fn redirect(endpoint: &str, request: &Request) -> Action {
    let origin = endpoint.strip_suffix("/api/v1").unwrap();
    let target = format!("{origin}{}", request.target);
    Action::reply(302, &[("Location", &target)], "")
}

/// Everything that a program wrote at the most talkative level, without the token.
#[track_caller]
fn assert_kept(run: &Finished, token: &str) {
    assert!(
        run.stderr.contains("TRACE"),
        "nothing was logged at the level of traces"
    );
    for (name, written) in [("output", &run.stdout), ("error", &run.stderr)] {
        if let Some(at) = written.find(token) {
            let start = at.saturating_sub(300);
            panic!(
                "the token stands on standard {name}: …{}",
                &written[start..at]
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_in_the_middle_of_a_stream() {
    let wire = Wire::start().await;
    wire.break_streams([cut(), unauthorized()]);
    let error = wire.read(&wire.client(), 1).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Unauthorized, Some(401))
    );
    assert_eq!(
        error.message(),
        "The token has been revoked; check REDIVIS_API_TOKEN"
    );
    assert_eq!(wire.offsets().len(), 2, "a refusal is not tried again");

    wire.break_streams([cut(), unauthorized()]);
    let run = wire.shell(&all(), Some(wire.token()), "trace").await;
    assert_eq!(run.status.code(), Some(3));
    let told = run
        .stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap();
    assert!(
        told.contains(
            "The token has been revoked; check REDIVIS_API_TOKEN (HTTP 401, invalid_token)"
        ),
        "{told}"
    );
    assert_kept(&run, wire.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_of_a_session_with_every_fault() {
    let wire = Wire::start().await;
    let token = wire.token().to_owned();
    // A service, or something before it, that says back what it was told, in every place it can.
    let echo = format!("who is {token}?");
    let echoes: [(Action, bool); 6] = [
        (
            Action::reply(500, &[("X-Redivis-Warning", &echo)], &echo),
            true,
        ),
        (Action::reply(429, &[("Retry-After", "0")], &echo), true),
        (
            Action::reply(200, &[("Content-Type", "text/html")], &echo),
            true,
        ),
        (
            Action::reply(
                200,
                &[JSON],
                format!(r#"{{"uri": [], "streams": "{token}", "{token}": 1}}"#),
            ),
            true,
        ),
        (
            Action::reply(
                403,
                &[JSON],
                format!(r#"{{"error": "{token}", "error_description": "{echo}"}}"#),
            ),
            false,
        ),
        (
            Action::reply(302, &[("Location", &format!("ftp://{token}/"))], ""),
            false,
        ),
    ];
    for (action, passes) in echoes {
        // Variables are asked for again by the table's own path, whatever the answer was.
        for (chosen, is_asked_again) in [
            (is_stream as fn(&Request) -> bool, false),
            (|request| request.method == "POST", false),
            (|request| request.path().ends_with(TABLE), false),
            (|request| request.path().ends_with("/variables"), true),
        ] {
            wire.break_requests(chosen, [action.clone()]);
            let run = wire.shell(&all(), Some(&token), "trace").await;
            assert_kept(&run, &token);
            let passes = passes || is_asked_again;
            assert_eq!(run.status.success(), passes, "{action:?}");

            // Over and over, until it is given up.
            let answer = action.clone();
            wire.proxy.script(move |request| match chosen(request) {
                true => answer.clone(),
                false => Action::Pass,
            });
            let (_context, redivis) = wire.session(wire.client());
            let error = match redivis.sql(&all()).await {
                Ok(rows) => rows.collect().await.unwrap_err(),
                Err(error) => error,
            };
            let error = service_error(&error);
            assert!(
                !format!("{error} {error:?} {error:#?}").contains(&token),
                "{action:?}"
            );
        }
    }
    for fault in [Action::Reset, cut(), Action::Reply(vec![0; 400])] {
        wire.break_streams([fault]);
        let run = wire.shell(&all(), Some(&token), "trace").await;
        assert!(run.status.success());
        assert_kept(&run, &token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_another_host_carries_no_token() {
    let wire = Wire::start().await;
    for chosen in [is_stream as fn(&Request) -> bool, |request| {
        request.method == "GET"
    }] {
        let elsewhere = Proxy::start(wire.server.endpoint()).await;
        let endpoint = elsewhere.endpoint();
        wire.proxy.script(move |request| match chosen(request) {
            true => redirect(&endpoint, request),
            false => Action::Pass,
        });
        let run = wire.shell(&all(), Some(wire.token()), "trace").await;
        assert_kept(&run, wire.token());
        // There it is not known who asks.
        assert_eq!(run.status.code(), Some(3), "{}", run.stderr);
        let seen = elsewhere.requests();
        assert!(!seen.is_empty());
        for request in seen {
            assert_eq!(request.header("authorization"), None);
            assert!(!format!("{request:?}").contains(wire.token()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_within_the_endpoint_is_followed_with_the_token() {
    let wire = Wire::start().await;
    let mut first = true;
    let endpoint = wire.proxy.endpoint();
    wire.proxy.script(move |request| {
        if !is_stream(request) || !std::mem::take(&mut first) {
            return Action::Pass;
        }
        redirect(&endpoint, request)
    });
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_can_be_printed_shows_the_token() {
    let wire = Wire::start().await;
    let token = wire.token();
    let client = wire.client();
    let (context, redivis) = wire.session(client.clone());
    let rows = redivis.sql(&all()).await.unwrap();
    let logical = rows.logical_plan().clone();
    let plan = rows.create_physical_plan().await.unwrap();
    let table = redivis.table(TABLE).await.unwrap();
    wire.break_all_streams(unauthorized());
    let error = wire.sql(&all()).await.unwrap_err();
    let (_, session) = wire.open(&client, 1).await.unwrap();
    let schema = arrow::datatypes::Schema::empty();
    let stream = client.read_arrow(&session.streams[0], schema.into());
    let printed = [
        format!("{client:?} {:?}", wire.builder()),
        format!("{logical:?} {}", logical.display_indent_schema()),
        format!("{plan:?}"),
        format!("{error:?} {error}"),
        format!("{table:?} {stream:?} {redivis:?}"),
        format!("{:?}", context.copied_config().options()),
    ];
    for printed in printed {
        assert!(
            !printed.contains(token),
            "{}",
            printed.replace(token, "<<TOKEN>>")
        );
    }
    // A program that does not start shows no more.
    let run = shell("ftp://nowhere", &all(), Some(token), "trace").await;
    assert_eq!(run.status.code(), Some(2));
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(token));
}

//! Releases: done at once or later, told where they fail, asked for once.

use std::time::Duration;

use redivis::resource::Dataset;
use redivis::{ErrorKind, Result};

use crate::script::{Answer, Script, json, response};

const POST: &str = "POST /datasets/me.d:next/versions/next/release";
const CURRENT: &str = "GET /datasets/me.d:next/versions/current";
const NEXT: &str = "GET /datasets/me.d:next/versions/next";
const DATASET: &str = "GET /datasets/me.d:v1_1";

/// A version that says this of itself.
fn version(tag: &str, rest: &str) -> Answer {
    let uri = tag.replace('.', "_");
    json(
        "200 OK",
        &format!(r#"{{"kind":"version","tag":"{tag}","datasetUri":"/datasets/me.d:{uri}"{rest}}}"#),
    )
}

fn before() -> Answer {
    version("v1.0", r#","isReleased":true"#)
}

fn after() -> Answer {
    version("v1.1", r#","isReleased":true,"status":"completed""#)
}

fn missing() -> Answer {
    json("404 Not Found", r#"{"error":"not_found"}"#)
}

async fn release(
    post: Answer,
    next: Vec<Answer>,
    current: Vec<Answer>,
) -> (Result<Dataset>, Vec<String>) {
    let dataset = json("200 OK", r#"{"uri":"/datasets/me.d:v1_1","name":"d"}"#);
    let script = Script::routes([
        (POST, vec![post]),
        (NEXT, next),
        (CURRENT, current),
        (DATASET, vec![dataset]),
    ])
    .await;
    let client = script.client();
    let patience = Duration::from_secs(2);
    let released = client
        .release_within(patience, "/datasets/me.d:next", Some("notes"))
        .await;
    let lines = script.lines();
    let asked = lines.iter().filter(|line| line.starts_with("POST"));
    assert_eq!(asked.count(), 1, "{lines:?}");
    (released, lines)
}

#[tokio::test]
async fn a_release_that_is_done_with_its_answer() {
    for done in [
        r#","isReleased":true,"status":"completed""#,
        r#","isReleased":true,"status":null"#,
        r#","isReleased":true"#,
        r#","status":"completed""#,
        r#","status":null"#,
        "",
    ] {
        let (released, lines) =
            release(version("v1.1", done), vec![missing()], vec![before()]).await;
        assert_eq!(released.unwrap().uri, "/datasets/me.d:v1_1", "{done}");
        assert_eq!(lines.len(), 3, "{done}: {lines:?}");
    }
    // One that does not say where the dataset is.
    let nowhere = json("200 OK", r#"{"kind":"version","isReleased":true}"#);
    let (released, _) = release(nowhere, vec![missing()], vec![before(), after()]).await;
    assert_eq!(released.unwrap().uri, "/datasets/me.d:v1_1");
}

#[tokio::test]
async fn a_release_that_goes_on_after_its_answer_is_waited_for() {
    for status in ["queued", "running"] {
        let under_way = || {
            version(
                "next",
                &format!(r#","isReleased":false,"status":"{status}""#),
            )
        };
        // The next version is gone when it is done, or tells so itself.
        let next = vec![under_way(), missing()];
        let current = vec![before(), before(), before(), after()];
        let (released, lines) = release(under_way(), next, current).await;
        assert_eq!(released.unwrap().uri, "/datasets/me.d:v1_1");
        assert!(
            lines.last().unwrap().ends_with("/datasets/me.d:v1_1"),
            "{lines:?}"
        );

        let (released, _) = release(under_way(), vec![under_way(), after()], vec![before()]).await;
        released.unwrap();
        // Somebody opens another next version at once.
        let another = version("next", r#","isReleased":false,"status":null"#);
        let (released, _) = release(under_way(), vec![another], vec![before(), after()]).await;
        released.unwrap();
    }
    // Not begun when the answer came.
    let waiting = version("next", r#","isReleased":false,"status":null"#);
    let (released, _) = release(waiting, vec![missing()], vec![missing(), after()]).await;
    released.unwrap();
}

#[tokio::test]
async fn a_release_that_fails_is_told_in_the_services_words() {
    let failed = || {
        let words =
            r#","isReleased":false,"status":"failed","releaseErrorMessage":"table `t` is empty""#;
        version("next", words)
    };
    let running = version("next", r#","status":"running""#);
    for (post, next) in [(failed(), missing()), (running, failed())] {
        let (released, _) = release(post, vec![next], vec![before()]).await;
        let error = released.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.message(), "table `t` is empty");
        assert!(!error.may_have_happened());
    }
}

#[tokio::test]
async fn a_release_that_takes_too_long_is_left_to_itself() {
    let running = || version("next", r#","status":"running""#);
    let (released, _) = release(running(), vec![running()], vec![before()]).await;
    let error = released.unwrap_err();
    assert!(error.may_have_happened());
    assert!(
        error
            .message()
            .contains("not done after 2 s; the release goes on"),
        "{error}"
    );
}

#[tokio::test]
async fn a_release_without_an_answer_is_looked_up() {
    for lost in [
        Answer::Hangup,
        Answer::Bytes(response("504 Gateway Timeout", "", b"")),
        json("200 OK", "<html>"),
    ] {
        // It was done, or is under way.
        let (released, _) = release(lost.clone(), vec![missing()], vec![before(), after()]).await;
        assert_eq!(released.unwrap().uri, "/datasets/me.d:v1_1");
        let running = version("next", r#","status":"running""#);
        let current = vec![before(), before(), after()];
        let (released, _) = release(lost.clone(), vec![running], current).await;
        released.unwrap();
        // Nothing shows that it was.
        let next = version("next", r#","status":null,"isReleased":false"#);
        for next in [next, missing()] {
            let (released, _) = release(lost.clone(), vec![next], vec![before()]).await;
            let error = released.unwrap_err();
            assert!(error.may_have_happened(), "{error}");
            assert!(
                error.message().contains("it may have been released"),
                "{error}"
            );
        }
    }
}

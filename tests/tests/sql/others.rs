//! Several writers at once: nothing is removed that the statement did not make.

use std::time::Duration;

use redivis_tests::proxy::{Action, Break, Request};

use crate::write::{T, Written, is_creation, is_poll, json, table};

/// Somebody else has a finished upload `u` of the row 10, which the statement sees only after it has looked `blind` times.
async fn taken(blind: usize) -> Written {
    let it = table().await;
    it.run("SET redivis.upload_name = 'u'").await;
    it.run(&format!("INSERT INTO {T} SELECT 10")).await;
    let mut looks = 0;
    it.proxy
        .script(move |request| hidden(request, &mut looks, blind));
    it
}

fn hidden(request: &Request, looks: &mut usize, blind: usize) -> Action {
    *looks += usize::from(is_poll(request));
    match is_poll(request) && *looks <= blind {
        true => json(404, r#"{"status": 404, "error": "not_found"}"#),
        false => Action::Pass,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_somebody_else_that_took_the_name_stays() {
    // Seen when the upload is about to be created, and after it was created, which the service does under another name.
    for (blind, words) in [(2, "already"), (3, "another writer")] {
        let it = taken(blind).await;
        let error = it.error(&format!("INSERT INTO {T} SELECT 20")).await;
        assert!(error.contains(words), "{error}");
        assert!(it.redivis.settle().await.is_empty());
        assert_eq!(it.sum().await, "11", "{blind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_may_be_somebody_elses_is_neither_taken_for_ones_own_nor_removed() {
    let it = taken(0).await;
    let mut looks = 0;
    it.proxy.script(move |request| match is_creation(request) {
        true => Action::Close,
        false => hidden(request, &mut looks, 3),
    });
    let error = it.error(&format!("INSERT INTO {T} SELECT 20")).await;
    assert!(
        error.contains("upload `u`")
            && error.contains("CALL redivis.delete_upload('ada.notes:next.t', 'u')"),
        "{error}"
    );
    assert_eq!(it.sum().await, "11");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_dropped_while_it_creates_an_upload_leaves_that_of_somebody_else() {
    let it = taken(0).await;
    let mut looks = 0;
    it.proxy.script(move |request| {
        if is_creation(request) {
            return Action::Close;
        }
        // Is it there? That is never answered.
        match hidden(request, &mut looks, 3) {
            Action::Pass if is_poll(request) => Action::Break {
                after: 0,
                how: Break::Stall,
            },
            action => action,
        }
    });
    let statement = format!("INSERT INTO {T} SELECT 20");
    let looks = it.proxy.wait_for(Duration::from_secs(20), |exchange| {
        matches!(exchange.action, Action::Break { .. })
    });
    tokio::select! {
        ended = it.try_run(&statement) => panic!("{ended:?}"),
        looks = looks => assert!(looks.is_some()),
    }
    it.proxy.script(|_| Action::Pass);
    let left = it.redivis.settle().await;
    assert!(
        left.len() == 1 && left[0].contains("upload `u`"),
        "{left:?}"
    );
    assert_eq!(it.sum().await, "11");
}

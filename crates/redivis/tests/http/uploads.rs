//! Uploads: created once whatever happens, and waited for.

use std::sync::Arc;

use redivis::resource::{RowCount, Upload, UploadStatus, VariableType};
use redivis::write::{
    Content, OnConflict, TempUpload, TransferSpecification, UploadField, UploadRequest,
    VariableMetadata,
};
use redivis::{ErrorKind, Result};

use crate::script::{Answer, Script, json, response};
use crate::sending::{status, text};

const TABLE: &str = "/tables/o.d:next.t";

fn upload(status: &str) -> String {
    format!(
        r#"{{"uri":"{TABLE}/uploads/data_csv","name":"data.csv","status":"{status}","size":"100","numRows":7}}"#
    )
}

fn missing() -> Answer {
    json("404 Not Found", r#"{"error":"not_found"}"#)
}

fn there(status: &str) -> Answer {
    json("200 OK", &upload(status))
}

fn request(on_conflict: OnConflict) -> UploadRequest {
    UploadRequest {
        name: "data.csv".to_owned(),
        on_conflict,
        ..UploadRequest::default()
    }
}

async fn create(on_conflict: OnConflict, answers: Vec<Answer>) -> (Vec<String>, Result<Upload>) {
    let script = Script::play(answers).await;
    let sent = TempUpload::sent_before("secret-temp-upload", "data.csv", 100);
    let created = script
        .client()
        .create_upload(TABLE, &request(on_conflict), Some(&sent))
        .await;
    if let Err(error) = &created {
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    let methods = script
        .lines()
        .iter()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    (methods, created)
}

#[tokio::test]
async fn every_option_is_sent_under_its_name() {
    let script = Script::play(vec![missing(), there("queued")]).await;
    let text = |text: &str| Some(text.to_owned());
    let request = UploadRequest {
        name: "a b.csv".to_owned(),
        upload_type: text("delimited"),
        schema: Some(vec![UploadField {
            name: "n".to_owned(),
            variable_type: VariableType::DateTime,
        }]),
        metadata: [(
            "n".to_owned(),
            VariableMetadata {
                label: text("Number"),
                description: None,
                value_labels: [("1".to_owned(), "one".to_owned())].into(),
            },
        )]
        .into(),
        has_header_row: Some(false),
        skip_bad_records: Some(true),
        has_quoted_newlines: Some(true),
        allow_jagged_rows: Some(true),
        quote_character: text("'"),
        escape_character: text("\\"),
        null_markers: Some(vec!["NA".to_owned(), String::new()]),
        delimiter: text("\t"),
        transfer_specification: Some(TransferSpecification {
            source_type: "gcs".to_owned(),
            source_path: "bucket/x".to_owned(),
            identity: None,
        }),
        on_conflict: OnConflict::Fail,
    };
    let created = script
        .client()
        .create_upload(TABLE, &request, None)
        .await
        .unwrap();
    assert_eq!(created.status, UploadStatus::Queued);
    assert_eq!(
        script.lines(),
        [
            format!("GET /api/v1{TABLE}/uploads/a%20b_csv"),
            format!("POST /api/v1{TABLE}/uploads"),
        ]
    );
    let body: serde_json::Value = serde_json::from_str(&script.parts(1).1).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "name": "a b.csv", "type": "delimited", "schema": [{"name": "n", "type": "dateTime"}],
            "metadata": {"n": {"label": "Number", "valueLabels": {"1": "one"}}},
            "hasHeaderRow": false, "skipBadRecords": true, "hasQuotedNewlines": true, "allowJaggedRows": true,
            "quoteCharacter": "'", "escapeCharacter": "\\", "nullMarkers": ["NA", ""], "delimiter": "\t",
            "transferSpecification": {"sourceType": "gcs", "sourcePath": "bucket/x"},
        })
    );
}

#[tokio::test]
async fn a_name_that_is_taken() {
    let (methods, end) = create(OnConflict::Fail, vec![there("completed")]).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("data.csv"), "{error}");
    assert_eq!(methods, ["GET"]);

    let (methods, end) = create(OnConflict::Skip, vec![there("completed")]).await;
    assert_eq!(end.unwrap().status, UploadStatus::Completed);
    assert_eq!(methods, ["GET"]);

    let answers = vec![there("completed"), there("queued")];
    let (methods, end) = create(OnConflict::Rename, answers).await;
    end.unwrap();
    assert_eq!(methods, ["GET", "POST"]);

    let deleted = Answer::Bytes(response("200 OK", "", b"OK"));
    let answers = vec![there("completed"), deleted, there("queued")];
    let (methods, end) = create(OnConflict::Replace, answers).await;
    end.unwrap();
    assert_eq!(methods, ["GET", "DELETE", "POST"]);

    // A deletion whose answer is lost finds nothing the second time.
    let answers = vec![
        there("completed"),
        Answer::Hangup,
        missing(),
        there("queued"),
    ];
    let (methods, end) = create(OnConflict::Replace, answers).await;
    end.unwrap();
    assert_eq!(methods, ["GET", "DELETE", "DELETE", "POST"]);
}

#[tokio::test]
async fn a_lost_answer_never_makes_two_uploads() {
    let refused = || {
        json(
            "409 Conflict",
            r#"{"error_description":"temp upload secret-temp-upload is taken"}"#,
        )
    };
    for lost in [
        Answer::Hangup,
        Answer::Stall(Vec::new()),
        status("500 Internal Server Error"),
        status("502 Bad Gateway"),
        Answer::Bytes(response("200 OK", "", b"<html>")),
    ] {
        // It had been carried out.
        let (methods, end) = create(
            OnConflict::Fail,
            vec![missing(), lost.clone(), there("queued")],
        )
        .await;
        assert!(end.unwrap().recognized);
        assert_eq!(methods, ["GET", "POST", "GET"]);

        // It had not.
        let answers = vec![missing(), lost.clone(), missing(), there("queued")];
        let (methods, end) = create(OnConflict::Fail, answers).await;
        end.unwrap();
        assert_eq!(methods, ["GET", "POST", "GET", "POST"]);

        // It was about to be.
        let answers = vec![
            missing(),
            lost.clone(),
            missing(),
            refused(),
            there("queued"),
        ];
        let (methods, end) = create(OnConflict::Fail, answers).await;
        end.unwrap();
        assert_eq!(methods, ["GET", "POST", "GET", "POST", "GET"]);

        // Somebody else was quicker with the same name.
        let other = json("200 OK", &upload("queued").replace("100", "99"));
        let (methods, end) = create(OnConflict::Fail, vec![missing(), lost.clone(), other]).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(methods, ["GET", "POST", "GET"]);

        // Under another name it could not be recognized.
        let (methods, end) = create(OnConflict::Rename, vec![there("completed"), lost]).await;
        let error = end.unwrap_err();
        assert!(error.message().contains("may have been created"), "{error}");
        assert_eq!(methods, ["GET", "POST"]);
    }
    // Both requests were carried out in the end: the second upload goes, and only that one.
    let second = upload("queued")
        .replace("data_csv", "data_2_csv")
        .replace("data.csv", "data (2).csv");
    let deleted = || Answer::Bytes(response("200 OK", "", b"OK"));
    let answers = vec![
        missing(),
        Answer::Hangup,
        missing(),
        json("201 Created", &second),
        there("queued"),
        deleted(),
    ];
    let (methods, end) = create(OnConflict::Fail, answers).await;
    assert_eq!(end.unwrap().name.as_deref(), Some("data.csv"));
    assert_eq!(methods, ["GET", "POST", "GET", "POST", "GET", "DELETE"]);
    // The service writes the one name in another way.
    let same = json(
        "201 Created",
        &upload("queued").replace("data.csv", "Data_CSV"),
    );
    let answers = vec![missing(), Answer::Hangup, missing(), same];
    let (methods, end) = create(OnConflict::Fail, answers).await;
    end.unwrap();
    assert_eq!(methods, ["GET", "POST", "GET", "POST"]);
    // What may be somebody else's is not taken.
    for other in [
        upload("queued").replace("100", "99"),
        upload("queued").replace(r#""100""#, "null"),
    ] {
        let answers = vec![missing(), Answer::Hangup, json("200 OK", &other)];
        let (_, end) = create(OnConflict::Fail, answers).await;
        let error = end.unwrap_err();
        assert!(error.may_have_happened(), "{error}");
        assert!(
            error.message().contains("look at the table's uploads"),
            "{error}"
        );
    }
    // An upload of other bytes than were sent is none.
    let short = json("201 Created", &upload("queued").replace("100", "99"));
    let (_, end) = create(OnConflict::Fail, vec![missing(), short]).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Protocol);
    // Refused before anything was done: asked again without looking.
    let answers = vec![
        missing(),
        status("503 Service Unavailable"),
        there("queued"),
    ];
    let (methods, end) = create(OnConflict::Fail, answers).await;
    end.unwrap();
    assert_eq!(methods, ["GET", "POST", "POST"]);
    // Refused for good.
    let (methods, end) = create(OnConflict::Fail, vec![missing(), refused()]).await;
    assert_eq!(end.unwrap_err().status(), Some(409));
    assert_eq!(methods, ["GET", "POST"]);
}

#[tokio::test]
async fn waiting_for_rows() {
    let waiting: Upload = serde_json::from_str(&upload("queued")).unwrap();
    let script = Script::play(vec![there("running"), Answer::Hangup, there("completed")]).await;
    let done = script.client().wait_for_upload(&waiting).await.unwrap();
    assert_eq!(done.status, UploadStatus::Completed);
    assert_eq!(
        script.lines()[0],
        format!("GET /api/v1{TABLE}/uploads/data_csv")
    );

    let failed = upload("failed").replace('}', r#","errorMessage":"row 7: \"x\" is no integer"}"#);
    let script = Script::play(vec![json("200 OK", &failed)]).await;
    let error = script.client().wait_for_upload(&waiting).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.message(), r#"row 7: "x" is no integer"#);
    assert!(error.to_string().contains("data.csv"), "{error}");

    let done: Upload = serde_json::from_str(&upload("completed")).unwrap();
    let script = Script::play(vec![]).await;
    script.client().wait_for_upload(&done).await.unwrap();
    assert!(script.requests().is_empty());
}

/// Waits for an upload that is completed, of which these answers say more.
async fn wait_for_count(answers: Vec<Answer>) -> (usize, Upload) {
    let uncounted = upload("completed").replace(r#","numRows":7"#, "");
    let uncounted: Upload = serde_json::from_str(&uncounted).unwrap();
    let script = Script::play(answers).await;
    let done = script.client().wait_for_upload(&uncounted).await.unwrap();
    assert_eq!(done.status, UploadStatus::Completed);
    (script.requests().len(), done)
}

#[tokio::test]
async fn an_upload_that_is_completed_without_a_count_is_completed() {
    let saying = |count: &str| {
        let counted = upload("completed").replace(r#","numRows":7"#, count);
        json("200 OK", &counted)
    };
    // Told a little later.
    let (asked, done) = wait_for_count(vec![
        saying(r#","numRows":null"#),
        saying(r#","numRows":"7""#),
    ])
    .await;
    assert_eq!(asked, 2);
    assert_eq!(done.row_count(7), RowCount::Confirmed);
    assert_eq!(done.row_count(8), RowCount::Different(7));
    // Never told, in any way of not telling it.
    let answers = vec![
        saying(""),
        missing(),
        saying(r#","numRows":null"#),
        saying(""),
    ];
    let (asked, done) = wait_for_count(answers).await;
    assert_eq!(asked, 3);
    assert_eq!(done.row_count(7), RowCount::Unconfirmed);
}

#[tokio::test]
async fn a_status_may_be_told_later() {
    let waiting: Upload = serde_json::from_str(&upload("running")).unwrap();
    let nothing = upload("queued").replace(r#""status":"queued""#, r#""status":null"#);
    let script = Script::play(vec![json("200 OK", &nothing), there("completed")]).await;
    let done = script.client().wait_for_upload(&waiting).await.unwrap();
    assert_eq!(done.status, UploadStatus::Completed);
}

#[tokio::test]
async fn from_bytes_to_rows() {
    let script = Script::play_at(|origin| {
        vec![
            missing(),
            json(
                "201 Created",
                &format!(r#"{{"results":[{{"id":"t1","url":"{origin}/temp/1","size":100}}]}}"#),
            ),
            status("200 OK"),
            missing(),
            there("queued"),
            there("completed"),
        ]
    })
    .await;
    let content = Content::bytes(text(100));
    let uploaded = script
        .client()
        .upload(TABLE, &request(OnConflict::Fail), &content, &Arc::default())
        .await
        .unwrap();
    assert_eq!(uploaded.status, UploadStatus::Completed);
    let body: serde_json::Value = serde_json::from_str(&script.parts(4).1).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"name": "data.csv", "tempUploadId": "t1"})
    );

    // Nothing is sent for a name that is taken.
    let script = Script::play(vec![there("completed")]).await;
    let error = script
        .client()
        .upload(TABLE, &request(OnConflict::Fail), &content, &Arc::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(script.requests().len(), 1);
}

//! Fields in forms that nobody promised: hints that can't be read are unknown, what a resource is found by must be there.

use redivis::read::{ReadSession, ReadStreamInfo};
use redivis::resource::{
    Dataset, DatasetVersion, JobStatus, Query, QueryRequest, RawFile, Table, Upload, Variable,
    VariableStatistics,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::script::{self, Script};

fn read<T: DeserializeOwned>(fields: &Map<String, Value>) -> Result<T, serde_json::Error> {
    serde_json::from_value(Value::Object(fields.clone()))
}

/// Reads a resource with `strict` fields and each hint in each form; then without one of the strict fields.
#[track_caller]
fn assert_lenient<T: DeserializeOwned>(strict: Value, hints: &[&str]) {
    let forms = [
        Value::Null,
        json!(12),
        json!(33.3),
        json!(-1),
        json!(1e300),
        json!("33"),
        json!("a few"),
        json!(""),
        json!("2023-11-14T22:13:20Z"),
        json!(true),
        json!([]),
        json!([1]),
        json!({}),
        json!({"name": 1}),
    ];
    let strict: Map<String, Value> = serde_json::from_value(strict).unwrap();
    read::<T>(&strict).unwrap();
    for hint in hints {
        for form in &forms {
            let mut fields = strict.clone();
            fields.insert((*hint).to_owned(), form.clone());
            let error = read::<T>(&fields).err();
            assert!(error.is_none(), "{hint}: {form}: {error:?}");
        }
    }
    for name in strict.keys() {
        let mut fields = strict.clone();
        fields.remove(name);
        assert!(read::<T>(&fields).is_err(), "{name} is missing");
        fields.insert(name.clone(), Value::Null);
        assert!(read::<T>(&fields).is_err(), "{name} is null");
        fields.insert(name.clone(), json!({}));
        assert!(read::<T>(&fields).is_err(), "{name} is an object");
    }
}

#[test]
fn hints_are_unknown_where_they_cannot_be_read() {
    assert_lenient::<Table>(
        json!({"uri": "/tables/o.d.t", "name": "t"}),
        &[
            "url",
            "hash",
            "description",
            "numRows",
            "numBytes",
            "variableCount",
            "isSample",
            "isFileIndex",
            "uploadMergeStrategy",
            "container",
            "createdAt",
            "updatedAt",
        ],
    );
    assert_lenient::<Dataset>(
        json!({"uri": "/datasets/o.d", "name": "d"}),
        &[
            "owner",
            "description",
            "url",
            "publicAccessLevel",
            "accessLevel",
            "tableCount",
            "numBytes",
            "version",
            "nextVersion",
            "previousVersion",
            "createdAt",
            "updatedAt",
        ],
    );
    assert_lenient::<DatasetVersion>(
        json!({}),
        &[
            "label",
            "isReleased",
            "status",
            "releaseErrorMessage",
            "isDeleted",
            "createdAt",
            "releasedAt",
        ],
    );
    assert_lenient::<Upload>(
        json!({"uri": "/tables/o.d.t/uploads/u"}),
        &[
            "status",
            "type",
            "size",
            "numRows",
            "numBytes",
            "errorMessage",
        ],
    );
    assert_lenient::<Query>(
        json!({"uri": "/queries/1"}),
        &["status", "errorMessage", "outputNumRows", "outputNumBytes"],
    );
    assert_lenient::<Variable>(
        json!({"name": "n", "type": "integer"}),
        &[
            "uri",
            "index",
            "label",
            "description",
            "valueLabels",
            "isFileId",
        ],
    );
    assert_lenient::<VariableStatistics>(
        json!({}),
        &[
            "status",
            "count",
            "numDistinct",
            "min",
            "max",
            "mean",
            "approxMedian",
        ],
    );
    assert_lenient::<RawFile>(json!({"id": "f1"}), &["size"]);
    assert_lenient::<ReadSession>(json!({"streams": []}), &["numRows"]);
    assert_lenient::<ReadStreamInfo>(
        json!({"id": "s1"}),
        &["format", "expiresAt", "estimatedRows"],
    );
}

#[test]
fn null_is_survived_where_something_else_tells() {
    let table: Table = serde_json::from_value(json!({
        "uri": "/tables/o.d:ab12:v1_0.t:cd34", "name": "t", "qualifiedReference": null, "scopedReference": null,
        "referenceId": null, "id": null,
    }))
    .unwrap();
    assert_eq!(
        table.reference().unwrap().to_string(),
        "o.d:ab12:v1_0.t:cd34"
    );
    assert!(table.is_released());
    let dataset: Dataset = serde_json::from_value(json!({
        "uri": "/datasets/o.d", "name": "d", "qualifiedReference": null, "owner": {"name": "o", "kind": null},
        "version": {"tag": null, "isReleased": null, "datasetUri": "/datasets/o.d:v1_0"},
    }))
    .unwrap();
    assert_eq!(dataset.owner.unwrap().name, "o");
    let version = dataset.version.unwrap();
    assert_eq!(version.tag, "");
    assert_eq!(version.dataset_uri.as_deref(), Some("/datasets/o.d:v1_0"));
}

#[tokio::test]
async fn a_query_without_a_status_is_what_its_result_tells() {
    let request = QueryRequest::default();
    let running = r#"{"uri":"/queries/1","status":null,"outputNumRows":null,"outputSchema":null}"#;
    let completed = r#"{"uri":"/queries/1","status":null,"outputNumRows":1,"outputSchema":[{"name":"n","type":"integer"}]}"#;
    let failed = r#"{"uri":"/queries/1","status":null,"errorMessage":"no such table"}"#;
    let script = Script::play(vec![
        script::json("200 OK", running),
        script::json("200 OK", completed),
    ])
    .await;
    let query = script.client().query(&request).await.unwrap();
    assert_eq!(query.status, JobStatus::Completed);
    let script = Script::play(vec![script::json("200 OK", failed)]).await;
    let error = script.client().query(&request).await.unwrap_err();
    assert!(error.to_string().contains("no such table"), "{error}");
}

//! Files of the data folder: what they become, and what happens when they are broken or change.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, DictionaryArray, Float32Array, Int32Array, LargeStringArray, RecordBatch,
        TimestampNanosecondArray,
    },
    datatypes::Int8Type,
    ipc::writer::{FileWriter, StreamWriter},
};
use serde_json::{Value, json};

use crate::support::{Local, numbers, parquet, put};

async fn types(local: &Local, table: &str) -> Vec<String> {
    let list = local.json(&format!("/tables/{table}/variables")).await;
    let variables = list["results"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    variables
        .iter()
        .map(|v| format!("{} {}", text(&v["name"]), text(&v["type"])))
        .collect()
}

#[tokio::test]
async fn every_format_gives_the_same_rows() {
    let batch = numbers(100);
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    let stream = stream.into_inner().unwrap();
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    let file = file.into_inner().unwrap();
    let parquet = parquet(&batch);
    let local = Local::serving(&[
        ("a/d/parquet.parquet", &parquet),
        ("a/d/stream.arrow", &stream),
        ("a/d/file.arrow", &file),
    ])
    .await;
    let csv = local.text("/tables/a.d.parquet/rows?format=csv").await;
    let json = local.text("/tables/a.d.parquet/rows").await;
    put(local.folder.path(), "a/d/text.csv", csv.as_bytes());
    put(local.folder.path(), "a/d/lines.ndjson", json.as_bytes());
    for table in ["stream", "file", "text", "lines"] {
        let table = format!("a.d.{table}");
        assert_eq!(
            types(&local, &table).await,
            ["n integer", "half float", "Text string"]
        );
        assert_eq!(
            local
                .text(&format!("/tables/{table}/rows?format=csv"))
                .await,
            csv
        );
        assert_eq!(
            local.json(&format!("/tables/{table}")).await["numRows"],
            100
        );
    }
}

#[tokio::test]
async fn stored_types_become_redivis_types() {
    let words: DictionaryArray<Int8Type> = [Some("x"), None].into_iter().collect();
    let batch = RecordBatch::try_from_iter([
        ("small", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
        ("single", Arc::new(Float32Array::from(vec![0.5, 1.5]))),
        ("large", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
        ("word", Arc::new(words)),
        (
            "zoned",
            Arc::new(TimestampNanosecondArray::from(vec![0, 1_000_000_000]).with_timezone("UTC")),
        ),
    ])
    .unwrap();
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&batch))]).await;
    assert_eq!(
        types(&local, "a.d.t").await,
        [
            "small integer",
            "single float",
            "large string",
            "word string",
            "zoned dateTime"
        ]
    );
    assert_eq!(
        local.text("/tables/a.d.t/rows?format=csv").await,
        "small,single,large,word,zoned\n1,0.5,a,x,1970-01-01 00:00:00\n2,1.5,b,,1970-01-01 00:00:01\n"
    );
}

#[tokio::test]
async fn a_description_sets_types_strictly() {
    let local = Local::serving(&[
        ("a/d/t.csv", b"code,size\n1,2\n3,4\n"),
        ("a/d/t.json", br#"{"variables": [{"name": "CODE", "type": "string"}, {"name": "size", "type": "float"}]}"#),
        ("a/d/p.parquet", &parquet(&numbers(3))),
        ("a/d/p.json", br#"{"variables": [{"name": "n", "type": "string"}]}"#),
        ("a/d/broken.csv", b"n\n1\n1.5\n"),
        ("a/d/broken.json", br#"{"variables": [{"name": "n", "type": "integer"}]}"#),
        ("a/d/half.parquet", &parquet(&numbers(3))),
        ("a/d/half.json", br#"{"variables": [{"name": "half", "type": "integer"}]}"#),
    ])
    .await;
    assert_eq!(types(&local, "a.d.t").await, ["code string", "size float"]);
    assert_eq!(
        types(&local, "a.d.p").await,
        ["n string", "half float", "Text string"]
    );
    for (table, value) in [("broken", "1.5"), ("half", "0.5")] {
        let (status, error) = local.get(&format!("/tables/a.d.{table}")).await;
        assert_eq!(status, 422, "{error}");
        assert!(
            error["error_description"].as_str().unwrap().contains(value),
            "{error}"
        );
    }
}

#[tokio::test]
async fn broken_files_answer_for_themselves_alone() {
    let local = Local::serving(&[
        ("a/d/good.csv", b"x\n1\n"),
        ("a/d/ragged.csv", b"x,y\n1\n1,2,3\n"),
        ("a/d/nothing.csv", b""),
        ("a/d/garbage.parquet", b"PAR1 not really PAR1"),
        ("a/d/garbage.arrow", b"nonsense"),
        ("a/d/cut.ndjson", b"{\"x\": 1}\n{\"x\": "),
        ("a/d/nested.ndjson", b"{\"x\": [1, 2]}\n"),
        ("a/d/twins.csv", b"x,X\n1,2\n"),
        ("a/d/two.csv", b"x\n1\n"),
        ("a/d/two.ndjson", b"{\"x\": 1}\n"),
        ("a/d/described.csv", b"x\n1\n"),
        (
            "a/d/described.json",
            b"{\"variables\": [{\"name\": \"x\", \"type\": \"int\"}]}",
        ),
    ])
    .await;
    for table in [
        "ragged",
        "nothing",
        "garbage",
        "cut",
        "nested",
        "twins",
        "two",
        "described",
    ] {
        let (status, error) = local.get(&format!("/tables/a.d.{table}")).await;
        assert_eq!(status, 422, "{table}: {error}");
        assert_eq!(error["error"], "unreadable_table");
    }
    assert_eq!(local.json("/tables/a.d.good").await["numRows"], 1);
    let list = local.json("/datasets/a.d/tables").await;
    let good: Vec<_> = list["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|table| table["numRows"] == 1)
        .map(|table| table["name"].as_str().unwrap())
        .collect();
    assert_eq!(good, ["good"]);
}

#[tokio::test]
async fn damaged_files_are_refused_and_harm_nothing_else() {
    let batch = numbers(20);
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    let arrow = file.into_inner().unwrap();
    let parquet = parquet(&batch);
    let mut files = Vec::new();
    for (whole, extension) in [(&arrow, "arrow"), (&parquet, "parquet")] {
        // Lengths and offsets stand at the end of both formats.
        for place in (whole.len().saturating_sub(400)..whole.len()).step_by(9) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x7f;
            files.push((format!("a/d/{extension}{place}.{extension}"), damaged));
        }
    }
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    let local = Local::serving(&files).await;
    let mut refused = 0;
    for (path, _) in &files {
        let table = path["a/d/".len()..].split('.').next().unwrap();
        let answer = local
            .send(
                reqwest::Method::GET,
                &format!("/tables/a.d.{table}/rows"),
                None,
            )
            .await;
        let status = answer.status().as_u16();
        assert!(matches!(status, 200 | 422), "{path}: {status}");
        refused += usize::from(status == 422);
    }
    assert!(refused > files.len() / 4, "{refused} of {}", files.len());
}

#[tokio::test]
async fn changes_are_seen_at_once() {
    let local = Local::serving(&[("a/d/t.csv", b"x\n1\n")]).await;
    let before = local.json("/tables/a.d.t").await;
    put(local.folder.path(), "a/d/t.csv", b"x\n1\n2\n");
    let after = local.json("/tables/a.d.t").await;
    assert_eq!(after["numRows"], 2);
    assert_ne!(before["hash"], after["hash"]);
    assert_eq!(before["referenceId"], after["referenceId"]);
    put(local.folder.path(), "b/new/u.csv", b"x\n1\n");
    assert_eq!(local.json("/tables/b.new.u").await["numRows"], 1);
    std::fs::remove_file(local.folder.path().join("a/d/t.csv")).unwrap();
    assert_eq!(local.get("/tables/a.d.t").await.0, 404);
}

#[tokio::test]
async fn a_stream_whose_file_changed_says_so() {
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(5)))]).await;
    let session = local.session("/tables/a.d.t", json!({})).await;
    put(local.folder.path(), "a/d/t.parquet", &parquet(&numbers(6)));
    let id = session["streams"][0]["id"].as_str().unwrap();
    let (status, error) = local.get(&format!("/readStreams/{id}")).await;
    assert_eq!(status, 410, "{error}");
    assert_eq!(error["error"], "table_changed");
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let local = Local::serving(&[("a/d/t.csv", b"x\n1\n"), (".hidden/d/t.csv", b"x\n1\n")]).await;
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "d/t.csv", b"x\n1\n");
    for path in [
        "/tables/..%2Fx.d.t",
        "/tables/hidden.d.t",
        "/tables/redivis.converted.t",
        "/users/..%2F..%2Fetc/datasets",
        "/datasets/a.d%2F..",
        "/tables/a.d.t%2F..%2Ft",
    ] {
        let status = local.get(path).await.0.as_u16();
        assert!(
            [400, 404].contains(&status) || path.starts_with("/datasets"),
            "{path}: {status}"
        );
    }
}

//! Read sessions and streams: every row exactly once, from any offset, in any number of streams.

use std::time::Duration;

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::{DataType, Int64Type},
};
use serde_json::json;

use crate::support::{Local, decode, joined, numbers, parquet, stream_ids};

const TABLE: &str = "/tables/a.d.t";

fn of_n(batches: &[RecordBatch]) -> Vec<i64> {
    batches
        .iter()
        .flat_map(|batch| {
            let column = batch.column_by_name("n").unwrap();
            column.as_primitive::<Int64Type>().values().to_vec()
        })
        .collect()
}

#[tokio::test]
async fn streams_share_the_rows_out() {
    let rows = 50_000;
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(rows)))]).await;
    for (count, limit) in [
        (1, None),
        (3, None),
        (8, Some(12_345)),
        (8, Some(3)),
        (2, Some(0)),
    ] {
        let request = json!({"requestedStreamCount": count, "maxResults": limit});
        let session = local.session(TABLE, request).await;
        let expected = limit.unwrap_or(rows);
        assert_eq!(session["numRows"], expected);
        let ids = stream_ids(&session);
        assert!((1..=count).contains(&ids.len()));
        let mut found = Vec::new();
        for (id, stream) in ids.iter().zip(session["streams"].as_array().unwrap()) {
            let batches = local.batches(&format!("/readStreams/{id}")).await;
            let own = of_n(&batches);
            assert_eq!(stream["estimatedRows"], own.len());
            assert!(batches.iter().all(|batch| batch.num_rows() > 0));
            found.extend(own);
        }
        assert_eq!(found, (0..expected).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_schema_is_exact() {
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(10)))]).await;
    let request = json!({"selectedVariables": ["TEXT", "N"]});
    let ids = stream_ids(&local.session(TABLE, request).await);
    let batches = local.batches(&format!("/readStreams/{}", ids[0])).await;
    let schema = batches[0].schema();
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| {
            (
                field.name().as_str(),
                field.data_type().clone(),
                field.is_nullable(),
            )
        })
        .collect();
    assert_eq!(
        fields,
        [("Text", DataType::Utf8, true), ("n", DataType::Int64, true)]
    );
    assert!(schema.metadata().is_empty());
    assert!(
        schema
            .fields()
            .iter()
            .all(|field| field.metadata().is_empty())
    );
}

#[tokio::test]
async fn any_row_that_was_sent_can_be_asked_for_again() {
    let rows = 40_000;
    let table = numbers(rows);
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&table))]).await;
    let ids = stream_ids(
        &local
            .session(TABLE, json!({"requestedStreamCount": 2}))
            .await,
    );
    let path = format!("/readStreams/{}", ids[1]);

    // Nothing was sent yet.
    assert_eq!(local.get(&format!("{path}?offset=1")).await.0, 400);
    let whole = joined(
        &local
            .batches(&format!("{path}?offset=0&eosSentinel=true"))
            .await,
    );
    assert_eq!(whole.num_rows(), 20_000);
    for (text, offset) in [
        ("0", 0),
        ("1", 1),
        ("9999.0", 9999),
        ("1e%2B04", 10_000),
        ("2e+04", 20_000),
        ("19999", 19_999),
        ("0", 0),
    ] {
        let batches = local
            .batches(&format!("{path}?offset={text}&eosSentinel=true"))
            .await;
        let (sentinel, data) = batches.split_last().unwrap();
        assert_eq!(sentinel.num_rows(), 0);
        let length = whole.num_rows() - offset;
        if length == 0 {
            assert!(data.is_empty());
        } else {
            assert_eq!(joined(data), whole.slice(offset, length));
        }
    }
    let (status, error) = local.get(&format!("{path}?offset=20001")).await;
    assert_eq!(
        (status.as_u16(), error["error"].as_str()),
        (400, Some("invalid_request"))
    );
    assert_eq!(local.get(&format!("{path}?offset=-1")).await.0, 400);
    assert_eq!(local.get(&format!("{path}?offset=x")).await.0, 400);
}

#[tokio::test]
async fn reading_goes_no_further_than_the_reader() {
    // Much more than what fits into the connection's buffers.
    let rows = 3_000_000;
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(rows)))]).await;
    let id = stream_ids(&local.session(TABLE, json!({})).await).remove(0);
    let path = format!("/readStreams/{id}");
    let mut response = local.send(reqwest::Method::GET, &path, None).await;
    assert!(!response.chunk().await.unwrap().unwrap().is_empty());
    for _ in 0..2 {
        let (status, error) = local.get(&format!("{path}?offset={rows}")).await;
        assert_eq!(status, 400, "the whole table was sent: {error}");
    }
    drop(response);
    let (status, error) = local.get(&format!("{path}?offset={rows}")).await;
    assert_eq!(status, 400, "the whole table was sent: {error}");
    // What was not read is still there.
    assert_eq!(of_n(&local.batches(&path).await).len(), 3_000_000);
    assert_eq!(
        local.batches(&format!("{path}?offset={rows}")).await.len(),
        0
    );
}

#[tokio::test]
async fn only_those_who_ask_get_a_sentinel() {
    let local = Local::serving(&[
        ("a/d/t.parquet", &parquet(&numbers(5))),
        ("a/d/empty.parquet", &parquet(&numbers(0))),
    ])
    .await;
    for (table, data) in [("t", 1), ("empty", 0)] {
        let session = local
            .session(&format!("/tables/a.d.{table}"), json!({}))
            .await;
        let ids = stream_ids(&session);
        assert_eq!(ids.len(), 1);
        let path = format!("/readStreams/{}", ids[0]);
        assert_eq!(local.batches(&path).await.len(), data);
        assert_eq!(
            local
                .batches(&format!("{path}?eosSentinel=true"))
                .await
                .len(),
            data + 1
        );
    }
}

#[tokio::test]
async fn sessions_expire() {
    let files: &[(&str, &[u8])] = &[("a/d/t.parquet", &parquet(&numbers(5)))];
    let local = Local::with(files, |config| {
        config.session_ttl = Duration::from_millis(300)
    })
    .await;
    let session = local.session(TABLE, json!({})).await;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let expires = session["streams"][0]["expiresAt"].as_u64().unwrap();
    assert!(expires.abs_diff(u64::try_from(now.as_millis()).unwrap()) < 5_000);
    let path = format!("/readStreams/{}", stream_ids(&session)[0]);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    // However slow this machine is: the stream is there no longer than it lives.
    loop {
        let response = local.send(reqwest::Method::GET, &path, None).await;
        if response.status() == 404 {
            break;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "the stream never expired"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_draft_has_a_stream_for_each_upload_as_it_is() {
    let local = Local::serving(&[
        ("a/d/t.csv", b"id,name\n1,one\n2,two\n"),
        ("a/d/next/t/b.csv", b"ID,extra\n3.5,2013-01-01\n"),
        ("a/d/next/t/c.csv", b"name,id\nthree,x\n"),
    ])
    .await;
    let draft = "/tables/a.d:next.t";
    let variables = local.json(&format!("{draft}/variables")).await;
    let kinds: Vec<_> = variables["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["name"].as_str().unwrap(), v["type"].as_str().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [("id", "string"), ("name", "string"), ("extra", "date")]
    );

    let session = local
        .session(draft, json!({"requestedStreamCount": 1}))
        .await;
    assert_eq!(session["numRows"], 4);
    let mut schemas = Vec::new();
    for id in stream_ids(&session) {
        let batches = local.batches(&format!("/readStreams/{id}")).await;
        let fields = batches[0].schema();
        let fields: Vec<_> = fields
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), field.data_type()))
            .collect();
        schemas.push((fields.join(", "), batches[0].num_rows()));
    }
    assert_eq!(
        schemas,
        [
            ("id Int64, name Utf8".to_owned(), 2),
            ("id Float64, extra Date32".to_owned(), 1),
            ("name Utf8, id Utf8".to_owned(), 1),
        ]
    );
    // In one answer they are one schema.
    let rows = local.text(&format!("{draft}/rows?format=csv")).await;
    assert_eq!(
        rows,
        "id,name,extra\n1,one,\n2,two,\n3.5,,2013-01-01\nx,three,\n"
    );
    // A limit holds over all streams.
    let session = local.session(draft, json!({"maxResults": 3})).await;
    assert_eq!(session["numRows"], 3);
    assert_eq!(stream_ids(&session).len(), 3);
}

#[tokio::test]
async fn text_formats_carry_every_type() {
    let local = Local::serving(&[(
        "a/d/t.ndjson",
        br#"{"s":"a,\"b\"","i":1,"f":1.5,"b":true,"d":"2013-01-02","dt":"2013-01-02 03:04:05.5","t":"03:04:05"}
{"s":null,"i":null}
"#,
    )])
    .await;
    let csv = "s,i,f,b,d,dt,t\n\"a,\"\"b\"\"\",1,1.5,true,2013-01-02,2013-01-02 03:04:05.500,03:04:05\n,,,,,,\n";
    assert_eq!(local.text(&format!("{TABLE}/rows?format=csv")).await, csv);
    let lines = concat!(
        r#"{"s":"a,\"b\"","i":1,"f":1.5,"b":true,"d":"2013-01-02","dt":"2013-01-02 03:04:05.500","t":"03:04:05"}"#,
        "\n",
        r#"{"s":null,"i":null,"f":null,"b":null,"d":null,"dt":null,"t":null}"#,
        "\n",
    );
    assert_eq!(local.text(&format!("{TABLE}/rows")).await, lines);
    let query = "format=jsonl&selectedVariables=I&selectedVariables=s&maxResults=1.0";
    let one = local.text(&format!("{TABLE}/rows?{query}")).await;
    assert_eq!(one, "{\"i\":1,\"s\":\"a,\\\"b\\\"\"}\n");
    for (format, text) in [("csv", csv), ("jsonl", lines)] {
        let ids = stream_ids(&local.session(TABLE, json!({"format": format})).await);
        assert_eq!(local.text(&format!("/readStreams/{}", ids[0])).await, text);
    }
    let batches = decode(
        &local
            .bytes(&format!("{TABLE}/rows?format=arrow&maxResults=1"))
            .await,
    );
    assert_eq!(joined(&batches).num_rows(), 1);
}

#[tokio::test]
async fn bodies_are_not_compressed() {
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(5)))]).await;
    let path = format!("{TABLE}/rows?format=arrow");
    let response = local.send(reqwest::Method::GET, &path, None).await;
    assert_eq!(response.headers().get("content-encoding"), None);
    assert_eq!(
        response.headers()["content-type"],
        "application/vnd.apache.arrow.stream"
    );
}

#[tokio::test]
async fn a_sample_is_the_same_rows_however_it_is_read() {
    let file = parquet(&numbers(250_500));
    let mut local = Local::serving(&[
        ("a/d/t.parquet", &file),
        ("a/d/small.parquet", &parquet(&numbers(10))),
        ("a/d/dataset.json", br#"{"publicAccessLevel": "sample"}"#),
    ])
    .await;
    let wanted: Vec<i64> = (0..250_500).filter(|row| row % 100_000 < 1_000).collect();
    let table = local.json("/tables/a.d:sample.t").await;
    assert_eq!(
        (&table["isSample"], &table["numRows"]),
        (&json!(true), &json!(3_000))
    );
    let reference = table["qualifiedReference"].as_str().unwrap();
    assert!(reference.contains(":sample:v1_0.t:"), "{reference}");
    // The JavaScript client writes it behind the table.
    assert_eq!(
        local.json("/tables/a.d:v1_0.t:sample").await["id"],
        table["id"]
    );
    let uri = table["uri"].as_str().unwrap();
    assert_eq!(
        of_n(&local.batches(&format!("{uri}/rows?format=arrow")).await),
        wanted
    );
    for streams in [1, 2, 7] {
        let session = local
            .session(uri, json!({"requestedStreamCount": streams}))
            .await;
        let mut read = Vec::new();
        for id in stream_ids(&session) {
            let path = format!("/readStreams/{id}");
            let all = of_n(&local.batches(&path).await);
            // Resumed within a block, and behind its end.
            for offset in [1, all.len() / 2, all.len() - 1] {
                let rest = of_n(&local.batches(&format!("{path}?offset={offset}")).await);
                assert_eq!(rest, all[offset..]);
            }
            read.extend(all);
        }
        assert_eq!(read, wanted, "{streams} streams");
    }
    let statistics = local.json(&format!("{uri}/variables/n/statistics")).await;
    assert_eq!(
        (&statistics["count"], &statistics["max"]),
        (&json!(3_000), &json!(200_999))
    );
    // Where the sample is public and the data is not.
    local.set_token(None);
    assert_eq!(
        of_n(
            &local
                .batches("/tables/a.d:sample.small/rows?format=arrow")
                .await
        )
        .len(),
        10
    );
    assert_eq!(local.get("/tables/a.d.small/rows").await.0, 401);
}

//! Unreleased tables whose uploads differ in columns, order, spelling and types.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Date32Array, NullArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{Field, Schema};
use futures::TryStreamExt;
use redivis::TableReference;
use redivis::read::{ReadSessionRequest, variables_schema};
use tempfile::TempDir;

use super::{MICROS, TIME, assert_lossy, batch, counted, floats, numbers, serve, texts};
use crate::answer::rows;
use crate::files::write;
use crate::session::{client, session};

/// Says which types an unreleased table has.
fn declare(folder: &Path, table: &str, types: &[(&str, &str)]) {
    let variables: Vec<_> = types
        .iter()
        .map(|(name, kind)| serde_json::json!({"name": name, "type": kind}))
        .collect();
    let description = serde_json::json!({"variables": variables}).to_string();
    std::fs::write(folder.join(format!("{table}.json")), description).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_other_columns_make_one_table() {
    let folder = TempDir::new().unwrap();
    let next = folder.path().join("some/draft/next");
    let upload = |name: &str, columns| {
        write(
            &next.join(format!("mixed/{name}.parquet")),
            &batch(columns),
            100,
        );
    };
    upload(
        "a_exact",
        vec![
            ("id", numbers(&[1])),
            ("amount", floats(&[2.5])),
            ("flag", Arc::new(BooleanArray::from(vec![true]))),
            ("day", Arc::new(Date32Array::from(vec![18_321]))),
            ("moment", counted(&[1_582_938_123_500_000], &MICROS)),
            ("clock", counted(&[86_399_999_999], &TIME)),
            ("label", texts(&["exact"])),
        ],
    );
    upload(
        "b_text",
        vec![
            ("LABEL", texts(&["text", "more"])),
            ("Clock", texts(&["23:59:59.999999", "0:00"])),
            (
                "Moment",
                texts(&["2020-02-29T01:02:03.5", "2020-2-9 1:02:03"]),
            ),
            ("DAY", texts(&["2020-02-29", "0001-01-01"])),
            ("Flag", texts(&["TRUE", "0"])),
            ("Amount", texts(&["2.5", "-1e3"])),
            ("ID", texts(&["2", "-9223372036854775808"])),
        ],
    );
    upload(
        "c_other",
        vec![
            ("unrelated", numbers(&[0])),
            ("label", numbers(&[42])),
            ("day", counted(&[1_582_934_400_000_000], &MICROS)),
            ("flag", numbers(&[0])),
            ("amount", numbers(&[7])),
            ("Id", floats(&[3.0])),
        ],
    );
    declare(
        &next,
        "mixed",
        &[
            ("id", "integer"),
            ("amount", "float"),
            ("flag", "boolean"),
            ("day", "date"),
            ("moment", "dateTime"),
            ("clock", "time"),
            ("label", "string"),
        ],
    );
    let server = serve(&folder).await;
    let (_, redivis) = session(client(server.endpoint(), server.token()), 4).await;
    let answer = async |sql: &str| {
        let frame = redivis.sql(sql).await.unwrap();
        rows(&frame.collect().await.unwrap())
    };

    let all = "SELECT id, amount, flag, day, moment, clock, label FROM some.\"draft:next\".mixed ORDER BY id";
    assert_eq!(
        answer(all).await,
        [
            "-9223372036854775808 | -1000.0 | false | 0001-01-01 | 2020-02-09T01:02:03 | 00:00:00 | more",
            "1 | 2.5 | true | 2020-02-29 | 2020-02-29T01:02:03.500 | 23:59:59.999999 | exact",
            "2 | 2.5 | true | 2020-02-29 | 2020-02-29T01:02:03.500 | 23:59:59.999999 | text",
            "3 | 7.0 | false | 2020-02-29 | ∅ | ∅ | 42",
        ]
    );
    let few = "SELECT Unrelated, count(*), min(LABEL) FROM some.\"draft:next\".mixed GROUP BY 1 ORDER BY 1";
    assert_eq!(answer(few).await, ["0 | 1 | 42", "∅ | 3 | exact"]);
    // In an upload that has none of the variables asked for, the rows are there nevertheless.
    let missing = "SELECT clock FROM some.\"draft:next\".mixed WHERE clock IS NULL";
    assert_eq!(answer(missing).await, ["∅"]);
    assert_eq!(
        answer("SELECT count(*) FROM some.\"draft:next\".mixed").await,
        ["4"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_with_a_value_that_is_lost_is_refused() {
    let cases: [(&str, ArrayRef, &str); 13] = [
        ("integer", texts(&["1.5"]), "1.5"),
        (
            "integer",
            texts(&["9223372036854775808"]),
            "9223372036854775808",
        ),
        ("integer", texts(&[""]), ""),
        ("integer", floats(&[1.5]), "1.5"),
        ("integer", floats(&[1e19]), "1e19"),
        ("float", texts(&["1,5"]), "1,5"),
        ("float", numbers(&[(1 << 53) + 1]), "9007199254740993"),
        ("boolean", texts(&["yes"]), "yes"),
        ("boolean", numbers(&[2]), "2"),
        ("date", texts(&["2021-02-29"]), "2021-02-29"),
        ("date", counted(&[1], &MICROS), "1970-01-01T00:00:00.000001"),
        (
            "dateTime",
            texts(&["2020-01-01 25:00:00"]),
            "2020-01-01 25:00:00",
        ),
        ("time", texts(&["24:00:00"]), "24:00:00"),
    ];
    let folder = TempDir::new().unwrap();
    let next = folder.path().join("some/draft/next");
    for (case, (kind, values, _)) in cases.iter().enumerate() {
        let table = format!("case_{case}");
        let good: ArrayRef = Arc::new(NullArray::new(3));
        let good = cast(&good, values.data_type()).unwrap();
        for (upload, column) in [("good", &good), ("wrong", values)] {
            let file = next.join(format!("{table}/{upload}.parquet"));
            let field = Field::new("Value", column.data_type().clone(), true);
            let schema = Arc::new(Schema::new(vec![field]));
            let batch = RecordBatch::try_new(schema, vec![Arc::clone(column)]).unwrap();
            write(&file, &batch, 100);
        }
        declare(&next, &table, &[("value", kind)]);
    }
    let server = serve(&folder).await;
    let client = client(server.endpoint(), server.token());
    for (case, (kind, _, shown)) in cases.iter().enumerate() {
        let reference: TableReference = format!("some.draft:next.case_{case}").parse().unwrap();
        let uri = client.table(&reference).await.unwrap().uri;
        let schema = variables_schema(&client.variables(&uri).await.unwrap());
        let request = ReadSessionRequest::default();
        let session = client.create_read_session(&uri, &request).await.unwrap();
        let [good, wrong] = session.streams.as_slice() else {
            panic!("a stream for each upload");
        };
        let batches = client.read_arrow(good, Arc::clone(&schema));
        let batches: Vec<RecordBatch> = batches.try_collect().await.unwrap();
        assert_eq!(rows(&batches), ["∅"; 3], "{kind}");
        let read: Result<Vec<_>, _> = client.read_arrow(wrong, schema).try_collect().await;
        assert_lossy(&read.expect_err(shown), wrong, "Value", shown);
    }
}

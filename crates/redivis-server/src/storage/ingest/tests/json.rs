use super::{UploadOptions, ingest_bytes, options, refusal};
use crate::storage::UploadType;

fn ndjson() -> UploadOptions {
    options(UploadType::Ndjson)
}

#[test]
fn lines_and_arrays_give_the_same_rows() {
    let records = [
        r#"{"n": 1, "f": 1.5, "t": "é\n\"", "d": "2020-01-02", "q": "1", "b": true}"#,
        r#"{"N": -9223372036854775808, "f": 2, "new": null}"#,
        r#"{}"#,
    ];
    let lines = records.join("\n");
    let array = format!(" [{}\n]\n", records.join(" ,\n"));
    for (text, kind) in [(lines, UploadType::Ndjson), (array, UploadType::Json)] {
        let rows = ingest_bytes(text.as_bytes(), &options(kind)).unwrap();
        assert_eq!(
            rows.types(),
            "n integer, f float, t string, d date, q string, b boolean, new string"
        );
        assert_eq!(
            rows.text(),
            [
                ["1", "1.5", "é\n\"", "2020-01-02", "1", "true", "∅"],
                ["-9223372036854775808", "2.0", "∅", "∅", "∅", "∅", "∅"],
                ["∅", "∅", "∅", "∅", "∅", "∅", "∅"],
            ]
        );
    }
    let empty = ingest_bytes(b"[]", &options(UploadType::Json));
    assert!(empty.is_err());
}

#[test]
fn what_no_variable_can_hold_is_refused_with_its_row() {
    for (text, reason) in [
        (
            r#"{"x": 9223372036854775808}"#,
            "row 2 (line 2): `x`: 9223372036854775808 is beyond",
        ),
        (r#"{"x": 1e999}"#, "row 2 (line 2): `x`: 1e999 is beyond"),
        (r#"{"x": NaN}"#, "row 2 (line 2): it is not a JSON object"),
        (r#"{"x": 1, "x": 2}"#, "row 2 (line 2): it has `x` twice"),
        (r#"{"x": 1, "X": 2}"#, "row 2 (line 2): it has `X` twice"),
        (
            r#"{"x": [1]}"#,
            "row 2 (line 2): `x`: Redivis has no type for nested values",
        ),
        (
            r#"{"x": {"y": 1}}"#,
            "row 2 (line 2): `x`: Redivis has no type for nested values",
        ),
        (r#"[1]"#, "row 2 (line 2): it is not a JSON object"),
        (
            r#"{"x": 1} {"x": 2}"#,
            "row 2 (line 2): it is not a JSON object",
        ),
        (r#"{"x": 01}"#, "row 2 (line 2): it is not a JSON object"),
        (r#"{"x": "\ud800"}"#, "row 2 (line 2): `x`:"),
        (r#"{"x": "#, "row 2 (line 2): it is not a JSON object"),
        ("", "row 2 (line 2): it is blank"),
    ] {
        let lines = format!("{{\"x\": 0}}\n{text}\n");
        let found = refusal(lines.as_bytes(), &ndjson());
        assert!(found.starts_with(reason), "{text}: {found}");
        let skipping = UploadOptions {
            skip_bad_records: Some(true),
            ..ndjson()
        };
        let rows = ingest_bytes(lines.as_bytes(), &skipping).unwrap();
        assert_eq!((rows.bad_records, rows.batch.num_rows()), (1, 1), "{text}");
    }
    let invalid = refusal(b"{\"x\": \"\xff\"}\n", &ndjson());
    assert!(invalid.starts_with("row 1 (line 1)"), "{invalid}");
}

#[test]
fn arrays_are_read_strictly() {
    for (text, reason) in [
        ("", "line 1: the `[` of an array"),
        ("{\"x\": 1}", "line 1: the `[` of an array"),
        ("[\n1]", "line 2: an object"),
        ("[{\"x\": 1}", "line 1: `,` or the `]`"),
        ("[{\"x\": 1},]", "line 1: an object"),
        ("[{\"x\": 1} {\"x\": 1}]", "line 1: `,` or the `]`"),
        ("[{\"x\": 1}]\n]", "line 2: the end of the file"),
        ("[{\"x\": \"}", "line 1: the file ends within this object"),
        (
            "[{\"x\": 1},\n{\"x\": 1, \"x\": 2}]",
            "row 2 (line 2): it has `x` twice",
        ),
    ] {
        let found = refusal(text.as_bytes(), &options(UploadType::Json));
        assert!(found.starts_with(reason), "{text}: {found}");
    }
}

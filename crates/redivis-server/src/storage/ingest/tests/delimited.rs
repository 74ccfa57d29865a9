use std::io::Write;

use super::{UploadOptions, ingest_bytes, options, refusal};
use crate::storage::UploadType;

fn delimited() -> UploadOptions {
    options(UploadType::Delimited)
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The types and the rows of a text.
fn read(text: &str, options: &UploadOptions) -> (String, Vec<Vec<String>>) {
    let rows = ingest_bytes(text.as_bytes(), options).unwrap();
    (rows.types(), rows.text())
}

#[test]
fn cells_are_read_and_typed() {
    let text = "\u{feff}n,when,\"what, so\",ok,zip,big\r\n\
                1,2020-01-02,\"a \"\"b\"\"\r\nc\",TRUE,007,9223372036854775808\r\n\
                ,2020-1-3 10:00:00,,false,1,1";
    let (types, rows) = read(text, &delimited());
    assert_eq!(
        types,
        "n integer, when dateTime, what__so string, ok boolean, zip string, big string"
    );
    assert_eq!(
        rows,
        [
            [
                "1",
                "2020-01-02 00:00:00",
                "a \"b\"\r\nc",
                "true",
                "007",
                "9223372036854775808"
            ],
            ["∅", "2020-01-03 10:00:00", "∅", "false", "1", "1"],
        ]
    );
}

#[test]
fn nothing_in_quotes_is_a_text_but_no_number() {
    let (types, rows) = read("t,n\n\"\",\"\"\na,1\n,\n", &delimited());
    assert_eq!(types, "t string, n integer");
    assert_eq!(rows, [["", "∅"], ["a", "1"], ["∅", "∅"]]);
}

#[test]
fn the_dialect_is_as_given() {
    let tab = UploadOptions {
        delimiter: some("\t"),
        quote_character: some("'"),
        escape_character: some("\\"),
        ..delimited()
    };
    let (_, rows) = read("a\tb\n'it\\'s'\t'x''y'\nt\\\tu\t\"q\"\n", &tab);
    assert_eq!(rows, [["it's", "x'y"], ["t\tu", "\"q\""]]);
    let bare = UploadOptions {
        quote_character: some(""),
        ..delimited()
    };
    let (_, rows) = read("a,b\n\"x,y\"\n", &bare);
    assert_eq!(rows, [["\"x", "y\""]]);
}

#[test]
fn names_are_made_without_a_header() {
    let bare = UploadOptions {
        has_header_row: Some(false),
        ..delimited()
    };
    let (types, rows) = read("1,a\n2,b\n", &bare);
    assert_eq!(types, "var1 integer, var2 string");
    assert_eq!(rows.len(), 2);
}

#[test]
fn null_markers_stand_for_null() {
    let marked = UploadOptions {
        null_markers: Some(vec!["NA".to_owned(), "-9".to_owned()]),
        ..delimited()
    };
    let (types, rows) = read("n,t\nNA,\"NA\"\n-9,\n,x\n1,NAN\n", &marked);
    assert_eq!(types, "n integer, t string");
    assert_eq!(rows, [["∅", "∅"], ["∅", ""], ["∅", "x"], ["1", "NAN"]]);
}

#[test]
fn jagged_rows_are_filled_where_allowed() {
    let jagged = UploadOptions {
        allow_jagged_rows: Some(true),
        ..delimited()
    };
    let text = "a,b,c\n1\n1,2,3,\n\n1,2,3\n";
    let (_, rows) = read(text, &jagged);
    assert_eq!(
        rows,
        [
            ["1", "∅", "∅"],
            ["1", "2", "3"],
            ["∅", "∅", "∅"],
            ["1", "2", "3"]
        ]
    );
    let reason = refusal(b"a,b\n1,2\n1,2,x\n", &jagged);
    assert_eq!(reason, "row 2 (line 3): it has 3 cells instead of 2");
}

#[test]
fn bad_records_are_counted_where_they_may_be_left_out() {
    let skipping = UploadOptions {
        skip_bad_records: Some(true),
        delimiter: some(","),
        ..delimited()
    };
    let text = b"a,b\n1,2\n1\n\n\"x\"y,2\n\xff,1\n1,2,3\n3,4\n";
    let rows = ingest_bytes(text, &skipping).unwrap();
    assert_eq!(rows.bad_records, 5);
    assert_eq!(rows.text(), [["1", "2"], ["3", "4"]]);
    // Where the records are is not known any more.
    refusal(b"a,b\n1,2\n\"1,2\n3,4\n", &skipping);
}

#[test]
fn what_cannot_be_read_for_sure_is_refused_with_its_row() {
    for (text, reason) in [
        (&b""[..], "it has no header line"),
        (b"\na\n", "the header (line 1): it is blank"),
        (b"\xffa\n", "the header (line 1): it is not UTF-8 text"),
        (
            b"a,b\n1,2\n3\n",
            "row 2 (line 3): it has 1 cells instead of 2",
        ),
        (
            b"a,b\n\"1\n2\",2\n3,4,5\n",
            "row 2 (line 4): it has 3 cells instead of 2",
        ),
        (b"a,b\n1,2\n\n", "row 2 (line 3): the line is blank"),
        (b"a\n1\n\n2\n", "row 2 (line 3): the line is blank"),
        (
            b"a\nx\n\"y\nz\n",
            "line 3: a quote is opened in this record and never closed",
        ),
        (
            b"a\n\"x\" \n",
            "row 1 (line 2): text follows the closing quote of a cell",
        ),
        (
            b"a,b\nx,\xc3\n\xa4,y\n",
            "row 1 (line 2): it is not UTF-8 text",
        ),
        (
            b"a,b\nx\xc3,\xa4y\n",
            "row 1 (line 2): it is not UTF-8 text",
        ),
        (
            b"a,A\n1,2\n",
            "the variables `a` and `A` have the same name on Redivis",
        ),
    ] {
        let text_of = String::from_utf8_lossy(text);
        assert_eq!(refusal(text, &delimited()), reason, "{text_of:?}");
    }
    let plain = UploadOptions {
        has_quoted_newlines: Some(false),
        ..delimited()
    };
    assert_eq!(
        refusal(b"a\n\"x\ny\"\n", &plain),
        "row 1 (line 2): a quoted cell goes over the end of its line"
    );
    let headless = UploadOptions {
        has_header_row: Some(false),
        ..delimited()
    };
    assert_eq!(
        refusal(b"", &headless),
        "it has no records, so its variables are unknown"
    );
}

#[test]
fn lines_end_as_they_do_anywhere() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("a,b{end}1,2{end}3,4{end}");
        let (_, rows) = read(&text, &delimited());
        assert_eq!(rows, [["1", "2"], ["3", "4"]], "{end:?}");
        let broken = format!("a,b{end}1,2{end}3{end}");
        assert!(refusal(broken.as_bytes(), &delimited()).starts_with("row 2 (line 3)"));
    }
}

#[test]
fn compressed_text_is_read_and_a_cut_one_refused() {
    let text = "n,t\n".to_owned() + &"1,abc\n".repeat(1000);
    let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    compressed.write_all(text.as_bytes()).unwrap();
    let compressed = compressed.finish().unwrap();
    let rows = ingest_bytes(&compressed, &delimited()).unwrap();
    assert_eq!(rows.batch.num_rows(), 1000);
    let cut = &compressed[..compressed.len() - 10];
    assert!(refusal(cut, &delimited()).contains("cut off"));
}

#[test]
fn too_many_variables_are_refused() {
    let header: Vec<String> = (0..10_001).map(|number| format!("v{number}")).collect();
    let reason = refusal(header.join(",").as_bytes(), &delimited());
    assert!(reason.contains("10000"), "{reason}");
}

//! Whatever is cut comes out whole.

use super::*;
use proptest::prelude::*;

fn split(text: &str) -> Vec<(String, usize)> {
    let mut splitter = Splitter::default();
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        splitter.push(line);
        while let Some(input) = splitter.next() {
            found.push(input);
        }
    }
    found.extend(splitter.finish());
    found
        .into_iter()
        .map(|input| match input.kind {
            Kind::Statement(text) | Kind::Command(text) => (text, input.line),
        })
        .collect()
}

fn texts(text: &str) -> Vec<String> {
    split(text).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn a_semicolon_ends_a_statement_only_as_a_token() {
    assert_eq!(
        texts("SELECT ';', \"a;b\", `c;d` -- e;\n /* f; /* g; */ */ , $$h;$$; SELECT 2"),
        [
            "SELECT ';', \"a;b\", `c;d` -- e;\n /* f; /* g; */ */ , $$h;$$",
            "SELECT 2"
        ]
    );
}

#[test]
fn comments_with_quotes_do_not_open_strings() {
    assert_eq!(
        texts("SELECT 1; -- it's\nSELECT 2; -- done"),
        ["SELECT 1", "SELECT 2"]
    );
}

#[test]
fn lines_are_those_where_statements_start() {
    let found = split("-- first\n\nSELECT\n1;\n/* two\nlines */ SELECT 2;;\n\\dt\nSELECT 3");
    assert_eq!(
        found,
        [
            ("SELECT\n1".to_owned(), 3),
            ("SELECT 2".to_owned(), 6),
            ("\\dt".to_owned(), 7),
            ("SELECT 3".to_owned(), 8),
        ]
    );
}

#[test]
fn commands_start_where_statements_start() {
    assert_eq!(
        texts("SELECT 1; \\d flights;\n  \\?\nexit\n"),
        ["SELECT 1", "\\d flights", "\\?", "\\q"]
    );
    // Inside a statement the same text is part of it.
    assert_eq!(texts("SELECT 1 AS\nexit\n;"), ["SELECT 1 AS\nexit"]);
}

#[test]
fn a_statement_ends_in_where_its_rows_go() {
    let script =
        "SELECT 1 \\g a;b.csv\nSELECT 'a\\g' \\gx\nSELECT\n2\\G\nSELECT 3 \\g | sort; x\nSELECT 4;";
    let found = texts(script);
    assert_eq!(
        found,
        [
            r"SELECT 1 \g a;b.csv",
            r"SELECT 'a\g' \gx",
            "SELECT\n2\\G",
            r"SELECT 3 \g | sort; x",
            "SELECT 4"
        ]
    );
    let endings: Vec<_> = found.iter().map(|text| Ending::split(text)).collect();
    let ending = |arguments, is_vertical| {
        Some(Ending {
            arguments,
            is_vertical,
        })
    };
    assert_eq!(
        endings,
        [
            ("SELECT 1", ending("a;b.csv", false)),
            (r"SELECT 'a\g'", ending("", true)),
            ("SELECT\n2", ending("", true)),
            ("SELECT 3", ending("| sort; x", false)),
            ("SELECT 4", None)
        ]
    );
    // Elsewhere a backslash is what it was.
    assert_eq!(texts(r"SELECT \d; SELECT 1"), [r"SELECT \d", "SELECT 1"]);
}

#[test]
fn commands_of_other_shells_and_names_alone_are_commands() {
    assert_eq!(
        texts(".tables;\n.d flights\nq\n:q\nclear\n"),
        [r"\tables", r"\d flights", r"\q", r"\q", r"\clear"]
    );
    for name in [
        "me.zoo.animals",
        "`me.zoo:v1_0.animals`",
        "redivis.'me.zoo.animals';",
        "redivis.me.zoo.animals",
    ] {
        let found = texts(name).concat();
        assert!(found.starts_with(r"\d me.zoo"), "{found}");
    }
    assert_eq!(texts("me.zoo\n"), [r"\ls me.zoo"]);
    for statement in [
        "me.zoo.animals, x",
        ".5",
        "SELECT\nme.zoo.animals",
        "'a.b.c'",
    ] {
        assert_eq!(texts(statement), [statement], "{statement}");
    }
}

#[test]
fn open_quotes_wait_for_their_end() {
    let mut splitter = Splitter::default();
    splitter.push("SELECT 'a;\n");
    assert_eq!(splitter.next(), None);
    assert!(!splitter.is_blank());
    splitter.push("b';\n");
    assert!(splitter.next().is_some());
    assert!(splitter.is_blank());
}

#[test]
fn non_ascii_text_is_cut_at_the_right_byte() {
    assert_eq!(
        texts("SELECT 'Zürich 🏔'; SELECT 'é'"),
        ["SELECT 'Zürich 🏔'", "SELECT 'é'"]
    );
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9_ ,()*=]{1,8}".prop_map(|text| format!("x{text}")),
        "[a-z; \n\"`-]{0,6}".prop_map(|text| format!(" '{text}' ")),
        "[a-z; \n'`-]{0,6}".prop_map(|text| format!(" \"{text}\" ")),
        "[a-z; \n'\"-]{0,6}".prop_map(|text| format!(" `{text}` ")),
        "[a-z;'\"` -]{0,6}".prop_map(|text| format!("--{text}\n")),
        "[a-z;'\"` \n-]{0,6}".prop_map(|text| format!("/*{text}*/")),
    ]
}

proptest! {
    #[test]
    fn joining_statements_and_cutting_them_again_changes_nothing(
        statements in prop::collection::vec(prop::collection::vec(piece(), 1..6), 1..6)
    ) {
        let statements: Vec<String> = statements
            .into_iter()
            .map(|pieces| format!("SELECT {}\n.", pieces.concat()))
            .collect();
        let script = statements.iter().map(|sql| format!("{sql};\n")).collect::<String>();
        prop_assert_eq!(texts(&script), statements);
    }

    #[test]
    fn any_text_is_cut_without_panic_and_nothing_but_blank_and_semicolons_is_lost(text in "\\PC*") {
        let kept: String = texts(&text).concat().split_whitespace().collect();
        // `\\ls` and its like come before a name that stands alone.
        prop_assert!(kept.len() <= text.len() + 3);
    }
}

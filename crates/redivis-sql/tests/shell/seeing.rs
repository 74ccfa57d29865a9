//! What a person sees of a result: both its ends, as many columns as there is room for, or all of it in a pager.

use std::process::Command;

use crate::Sandbox;
use crate::terminal::{Terminal, decoded, timeless};

const FLIGHTS: &str = "demo.nycflights13.flights";

/// The lines of a text with a run of numbers.
fn count_up(from: usize, to: usize) -> String {
    (from..=to).map(|n| format!("{n:>7}\n")).collect()
}

#[test]
fn a_complete_result_shows_both_its_ends() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["--local"], (120, 60), &[]);
    let shown = terminal.answer("SELECT value FROM generate_series(1, 100);");
    let head = "  value\n bigint\n────────\n";
    let expected = format!(
        "{head}{}{}{}(40 of 100 rows shown, # s)\n  \\last shows all\n",
        count_up(1, 20),
        " ⋮ 60 rows more\n".replace("60 rows more", "60"),
        count_up(81, 100)
    );
    assert_eq!(timeless(&shown), expected);
    // What is computed of all rows costs Redivis nothing more.
    let groups = format!("SELECT month, day, count(*) FROM {FLIGHTS} GROUP BY 1, 2 ORDER BY 1, 2;");
    let shown = terminal.answer(&groups);
    assert!(shown.contains("⋮ 325 rows more"), "{shown}");
    assert!(shown.contains("(40 of 365 rows shown, "), "{shown}");
    // Nor does a small table.
    let shown = terminal.answer("SELECT faa FROM demo.nycflights13.airports;");
    assert!(shown.contains("(40 of 1,458 rows shown, "), "{shown}");
    let shown = terminal.answer("SELECT carrier FROM demo.nycflights13.airlines LIMIT 3;");
    assert!(shown.contains("(3 rows, "), "{shown}");
    terminal.leave();
}

#[test]
fn a_look_at_a_large_table_reads_no_more_than_it_shows() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["--local"], (120, 60), &[]);
    let shown = terminal.answer(&format!("SELECT * FROM {FLIGHTS};"));
    assert!(shown.contains("(40 of 336,776 rows shown, "), "{shown}");
    assert!(!shown.contains('⋮'), "{shown}");
    // Forty rows and one, and not the table's 50 MB.
    assert!(shown.contains(" kB)"), "{shown}");
    let shown = terminal.answer(&format!(
        "SELECT dep_time FROM {FLIGHTS} WHERE dep_delay > 60;"
    ));
    assert!(
        shown.contains("(40 rows shown, there are more, "),
        "{shown}"
    );
    // So does one at rows that are made here: as many as are worth it.
    let shown = terminal.answer("SELECT value FROM generate_series(1, 1000000000000);");
    assert!(
        shown.contains("(40 of more than 10,000 rows shown, "),
        "{shown}"
    );
    terminal.leave();
}

#[test]
fn the_settings_of_the_display() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &[], (100, 40), &[]);
    let listed = terminal.answer(r"\pset");
    for name in [
        "rows",
        "null",
        "types",
        "labels",
        "value_labels",
        "style",
        "expanded",
        "pager",
        "timing",
    ] {
        assert!(listed.contains(&format!("\n {name} ")), "{listed}");
    }
    assert_eq!(terminal.answer(r"\pset rows 3"), "rows = 3\n");
    assert_eq!(terminal.answer(r"\timing"), "timing = off\n");
    assert_eq!(terminal.answer(r"\pset types off"), "types = off\n");
    assert_eq!(
        terminal.answer("SELECT value FROM generate_series(1, 9);"),
        " value\n───────\n     1\n     2\n ⋮ 6\n     9\n(3 of 9 rows shown)\n  \\last shows all\n"
    );
    assert_eq!(terminal.answer(r"\pset style box"), "style = box\n");
    assert_eq!(
        terminal.answer("SELECT 1 AS a, 'x' AS b;"),
        "┌───┬───┐\n│ a │ b │\n├───┼───┤\n│ 1 │ x │\n└───┴───┘\n(1 row)\n"
    );
    assert_eq!(terminal.answer(r"\pset style ascii"), "style = ascii\n");
    assert_eq!(
        terminal.answer("SELECT 1 AS a, 'x' AS b;"),
        " a | b\n---+---\n 1 | x\n(1 row)\n"
    );
    // Null is no text, also without colours, unless it is said to be one.
    assert_eq!(
        terminal.answer("SELECT NULL AS a, 'NULL' AS b;"),
        " a      | b\n--------+------\n <null> | NULL\n(1 row)\n"
    );
    assert_eq!(terminal.answer(r"\pset null 'n a'"), "null = n a\n");
    assert_eq!(
        terminal.answer("SELECT NULL AS a;"),
        " a\n-----\n n a\n(1 row)\n"
    );
    assert_eq!(terminal.answer(r"\x"), "expanded = on\n");
    assert_eq!(
        terminal.answer("SELECT 1 AS a, NULL AS long;"),
        "-- row 1 -------\na    | 1\nlong | n a\n(1 row)\n"
    );
    assert_eq!(terminal.answer(r"\x"), "expanded = auto\n");
    let error = terminal.answer(r"\pset rows none");
    assert_eq!(error, "error: rows can't be none: a number, or all\n");
    let error = terminal.answer(r"\pset row 3");
    assert!(
        error.starts_with("error: no setting row; there is rows, null"),
        "{error}"
    );
    terminal.leave();
}

#[test]
fn null_and_notes_are_dim_where_there_are_colours() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &[], (80, 24), &[("NO_COLOR", "")]);
    let shown = terminal.answer("SELECT NULL AS a, 'NULL' AS b;");
    assert!(
        shown.contains(" \u{1b}[2mNULL\u{1b}[0m │ NULL\n"),
        "{shown:?}"
    );
    assert!(shown.contains("\u{1b}[2mtext\u{1b}[0m"), "{shown:?}");
    terminal.leave();
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let sandbox = Sandbox::new();
    let environment = [
        ("TERM", "dumb"),
        ("NO_COLOR", ""),
        ("REDIVIS_SQL_PAGER", "less"),
    ];
    let mut command = crate::terminal::within(&sandbox.command(&[]), (40, 10));
    command.envs(environment);
    let mut session = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
    session.exp_string("redivis=> ").unwrap();
    session
        .send_line("SELECT value AS a, NULL AS b FROM generate_series(1, 12);")
        .unwrap();
    let shown = decoded(&session.exp_string("(12 rows, ").unwrap());
    assert!(shown.contains("--------+--------\r\n"), "{shown:?}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(shown.contains("<null>"), "{shown:?}");
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn what_is_too_wide_is_counted_and_can_be_reached() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["--local"], (80, 24), &[]);
    let query = format!("SELECT * FROM {FLIGHTS} LIMIT 3;");
    let shown = terminal.answer(&query);
    assert!(shown.contains("│ … 13 more … │"), "{shown}");
    assert!(shown.contains("(3 rows, 13 columns left out, "), "{shown}");
    assert!(
        shown.contains("\n  \\last shows all · \\x on puts columns below each other\n"),
        "{shown}"
    );
    assert!(
        shown.lines().all(|line| line.chars().count() <= 80),
        "{shown}"
    );
    // With room for fewer than three columns, rows are below each other by themselves, in the size of now.
    resize(&sandbox, 24);
    let shown = terminal.answer(&query);
    assert!(shown.starts_with("── row 1 ──"), "{shown}");
    assert!(shown.contains("\ntailnum        │ "), "{shown}");
    resize(&sandbox, 300);
    let shown = terminal.answer(&query);
    assert!(
        !shown.contains("more …") && shown.contains("(3 rows, 0"),
        "{shown}"
    );
    terminal.leave();
}

/// Gives the terminal of the shell in this folder another width.
fn resize(sandbox: &Sandbox, width: u16) {
    let process = crate::signals::process_in(sandbox.path());
    let terminal = std::fs::read_link(format!("/proc/{process}/fd/0")).unwrap();
    let resized = Command::new("stty")
        .arg("-F")
        .arg(terminal)
        .args(["cols", &width.to_string()])
        .status();
    assert!(resized.unwrap().success());
}

#[test]
fn a_pager_gets_what_is_taller_or_wider_than_the_screen() {
    let sandbox = Sandbox::new();
    let pager = ("REDIVIS_SQL_PAGER", "cat > paged.txt");
    let mut terminal = Terminal::open(&sandbox, &["--local"], (80, 24), &[pager]);
    let shown = terminal.answer("SELECT value FROM generate_series(1, 10);");
    assert!(shown.contains(&count_up(1, 10)), "{shown}");
    assert!(!sandbox.path().join("paged.txt").exists());
    let shown = terminal.answer("SELECT value FROM generate_series(1, 100);");
    assert_eq!(timeless(&shown), "(100 rows, # s)\n");
    let paged = sandbox.read("paged.txt");
    assert_eq!(
        paged,
        format!("  value\n bigint\n────────\n{}", count_up(1, 100))
    );
    // All columns, where the screen has room for some.
    terminal.answer(&format!("SELECT * FROM {FLIGHTS} LIMIT 3;"));
    let paged = sandbox.read("paged.txt");
    assert_eq!(
        paged.lines().next().unwrap().matches('│').count(),
        18,
        "{paged}"
    );
    // All rows, where a look read some: `\last` reads the others.
    terminal.answer(&format!("SELECT month FROM {FLIGHTS};"));
    assert_eq!(sandbox.read("paged.txt").lines().count(), 43);
    let shown = terminal.answer(r"\last");
    assert_eq!(shown, "(336,776 rows)\n");
    assert_eq!(sandbox.read("paged.txt").lines().count(), 336_779);
    assert_eq!(terminal.answer(r"\pager"), "pager = off\n");
    let shown = terminal.answer("SELECT value FROM generate_series(1, 100);");
    assert!(shown.contains("⋮ 60"), "{shown}");
    assert_eq!(terminal.answer(r"\pager on"), "pager = on\n");
    let shown = terminal.answer("SELECT 1 AS a;");
    assert_eq!(timeless(&shown), "(1 row, # s)\n");
    assert!(sandbox.read("paged.txt").ends_with("      1\n"));
    terminal.leave();
}

#[test]
fn leaving_the_pager_stops_what_still_comes_and_its_keys_are_its_own() {
    let sandbox = Sandbox::new();
    let pager = "trap '' INT; head -n 4; echo paging; read key < /dev/tty; echo left";
    let environment = [("REDIVIS_SQL_PAGER", pager)];
    let mut terminal = Terminal::open(&sandbox, &[], (80, 24), &environment);
    assert_eq!(terminal.answer(r"\pset rows all"), "rows = all\n");
    terminal.send("SELECT value FROM generate_series(1, 1000000000000);");
    terminal.0.exp_string("paging").unwrap();
    terminal.0.send_control('c').unwrap();
    terminal.0.send_line("q").unwrap();
    terminal.0.exp_string("left").unwrap();
    let printed = terminal.printed();
    assert!(printed.contains(" rows shown"), "{printed}");
    assert!(!printed.contains("canceled"), "{printed}");
    let shown = terminal.answer("SELECT 'a' || 'live' AS a;");
    assert!(shown.contains("alive"), "{shown}");
    terminal.leave();
}

#[test]
fn labels_of_variables_and_of_their_values() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["--local"], (120, 24), &[]);
    assert_eq!(
        terminal.answer(r"\labels on"),
        "labels = on\nvalue_labels = on\n"
    );
    terminal.answer(r"\timing off");
    let query = format!("SELECT origin, month, dep_delay, month + 0 AS m FROM {FLIGHTS} LIMIT 2;");
    let shown = terminal.answer(&query);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[2].starts_with(" Origin "), "{shown}");
    assert!(
        lines[4].starts_with(" Newark Liberty International Airport │ January │"),
        "{shown}"
    );
    // What is computed of a code is no code.
    assert!(lines[4].ends_with("│      1"), "{shown}");
    // Another name is.
    let renamed = format!(
        "WITH f AS (SELECT origin AS o, month FROM {FLIGHTS}) SELECT o AS airport, max(month) AS m, month AS mon \
         FROM f GROUP BY ALL ORDER BY 1, 3 LIMIT 1;"
    );
    let shown = terminal.answer(&renamed);
    assert!(
        shown.contains("\n Newark Liberty International Airport │      1 │ January\n"),
        "{shown}"
    );
    assert_eq!(
        terminal.answer(r"\labels"),
        "labels = off\nvalue_labels = off\n"
    );
    let shown = terminal.answer(&query);
    assert!(shown.contains("\n EWR    │      1 │"), "{shown}");
    terminal.leave();
}

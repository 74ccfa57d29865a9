//! Editing at the prompt: several lines, keys, history, words and commands, on terminals of several sizes.

use std::process::Stdio;

use rexpect::session::{PtySession, spawn_command};

use crate::Sandbox;
use crate::prompt::TIMEOUT_MILLISECONDS;

const UP: &str = "\x1b[A";
const LEFT: &str = "\x1b[D";
const BACKSPACE: &str = "\x7f";

/// A shell on a terminal of its own, with these variables in its environment.
pub(crate) fn terminal(
    sandbox: &Sandbox,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> PtySession {
    let mut command = sandbox.command(arguments);
    command
        .stdin(Stdio::inherit())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    for (name, value) in environment {
        match value {
            &"" => command.env_remove(name),
            value => command.env(name, value),
        };
    }
    let mut session = spawn_command(command, Some(TIMEOUT_MILLISECONDS)).unwrap();
    session.exp_string("=> ").unwrap();
    session
}

/// Sends keys as they are.
pub(crate) fn press(session: &mut PtySession, keys: &str) {
    session.send(keys).unwrap();
    session.flush().unwrap();
}

/// Sends a line and gives all that is printed until the next prompt.
pub(crate) fn answer(session: &mut PtySession, line: &str) -> String {
    press(session, &format!("{line}\r"));
    // The editor gives the terminal back before anything is answered.
    session.exp_string("\x1b[?2004l").unwrap();
    session.exp_string("=> ").unwrap()
}

pub(crate) fn leave(mut session: PtySession) {
    press(&mut session, "\x04");
    session.exp_eof().unwrap();
}

/// Resizes the terminal of a shell.
pub(crate) fn resize(session: &mut PtySession, rows: u16, columns: u16) {
    answer(session, &format!("\\! stty rows {rows} cols {columns}"));
}

#[test]
fn further_lines_say_what_is_open_and_can_be_changed() {
    let sandbox = Sandbox::new();
    let mut session = terminal(&sandbox, &[], &[]);
    for (rows, columns) in [(24, 80), (40, 120), (12, 40)] {
        resize(&mut session, rows, columns);
        for (line, prompt) in [
            ("SELECT 'a", "      '-> "),
            ("b' || \"x", "      \"-> "),
            ("\" || `y", "      `-> "),
            ("` || (1", "      (-> "),
            (") || $$z", "     $$-> "),
            ("$$ /* w", "      *-> "),
            ("*/ FROM t", "       -> "),
        ] {
            press(&mut session, &format!("{line}\r"));
            session.exp_string(prompt).unwrap();
        }
        press(&mut session, "\x03");
        session.exp_string("redivis=> ").unwrap();
        // Up goes to the line before first, and what is changed there runs with the rest.
        press(&mut session, "SELECT 'wrong',\r");
        session.exp_string("       -> ").unwrap();
        press(&mut session, &format!("2 AS two{UP}"));
        let cleared = "\x01SELECT 'right' || 'ed',\x0b\x1b[B\x05;";
        let shown = answer(&mut session, cleared);
        assert!(shown.contains("righted"), "{shown}");
        assert!(shown.contains("two"), "{shown}");
    }
    leave(session);
}

#[test]
fn keys_cross_line_breaks_as_if_there_were_no_prompts() {
    let sandbox = Sandbox::new();
    let mut session = terminal(&sandbox, &[], &[]);
    // Backspace at the start of a line joins it with the one before.
    let keys = format!(
        "SELECT 'jo\rined' || '!'{}{BACKSPACE}\x05;",
        LEFT.repeat(12)
    );
    let shown = answer(&mut session, &keys);
    assert!(shown.contains("joined!"), "{shown}");
    // So do Delete and Ctrl-K at its end.
    for key in ["\x1b[3~", "\x0b", "\x04"] {
        let keys = format!("SELECT 'jo\rined' || '{}'\x1b[A\x05{key}\x05;", key.len());
        let shown = answer(&mut session, &keys);
        assert!(
            shown.contains(&format!("joined{}", key.len())),
            "{key:?} {shown}"
        );
    }
    // Ctrl-A goes to the start of the line, Ctrl-U deletes to it, Ctrl-W a word, Ctrl-E goes to its end.
    let shown = answer(
        &mut session,
        "SELECT 'x' ||\rnonsense\x15'kept' nonsense\x17\x01'start' || \x05;",
    );
    assert!(shown.contains("xstartkept"), "{shown}");
    // Enter in the middle of what is complete runs it.
    let shown = answer(
        &mut session,
        &format!("SELECT 'mid' || 'dle';{}", LEFT.repeat(8)),
    );
    assert!(shown.contains("middle"), "{shown}");
    leave(session);
}

#[test]
fn a_statement_is_recalled_and_found_as_a_whole() {
    let sandbox = Sandbox::new();
    let mut session = terminal(&sandbox, &[], &[]);
    answer(
        &mut session,
        "SELECT 'se' ||\r'cond line'\r|| '!' AS whole;",
    );
    answer(&mut session, "SELECT 1;");
    // Twice up, and an end that changes it.
    press(&mut session, &format!("{UP}{UP}"));
    session.exp_string("       -> || '!' AS whole;").unwrap();
    let shown = answer(&mut session, &format!("{BACKSPACE}, 'a' || 'gain';"));
    assert!(shown.contains("second line!"), "{shown}");
    assert!(shown.contains("again"), "{shown}");
    // Ctrl-R finds it by what stands in any of its lines.
    press(&mut session, "\x12cond li");
    session.exp_string("cond line'").unwrap();
    let shown = answer(&mut session, "");
    assert!(shown.contains("second line!"), "{shown}");
    // What was typed is listed, and what is found of it; a secret is not.
    answer(&mut session, "SELECT 'password is hunter2';");
    let shown = answer(&mut session, r"\s WHOLE");
    assert!(shown.contains("AS whole"), "{shown}");
    let shown = answer(&mut session, r"\s");
    assert!(shown.contains("SELECT 1;"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    leave(session);
    let history = sandbox.read("state/redivis-sql/history");
    assert!(
        history.contains(r"SELECT 'se' ||\n'cond line'\n|| '!' AS whole;"),
        "{history}"
    );
    assert!(!history.contains('\u{205f}'), "{history}");
}

#[test]
fn words_of_other_shells_are_understood() {
    let sandbox = Sandbox::new();
    let mut session = terminal(&sandbox, &[], &[]);
    for help in ["help", "?", r"\?", ".help", "help;", "HELP"] {
        let shown = answer(&mut session, help);
        assert!(shown.contains("Ctrl-C stops one"), "{help}: {shown}");
    }
    for tables in [r"\dt", ".dt", ".tables", r"\d"] {
        let shown = answer(&mut session, tables);
        assert!(shown.contains("name"), "{tables}: {shown}");
    }
    assert!(answer(&mut session, r"\h COPY").contains("COPY (SELECT"));
    assert!(answer(&mut session, ".h create view").contains("CREATE [OR REPLACE] VIEW"));
    assert!(answer(&mut session, r"\dx").contains(r"did you mean \d"));
    assert!(answer(&mut session, ".clera").contains(r"did you mean \clear"));
    assert!(
        answer(&mut session, r"\! echo from the $((1 + 1))nd shell").contains("from the 2nd shell")
    );
    assert!(answer(&mut session, r"\! exit 3").contains("exit status: 3"));
    assert!(answer(&mut session, "clear").contains("\x1b[2J"));
    assert!(answer(&mut session, r"\clear").contains("\x1b[2J"));
    // Who wants to leave in the middle of a statement is told how.
    press(&mut session, "SELECT\rexit");
    session.exp_string(r"\q leaves").unwrap();
    press(&mut session, "\x03");
    session.exp_string("redivis=> ").unwrap();
    leave(session);
    for word in [
        "exit", "quit", r"\q", ".quit", ".exit", ":q", "q", "exit;", "QUIT", r"\quit",
    ] {
        let mut session = terminal(&sandbox, &[], &[]);
        press(&mut session, &format!("{word}\r"));
        session
            .exp_eof()
            .unwrap_or_else(|error| panic!("{word}: {error}"));
    }
}

#[test]
fn a_statement_can_be_edited_elsewhere() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "editor.sh",
        "sed -i \"s/before/af/; s/$/ || 'ter'/\" \"$2\"\n",
    );
    let environment = [("VISUAL", ""), ("EDITOR", "sh editor.sh quietly")];
    let mut session = terminal(&sandbox, &[], &environment);
    // What is being typed.
    press(&mut session, "SELECT 'before'\r\\e\r");
    session.exp_string("SELECT 'af' || 'ter'").unwrap();
    assert!(answer(&mut session, ";").contains("after"));
    // The last statement.
    press(&mut session, "\\e\r");
    session
        .exp_string("SELECT 'af' || 'ter'; || 'ter'")
        .unwrap();
    press(&mut session, "\x03");
    session.exp_string("redivis=> ").unwrap();
    leave(session);
    let mut session = terminal(&sandbox, &[], &[("VISUAL", "false")]);
    press(&mut session, "SELECT 7\r\\e\r");
    session.exp_string("VISUAL and EDITOR").unwrap();
    session.exp_string("SELECT 7").unwrap();
    assert!(answer(&mut session, "* 6 AS kept;").contains("42"));
    leave(session);
}

#[test]
fn a_pasted_script_runs_statement_by_statement() {
    let sandbox = Sandbox::new();
    let mut session = terminal(&sandbox, &[], &[]);
    let script = "SELECT 'fi' || 'rst';\n-- it's a comment\nSELECT 'sec' ||\n\t'ond';\n\\dt\nSELECT 'th' || 'ird';";
    let shown = answer(&mut session, &format!("\x1b[200~{script}\x1b[201~"));
    let places: Vec<_> = ["first", "second", "third"]
        .map(|word| shown.find(word))
        .into();
    assert!(places.is_sorted() && places[0].is_some(), "{shown}");
    // It is one entry, and as it was pasted.
    press(&mut session, UP);
    session.exp_string("'ird';").unwrap();
    press(&mut session, "\x03");
    session.exp_string("redivis=> ").unwrap();
    leave(session);
    let history = sandbox.read("state/redivis-sql/history");
    assert_eq!(history.lines().count(), 2, "{history}");
}

#[test]
fn a_terminal_without_colours_or_cursor_gets_none() {
    let sandbox = Sandbox::new();
    let coloured = "\x1b[1mSELECT";
    let mut session = terminal(&sandbox, &[], &[("NO_COLOR", "")]);
    press(&mut session, "SELECT 1 AS a, 'op\ren");
    session.exp_string("\x1b[32men").unwrap();
    press(&mut session, "\x03");
    session.exp_string("redivis=> ").unwrap();
    press(&mut session, "SELECT 2;");
    session.exp_string(coloured).unwrap();
    answer(&mut session, "");
    leave(session);
    // Under NO_COLOR, further lines still have their prompts.
    let mut session = terminal(&sandbox, &[], &[]);
    press(&mut session, "SELECT 1 AS a, 'op\ren';");
    let shown = session.exp_string("'-> en").unwrap();
    assert!(
        !shown.contains("\x1b[1m") && !shown.contains("\x1b[32m"),
        "{shown:?}"
    );
    answer(&mut session, "");
    leave(session);
    let mut session = terminal(&sandbox, &[], &[("TERM", "dumb")]);
    session.send_line("SELECT 4").unwrap();
    session.exp_string("       -> ").unwrap();
    session.send_line("* 10 + 2 AS dumb;").unwrap();
    let shown = session.exp_string("=> ").unwrap();
    assert!(shown.contains("42"), "{shown}");
    assert!(!shown.contains('\x1b'), "{shown:?}");
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}

/// Ctrl-Z gives the terminal to the shell that started this one, `fg` takes it back.
#[test]
fn control_z_suspends() {
    let sandbox = Sandbox::new();
    let mut bash = std::process::Command::new("bash");
    bash.args(["--norc", "--noprofile", "-i"])
        .env("PS1", "bash> ")
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let program = sandbox.command(&[]);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    bash.current_dir(sandbox.path());
    let mut session = spawn_command(bash, Some(TIMEOUT_MILLISECONDS)).unwrap();
    session.exp_string("bash> ").unwrap();
    session
        .send_line(program.get_program().to_str().unwrap())
        .unwrap();
    session.exp_string("redivis=> ").unwrap();
    press(&mut session, "SELECT 'half\x1a");
    session.exp_string("Stopped").unwrap();
    session.exp_string("bash> ").unwrap();
    session.send_line("fg").unwrap();
    session.exp_string("SELECT 'half").unwrap();
    assert!(answer(&mut session, "' || ' done';").contains("half done"));
    press(&mut session, "\x0c");
    session.exp_string("\x1b[H\x1b[J").unwrap();
    leave_to(&mut session, "bash> ");
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}

fn leave_to(session: &mut PtySession, prompt: &str) {
    press(session, "\x04");
    session.exp_string(prompt).unwrap();
}

//! What comes with the program: completions, the man page, the version, the help.

use std::process::Command;

use crate::Sandbox;

#[test]
fn completions_are_there_for_every_shell() {
    let sandbox = Sandbox::new();
    for (shell, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef redivis-sql"),
        ("fish", "complete -c redivis-sql"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let script = sandbox.run(&["completions", shell]).data();
        assert!(script.contains(mark), "{shell}: {script}");
        assert!(
            script.contains("on-error") && script.contains("upload"),
            "{shell}"
        );
    }
    assert_eq!(sandbox.run(&["completions", "tcsh"]).status, Some(2));
}

#[test]
fn bash_completes_options_and_commands() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "complete.bash",
        &sandbox.run(&["completions", "bash"]).data(),
    );
    let script = r#"
        source complete.bash
        COMP_WORDS=(redivis-sql --on); COMP_CWORD=1
        _redivis__sql redivis-sql --on redivis-sql; echo "${COMPREPLY[@]}"
        COMP_WORDS=(redivis-sql --on-error co); COMP_CWORD=2
        _redivis__sql redivis-sql co --on-error; echo "${COMPREPLY[@]}"
        COMP_WORDS=(redivis-sql who); COMP_CWORD=1
        _redivis__sql redivis-sql who redivis-sql; echo "${COMPREPLY[@]}"
    "#;
    let Ok(output) = Command::new("bash")
        .args(["--norc", "-c", script])
        .current_dir(sandbox.path())
        .output()
    else {
        // Without bash there is nothing to complete.
        return;
    };
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said,
        "--on-error\ncontinue\nwhoami\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_man_page_has_every_option() {
    let page = Sandbox::new().run(&["man"]).data();
    assert!(
        page.starts_with(".ie") || page.contains(".TH redivis-sql 1"),
        "{page}"
    );
    for option in [
        "on\\-error",
        "dry\\-run",
        "require\\-pinned",
        "REDIVIS_API_TOKEN",
        "Exit status",
    ] {
        assert!(page.contains(option), "{option}: {page}");
    }
}

#[test]
fn the_version_says_what_is_inside() {
    let sandbox = Sandbox::new();
    let short = sandbox.run(&["-V"]).data();
    assert_eq!(
        short,
        format!("redivis-sql {}\n", env!("CARGO_PKG_VERSION"))
    );
    let long = sandbox.run(&["--version"]).data();
    let lines: Vec<&str> = long.lines().collect();
    assert!(lines[0].starts_with(short.trim_end()), "{long}");
    assert!(
        lines[1].starts_with("DataFusion 55.") && lines[1].contains(", Arrow 59."),
        "{long}"
    );
}

#[test]
fn the_help_is_complete() {
    let help = Sandbox::new().run(&["--help"]).data();
    for words in [
        "4 timeout",
        "143 and 129",
        "REDIVIS_SQL_CONFIG",
        "What is run:",
        "Where tables are:",
        "How it is run:",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "{help}"
    );
}

#[test]
fn agents_are_told_what_there_is() {
    let sandbox = Sandbox::new();
    let skill = sandbox.run(&["--skill"]).data();
    assert!(skill.starts_with("# redivis-sql "), "{skill}");
    // Every option, command and format that there is.
    let help = sandbox.run(&["--help"]).data();
    let options = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"));
    for option in options.map(|word| word.trim_end_matches([',', ']', ':', '.'])) {
        if !["--help", "--version"].contains(&option) {
            assert!(skill.contains(option), "{option}: {skill}");
        }
    }
    let commands = sandbox.run(&["-c", r"\?"]).stderr;
    let names = commands
        .lines()
        .filter_map(|line| line.trim().split(' ').next());
    for name in names.filter(|name| name.starts_with('\\')) {
        assert!(skill.contains(&format!("`{name}")), "{name}: {skill}");
    }
    for format in [
        "table", "csv", "tsv", "json", "ndjson", "markdown", "vertical", "parquet", "arrow",
    ] {
        assert!(skill.contains(&format!("`{format}`")), "{format}");
    }
    for status in [
        "0 done",
        "2 usage",
        "3 authorization",
        "4 timeout",
        "130 interrupted",
    ] {
        assert!(skill.contains(status), "{status}: {skill}");
    }
    // What it says of errors is what they are.
    let run = sandbox.run(&["--error-format", "json", "--stats", "-c", "SELECT nothing"]);
    for line in run.stderr.lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        for name in told.as_object().unwrap().keys() {
            assert!(skill.contains(&format!("`{name}`")), "{name}");
        }
    }
    // And what it shows runs.
    let shown = "SELECT * FROM demo.nycflights13.airlines";
    assert!(skill.contains(&format!("redivis-sql --local -c \"{shown}\"")));
    assert_eq!(
        sandbox
            .run(&["--local", "-c", shown])
            .data()
            .lines()
            .count(),
        17
    );
}

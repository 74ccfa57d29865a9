//! The person's own settings: where they are read from, what wins, and what is refused.

use crate::prompt::start;
use crate::{Run, Sandbox};

/// A sandbox with this configuration.
fn configured(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path().join("config/redivis-sql")).unwrap();
    sandbox.write("config/redivis-sql/config.toml", text);
    sandbox
}

#[test]
fn options_win_over_the_environment_and_that_over_the_file() {
    let sandbox = configured(
        "dataset = \"demo.nothing\"\ntimeout = \"300ms\" # short\nrequire_pinned = true\n",
    );
    let listed = |arguments: &[&str], variable: Option<&str>| {
        let mut command =
            sandbox.command(&[arguments, &["--format", "csv", "-c", "\\config"]].concat());
        command.envs(variable.map(|value| ("REDIVIS_DEFAULT_DATASET", value)));
        Run::of(command.output().unwrap()).data()
    };
    let file = listed(&[], None);
    let path = sandbox.path().join("config/redivis-sql/config.toml");
    assert!(
        file.starts_with("setting,value,from,about\nformat,csv,--format,"),
        "{file}"
    );
    assert!(
        file.contains(&format!("\ndataset,demo.nothing,{},", path.display())),
        "{file}"
    );
    assert!(file.contains("\ncolor,auto,default,"), "{file}");
    assert!(
        file.contains(&format!("\nrequire_pinned,on,{},", path.display())),
        "{file}"
    );
    let environment = listed(&[], Some("demo.here"));
    assert!(
        environment.contains("\ndataset,demo.here,REDIVIS_DEFAULT_DATASET,"),
        "{environment}"
    );
    let option = listed(&["--dataset", "demo.there"], Some("demo.here"));
    assert!(
        option.contains("\ndataset,demo.there,--dataset,"),
        "{option}"
    );
    let none = listed(&["--no-init"], None);
    assert!(none.contains("\ndataset,\"\",default,"), "{none}");

    // They are not only listed.
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000)";
    assert_eq!(sandbox.run(&["-c", endless]).status, Some(4));
    let refused = sandbox.run(&["--local", "-c", "SELECT * FROM demo.nycflights13.airlines"]);
    assert!(
        refused.stderr.contains("is named without its version"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_file_with_a_mistake_is_refused_with_its_line() {
    for (text, words) in [
        (
            "# mine\ncolour = \"never\"\n",
            "config.toml:2: no setting colour; did you mean color?",
        ),
        (
            "format = [1]\n",
            "config.toml:1: format is a text, a number, true or false",
        ),
        ("format = \"table\"\ntimeout = \n", "config.toml:2: "),
        ("timeout = \"soon\"\n", "timeout = soon ("),
        ("color = \"blue\"\n", "color = blue ("),
    ] {
        let run = configured(text).run(&["-c", "SELECT 1"]);
        assert_eq!(run.status, Some(2), "{text}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{text}: {}", run.stderr);
        assert_eq!(run.stdout, "");
        assert_eq!(
            configured(text)
                .run(&["--no-init", "-c", "SELECT 1 AS a"])
                .data(),
            "a\n1\n"
        );
    }
}

#[test]
fn a_format_in_the_file_is_for_terminals() {
    let sandbox = configured("format = \"vertical\"\n");
    assert_eq!(sandbox.run(&["-c", "SELECT 1 AS a"]).data(), "a\n1\n");
}

#[test]
fn a_folder_may_be_named() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("mine")).unwrap();
    sandbox.write("mine/config.toml", "nonsense = 1\n");
    let output = sandbox
        .command(&["-c", "SELECT 1"])
        .env("REDIVIS_SQL_CONFIG", sandbox.path().join("mine"))
        .output();
    let run = Run::of(output.unwrap());
    assert_eq!(run.status, Some(2));
    assert!(
        run.stderr
            .contains("no setting nonsense; \\config lists all"),
        "{}",
        run.stderr
    );
}

#[cfg(unix)]
#[test]
fn statements_of_ones_own_run_before_the_first_prompt() {
    let sandbox = configured("");
    sandbox.write(
        "config/redivis-sql/init.sql",
        "\\set answer 42\nCREATE VIEW mine AS SELECT 'from ' || 'init' AS a;\n",
    );
    let mut session = start(&sandbox);
    session
        .send_line("SELECT a, :answer + 1 FROM mine;")
        .unwrap();
    session.exp_string("from init").unwrap();
    session.exp_string("43").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
    // A script has none of it.
    assert_eq!(sandbox.run(&["-c", "SELECT * FROM mine"]).status, Some(1));
}

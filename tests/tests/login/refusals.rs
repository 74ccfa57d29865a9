//! Logins that fail, or that allow too little.

use std::fs;

use crate::home::{Home, ROWS, server};

#[test]
fn too_little_is_allowed() {
    let (_data, server) = server(&["--login", "lab"]);
    let (endpoint, home) = (server.endpoint(), Home::new());
    home.log_in(endpoint, &["--scope", "data.metadata"]);
    let run = home.run(endpoint, &["-c", ROWS]);
    assert_eq!(run.status.code(), Some(3));
    assert!(run.stderr.contains("insufficient_scope"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("redivis-sql login --scope data.data asks for that"),
        "{}",
        run.stderr
    );

    let said = home.log_in(endpoint, &["--scope", "data.data"]);
    assert!(said.contains("allowed: data.metadata data.data"), "{said}");
    assert_eq!(home.run(endpoint, &["-c", ROWS]).success(), "n\n1\n2\n");

    // A token from the environment is not helped by a login.
    home.log_in(endpoint, &["--scope", "data.metadata"]);
    let mut command = home.command(endpoint, &["whoami"]);
    command.env("REDIVIS_API_TOKEN", "x");
    assert!(
        home.finish(command)
            .stderr
            .contains("check REDIVIS_API_TOKEN")
    );
}

#[test]
fn nobody_is_logged_in() {
    let (_data, closed) = server(&[]);
    let home = Home::new();
    let run = home.run(closed.endpoint(), &["login"]);
    assert_eq!((run.status.code(), run.stdout.as_str()), (Some(3), ""));
    assert!(
        run.stderr.contains("This server has no login"),
        "{}",
        run.stderr
    );
    assert!(!home.file().exists());

    let (_data, open) = server(&["--login", "lab"]);
    let run = home.run(open.endpoint(), &["login", "--scope", "data.nonsense"]);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains("There is no scope `data.nonsense`"),
        "{}",
        run.stderr
    );

    let run = home.run(open.endpoint(), &["--local", "login"]);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    let run = home.run(open.endpoint(), &["login", "--import-python"]);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains(".redivis/python_credentials"),
        "{}",
        run.stderr
    );

    // Nobody answers.
    let run = home.run("http://127.0.0.1:9/api/v1", &["login"]);
    assert_eq!(run.status.code(), Some(3), "{}", run.stderr);
    assert!(
        run.stderr.contains("cannot connect to 127.0.0.1:9: "),
        "{}",
        run.stderr
    );
}

#[test]
fn control_c_gives_up() {
    let (_data, server) = server(&["--login", "lab"]);
    let home = Home::new();
    let mut terminal = home.terminal(server.endpoint(), &["login"]);
    terminal.exp_string("Ctrl-C gives up").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
    let status = terminal.process().wait().unwrap();
    assert!(format!("{status:?}").contains("130"), "{status:?}");
    assert!(!home.file().exists());
}

#[test]
fn a_file_that_is_none_is_named_and_not_shown() {
    let (_data, server) = server(&["--login", "lab"]);
    let (endpoint, home) = (server.endpoint(), Home::new());
    fs::create_dir_all(home.file().parent().unwrap()).unwrap();
    for content in ["a-secret", r#"{"logins": {"a-secret": "a-secret"}}"#] {
        fs::write(home.file(), content).unwrap();
        for arguments in [
            &["-c", ROWS] as &[&str],
            &["whoami"],
            &["logout"],
            &["login"],
        ] {
            let run = home.run(endpoint, arguments);
            assert_eq!(run.status.code(), Some(2), "{arguments:?} {}", run.stderr);
            assert!(
                run.stderr.contains(&home.file().display().to_string()),
                "{}",
                run.stderr
            );
            assert!(!run.stderr.contains("a-secret"), "{}", run.stderr);
        }
    }
    // Without it there is nothing to fail.
    fs::remove_file(home.file()).unwrap();
    home.run(endpoint, &["-c", "SELECT 1"]).success();
}

#[test]
fn a_file_that_others_may_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let (_data, server) = server(&["--login", "lab"]);
    let (endpoint, home) = (server.endpoint(), Home::new());
    home.log_in(endpoint, &[]);
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let run = home.run(endpoint, &["-c", ROWS]);
    assert!(
        run.stderr.contains("others may read these credentials"),
        "{}",
        run.stderr
    );
    assert_eq!(run.success(), "n\n1\n2\n");
}

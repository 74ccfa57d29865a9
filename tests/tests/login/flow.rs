//! From login to logout.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::home::{Home, ROWS, open, server};

#[test]
fn login_whoami_query_logout() {
    let (_data, server) = server(&["--login", "lab"]);
    let (endpoint, home) = (server.endpoint(), Home::new());

    // Nobody is signed in.
    let run = home.run(endpoint, &["whoami"]);
    assert_eq!((run.status.code(), run.stdout.as_str()), (Some(3), ""));
    assert!(run.stderr.contains("redivis-sql login"), "{}", run.stderr);

    let said = home.log_in(endpoint, &[]);
    assert!(
        said.contains(&format!("signed in to {endpoint} as lab")),
        "{said}"
    );
    assert!(said.contains("allowed: data.edit"), "{said}");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.file()), 0o600);
    assert_eq!(mode(home.file().parent().unwrap().to_owned()), 0o700);
    let secrets = home.secrets();
    assert_eq!(secrets.len(), 2);
    for secret in &secrets {
        assert!(!said.contains(secret));
    }

    let run = home.run(endpoint, &["whoami"]);
    let told = run.success();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "user      lab");
    assert_eq!(lines[1], format!("endpoint  {endpoint}"));
    assert_eq!(lines[2], format!("token     {}", home.file().display()));
    assert_eq!(lines[3], "scopes    data.edit");
    assert!(lines[4].ends_with("Z, renewed by itself"), "{told}");

    let run = home.run(endpoint, &["-c", ROWS]);
    assert_eq!(run.success(), "n\n1\n2\n");

    // The prompt knows without asking: who it is was told when they signed in.
    let mut terminal = home.terminal(endpoint, &[]);
    terminal.exp_string("signed in as lab").unwrap();
    terminal.exp_string("redivis=> ").unwrap();
    terminal.send_line("exit").unwrap();
    terminal.exp_eof().unwrap();

    // The environment wins.
    let mut command = home.command(endpoint, &["whoami"]);
    command.env("REDIVIS_API_TOKEN", server.token().unwrap());
    let told = home.finish(command).success();
    assert!(told.contains("token     REDIVIS_API_TOKEN\n"), "{told}");
    let mut command = home.command(endpoint, &["-c", ROWS]);
    command.env("REDIVIS_API_TOKEN", "not-a-token");
    assert_eq!(home.finish(command).status.code(), Some(3));

    let run = home.run(endpoint, &["logout"]);
    assert!(
        run.stderr.contains(&format!("signed out of {endpoint}")),
        "{}",
        run.stderr
    );
    run.success();
    assert_eq!(home.secrets(), Vec::<String>::new());
    assert_eq!(mode(home.file()), 0o600);
    assert_eq!(home.run(endpoint, &["-c", ROWS]).status.code(), Some(3));
    let run = home.run(endpoint, &["logout"]);
    assert!(
        run.stderr.contains("nobody was signed in"),
        "{}",
        run.stderr
    );
    run.success();
}

#[test]
fn a_script_is_shown_the_page_and_no_browser() {
    let (_data, server) = server(&["--login", "lab"]);
    let (endpoint, home) = (server.endpoint(), Home::new());
    let browser = home.path().join("browser");
    let opened = home.path().join("opened");
    fs::write(
        &browser,
        format!("#!/bin/sh\necho \"$1\" > {}\n", opened.display()),
    )
    .unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).unwrap();

    // On a terminal it is opened when that is asked for.
    let mut command = home.command(endpoint, &["login", "--browser"]);
    command.env("BROWSER", &browser).env("RUST_LOG", "warn");
    let mut terminal = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
    terminal.exp_string("waiting until you have").unwrap();
    let page = loop {
        match fs::read_to_string(&opened) {
            Ok(page) if page.ends_with('\n') => break page.trim().to_owned(),
            _ => std::thread::yield_now(),
        }
    };
    open(&page);
    terminal.exp_string("signed in to").unwrap();
    terminal.exp_eof().unwrap();

    // In a script it is not, and the page is on standard error.
    fs::remove_file(&opened).unwrap();
    let mut command = home.command(
        endpoint,
        &["login", "--browser", "--scope", "workflow.write"],
    );
    command.env("BROWSER", &browser);
    let errors = home.path().join("errors");
    command
        .stderr(fs::File::create(&errors).unwrap())
        .stdout(std::process::Stdio::piped());
    let child = command.stdin(std::process::Stdio::null()).spawn().unwrap();
    let page = loop {
        let said = fs::read_to_string(&errors).unwrap();
        let page = said
            .split_whitespace()
            .find(|word| word.contains("/oauth/device?user_code="));
        if let Some(page) = page.filter(|_| said.contains("waiting until you have")) {
            break page.to_owned();
        }
        std::thread::yield_now();
    };
    open(&page);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.is_empty());
    assert!(!opened.exists());
    let said = fs::read_to_string(&errors).unwrap();
    // What was allowed before stays allowed.
    assert!(said.contains("allowed: data.edit workflow.write"), "{said}");
    for secret in home.secrets() {
        assert!(!said.contains(&secret));
    }
}

#[test]
fn one_endpoint_learns_nothing_of_another() {
    let (_data, server_one) = server(&["--login", "lab"]);
    let (_other_data, server_two) = server(&["--login", "lab"]);
    let home = Home::new();
    home.log_in(server_one.endpoint(), &[]);
    let run = home.run(server_two.endpoint(), &["-c", ROWS]);
    assert_eq!(run.status.code(), Some(3), "{}", run.stderr);
    assert!(
        run.stderr.contains("No credentials were provided"),
        "{}",
        run.stderr
    );
    home.log_in(server_two.endpoint(), &["--scope", "data.data"]);
    home.run(server_two.endpoint(), &["logout"]).success();
    assert_eq!(
        home.run(server_one.endpoint(), &["-c", ROWS]).success(),
        "n\n1\n2\n"
    );
}

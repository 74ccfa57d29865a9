//! The cache through the built shell: many processes, killed ones, other accounts, no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use redivis_tests::binaries;
use redivis_tests::process::{Finished, run};
use redivis_tests::proxy::{Action, Proxy};
use redivis_tests::server::{Server, configure};
use tempfile::TempDir;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);
pub(crate) const ROWS: u64 = 30_000;
pub(crate) const QUERY: &str = "SELECT count(n) AS rows, sum(n) AS sum, sum(square) AS squares, max(name) AS last FROM redivis.'lab.numbers.numbers'";
pub(crate) const ANSWER: &str =
    "rows,sum,squares,last\n30000,449985000,8999550005000,number 9999\n";

/// A server of numbers, and a folder to keep them in.
pub(crate) struct Numbers {
    pub(crate) server: Server,
    folder: TempDir,
}

/// `tokens`: of alice two and of bob one, instead of the server's own.
pub(crate) fn numbers(tokens: bool) -> Numbers {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data/lab/numbers");
    fs::create_dir_all(&data).unwrap();
    let mut text = "n,square,name\n".to_owned();
    for n in 0..ROWS {
        text.push_str(&format!("{n},{},number {n}\n", n * n));
    }
    fs::write(data.join("numbers.csv"), text).unwrap();
    let data = folder.path().join("data");
    let server = match tokens {
        false => Server::directory(&data),
        true => {
            let tokens = folder.path().join("tokens.json");
            let token = |token: &str, user: &str| {
                format!(r#"{{"token": "{token}", "user": "{user}", "scopes": ["data.data"]}}"#)
            };
            let list = [
                token("alice-one", "alice"),
                token("alice-two", "alice"),
                token("bob-one", "bob"),
            ];
            fs::write(&tokens, format!("[{}]", list.join(","))).unwrap();
            Server::with_arguments(&data, &["--tokens", tokens.to_str().unwrap()])
        }
    };
    Numbers { server, folder }
}

impl Numbers {
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The shell with the cache, at another endpoint perhaps.
    pub(crate) fn shell(&self, endpoint: &str, token: Option<&str>, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::redivis_sql());
        configure(&mut command, endpoint, token);
        command
            .env("HOME", self.folder.path())
            .env("REDIVIS_SQL_CACHE", self.cache())
            .args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let (endpoint, token) = (self.server.endpoint(), self.server.token());
        run(self.shell(endpoint, token, arguments), LIMIT)
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let (endpoint, token) = (self.server.endpoint(), self.server.token());
        let mut command = self.shell(endpoint, token, arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn entries(&self) -> usize {
        let tables = folders(&self.cache().join("tables"));
        tables.iter().map(|table| folders(table).len()).sum()
    }

    fn is_cached(&self) -> bool {
        let explain = format!("EXPLAIN {QUERY}");
        self.run(&["-c", &explain])
            .success()
            .contains("cached, table=lab.numbers:v1_0.numbers")
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

#[test]
fn the_shell_lists_fills_and_forgets() {
    let numbers = numbers(false);
    let call = "CALL redivis.cache('lab.numbers:v1_0.numbers', ['N', 'square'])";
    assert_eq!(
        numbers.run(&["-c", call]).success(),
        "cached\nlab.numbers:v1_0.numbers: 30000 rows\n"
    );
    // What is there is not read again; what is not, is.
    assert_eq!(numbers.run(&["-c", QUERY]).success(), ANSWER);
    let list = numbers
        .run(&["-c", r"\cache", "--format", "json"])
        .success();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let list: Vec<_> = list.as_array().unwrap().iter().collect();
    assert_eq!(list.len(), 1, "the wider one does for both: {list:?}");
    assert_eq!(list[0]["table"], "lab.numbers:v1_0.numbers");
    assert_eq!(list[0]["version"], "v1_0");
    assert_eq!(list[0]["variables"], "n, square, name");
    assert_eq!(list[0]["rows"], ROWS);
    assert!(list[0]["bytes"].as_u64().unwrap() > 1000);
    assert!(list[0]["last_used"].as_str().unwrap().starts_with("20"));

    for (wrong, words) in [
        (
            "CALL redivis.cache('lab.numbers.numbers', ['cube'])",
            "has no variable cube",
        ),
        (
            "CALL redivis.cache('lab.numbers.numbers', 'n')",
            "write CALL redivis.cache(",
        ),
        (
            "CALL redivis.release('lab.numbers', ['n'])",
            "takes no list",
        ),
    ] {
        let said = numbers.run(&["-c", wrong]);
        assert_eq!(said.status.code(), Some(1), "{wrong}");
        assert!(said.stderr.contains(words), "{wrong}: {}", said.stderr);
    }

    let forget = |what: &str| {
        numbers
            .run(&["-c", &format!("CALL redivis.forget({what})")])
            .success()
    };
    assert_eq!(
        forget("'lab.numbers:v2_0.numbers'"),
        "forgotten\n0 entries\n"
    );
    assert_eq!(forget("'Lab.Numbers.numbers'"), "forgotten\n1 entry\n");
    assert!(!numbers.is_cached());
    numbers.run(&["-c", QUERY]).success();
    assert_eq!(forget(""), "forgotten\n1 entry\n");
    assert_eq!(numbers.entries(), 0);
}

#[test]
fn a_public_table_is_kept_for_those_without_a_token_too() {
    let numbers = numbers(false);
    let data = numbers.folder.path().join("public/lab/open");
    fs::create_dir_all(&data).unwrap();
    fs::write(
        data.join("dataset.json"),
        r#"{"publicAccessLevel": "data"}"#,
    )
    .unwrap();
    fs::write(data.join("t.csv"), "n\n1\n2\n").unwrap();
    let server = Server::directory(&numbers.folder.path().join("public"));
    let run = |sql: &str| {
        let command = numbers.shell(server.endpoint(), None, &["-c", sql]);
        run(command, LIMIT).success()
    };
    let sql = "SELECT sum(n) AS sum FROM redivis.'lab.open.t'";
    assert_eq!(run(sql), "sum\n3\n");
    assert!(run(&format!("EXPLAIN {sql}")).contains("cached, table=lab.open:v1_0.t"));
    assert_eq!(run(sql), "sum\n3\n");
}

#[cfg(unix)]
#[test]
fn a_full_disk_costs_the_entry_and_not_the_query() {
    let numbers = numbers(false);
    let mut limited = Command::new("sh");
    // Files may have no more than 4 KiB, and a write beyond that is an error, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let (endpoint, token) = (numbers.server.endpoint(), numbers.server.token());
    configure(&mut limited, endpoint, token);
    limited
        .env("REDIVIS_SQL_CACHE", numbers.cache())
        .args(["-c", script])
        .arg(binaries::redivis_sql())
        .args(["-c", QUERY]);
    let finished = run(limited, LIMIT);
    let words = "lab.numbers:v1_0.numbers is not kept in the cache: ";
    assert!(finished.stderr.contains(words), "{}", finished.stderr);
    assert_eq!(
        finished.stderr.matches(words).count(),
        1,
        "{}",
        finished.stderr
    );
    assert_eq!(finished.success(), ANSWER);
    assert_eq!(numbers.entries(), 0);
    assert_eq!(folders(&numbers.cache().join("filling")).len(), 0);
}

#[test]
fn sixteen_processes_fill_and_read_at_once() {
    let numbers = numbers(false);
    let processes: Vec<Child> = (0..16)
        .map(|_| numbers.start(&["-c", QUERY, "-c", QUERY]))
        .collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        // Nothing but which version it was.
        assert_eq!(said, "unpinned: lab.numbers → :v1_0\n");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            [ANSWER, ANSWER].concat()
        );
    }
    assert_eq!(numbers.entries(), 1);
    assert_eq!(folders(&numbers.cache().join("filling")).len(), 0);
}

/// How often a process is killed; `REDIVIS_CACHE_KILLS` says otherwise, for long campaigns.
fn kills() -> u32 {
    let kills = std::env::var("REDIVIS_CACHE_KILLS");
    kills.ok().and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

#[test]
fn killed_processes_leave_nothing_that_is_read() {
    let numbers = numbers(false);
    let started = Instant::now();
    assert_eq!(numbers.run(&["-c", QUERY]).success(), ANSWER);
    let whole = started.elapsed();
    for kill in 0..kills() {
        numbers.run(&["-c", "CALL redivis.forget()"]).success();
        let mut process = numbers.start(&["-c", QUERY]);
        // Anywhere between its start and its end.
        std::thread::sleep(whole.mul_f64(fastrand::f64()));
        process.kill().unwrap();
        process.wait().unwrap();
        assert_eq!(numbers.run(&["-c", QUERY]).success(), ANSWER, "kill {kill}");
        assert!(numbers.is_cached(), "kill {kill}");
        assert_eq!(numbers.entries(), 1, "kill {kill}");
    }
    numbers
        .run(&["-c", "CALL redivis.forget()", "-c", QUERY])
        .success();
    assert_eq!(folders(&numbers.cache().join("filling")).len(), 0);
}

#[test]
fn an_account_sees_its_own_alone_whatever_its_token() {
    let numbers = numbers(true);
    let run = |token: &str, sql: &str| {
        let command = numbers.shell(numbers.server.endpoint(), Some(token), &["-c", sql]);
        run(command, LIMIT).success()
    };
    let explain = format!("EXPLAIN {QUERY}");
    assert_eq!(run("alice-one", QUERY), ANSWER);
    assert!(run("alice-two", &explain).contains("cached"));
    assert!(run("bob-one", &explain).contains("RedivisScanExec"));
    assert_eq!(run("bob-one", QUERY), ANSWER);
    assert!(run("bob-one", &explain).contains("cached"));
    assert_eq!(numbers.entries(), 2);
    // Nothing of a token is on the disk.
    let mut open = vec![numbers.cache()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let bytes = fs::read(&path).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!text.contains("alice-one"), "{}", path.display());
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_asked_once_a_session_whether_rows_may_be_read() {
    let numbers = tokio::task::spawn_blocking(|| numbers(false))
        .await
        .unwrap();
    let proxy = Proxy::start(numbers.server.endpoint()).await;
    let (endpoint, token) = (proxy.endpoint(), numbers.server.token());
    let shell = async |sql: &[&str]| {
        let arguments: Vec<&str> = sql.iter().flat_map(|sql| ["-c", sql]).collect();
        let command = numbers.shell(&endpoint, token, &arguments);
        let before = proxy.requests().len();
        let finished = tokio::task::spawn_blocking(|| run(command, LIMIT))
            .await
            .unwrap();
        let mut asked: Vec<String> = proxy.requests()[before..]
            .iter()
            .map(|request| {
                let body = String::from_utf8_lossy(&request.body);
                let reference = "lab.numbers:";
                let path = request.path().replace("/api/v1", "");
                let path = match path.split_once(reference) {
                    Some((start, rest)) => {
                        let (_, end) = rest.split_once('/').unwrap_or((rest, ""));
                        format!("{start}…/{end}")
                    }
                    None => path,
                };
                format!("{} {path} {body}", request.method)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        // Some are sent side by side.
        asked.sort_unstable();
        (finished, asked.join("\n"))
    };

    let (first, _) = shell(&[QUERY]).await;
    assert_eq!(first.success(), ANSWER);
    let (second, asked) = shell(&[QUERY, QUERY]).await;
    assert_eq!(second.success(), [ANSWER, ANSWER].concat());
    assert_snapshot!(asked, @r#"
    GET /tables/lab.numbers.numbers
    GET /tables/lab.numbers.numbers/variables
    GET /users/me
    POST /tables/…/readSessions {"format":"arrow","maxResults":1,"selectedVariables":["n"]}
    "#);
    let explain = format!("EXPLAIN {QUERY}");
    let (_, asked) = shell(&[&explain]).await;
    assert!(!asked.contains("readSessions"), "{asked}");

    // The account may still see the table, and not its rows.
    let json = ("Content-Type", "application/json");
    let body = r#"{"status":403,"error":"insufficient_access","error_description":"You may not read this table any more"}"#;
    proxy.script(
        move |request| match request.path().ends_with("/readSessions") {
            true => Action::reply(403, &[json], body),
            false => Action::Pass,
        },
    );
    let (refused, _) = shell(&[QUERY]).await;
    assert_eq!(
        (refused.status.code(), refused.stdout.as_str()),
        (Some(3), "")
    );
    assert!(
        refused
            .stderr
            .contains("You may not read this table any more (HTTP 403"),
        "{}",
        refused.stderr
    );

    // Nobody says whose the token is: told once, and read from Redivis.
    proxy.script(move |request| match request.path().ends_with("/users/me") {
        true => Action::reply(
            403,
            &[json],
            r#"{"status":403,"error":"insufficient_scope"}"#,
        ),
        false => Action::Pass,
    });
    let (unknown, asked) = shell(&[QUERY, QUERY]).await;
    let told = "the cache is not used, as Redivis does not say whose token this is";
    assert_eq!(
        unknown.stderr.matches(told).count(),
        1,
        "{}",
        unknown.stderr
    );
    assert_eq!(unknown.success(), [ANSWER, ANSWER].concat());
    assert_eq!(asked.matches("/users/me").count(), 1, "{asked}");
    assert!(asked.contains("readStreams"), "{asked}");
}

#[test]
fn offline_nothing_is_sent_and_what_is_missing_is_named() {
    let numbers = numbers(false);
    numbers
        .run(&[
            "-c",
            QUERY,
            "-c",
            "SELECT max(n) FROM redivis.'lab.numbers:v1_0.numbers'",
        ])
        .success();
    let (endpoint, cache) = (numbers.server.endpoint().to_owned(), numbers.cache());
    let Numbers { server, folder } = numbers;
    drop(server);
    let offline = |arguments: &[&str]| {
        let mut command = Command::new(binaries::redivis_sql());
        configure(&mut command, &endpoint, Some("whatever"));
        command
            .env("HOME", folder.path())
            .arg("--cache")
            .arg(&cache)
            .args(arguments);
        run(command, LIMIT)
    };
    let answer = offline(&["--offline", "-c", QUERY]);
    let note = "offline: lab.numbers.numbers is taken for lab.numbers:v1_0.numbers, as it was on ";
    assert!(answer.stderr.contains(note), "{}", answer.stderr);
    assert_eq!(answer.success(), ANSWER);
    let pinned = "SELECT min(name) AS first FROM redivis.'lab.numbers:v1_0.numbers'";
    let answer = offline(&["--offline", "-c", pinned]);
    assert_eq!(answer.stderr, "");
    assert_eq!(answer.success(), "first\nnumber 0\n");

    for (sql, code, words) in [
        (
            "SELECT * FROM redivis.'lab.letters.letters'",
            1,
            "lab.letters.letters is not in the cache, and offline nothing is asked of Redivis; go online once, and CALL \
             redivis.cache('lab.letters.letters')",
        ),
        ("CALL redivis.next_version('lab.numbers')", 3, "offline"),
        (
            "INSERT INTO redivis.'lab.numbers:next.numbers' SELECT 1",
            1,
            "is not in the cache",
        ),
    ] {
        let said = offline(&["--offline", "-c", sql]);
        assert_eq!(said.status.code(), Some(code), "{sql}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{sql}: {}", said.stderr);
    }
    // Without it, what is kept is not used where nobody can be asked.
    let said = offline(&["-c", QUERY]);
    assert_eq!(said.status.code(), Some(3), "{}", said.stderr);
}

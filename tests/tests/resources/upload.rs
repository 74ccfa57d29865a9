//! Uploads by the shell that are interrupted: what is left is said and kept, no upload is there that is not whole, and
//! another run goes on where the one before ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use redivis_tests::process::{self, Finished};
use redivis_tests::proxy::{Action, Break, Exchange};
use redivis_tests::server::Server;
use rexpect::session::spawn_command;
use tempfile::TempDir;

use crate::wire::{PATIENCE, PROMPTLY, Running, Wire};

const TABLE: &str = "local.sent:next.t";
/// Few and long, since reading them in is not what is tried here.
const ROWS: usize = 700;
const ROW_BYTES: usize = 60_000;
const MIB: u64 = 1 << 20;

/// A server with a draft, a large file and a small one.
struct Sender {
    wire: Wire,
    _server: Server,
    folder: TempDir,
}

impl Sender {
    fn new() -> Sender {
        let folder = TempDir::new().unwrap();
        let draft = folder.path().join("data/local/sent/next/t");
        fs::create_dir_all(&draft).unwrap();
        fs::write(draft.join("first.csv"), "n,text\n0,first\n").unwrap();
        let mut large = String::from("n,text\n");
        for n in 1..=ROWS {
            large.push_str(&format!("{n},{}\n", "x".repeat(ROW_BYTES)));
        }
        assert!(
            large.len() as u64 > 32 * MIB,
            "large enough to be resumable"
        );
        fs::write(folder.path().join("large.csv"), large).unwrap();
        fs::write(folder.path().join("small.csv"), "n,text\n-1,small\n").unwrap();
        let server = Server::directory(&folder.path().join("data"));
        Sender {
            wire: Wire::to(&server),
            _server: server,
            folder,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, options: &[&str]) -> Command {
        let (large, small) = (self.path("large.csv"), self.path("small.csv"));
        let operands = [small.as_str(), large.as_str(), TABLE];
        self.wire.shell(&[&["upload"], options, &operands].concat())
    }

    fn run(&self, options: &[&str]) -> Finished {
        process::run(self.command(options), PATIENCE)
    }

    /// The large file is taken up to a place, and then nothing more is.
    fn stall(&self, after: u64) {
        self.wire.proxy.script(move |request| {
            let range = request.header("content-range").unwrap_or_default();
            match range.starts_with("bytes ") && !range.starts_with("bytes *") {
                true => Action::Cut {
                    after,
                    how: Break::Stall,
                },
                false => Action::Pass,
            }
        });
    }

    /// Waits until the large file has come as far as it will.
    fn wait_for_stall(&self, after: u64) {
        self.wire.wait_for("/uploadSessions/", |exchange| {
            matches!(exchange.action, Action::Cut { .. }) && exchange.sent_bytes == after
        });
        let is_small = |exchange: &Exchange| exchange.request.path().ends_with("/small_csv");
        self.wire.wait_for("/small_csv", is_small);
    }

    /// Where each request starts to send, since a number of exchanges.
    fn starts(&self, since: usize) -> Vec<u64> {
        let exchanges = self.wire.on("/uploadSessions/").split_off(since);
        let start = |exchange: &Exchange| {
            let range = exchange.request.header("content-range")?;
            range
                .strip_prefix("bytes ")?
                .split_once('-')?
                .0
                .parse()
                .ok()
        };
        exchanges.iter().filter_map(start).collect()
    }

    fn uploads(&self) -> Vec<String> {
        let table = redivis::TableReference::clone(&TABLE.parse().unwrap());
        let client = self.wire.client();
        let mut names = self.wire.runtime.block_on(async {
            use futures::TryStreamExt;
            let table = client.table(&table).await.unwrap();
            let uploads: Vec<_> = client.uploads(&table.uri).try_collect().await.unwrap();
            uploads
                .into_iter()
                .map(|upload| upload.name.unwrap())
                .collect::<Vec<_>>()
        });
        names.sort();
        names
    }

    /// What is kept for another run.
    fn kept(&self) -> Vec<PathBuf> {
        let folder = self.wire.home().join("redivis-sql/uploads");
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn count(&self) -> String {
        let sql = format!("SELECT count(*), min(n), max(n) FROM redivis.'{TABLE}'");
        process::run(self.wire.shell(&["-c", &sql]), PATIENCE).success()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn control_c_says_what_is_left_and_resume_goes_on() {
    let sender = Sender::new();
    let after = 19 * MIB + 17;
    sender.stall(after);
    let mut shell = Running::start(sender.command(&[]));
    sender.wait_for_stall(after);
    shell.interrupt();
    let status = shell.ends_within(PROMPTLY);
    assert_eq!(status.and_then(|status| status.code()), Some(130));
    let said = shell.said();
    assert!(
        said.contains("large.csv: not uploaded, ") && said.contains("MiB sent"),
        "{said}"
    );
    assert!(
        said.contains("run the same command with --resume"),
        "{said}"
    );
    assert!(!said.contains("uploadSessions"), "{said}");
    assert!(!sender.uploads().contains(&"large.csv".to_owned()));

    // What is kept is for its owner's eyes only.
    let kept = sender.kept();
    assert_eq!(kept.len(), 1);
    assert_eq!(mode(&kept[0]), 0o600);
    assert_eq!(mode(kept[0].parent().unwrap()), 0o700);

    sender.wire.act("GET", "nothing", Action::Close);
    let since = sender.wire.on("/uploadSessions/").len();
    let finished = sender.run(&["--resume"]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    // The service had kept what arrived.
    assert_eq!(sender.starts(since)[0], after);
    assert!(
        finished.stderr.contains("large.csv: uploaded, 700 rows"),
        "{}",
        finished.stderr
    );
    assert_eq!(sender.uploads(), ["first", "large.csv", "small.csv"]);
    assert!(sender.kept().is_empty(), "nothing is left to go on with");
    assert!(sender.count().contains("702,-1,700"), "{}", sender.count());
}

#[test]
fn a_killed_shell_is_followed_by_one_that_goes_on() {
    let sender = Sender::new();
    sender.stall(9 * MIB);
    let mut shell = Running::start(sender.command(&[]));
    sender.wait_for_stall(9 * MIB);
    shell.child.kill().unwrap();
    shell.child.wait().unwrap();
    assert_eq!(sender.kept().len(), 1);
    assert!(!sender.uploads().contains(&"large.csv".to_owned()));

    sender.wire.act("GET", "nothing", Action::Close);
    let since = sender.wire.on("/uploadSessions/").len();
    sender.run(&["--resume"]).success();
    assert_eq!(sender.starts(since)[0], 9 * MIB);
    assert_eq!(sender.uploads(), ["first", "large.csv", "small.csv"]);
    assert!(sender.count().contains("702,-1,700"));

    // A third run finds everything done.
    let finished = sender.run(&["--resume"]);
    assert_eq!(
        finished.stderr.matches("was there already").count(),
        2,
        "{}",
        finished.stderr
    );
    finished.success();
}

#[test]
fn a_session_that_has_expired_is_begun_anew() {
    let sender = Sender::new();
    sender.stall(0);
    let mut shell = Running::start(sender.command(&[]));
    sender.wait_for_stall(0);
    shell.child.kill().unwrap();
    shell.child.wait().unwrap();
    let mut probed = false;
    sender.wire.proxy.script(move |request| {
        let range = request.header("content-range").unwrap_or_default();
        match range.starts_with("bytes */") && !std::mem::replace(&mut probed, true) {
            true => Action::reply(410, &[], ""),
            false => Action::Pass,
        }
    });
    let since = sender.wire.on("/uploadSessions/").len();
    sender.run(&["--resume"]).success();
    assert_eq!(sender.starts(since)[0], 0);
    assert!(sender.kept().is_empty());
}

#[test]
fn a_line_at_the_bottom_of_a_terminal() {
    let sender = Sender::new();
    let mut command = sender.command(&[]);
    command.stdin(Stdio::inherit()).env("TERM", "xterm");
    let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
    let after = 5;
    sender.stall(after);
    let mut terminal = spawn_command(command, Some(patience)).unwrap();
    terminal.exp_string(" MiB/").unwrap();
    terminal.exp_string("/2 files").unwrap();
    sender.wait_for_stall(after);
    terminal.send_control('c').unwrap();
    terminal.exp_string("not uploaded, ").unwrap();
    terminal.exp_string("--resume").unwrap();
    terminal.exp_eof().unwrap();

    sender.wire.act("GET", "nothing", Action::Close);
    let mut command = sender.command(&["--resume"]);
    command.stdin(Stdio::inherit()).env("TERM", "xterm");
    let mut terminal = spawn_command(command, Some(patience)).unwrap();
    terminal.exp_string("being read in").unwrap();
    terminal
        .exp_string("large.csv: uploaded, 700 rows")
        .unwrap();
    terminal.exp_eof().unwrap();
}

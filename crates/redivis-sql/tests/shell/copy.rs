//! `COPY … TO` a local file or folder: there when it is whole, and as it was before otherwise.

use std::process::Command;

use crate::Sandbox;

/// Fails after many rows.
const FAILING: &str = "SELECT value, 1 / (90000 - value) AS x FROM generate_series(1, 100000)";
const OLD: &str = "the file as it was";

#[test]
fn a_copy_that_fails_leaves_the_file_as_it_was() {
    for format in ["csv", "json", "parquet", "arrow"] {
        let sandbox = Sandbox::new();
        let name = format!("out.{format}");
        sandbox.write(&name, OLD);
        let run = sandbox.run(&["-c", &format!("COPY ({FAILING}) TO '{name}'")]);
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert_eq!(sandbox.read(&name), OLD, "{format}");
        assert_eq!(sandbox.names(), [name.as_str()]);
    }
    // So does one that explains what it did.
    let sandbox = Sandbox::new();
    sandbox.write("out.csv", OLD);
    let run = sandbox.run(&[
        "-c",
        &format!("EXPLAIN ANALYZE COPY ({FAILING}) TO 'out.csv'"),
    ]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert_eq!(sandbox.read("out.csv"), OLD);
    assert_eq!(sandbox.names(), ["out.csv"]);
}

#[test]
fn a_copy_that_fails_adds_nothing_to_a_folder() {
    let sandbox = Sandbox::new();
    let copy = |query: &str| {
        let sql = format!("COPY ({query}) TO 'parts/' STORED AS CSV PARTITIONED BY (k)");
        sandbox.run(&["-c", &sql])
    };
    let run = copy(&format!("SELECT x, value % 2 AS k FROM ({FAILING})"));
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert_eq!(sandbox.names(), Vec::<String>::new());

    let two = "SELECT value AS x, value % 2 AS k FROM generate_series(1, 10)";
    for copies in 1..=2 {
        let run = copy(two);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("copied 10 rows"), "{}", run.stderr);
        assert_eq!(sandbox.names(), ["parts"]);
        for k in ["parts/k=0", "parts/k=1"] {
            assert_eq!(
                sandbox.path().join(k).read_dir().unwrap().count(),
                copies,
                "{k}"
            );
        }
    }
    let run = copy(&format!("SELECT x, value % 2 AS k FROM ({FAILING})"));
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert_eq!(
        sandbox.path().join("parts/k=0").read_dir().unwrap().count(),
        2
    );
}

#[test]
fn a_copy_makes_no_folders() {
    let sandbox = Sandbox::new();
    for target in ["no/such/out.csv", "no/such/"] {
        let sql = format!("COPY (SELECT 1 AS a) TO '{target}' STORED AS CSV");
        let run = sandbox.run(&["-c", &sql]);
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert!(
            run.stderr.contains("there is no folder no"),
            "{}",
            run.stderr
        );
        assert_eq!(sandbox.names(), Vec::<String>::new());
    }
}

#[test]
fn a_copy_finds_its_place_by_any_name() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("a [b] %20 ü")).unwrap();
    for name in [
        "plain.csv",
        "a [b] %20 ü/c*?#.csv",
        "UPPER.CSV",
        "./it''s.csv",
    ] {
        let run = sandbox.run(&["-c", &format!("COPY (SELECT 1 AS a) TO '{name}'")]);
        assert_eq!(run.status, Some(0), "{name}: {}", run.stderr);
        assert_eq!(sandbox.read(&name.replace("''", "'")), "a\n1\n");
    }
    // The place of a statement's `file:` URL, and of the home's `~`.
    let url = format!("file://{}/by_url.csv", sandbox.path().display());
    let run = sandbox.run(&["-c", &format!("COPY (SELECT 1 AS a) TO '{url}'")]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(sandbox.read("by_url.csv"), "a\n1\n");
    let mut at_home = sandbox.command(&["-c", "COPY (SELECT 1 AS a) TO '~/at_home.csv'"]);
    at_home.env("HOME", sandbox.path());
    assert!(at_home.status().unwrap().success());
    assert_eq!(sandbox.read("at_home.csv"), "a\n1\n");
}

#[cfg(unix)]
#[test]
fn a_copy_keeps_links_and_permissions_and_refuses_what_is_no_file() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let sandbox = Sandbox::new();
    sandbox.write("real.csv", OLD);
    let real = sandbox.path().join("real.csv");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.csv", sandbox.path().join("link.csv")).unwrap();
    let run = sandbox.run(&["-c", "COPY (SELECT 1 AS a) TO 'link.csv'"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(sandbox.read("real.csv"), "a\n1\n");
    let link = sandbox.path().join("link.csv").symlink_metadata().unwrap();
    assert!(link.is_symlink());
    let mode = std::fs::metadata(&real).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);

    // A new file is as readable as any that the person makes.
    let run = sandbox.run(&["-c", "COPY (SELECT 1 AS a) TO 'new.csv'"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    sandbox.write("touched", "");
    let mode = |name: &str| {
        let metadata = std::fs::metadata(sandbox.path().join(name)).unwrap();
        metadata.permissions().mode()
    };
    assert_eq!(mode("new.csv"), mode("touched"));

    let pipe = sandbox.path().join("pipe.csv");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    std::fs::create_dir(sandbox.path().join("folder.csv")).unwrap();
    for (target, words) in [("pipe.csv", "use -o"), ("folder.csv", "is a folder")] {
        let sql = format!("COPY (SELECT 1 AS a) TO '{target}' STORED AS CSV");
        let run = sandbox.run(&["-c", &sql]);
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{target}: {}", run.stderr);
    }
}

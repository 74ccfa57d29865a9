//! The command line, word by word.

use super::*;

fn parse(arguments: &[&str]) -> Options {
    Options::try_from([&["redivis-sql"], arguments].concat()).unwrap()
}

#[test]
fn commands_and_files_keep_their_order() {
    let options = parse(&[
        "-c",
        "1",
        "-f",
        "a.sql",
        "-c",
        "2",
        "-f",
        "-",
        "--command=-3",
    ]);
    assert_eq!(
        options.sources,
        [
            Source::Text("1".to_owned()),
            Source::File("a.sql".into()),
            Source::Text("2".to_owned()),
            Source::Stdin,
            Source::Text("-3".to_owned()),
        ]
    );
}

#[test]
fn local_does_not_swallow_the_next_option() {
    let options = parse(&["--local", "-c", "SELECT 1"]);
    assert_eq!(options.local, Some(Local::Sample));
    assert_eq!(options.sources.len(), 1);
    let options = parse(&["--local", "data", "-c", "SELECT 1"]);
    assert_eq!(options.local, Some(Local::Directory("data".into())));
}

#[test]
fn the_cache_has_a_folder_or_none() {
    let cache = |arguments: &[&str]| parse(arguments).cache;
    assert_eq!(cache(&["--cache", "-c", "SELECT 1"]), Some(Cache::Default));
    let directory = Some(Cache::Directory("kept".into()));
    assert_eq!(cache(&["--cache", "kept", "--offline"]), directory);
}

fn upload(arguments: &[&str]) -> Upload {
    match parse(arguments).errand {
        Some(Errand::Upload(upload)) => upload,
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_are_uploaded_to_the_last_argument() {
    for local in [&["--local"] as &[&str], &["--local", "data"], &[]] {
        let arguments = [local, &["upload", "a.csv", "b.csv", "o.d:next.t"]].concat();
        let upload = upload(&arguments);
        let (files, reference) = upload.operands().unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(reference.to_string(), "o.d:next.t");
    }
    let operands = |arguments: &[&str]| {
        let upload = upload(&[&["upload"], arguments].concat());
        upload.operands().map(|(files, _)| files.len())
    };
    let between = ["a", "--null-markers", "NA", "b", "--resume", "o.d:next.t"];
    assert_eq!(operands(&between).unwrap(), 2);
    operands(&["o.d:next.t"]).unwrap_err();
    operands(&["a.csv", "b.csv"]).unwrap_err();
    operands(&["--name", "x", "a", "b", "o.d:next.t"]).unwrap_err();
    let both = [
        "redivis-sql",
        "upload",
        "--if-not-exists",
        "--rename-on-conflict",
        "a",
        "o.d:next.t",
    ];
    Options::try_from(both).unwrap_err();
}

#[test]
fn there_is_no_way_to_pass_a_token() {
    for option in ["--token=x", "--api-token=x", "--password=x"] {
        assert!(Options::try_from(["redivis-sql", option]).is_err());
        assert!(Options::try_from(["redivis-sql", "login", option]).is_err());
    }
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

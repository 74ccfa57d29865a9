//! What is in the state folder of a server that has nothing to do: only what its database names.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

/// Waits until the folder holds what the database names and nothing else, which must not take long.
pub(crate) async fn nothing_but_what_is_named(state: &Path) {
    let started = Instant::now();
    loop {
        let wrong = wrong(state);
        if wrong.is_empty() {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{wrong:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What is there too much or too little.
fn wrong(state: &Path) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(state.join("catalog.sqlite"), flags).unwrap();
    let strings = |query: &str| -> BTreeSet<String> {
        let mut statement = database.prepare(query).unwrap();
        let found = statement.query_map([], |row| row.get(0)).unwrap();
        found.collect::<Result<_, _>>().unwrap()
    };
    let mut wrong = Vec::new();
    let mut compare = |folder: &str, named: BTreeSet<String>| {
        let there = names(&state.join(folder));
        wrong.extend(
            there
                .difference(&named)
                .map(|name| format!("{folder}/{name} is garbage")),
        );
        wrong.extend(
            named
                .difference(&there)
                .map(|name| format!("{folder}/{name} is missing")),
        );
    };
    compare("rows", strings("SELECT file FROM part"));
    let temporary = "SELECT file FROM temporary_upload WHERE file IS NOT NULL
        UNION SELECT session_file FROM temporary_upload WHERE session_file IS NOT NULL";
    compare("temporary", strings(temporary));
    let forgotten = "SELECT id FROM temporary_upload WHERE is_taken AND id NOT IN
        (SELECT temporary FROM upload WHERE temporary IS NOT NULL)";
    wrong.extend(
        strings(forgotten)
            .into_iter()
            .map(|_| "a temp upload is garbage".to_owned()),
    );
    let unlinked = "SELECT name FROM upload WHERE key NOT IN (SELECT upload FROM table_upload)";
    wrong.extend(
        strings(unlinked)
            .into_iter()
            .map(|name| format!("no table has the upload {name}")),
    );
    for folder in ["", "converted"] {
        let aside = names(&state.join(folder)).into_iter();
        let aside = aside.filter(|name| name.starts_with('.') || name.starts_with("tmp"));
        wrong.extend(aside.map(|name| format!("{folder}/{name} is garbage")));
    }
    wrong.extend(
        strings("PRAGMA foreign_key_check")
            .into_iter()
            .map(|table| format!("{table} names what is gone")),
    );
    wrong.extend(
        strings("PRAGMA quick_check")
            .into_iter()
            .filter(|said| said != "ok"),
    );
    wrong
}

fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    listing
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

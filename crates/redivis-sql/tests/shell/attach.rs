//! Short names for datasets, folders, files and tables: `ATTACH 'what' AS name`.

use crate::terminal::Terminal;
use crate::{Run, Sandbox};

/// A script on the sample data, in a folder with files in it.
fn script(lines: &[&str]) -> (Sandbox, Run) {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("folder")).unwrap();
    sandbox.write("folder/one.csv", "a,b\n1,x\n");
    sandbox.write("folder/two.ndjson", "{\"c\":2}\n");
    sandbox.write("folder/both.csv", "d\n3\n");
    sandbox.write("folder/both.ndjson", "{\"d\":4}\n");
    sandbox.write("folder/other.sqlite", "not rows");
    sandbox.write("s.sql", &lines.join("\n"));
    let run = sandbox.run(&["--local", "-q", "--on-error", "continue", "-f", "s.sql"]);
    (sandbox, run)
}

#[test]
fn what_is_attached_has_a_short_name() {
    let (_sandbox, run) = script(&[
        "ATTACH 'demo.nycflights13' AS nyc;",
        "SELECT Carrier FROM nyc.airlines ORDER BY 1 LIMIT 1;",
        "ATTACH DATABASE 'demo.nycflights13:v1_0' AS \"Pinned\";",
        "SELECT count(*) AS n FROM \"Pinned\".planes;",
        "ATTACH 'folder';",
        "SELECT one.a, two.c FROM folder.one, folder.\"two.ndjson\" AS two;",
        "SELECT a.name FROM nyc.airlines a JOIN (SELECT 'UA' AS code FROM folder.one) ON carrier = code;",
        "ATTACH 'folder/one.csv' AS rows;",
        "SELECT b FROM rows;",
        r"\d folder.one",
        "SUMMARIZE nyc.airlines;",
        "ATTACH 'demo.nycflights13.planes' AS p;",
        "SELECT count(*) AS n FROM p;",
        r"\attach",
    ]);
    assert_eq!(
        run.data(),
        "carrier\n9E\nn\n3322\na,c\n1,2\nname\nUnited Air Lines Inc.\nb\nx\n\
         name,type,label,arrow_type\na,int64,,Int64\nb,utf8,,Utf8\n\
         name,type,min,max,mean,median,distinct,nulls,label\n\
         carrier,string,2 characters,2 characters,,,16,0,Carrier code\n\
         name,string,9 characters,27 characters,,,16,0,Airline\nn\n3322\n\
         name,kind,attached\nPinned,dataset,demo.nycflights13:v1_0\nfolder,folder,folder\n\
         nyc,dataset,demo.nycflights13\np,table,demo.nycflights13.planes\nrows,file,folder/one.csv\n"
    );
}

#[test]
fn errors_point_at_short_names_too() {
    let (_sandbox, run) = script(&[
        "ATTACH 'demo.nycflights13' AS nyc;",
        "SELECT * FROM nyc.airlinse;",
        r"\use demo.nycflights13",
        "SELECT 1 AS x FROM airlinse;",
    ]);
    for said in [
        "s.sql:2:15: table demo.nycflights13.airlinse does not exist",
        "s.sql:4:20: table demo.nycflights13.airlinse does not exist",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn what_is_detached_has_none() {
    let (_sandbox, run) = script(&[
        "ATTACH 'demo.nycflights13' AS nyc; ATTACH 'folder' AS f; ATTACH 'folder/one.csv' AS rows;",
        "DETACH nyc; DETACH DATABASE f; DETACH rows;",
        "SELECT * FROM nyc.airlines;",
        "SELECT * FROM f.one;",
        "SELECT * FROM rows;",
        "DETACH nyc;",
        // The names are free again.
        "ATTACH 'folder/one.csv' AS nyc; SELECT a FROM nyc;",
    ]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), "a\n1\n"));
    for said in [
        "s.sql:3:15: no table nyc.airlines\n  hint: a table of Redivis has three parts, owner.dataset.table",
        "s.sql:4:15: no table f.one\n",
        "s.sql:5:15: no table 'rows'\n",
        r"s.sql:6:1: nothing is attached as nyc; \attach lists what is",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn what_cannot_be_attached_says_what_can() {
    for (statement, said) in [
        ("ATTACH 'folder/other.sqlite' AS x", "is no file of rows"),
        (
            "ATTACH 'nowhere.parquet' AS x",
            "there is no file or folder nowhere.parquet",
        ),
        (
            "ATTACH 'nowhere' AS x",
            "there is no file or folder nowhere",
        ),
        (
            "ATTACH 's3://bucket/rows' AS x",
            "s3://bucket/rows can't be attached",
        ),
        ("ATTACH 'x.db' AS x (TYPE sqlite)", "ATTACH has no options"),
    ] {
        let (_sandbox, run) = script(&[statement]);
        assert_eq!(run.status, Some(1), "{statement}");
        assert!(
            run.stderr.contains(said)
                && run.stderr.contains("hint: ATTACH takes a dataset, workflow or table of Redivis, a folder, or a Parquet"),
            "{statement}: {}",
            run.stderr
        );
    }
    let (_sandbox, run) = script(&["ATTACH 'demo.nycflights' AS x;"]);
    assert!(
        run.stderr.contains("did you mean demo.nycflights13?"),
        "{}",
        run.stderr
    );
    for taken in ["public", "redivis", "t"] {
        let attach = format!("CREATE TABLE t (a INT); ATTACH 'folder' AS {taken};");
        let (_sandbox, run) = script(&[&attach]);
        let said = format!("there is something called {taken} already");
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
    let (_sandbox, run) = script(&["ATTACH 'folder' AS f; SELECT * FROM f.both;"]);
    assert!(
        run.stderr.contains("write the whole name in \"…\""),
        "{}",
        run.stderr
    );
}

#[test]
fn the_prompt_completes_what_is_attached() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["--local"], (100, 40), &[]);
    let said = terminal.answer("ATTACH 'demo.nycflights13' AS nyc;");
    assert_eq!(said, "attached demo.nycflights13: FROM nyc.…\n");
    terminal
        .0
        .send("SELECT count(*) AS n FROM nyc.airl\t")
        .unwrap();
    terminal.0.flush().unwrap();
    terminal.0.exp_string("nyc.airlines").unwrap();
    terminal.send(";");
    let shown = terminal.printed();
    assert!(shown.contains("\n     16\n"), "{shown}");
    assert_eq!(terminal.answer("DETACH nyc;"), "detached nyc\n");
    terminal.leave();
}

//! The example program of the library, built and run as its reader would: a remote table joined with a local file.

use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use redivis_tests::server::Server;
use redivis_tests::{binaries, process};

#[test]
fn the_example_joins_a_remote_table_with_a_local_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.parquet");
    let tail_numbers: ArrayRef = Arc::new(StringArray::from(vec![
        "N14228", "N24211", "N619AA", "unknown",
    ]));
    let fleet = RecordBatch::try_from_iter([("tailnum", tail_numbers)]).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), fleet.schema(), None).unwrap();
    writer.write(&fleet).unwrap();
    writer.close().unwrap();

    let server = Server::sample();
    let mut command = Command::new(binaries::example("join_local_parquet"));
    command.arg(&path);
    server.configure(&mut command);
    let printed = process::run(command, Duration::from_secs(120)).success();
    assert_eq!(printed.trim_end(), EXPECTED.trim());
}

const EXPECTED: &str = "
+---------+---------+--------+
| tailnum | flights | miles  |
+---------+---------+--------+
| N24211  | 130     | 172934 |
| N14228  | 111     | 171713 |
| N619AA  | 24      | 32141  |
+---------+---------+--------+
";

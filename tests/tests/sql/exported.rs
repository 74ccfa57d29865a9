//! Filling the cache with an export: large tables whole, and streams where that fails.

use std::fs;

use redivis_tests::process::{Finished, run};
use redivis_tests::proxy::{Action, Break, Proxy};
use serde_json::json;

use crate::cache::{ANSWER, LIMIT, Numbers, QUERY, numbers};

const FILL: &str = "CALL redivis.cache('lab.numbers:v1_0.numbers')";
const FILLED: &str = "cached\nlab.numbers:v1_0.numbers: 30000 rows\n";

async fn far(numbers: &Numbers) -> Proxy {
    Proxy::start(numbers.server.endpoint()).await
}

async fn shell(numbers: &Numbers, proxy: &Proxy, arguments: &[&str]) -> Finished {
    let command = numbers.shell(&proxy.endpoint(), numbers.server.token(), arguments);
    tokio::task::spawn_blocking(|| run(command, LIMIT))
        .await
        .unwrap()
}

/// Says that the table has so many bytes, and does `otherwise` with what is asked besides.
fn large(proxy: &Proxy, otherwise: impl Fn(&str) -> Action + Send + 'static) {
    proxy.script(move |request| match request.path() {
        path if path.ends_with(".numbers") => Action::Field {
            name: "numBytes",
            value: Some(json!(1_000_000_001)),
        },
        path => otherwise(path),
    });
}

fn asked(proxy: &Proxy, what: &str) -> usize {
    let requests = proxy.requests();
    let asked = requests.iter();
    asked
        .filter(|request| request.path().ends_with(what) || request.path().contains(what))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_is_kept_from_an_export() {
    let numbers = numbers(false);
    let proxy = far(&numbers).await;
    large(&proxy, |_| Action::Pass);
    let filled = shell(&numbers, &proxy, &["-c", FILL]).await;
    assert_eq!(filled.stderr, "");
    assert_eq!(filled.success(), FILLED);
    assert_eq!(
        (asked(&proxy, "/exports"), asked(&proxy, "/readStreams/")),
        (3, 0)
    );
    let offline = shell(&numbers, &proxy, &["--offline", "-c", &pinned()]).await;
    assert_eq!(offline.success(), ANSWER);
    let filling = fs::read_dir(numbers.cache().join("filling")).unwrap();
    assert_eq!(filling.count(), 0);

    // What is there is not exported again; some variables are not worth an export.
    shell(&numbers, &proxy, &["-c", FILL]).await.success();
    shell(&numbers, &proxy, &["-c", "CALL redivis.forget()"])
        .await
        .success();
    let some = "CALL redivis.cache('lab.numbers:v1_0.numbers', ['n', 'square', 'name'])";
    shell(&numbers, &proxy, &["-c", some]).await.success();
    assert_eq!(asked(&proxy, "/exports"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_download_goes_on_where_it_broke() {
    let numbers = numbers(false);
    let proxy = far(&numbers).await;
    let broken = std::sync::atomic::AtomicUsize::new(0);
    large(&proxy, move |path| {
        let times = std::sync::atomic::Ordering::Relaxed;
        match path.ends_with("/download") && broken.fetch_add(1, times) < 2 {
            true => Action::Break {
                after: 10_000,
                how: Break::Reset,
            },
            false => Action::Pass,
        }
    });
    let filled = shell(&numbers, &proxy, &["-c", FILL]).await;
    assert_eq!(filled.stderr, "");
    assert_eq!(filled.success(), FILLED);
    assert_eq!(
        (asked(&proxy, "/download"), asked(&proxy, "/readStreams/")),
        (3, 0)
    );
    let offline = shell(&numbers, &proxy, &["--offline", "-c", &pinned()]).await;
    assert_eq!(offline.success(), ANSWER);
}

/// Whatever is wrong with an export, the rows come from the streams, and why is said.
#[tokio::test(flavor = "multi_thread")]
async fn where_an_export_fails_streams_are_read() {
    let json = ("Content-Type", "application/json");
    let refusal =
        r#"{"status":403,"error":"export_restricted","error_description":"Exports need a review"}"#;
    let failed = r#"{"id":"e1","status":"failed","errorMessage":"out of slots"}"#;
    let empty = r#"{"id":"e1","status":"completed","fileCount":0}"#;
    let other = parquet_of_another_table();
    type Otherwise = Box<dyn Fn(&str) -> Action + Send>;
    let cases: [(&str, Otherwise); 4] = [
        (
            "Exports need a review",
            Box::new(move |path| match path.ends_with("/exports") {
                true => Action::reply(403, &[json], refusal),
                false => Action::Pass,
            }),
        ),
        (
            "out of slots",
            Box::new(move |path| match path.ends_with("/exports") {
                true => Action::reply(201, &[json], failed),
                false => Action::Pass,
            }),
        ),
        (
            "the export is complete, and has no files",
            Box::new(move |path| match path.ends_with("/exports") {
                true => Action::reply(201, &[json], empty),
                false => Action::Pass,
            }),
        ),
        (
            "the export lacks the variable square",
            Box::new(move |path| match path.ends_with("/download") {
                true => Action::reply(200, &[], &other),
                false => Action::Pass,
            }),
        ),
    ];
    for (words, otherwise) in cases {
        let numbers = numbers(false);
        let proxy = far(&numbers).await;
        large(&proxy, otherwise);
        let filled = shell(&numbers, &proxy, &["-c", FILL]).await;
        let warning =
            "lab.numbers:v1_0.numbers is read from its streams, since its export failed: ";
        assert!(
            filled.stderr.contains(warning),
            "{words}: {}",
            filled.stderr
        );
        assert!(filled.stderr.contains(words), "{words}: {}", filled.stderr);
        assert_eq!(filled.success(), FILLED, "{words}");
        let offline = shell(&numbers, &proxy, &["--offline", "-c", &pinned()]).await;
        assert_eq!(offline.success(), ANSWER, "{words}");
    }
}

fn pinned() -> String {
    QUERY.replace("lab.numbers.", "lab.numbers:v1_0.")
}

fn parquet_of_another_table() -> Vec<u8> {
    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use std::sync::Arc;
    let n: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let name: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let batch = RecordBatch::try_from_iter([("n", n), ("name", name)]).unwrap();
    let mut bytes = vec![];
    let mut writer =
        datafusion::parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

//! A table whose rows are known, on a server behind a proxy, and the ways to read it.

use std::error::Error;
use std::fs::{self, File};
use std::future::Future;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_redivis::Redivis;
use futures::TryStreamExt;
use redivis::read::{ReadSession, ReadSessionRequest, variables_schema};
use redivis::resource::Table;
use redivis::{Client, ClientBuilder, RetryPolicy, Token};
use redivis_tests::binaries;
use redivis_tests::process::{self, Finished};
use redivis_tests::proxy::{Action, Proxy, Request};
use redivis_tests::server::{self, Server};
use serde_json::Value;
use tempfile::TempDir;

/// Three batches on the wire.
pub(crate) const ROWS: i64 = 40_000;
/// The rows of the server's first batch.
pub(crate) const BATCH: i64 = 16_384;
pub(crate) const TABLE: &str = "local.faults.rows";
/// No read takes as long; one that does hangs.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) type Row = (i64, Option<String>);

/// The rows `from..to` of the table.
pub(crate) fn batch(from: i64, to: i64) -> RecordBatch {
    let texts = (from..to).map(text);
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from_iter_values(from..to))),
        ("text", Arc::new(StringArray::from_iter(texts))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

fn text(i: i64) -> Option<String> {
    (i % 7 != 0).then(|| format!("row {i}"))
}

/// Every row of the table, in order.
pub(crate) fn truth() -> Vec<Row> {
    (0..ROWS).map(|i| (i, text(i))).collect()
}

/// Asserts that these are all rows of the table, each once.
#[track_caller]
pub(crate) fn assert_all(rows: &[Row]) {
    assert_eq!(rows.len(), ROWS as usize, "rows lost or repeated");
    assert!(rows == truth(), "other rows than were stored");
}

/// The rows of some batches, in order of their ids.
pub(crate) fn rows(batches: &[RecordBatch]) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in batches {
        let ids = batch.column(0).as_primitive::<Int64Type>();
        let texts = batch.column(1);
        let texts: Vec<Option<String>> = match texts.as_string_opt::<i32>() {
            Some(texts) => texts.iter().map(|text| text.map(str::to_owned)).collect(),
            None => panic!("`text` came as {}", texts.data_type()),
        };
        rows.extend(ids.values().iter().copied().zip(texts));
    }
    rows.sort();
    rows
}

/// Fails the test if the work hangs.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("it hangs"),
    }
}

/// A server with the table, and the proxy before it.
pub(crate) struct Wire {
    pub(crate) server: Server,
    pub(crate) proxy: Proxy,
    _data: TempDir,
}

impl Wire {
    pub(crate) async fn start() -> Wire {
        Wire::with(&[]).await
    }

    /// With arguments for the server. Besides the private table there is a public one, `local.open.rows`.
    pub(crate) async fn with(arguments: &'static [&'static str]) -> Wire {
        let data = TempDir::new().unwrap();
        for dataset in ["faults", "open"] {
            let folder = data.path().join("local").join(dataset);
            fs::create_dir_all(&folder).unwrap();
            let rows = batch(0, ROWS);
            let file = File::create(folder.join("rows.parquet")).unwrap();
            let mut writer = ArrowWriter::try_new(file, rows.schema(), None).unwrap();
            writer.write(&rows).unwrap();
            writer.close().unwrap();
        }
        let public = data.path().join("local/open/dataset.json");
        fs::write(public, r#"{"publicAccessLevel": "data"}"#).unwrap();
        let folder = data.path().to_owned();
        let server =
            tokio::task::spawn_blocking(move || Server::with_arguments(&folder, arguments))
                .await
                .unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        Wire {
            server,
            proxy,
            _data: data,
        }
    }

    pub(crate) fn token(&self) -> &str {
        self.server.token().unwrap()
    }

    /// A client of the proxy that waits little: four attempts, milliseconds apart.
    pub(crate) fn builder(&self) -> ClientBuilder {
        self.anonymous().token(Token::new(self.token()))
    }

    /// The same without a token.
    pub(crate) fn anonymous(&self) -> ClientBuilder {
        Client::builder()
            .endpoint(self.proxy.endpoint())
            .read_timeout(Duration::from_secs(10))
            .retry(patience())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// A DataFusion session over such a client.
    pub(crate) fn session(&self, client: Client) -> (SessionContext, Redivis) {
        let context = SessionContext::new_with_config(
            SessionConfig::new()
                .with_target_partitions(4)
                .with_information_schema(true),
        );
        let redivis = datafusion_redivis::register(&context, client).unwrap();
        (context, redivis)
    }

    /// The rows that a statement of columns `id` and `text` gives in a new session.
    pub(crate) async fn sql(&self, sql: &str) -> Result<Vec<Row>, DataFusionError> {
        let (_context, redivis) = self.session(self.client());
        within(async { Ok(rows(&redivis.sql(sql).await?.collect().await?)) }).await
    }

    /// All rows through `streams` streams of one session, read side by side.
    pub(crate) async fn read(&self, client: &Client, streams: u32) -> redivis::Result<Vec<Row>> {
        within(async {
            let (table, session) = self.open(client, streams).await?;
            let variables = client.variables(&table.uri).await?;
            let schema = variables_schema(&variables);
            let reads = session.streams.iter().map(|stream| {
                client
                    .read_arrow(stream, Arc::clone(&schema))
                    .try_collect::<Vec<_>>()
            });
            let batches = futures::future::try_join_all(reads).await?.concat();
            Ok(rows(&batches))
        })
        .await
    }

    /// The table and a read session on it.
    pub(crate) async fn open(
        &self,
        client: &Client,
        streams: u32,
    ) -> redivis::Result<(Table, ReadSession)> {
        let table = client.table(&TABLE.parse().unwrap()).await?;
        let request = ReadSessionRequest {
            requested_stream_count: Some(streams),
            ..ReadSessionRequest::default()
        };
        let session = client.create_read_session(&table.uri, &request).await?;
        Ok((table, session))
    }

    /// What happens to the first requests for rows, each in its turn; the later ones pass.
    pub(crate) fn break_streams(&self, actions: impl IntoIterator<Item = Action>) {
        self.break_requests(is_stream, actions);
    }

    /// What happens to the first requests that are `chosen`.
    pub(crate) fn break_requests(
        &self,
        chosen: fn(&Request) -> bool,
        actions: impl IntoIterator<Item = Action>,
    ) {
        let mut actions: std::collections::VecDeque<_> = actions.into_iter().collect();
        self.proxy.script(move |request| match chosen(request) {
            true => actions.pop_front().unwrap_or(Action::Pass),
            false => Action::Pass,
        });
    }

    /// What happens to every request for rows.
    pub(crate) fn break_all_streams(&self, action: Action) {
        self.proxy.script(move |request| match is_stream(request) {
            true => action.clone(),
            false => Action::Pass,
        });
    }

    /// The offsets at which rows were asked for, in order.
    pub(crate) fn offsets(&self) -> Vec<i64> {
        let requests = self.proxy.requests().into_iter();
        requests
            .filter(is_stream)
            .map(|request| offset(&request))
            .collect()
    }

    /// What the server itself answers to a `GET` below its endpoint.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.server.endpoint()));
        self.answer(request).await
    }

    /// What the server itself answers to a `POST` below its endpoint.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}{path}", self.server.endpoint()));
        let request = request.header("Content-Type", "application/json");
        self.answer(request.body(body.to_string())).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.bearer_auth(self.token()).send().await.unwrap();
        let answer = answer.error_for_status().unwrap().text().await.unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    /// Runs the built shell against the proxy, with only what the shell needs in its environment.
    pub(crate) async fn shell(&self, sql: &str, token: Option<&str>, log: &str) -> Finished {
        shell(&self.proxy.endpoint(), sql, token, log).await
    }
}

/// Runs the built shell against an endpoint.
pub(crate) async fn shell(endpoint: &str, sql: &str, token: Option<&str>, log: &str) -> Finished {
    let mut command = Command::new(binaries::redivis_sql());
    command.args(["--format", "csv", "-c", sql]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    server::configure(&mut command, endpoint, token);
    command.env("RUST_LOG", log);
    tokio::task::spawn_blocking(move || process::run(command, LIMIT))
        .await
        .unwrap()
}

/// Four attempts, milliseconds apart.
pub(crate) fn patience() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 4,
        initial_backoff: Duration::from_millis(4),
        max_backoff: Duration::from_millis(20),
        ..RetryPolicy::default()
    }
}

/// Whether a request is for the rows of a stream.
pub(crate) fn is_stream(request: &Request) -> bool {
    request.target.contains("/readStreams/")
}

/// The offset that a request for rows asks for.
pub(crate) fn offset(request: &Request) -> i64 {
    let (_, query) = request.target.split_once("?offset=").unwrap();
    query.split('&').next().unwrap().parse().unwrap()
}

/// The Redivis error below an error of DataFusion.
#[track_caller]
pub(crate) fn service_error(error: &DataFusionError) -> &redivis::Error {
    match found(error) {
        Some(error) => error,
        None => panic!("no error of Redivis: {error}"),
    }
}

/// The first error of type `E` below an error of DataFusion.
pub(crate) fn found<E: Error + 'static>(error: &DataFusionError) -> Option<&E> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

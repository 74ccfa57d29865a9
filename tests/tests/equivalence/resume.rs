//! Streams that break anywhere and are taken up again: what arrives is what is stored, over HTTP.
//!
//! Random tables are served, and every answer with rows may be cut after any number of bytes, by a closed connection, a reset
//! one, or a body that ends as if it were complete. The same for the decoder alone is tested in `redivis`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::concat_batches;
use fastrand::Rng;
use futures::{StreamExt, TryStreamExt, future, stream};
use redivis::TableReference;
use redivis::read::{ReadSessionRequest, variables_schema};
use redivis_tests::proxy::{Action, Break, Proxy};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::answer::{difference, rows};
use crate::files::write;
use crate::session::client;

const TABLES: u64 = 30;
const CASES: u64 = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn broken_streams_give_what_is_stored() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    let (server, tables) = tokio::task::spawn_blocking(move || {
        let tables: Vec<_> = (0..TABLES).map(|seed| table(&path, seed)).collect();
        (Arc::new(Server::directory(&path)), tables)
    })
    .await
    .unwrap();
    let tables = Arc::new(tables);

    let outcomes: Vec<Outcome> = stream::iter(0..CASES)
        .map(|seed| {
            let (server, tables) = (Arc::clone(&server), Arc::clone(&tables));
            async move {
                tokio::spawn(async move {
                    let table = &tables[(seed % TABLES) as usize];
                    read(&server, seed % TABLES, table, seed).await
                })
                .await
                .unwrap_or_else(|error| panic!("case {seed}: {error}"))
            }
        })
        .buffer_unordered(4)
        .collect()
        .await;

    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    // The breaks met their streams, and often several of them the same one.
    assert!(sum(|outcome| outcome.retries) > 4 * CASES);
    assert!(sum(|outcome| u64::from(outcome.most_retries > 2)) > CASES / 4);
    assert!(sum(|outcome| u64::from(outcome.streams > 1)) > CASES / 2);
}

struct Outcome {
    streams: usize,
    /// Connections taken up again, over all streams, and of the stream that had the most.
    retries: u64,
    most_retries: u64,
}

/// Reads a table once in a random way, over answers that break in a random way.
async fn read(server: &Server, table: u64, stored: &RecordBatch, seed: u64) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let proxy = Proxy::start(server.endpoint()).await;
    let client = client(&proxy.endpoint(), server.token());
    let reference: TableReference = format!("random.tables.t{table}").parse().unwrap();
    let uri = client.table(&reference).await.unwrap().uri;
    let schema = variables_schema(&client.variables(&uri).await.unwrap());

    let width = rng.usize(1..=schema.fields().len());
    let variables = rng.choose_multiple(0..schema.fields().len(), width);
    let limit = rng
        .bool()
        .then(|| rng.usize(0..stored.num_rows() * 5 / 4 + 2));
    let schema = Arc::new(schema.project(&variables).unwrap());
    let request = ReadSessionRequest {
        max_results: limit.map(|limit| limit as u64),
        selected_variables: Some(
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
        ),
        requested_stream_count: Some(rng.u32(1..10)),
        ..ReadSessionRequest::default()
    };
    let session = client.create_read_session(&uri, &request).await.unwrap();

    let share = stored.get_array_memory_size() / session.streams.len() + 1000;
    // Each stream breaks by a seed of its own, since the streams' requests come in any order.
    let mut breaks: HashMap<String, (Rng, u32)> = session
        .streams
        .iter()
        .map(|stream| {
            let count = rng.u32(0..8);
            (stream.id.clone(), (rng.fork(), count))
        })
        .collect();
    proxy.script(move |request| {
        let id = request.path().rsplit('/').next().unwrap_or_default();
        let Some((rng, left)) = breaks.get_mut(id).filter(|(_, left)| *left > 0) else {
            return Action::Pass;
        };
        *left -= 1;
        // Often where the messages begin, else anywhere.
        let most = [600, share][rng.usize(0..2)];
        Action::Break {
            after: rng.usize(0..most),
            how: [Break::Close, Break::Reset, Break::End][rng.usize(0..3)],
        }
    });

    let streams = session.streams.iter().map(|stream| {
        let stream = client.read_arrow(stream, Arc::clone(&schema));
        let progress = stream.progress();
        async move {
            let batches: Vec<RecordBatch> = stream.try_collect().await?;
            redivis::Result::Ok((batches, progress.retries()))
        }
    });
    let streams = future::try_join_all(streams)
        .await
        .unwrap_or_else(|error| panic!("case {seed}: {error}"));

    // The server lays the rows out in their order, so that this is more than equality as multisets.
    let batches = streams.iter().flat_map(|(batches, _)| batches);
    let arrived = concat_batches(&schema, batches).unwrap();
    let rows_wanted = limit.map_or(stored.num_rows(), |limit| limit.min(stored.num_rows()));
    let wanted = stored.project(&variables).unwrap().slice(0, rows_wanted);
    if arrived.columns() != wanted.columns() {
        let difference = difference(&rows(&[arrived]), &rows(&[wanted]));
        let difference = difference.unwrap_or_else(|| "rows in another order".to_owned());
        panic!("case {seed}: {difference}");
    }
    let retries = streams.iter().map(|(_, retries)| *retries);
    Outcome {
        streams: streams.len(),
        retries: retries.clone().sum(),
        most_retries: retries.max().unwrap_or_default(),
    }
}

/// A table of a random size and of every type, written to a file with row groups of a random size.
fn table(folder: &Path, seed: u64) -> RecordBatch {
    let mut rng = Rng::with_seed(seed);
    let most = [1, 2, 10, 300, 3000][(seed % 5) as usize];
    let rows = rng.usize(0..=most);
    // Texts that make several batches of a stream, which the server cuts at a megabyte.
    let repeats = [0, 1, 20, if rows > 300 { 100 } else { 2000 }][rng.usize(0..4)];
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        (
            "integer",
            Arc::new(Int64Array::from(values(&mut rng, rows, |rng| rng.i64(..)))),
        ),
        (
            "float",
            Arc::new(Float64Array::from(values(&mut rng, rows, |rng| {
                rng.f64() * 10_f64.powi(rng.i32(-300..300))
            }))),
        ),
        (
            "boolean",
            Arc::new(BooleanArray::from(values(&mut rng, rows, Rng::bool))),
        ),
        (
            "string",
            Arc::new(StringArray::from(values(&mut rng, rows, |rng| {
                let length = rng.usize(0..20);
                let piece: String = (0..length).map(|_| rng.char(..)).collect();
                piece.repeat(rng.usize(0..=repeats))
            }))),
        ),
        (
            "date",
            Arc::new(Date32Array::from(values(&mut rng, rows, |rng| {
                rng.i32(-719_162..=2_932_896)
            }))),
        ),
        (
            "dateTime",
            Arc::new(TimestampMicrosecondArray::from(values(
                &mut rng,
                rows,
                |rng| rng.i64(-719_162 * DAY..2_932_897 * DAY),
            ))),
        ),
        (
            "time",
            Arc::new(Time64MicrosecondArray::from(values(
                &mut rng,
                rows,
                |rng| rng.i64(0..DAY),
            ))),
        ),
    ];
    rng.shuffle(&mut columns);
    let columns = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let file = folder.join(format!("random/tables/t{seed}.parquet"));
    write(&file, &batch, rng.usize(1..=rows.max(1) * 2));
    batch
}

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// Random values, with no nulls, some, or nothing else.
fn values<T>(rng: &mut Rng, rows: usize, value: impl Fn(&mut Rng) -> T) -> Vec<Option<T>> {
    let nulls = [0, 0, 30, 100][rng.usize(0..4)];
    (0..rows)
        .map(|_| (rng.u8(0..100) >= nulls).then(|| value(rng)))
        .collect()
}

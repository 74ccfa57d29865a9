//! Services that ignore `offset`, and rows that look as if theirs did.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::ipc::writer::StreamWriter;
use futures::StreamExt;
use redivis::read::ReadStreamInfo;
use redivis::{ErrorKind, Result};

use crate::script::{Answer, Script};
use crate::streams::{cut, info, numbers, ok, schema};

/// The rows of a batch.
const BATCH: usize = 4;

/// How a service answers requests for the rows of a stream.
#[derive(Debug, Clone)]
struct Service {
    rows: Vec<i64>,
    ignores_offset: bool,
    knows_sentinel: bool,
    /// After how many rows the answers end, though there are more; the others end with the rows.
    ends: Vec<usize>,
    /// After how many rows the answers break, if at all; the others do not break.
    breaks: Vec<Option<usize>>,
}

impl Service {
    fn of(rows: impl IntoIterator<Item = i64>) -> Self {
        Self {
            rows: rows.into_iter().collect(),
            ignores_offset: false,
            knows_sentinel: true,
            ends: Vec::new(),
            breaks: Vec::new(),
        }
    }

    fn answer(&self, request: usize, offset: usize) -> Answer {
        let rest = match self.ignores_offset {
            true => &self.rows[..],
            false => &self.rows[offset.min(self.rows.len())..],
        };
        let (rows, whole) = match self.ends.get(request) {
            Some(&end) if end < rest.len() => (&rest[..end], false),
            _ => (rest, true),
        };
        let body = ipc(rows, whole && self.knows_sentinel);
        Answer::Bytes(match self.breaks.get(request) {
            Some(&Some(after)) => cut(&body, ipc(&rows[..after.min(rows.len())], false).len() - 8),
            _ => ok(&body),
        })
    }

    /// What is read, and the offsets that were asked for.
    async fn read(&self, announced: Option<u64>) -> (Result<Vec<i64>>, Vec<usize>) {
        let (service, mut requests) = (self.clone(), 0);
        let script = Script::serve(move |head| {
            let answer = service.answer(requests, offset(head));
            requests += 1;
            match requests {
                // For ever.
                100.. => Answer::Hangup,
                _ => answer,
            }
        })
        .await;
        let rows = numbers(script.client().read_arrow(&stream(announced), schema())).await;
        let offsets = script.lines().iter().map(|line| offset(line)).collect();
        (rows, offsets)
    }
}

fn offset(request: &str) -> usize {
    let (_, rest) = request.split_once("offset=").unwrap();
    rest.split_once('&').unwrap().0.parse().unwrap()
}

fn stream(announced: Option<u64>) -> ReadStreamInfo {
    let mut stream = info("s1");
    stream.session_rows = announced;
    stream
}

fn ipc(rows: &[i64], sentinel: bool) -> Vec<u8> {
    let batch = |rows: &[i64]| {
        let column = Int64Array::from(rows.to_vec());
        RecordBatch::try_new(schema(), vec![Arc::new(column)]).unwrap()
    };
    let mut writer = StreamWriter::try_new(Vec::new(), &schema()).unwrap();
    for rows in rows.chunks(BATCH) {
        writer.write(&batch(rows)).unwrap();
    }
    if sentinel {
        writer.write(&batch(&[])).unwrap();
    }
    writer.into_inner().unwrap()
}

#[track_caller]
fn assert_refused(rows: Result<Vec<i64>>, words: &str) {
    let error = rows.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(!error.is_retryable());
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn an_endpoint_without_offset_and_sentinel_is_not_asked_for_ever() {
    let service = Service {
        ignores_offset: true,
        knows_sentinel: false,
        ..Service::of(0..10)
    };
    for announced in [None, Some(10), Some(1000)] {
        let (rows, offsets) = service.read(announced).await;
        assert_refused(
            rows,
            "asked for the rows from 10 on, the service answers with rows that came before: it ignores `offset`",
        );
        // The end, and the row that differs from the first.
        assert_eq!(offsets, [0, 10, 3]);
    }
    // Rows that are all alike can't be told apart.
    let service = Service {
        rows: vec![7; 10],
        ..service
    };
    for announced in [None, Some(10)] {
        let (rows, offsets) = service.read(announced).await;
        assert_refused(rows, "with rows like those that came before");
        assert_eq!(offsets, [0, 10]);
    }
    // So many may come, and no more.
    let (rows, offsets) = service.read(Some(25)).await;
    assert_refused(rows, "with rows like those that came before");
    assert_eq!(offsets, [0, 10, 20]);
}

#[tokio::test]
async fn rows_are_not_taken_twice_after_a_break() {
    let service = Service {
        ignores_offset: true,
        breaks: vec![Some(4)],
        ..Service::of(0..10)
    };
    // A whole answer is right.
    let whole = Service {
        breaks: Vec::new(),
        ..service.clone()
    };
    assert_eq!(
        whole.read(None).await.0.unwrap(),
        (0..10).collect::<Vec<_>>()
    );
    // Nothing of the answer that starts again is returned.
    let script = {
        let (service, mut requests) = (service.clone(), 0);
        Script::serve(move |head| {
            requests += 1;
            service.answer(requests - 1, offset(head))
        })
        .await
    };
    let mut batches = script.client().read_arrow(&stream(None), schema());
    assert_eq!(batches.next().await.unwrap().unwrap().num_rows(), 4);
    batches.next().await.unwrap().unwrap_err();
    assert!(batches.next().await.is_none());

    // Where rows are alike, the end shows it.
    let alike = Service {
        rows: vec![7; 10],
        ..service
    };
    let (rows, offsets) = alike.read(None).await;
    assert_refused(rows, "asked for the rows from 14 on");
    assert_eq!(offsets, [0, 4, 14]);
    let (rows, offsets) = alike.read(Some(10)).await;
    assert_refused(rows, "asked for the rows from 4 on");
    assert_eq!(offsets, [0, 4]);
    // Breaking always at the same place is no progress.
    let breaking = Service {
        breaks: vec![Some(4); 100],
        ..alike
    };
    let (rows, offsets) = breaking.read(None).await;
    assert_eq!(rows.unwrap_err().kind(), ErrorKind::Transport);
    assert_eq!(offsets.len(), 4);
}

#[tokio::test]
async fn rows_that_repeat_by_right_are_read() {
    // The table twice over, and the break in its middle: an earlier row shows that `offset` is honoured.
    let twice = Service {
        breaks: vec![Some(8)],
        ..Service::of((0..8).chain(0..8))
    };
    let (rows, offsets) = twice.read(None).await;
    assert_eq!(rows.unwrap(), twice.rows);
    assert_eq!(offsets, [0, 8, 3]);
    // The answer that shows it may break as well.
    let broken = Service {
        breaks: vec![Some(8), None, Some(0), Some(0)],
        ..twice
    };
    let (rows, offsets) = broken.read(None).await;
    assert_eq!(rows.unwrap(), broken.rows);
    assert_eq!(offsets, [0, 8, 3, 3, 3]);
    // Once is enough.
    let again = Service {
        breaks: vec![Some(8), None, Some(4)],
        ..Service::of((0..8).cycle().take(40))
    };
    let (rows, offsets) = again.read(None).await;
    assert_eq!(rows.unwrap(), again.rows);
    assert_eq!(offsets, [0, 8, 3]);

    // Rows that are all alike: the service has none at the end.
    let alike = Service {
        breaks: vec![Some(4)],
        ..Service::of([7; 10])
    };
    for announced in [None, Some(10), Some(40)] {
        let (rows, offsets) = alike.read(announced).await;
        assert_eq!(rows.unwrap(), alike.rows);
        assert_eq!(offsets, [0, 4, 10]);
    }
    // A service that ends its answers early and knows no sentinel.
    let early = Service {
        ends: vec![8, 8],
        breaks: Vec::new(),
        knows_sentinel: false,
        ..alike.clone()
    };
    assert_eq!(early.read(Some(10)).await.0.unwrap(), alike.rows);
    let (rows, _) = early.read(None).await;
    assert_refused(rows, "with rows like those that came before");
}

#[tokio::test]
async fn more_rows_than_announced_are_tested_and_not_refused() {
    let service = Service {
        breaks: vec![Some(4)],
        ..Service::of(0..10)
    };
    let (rows, offsets) = service.read(Some(6)).await;
    assert_eq!(rows.unwrap(), service.rows);
    assert_eq!(offsets, [0, 4, 3]);
}

#[tokio::test]
async fn rows_in_no_order_do_not_come_for_ever() {
    // Every answer has other rows, breaks, and starts where it likes.
    let mut requests = 0;
    let script = Script::serve(move |_| {
        requests += 1;
        let from = 1000 * (requests % 99);
        Answer::Bytes(cut(
            &ipc(&(from..from + 9).collect::<Vec<_>>(), true),
            ipc(&[from; 4], false).len() - 8,
        ))
    })
    .await;
    let rows = numbers(script.client().read_arrow(&stream(None), schema())).await;
    assert_refused(rows, "or has no fixed order of rows");
    assert!(script.requests().len() < 20);
}

/// Whatever a service does, its rows are read once each or the read fails, and it is not asked for ever. One that honours
/// `offset` and says how many rows there are is read.
#[tokio::test]
async fn any_service_is_read_rightly_or_not_at_all() {
    let mut rng = fastrand::Rng::with_seed(7);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..100 {
        let (count, values) = (rng.usize(0..30), rng.i64(1..4));
        let places = |rng: &mut fastrand::Rng| BATCH * rng.usize(0..6);
        let service = Service {
            rows: (0..count).map(|_| rng.i64(0..values)).collect(),
            ignores_offset: rng.bool(),
            knows_sentinel: rng.bool(),
            ends: match rng.u8(0..3) {
                0 => (0..rng.usize(0..3))
                    .map(|_| BATCH + places(&mut rng))
                    .collect(),
                _ => Vec::new(),
            },
            breaks: (0..rng.usize(0..3))
                .map(|_| rng.bool().then(|| places(&mut rng)))
                .collect(),
        };
        let announced = match rng.u8(0..3) {
            0 => None,
            more => Some((count * usize::from(more)) as u64),
        };
        let (rows, offsets) = service.read(announced).await;
        assert!(offsets.len() < 30, "{service:?}: {offsets:?}");
        match rows {
            Ok(rows) => {
                assert_eq!(rows, service.rows, "{service:?} of {announced:?}");
                read += 1;
            }
            Err(error) => {
                assert!(
                    service.ignores_offset || announced.is_none(),
                    "{service:?} of {announced:?}: {error}"
                );
                refused += 1;
            }
        }
    }
    assert!(read > 50 && refused > 10, "{read} read, {refused} refused");
}

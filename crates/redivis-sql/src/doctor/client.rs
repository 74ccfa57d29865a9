//! What this program's own client makes of the answers.

use std::sync::Arc;
use std::time::Instant;

use futures::TryStreamExt;
use futures::future::try_join_all;
use redivis::read::{ReadSessionRequest, variables_schema};

use super::examination::Examination;
use crate::failure::{Failure, external};

const ROWS: u64 = 100_000;

/// Reads rows as a query does. That it cannot is in the report, and is the failure of the doctor.
pub(super) async fn read(examination: &Examination) -> Result<(), Failure> {
    examination
        .report
        .section("read by redivis-sql's own client")?;
    let start = Instant::now();
    match rows(examination).await {
        Ok((rows, streams, expected)) => {
            let expected = expected.map_or("absent".to_owned(), |rows| rows.to_string());
            let answer = format!(
                "{rows} in {streams} streams, {} ms; numRows of the session: {expected}",
                start.elapsed().as_millis()
            );
            examination.report.line("rows", &answer)
        }
        Err(error) => {
            examination.report.line("fails", &error.to_string())?;
            Err(external(error))
        }
    }
}

async fn rows(examination: &Examination) -> redivis::Result<(usize, usize, Option<u64>)> {
    let (client, uri) = (&examination.client, &examination.table.uri);
    let schema = variables_schema(&client.variables(uri).await?);
    let request = ReadSessionRequest {
        max_results: Some(ROWS),
        requested_stream_count: Some(4),
        ..ReadSessionRequest::default()
    };
    let session = client.create_read_session(uri, &request).await?;
    for stream in &session.streams {
        examination.report.secrets().add(&stream.id);
    }
    let counts = try_join_all(session.streams.iter().map(|stream| {
        let batches = client.read_arrow(stream, Arc::clone(&schema));
        batches.try_fold(0, async |rows, batch| Ok(rows + batch.num_rows()))
    }));
    let rows = counts.await?.into_iter().sum();
    Ok((rows, session.streams.len(), session.num_rows))
}

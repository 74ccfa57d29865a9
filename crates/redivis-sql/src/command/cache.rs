//! `\cache`: the tables that are kept on disk.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampSecondArray, UInt64Array};
use chrono::{DateTime, Utc};
use datafusion_redivis::CachedTable;

use super::{Command, Next};
use crate::failure::Failure;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\cache",
    arguments: "",
    summary: "list the tables kept on disk (--cache); CALL redivis.forget() removes them",
    run: |session, output, _| {
        Box::pin(async move {
            let tables = list(session).await?;
            output.deliver_batch(tables).await?;
            Ok(Next::Continue)
        })
    },
};

async fn list(session: &Session) -> Result<RecordBatch, Failure> {
    let cached = session.redivis.cached().await?;
    let texts = |text: &dyn Fn(&CachedTable) -> String| -> ArrayRef {
        Arc::new(
            cached
                .iter()
                .map(|table| Some(text(table)))
                .collect::<StringArray>(),
        )
    };
    let numbers = |number: &dyn Fn(&CachedTable) -> u64| -> ArrayRef {
        Arc::new(
            cached
                .iter()
                .map(|table| Some(number(table)))
                .collect::<UInt64Array>(),
        )
    };
    let used = cached
        .iter()
        .map(|table| Some(DateTime::<Utc>::from(table.last_used).timestamp()));
    let used: TimestampSecondArray = used.collect();
    Ok(RecordBatch::try_from_iter([
        ("table", texts(&|table| table.table.clone())),
        ("version", texts(&|table| table.version.clone())),
        ("variables", texts(&|table| table.variables.join(", "))),
        ("rows", numbers(&|table| table.rows)),
        ("bytes", numbers(&|table| table.bytes)),
        ("last_used", Arc::new(used)),
    ])?)
}

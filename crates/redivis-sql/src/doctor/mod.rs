//! `redivis-sql doctor`: asks a service the questions that its documentation leaves open, and prints what it answered.
//!
//! In: a table that may be read, and perhaps a dataset that may be written to. Out: a report on standard output, without tokens
//! and ids, that a person can send on. The client hides how an answer looked, so most requests are the [`probe`]'s; where it
//! matters what the client makes of the answers, they are the client's. Questions: redivis-api §12, §14.

mod answers;
mod client;
mod examination;
mod probe;
mod report;
mod speed;
mod streams;
mod write;

use clap::Args;
use redivis::{DatasetReference, TableReference};

use crate::connect::{Connection, Identity, connect};
use crate::failure::{Failure, external};
use examination::Examination;
use probe::Probe;
use report::Report;

/// What to ask about.
#[derive(Debug, Clone, Args)]
pub(crate) struct Doctor {
    /// A table that you may read; one of a million rows or more tells most about speed
    #[arg(value_name = "OWNER.DATASET.TABLE")]
    table: TableReference,

    /// Also create a table in the next version of this dataset, upload a few rows to it, and delete it again
    #[arg(long, value_name = "OWNER.DATASET")]
    write: Option<DatasetReference>,
}

/// Asks and reports. What the service refuses is an answer; it fails where the table cannot be had, or this program's own
/// client fails.
pub(crate) async fn run(doctor: Doctor) -> Result<(), Failure> {
    let connection = connect().await?;
    let report = Report::default();
    report.section("who asks")?;
    report.line(
        "program",
        concat!("redivis-sql ", env!("CARGO_PKG_VERSION")),
    )?;
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    report.line("time", &now)?;
    report.line("endpoint", connection.client.endpoint())?;
    let token = match &connection.identity {
        Identity::Anonymous => "none",
        Identity::Environment => "of REDIVIS_API_TOKEN",
        Identity::Login(..) => "of redivis-sql login",
    };
    report.line("token", token)?;

    let table = connection.client.table(&doctor.table).await;
    let table = table.map_err(external)?;
    let Connection { client, identity } = connection;
    let examination = Examination {
        probe: Probe::new(client.endpoint(), identity, report.secrets())?,
        client,
        report,
        reference: doctor.table,
        table,
    };
    answers::ask(&examination).await?;
    streams::ask(&examination).await?;
    let read = client::read(&examination).await;
    speed::measure(&examination).await?;
    let written = match &doctor.write {
        Some(dataset) => write::ask(&examination, dataset).await,
        None => Ok(()),
    };
    read.and(written)
}

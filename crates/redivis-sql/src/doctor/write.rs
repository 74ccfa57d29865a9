//! Writing, where it was asked for: a table of its own in the next version, a few rows in each way, and nothing left.

use std::fmt::Display;
use std::sync::Arc;

use redivis::resource::{NewTable, Table};
use redivis::write::{Content, NewTempUpload, SendProgress, UploadRequest};
use redivis::{DatasetReference, Version};
use reqwest::{Method, Url};
use serde_json::json;

use super::answers::{fields, form};
use super::examination::Examination;
use super::probe::{Outcome, summary};
use crate::failure::{Failure, external};
use crate::report::narrate;

const CONTENT: &[u8] = b"name,legs\ncat,4\nowl,2\n";

pub(super) async fn ask(
    examination: &Examination,
    dataset: &DatasetReference,
) -> Result<(), Failure> {
    let next = dataset.clone().with_version(Some(Version::Next));
    if !matches!(dataset.version(), None | Some(Version::Next)) {
        return Err(Failure::Usage(format!(
            "--write {dataset}: only the next version can be written to; name no version"
        )));
    }
    let report = &examination.report;
    report.section("writing")?;
    let dataset = examination.client.dataset(&next).await.map_err(external)?;
    let millis = chrono::Utc::now().timestamp_millis();
    let name = format!("redivis_sql_doctor_{millis}_{}", std::process::id());
    let mut left = Leftover(Some(format!("the table {name} may be left in {next}")));
    let new = NewTable {
        name,
        description: Some("made by redivis-sql doctor; can be deleted".to_owned()),
        ..NewTable::default()
    };
    let made = examination.client.create_table(&dataset.uri, &new).await;
    let table = match made {
        Ok(table) => table,
        Err(error) => {
            if !error.may_have_happened() {
                left.0 = None;
            }
            return failed(examination, "create a table", error);
        }
    };
    let written = uploads(examination, &table).await;
    // Whatever came of it, also where nobody reads the report any more.
    let deleted = examination.client.delete_table(&table.uri).await;
    if let Err(error) = deleted {
        return failed(examination, "delete the table", error);
    }
    left.0 = None;
    let gone = examination.probe.get(&table.uri).await;
    report.line("delete the table", "done")?;
    report.line("GET deleted table", &summary(&gone))?;
    written
}

/// What is left where the work ends early, be it by an error or Ctrl-C: printed then.
struct Leftover(Option<String>);

impl Drop for Leftover {
    fn drop(&mut self) {
        if let Some(left) = &self.0 {
            narrate(left);
        }
    }
}

fn failed(examination: &Examination, step: &str, error: redivis::Error) -> Result<(), Failure> {
    examination.report.line(step, &format!("fails: {error}"))?;
    Err(external(error))
}

async fn uploads(examination: &Examination, table: &Table) -> Result<(), Failure> {
    let report = &examination.report;
    report.line("create a table", "done")?;
    fields(
        examination,
        &examination.probe.get(&table.uri).await,
        &["numRows", "numBytes"],
    )?;
    for resumable in [false, true] {
        let way = if resumable {
            "resumable"
        } else {
            "one request"
        };
        report.section(&format!("an upload, {way}"))?;
        temp_upload(examination, table, resumable).await?;
        let name = format!("{}.csv", way.replace(' ', "_"));
        if let Err(error) = by_client(examination, table, &name, resumable).await {
            return failed(examination, "by our client", error);
        }
        report.line("by our client", "done")?;
        let uploads = examination
            .probe
            .get(&format!("{}/uploads", table.uri))
            .await;
        report.line("GET uploads", &summary(&uploads))?;
        if let Ok(answer) = &uploads {
            let json = answer.json();
            let upload = json["results"]
                .as_array()
                .and_then(|all| all.iter().find(|it| it["name"] == name.as_str()));
            for field in ["status", "numRows", "numBytes", "size"] {
                let value = upload.and_then(|upload| upload.get(field));
                let answer = match (field, value.and_then(|it| it.as_str())) {
                    ("status", Some(status)) => status.to_owned(),
                    _ => form(value),
                };
                report.line(&format!("  {field}"), &answer)?;
            }
        }
        let now = examination.probe.get(&table.uri).await;
        report.line("GET table", &summary(&now))?;
        fields(examination, &now, &["numRows", "numBytes"])?;
    }
    Ok(())
}

/// Two rows in the way that a query sends them, smaller.
async fn by_client(
    examination: &Examination,
    table: &Table,
    name: &str,
    resumable: bool,
) -> redivis::Result<()> {
    let client = &examination.client;
    let content = Content::bytes(CONTENT);
    let new = NewTempUpload {
        name: name.to_owned(),
        size: content.len(),
        resumable,
    };
    let request = UploadRequest {
        name: name.to_owned(),
        ..UploadRequest::default()
    };
    let created = client.create_temp_uploads(&table.uri, &[new]).await?;
    let place = created.first();
    if let Some(place) = place {
        examination.report.secrets().add(place.id());
        let progress = Arc::new(SendProgress::default());
        client.send(place, &content, &progress).await?;
    }
    let upload = client.create_upload(&table.uri, &request, place).await?;
    client.wait_for_upload(&upload).await?;
    Ok(())
}

/// Where bytes are sent, and with which answers; nothing is made of these bytes, which expire by themselves.
async fn temp_upload(
    examination: &Examination,
    table: &Table,
    resumable: bool,
) -> Result<(), Failure> {
    let (probe, report) = (&examination.probe, &examination.report);
    let new = json!({"name": "rows.csv", "size": CONTENT.len(), "resumable": resumable});
    let path = format!("{}/tempUploads", table.uri);
    let asked = probe.post(&path, &json!({"tempUploads": [new]})).await;
    report.line("POST tempUploads", &summary(&asked))?;
    let Ok(answer) = asked else { return Ok(()) };
    let place = &answer.json()["results"][0];
    for name in ["size", "resumable"] {
        report.line(&format!("  {name}"), &form(place.get(name)))?;
    }
    let url = place["url"]
        .as_str()
        .and_then(|url| url.parse::<Url>().ok());
    let Some(url) = url else {
        return report.line("  url", "none that is absolute");
    };
    report.line("  url", &host(examination, &url))?;
    if place["resumable"] != json!(true) {
        let asked = probe.ask_url(Method::PUT, &url, &[], CONTENT.to_vec());
        return report.line("PUT", &summary(&asked.await));
    }
    let headers = [
        ("x-goog-resumable", "start".to_owned()),
        ("x-upload-content-length", CONTENT.len().to_string()),
        ("content-length", "0".to_owned()),
    ];
    let asked = probe
        .ask_url(Method::POST, &url, &headers, Vec::new())
        .await;
    report.line("POST, start", &with_range(&asked))?;
    let location = asked
        .as_ref()
        .ok()
        .and_then(|answer| answer.header("location"));
    let Some(session) = location.and_then(|location| url.join(location).ok()) else {
        return Ok(());
    };
    report.secrets().add(session.as_str());
    report.line("  session URL", &host(examination, &session))?;
    let range = |part: &dyn Display| ("content-range", format!("bytes {part}/{}", CONTENT.len()));
    let probed = probe
        .ask_url(Method::PUT, &session, &[range(&"*")], Vec::new())
        .await;
    report.line("PUT, how far", &with_range(&probed))?;
    let all = range(&format!("0-{}", CONTENT.len() - 1));
    let sent = probe
        .ask_url(Method::PUT, &session, &[all], CONTENT.to_vec())
        .await;
    report.line("PUT, everything", &with_range(&sent))?;
    let probed = probe
        .ask_url(Method::PUT, &session, &[range(&"*")], Vec::new())
        .await;
    report.line("PUT, how far", &with_range(&probed))
}

/// An answer of the resumable protocol, which speaks by header fields.
fn with_range(asked: &Outcome) -> String {
    let range = asked
        .as_ref()
        .ok()
        .and_then(|answer| answer.header("range"));
    let range = range.map_or(String::new(), |range| format!(", range {range}"));
    format!("{}{range}", summary(asked))
}

/// Whose a URL is; the rest of it is all that it takes to write there.
fn host(examination: &Examination, url: &Url) -> String {
    let whose = match examination.probe.is_own(url) {
        true => "the endpoint's own origin, asked with the token",
        false => "another origin, asked without the token",
    };
    format!(
        "{}://{}, {whose}",
        url.scheme(),
        url.host_str().unwrap_or("?")
    )
}

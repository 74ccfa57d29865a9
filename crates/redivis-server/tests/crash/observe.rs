//! A dataset as the server shows it: every version, every table, every row.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::{
    model::{Seen, SeenTable},
    rows::{self, Way},
    wire::{Gone, Wire},
};

/// The hashes of released tables, which must stay what they were.
pub(crate) type Hashes = HashMap<String, Value>;

/// What is there; `None` where the dataset is not.
pub(crate) async fn observe(
    wire: &Wire,
    dataset: &str,
    hashes: &mut Hashes,
    random: &mut fastrand::Rng,
) -> Result<Option<Seen>, Gone> {
    let path = format!("/datasets/local.{dataset}");
    let found = wire.get(&path).await?;
    if found.status == 404 {
        return Ok(None);
    }
    let found = found.json(&path);
    let description = found["description"].as_str().map(str::to_owned);
    let listed = format!("{path}/versions?maxResults=100");
    let mut versions = Vec::new();
    for version in results(&wire.get(&listed).await?.json(&listed))
        .iter()
        .rev()
    {
        let released = version["isReleased"].as_bool().unwrap();
        let tables = format!(
            "{}/tables?maxResults=100",
            version["datasetUri"].as_str().unwrap()
        );
        let mut seen = BTreeMap::new();
        for table in results(&wire.get(&tables).await?.json(&tables)) {
            let uri = table["uri"].as_str().unwrap();
            if released {
                let before = hashes
                    .entry(uri.to_owned())
                    .or_insert(table["hash"].clone());
                assert_eq!(*before, table["hash"], "{uri} was released");
            }
            let name = table["name"].as_str().unwrap().to_owned();
            seen.insert(name, observe_table(wire, uri, released, random).await?);
        }
        versions.push((released, seen));
    }
    Ok(Some(Seen {
        description,
        versions,
    }))
}

async fn observe_table(
    wire: &Wire,
    uri: &str,
    released: bool,
    random: &mut fastrand::Rng,
) -> Result<SeenTable, Gone> {
    let mut uploads = BTreeSet::new();
    if !released {
        for upload in finished_uploads(wire, uri).await? {
            let name = upload["name"].as_str().unwrap().to_owned();
            let rows = upload["numRows"].as_i64().unwrap();
            uploads.insert((name, rows, upload["status"] == "failed"));
        }
    }
    let table = wire.get(uri).await?.json(uri);
    let rows = match table["variableCount"].as_u64().unwrap() {
        0 => Vec::new(),
        _ => rows::read(wire, uri, Way::any(random)).await?.unwrap(),
    };
    let count: i64 = rows.iter().map(|range| range.end - range.start).sum();
    assert_eq!(table["numRows"], count, "{uri}: {rows:?}");
    Ok(SeenTable { rows, uploads })
}

/// The uploads of a table once they are all read in.
pub(crate) async fn finished_uploads(wire: &Wire, table: &str) -> Result<Vec<Value>, Gone> {
    let path = format!("{table}/uploads?maxResults=100");
    let started = std::time::Instant::now();
    loop {
        let uploads = results(&wire.get(&path).await?.json(&path));
        let done = |upload: &Value| upload["status"] == "completed" || upload["status"] == "failed";
        if uploads.iter().all(done) {
            return Ok(uploads);
        }
        assert!(
            started.elapsed().as_secs() < 60,
            "never read in: {uploads:?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn results(list: &Value) -> Vec<Value> {
    assert_eq!(list["nextPageToken"], Value::Null);
    list["results"].as_array().unwrap().clone()
}

//! Comes in: what an official client and ours did for the same tasks. Goes out: every field of requests that differs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::recording::Tasks;

/// One field of a request of one task.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    pub(super) task: String,
    /// The request, as `METHOD route`, with `*` for what names a resource.
    pub(super) request: String,
    /// The field: `request` itself, `path`, or one of the query, headers or body.
    pub(super) field: String,
    /// What the official client sends; none where it does not have the field.
    pub(super) official: Option<String>,
    /// What ours sends.
    pub(super) ours: Option<String>,
}

pub(super) fn compare(official: &Tasks, ours: &Tasks) -> BTreeSet<Difference> {
    assert!(official.keys().eq(ours.keys()), "the same tasks");
    let mut differences = BTreeSet::new();
    for (task, exchanges) in official {
        let (official, ours) = (by_route(exchanges), by_route(&ours[task]));
        let requests: BTreeSet<_> = official.keys().chain(ours.keys()).collect();
        for request in requests {
            let (official, ours) = (official.get(request), ours.get(request));
            let (official, ours) = match (official, ours) {
                (Some(official), Some(ours)) => (fields(official), fields(ours)),
                // What is missing as a whole is one difference.
                (official, ours) => (whole(official), whole(ours)),
            };
            let names: BTreeSet<_> = official.keys().chain(ours.keys()).collect();
            for name in names {
                let (official, ours) = (official.get(name), ours.get(name));
                if official != ours {
                    differences.insert(Difference {
                        task: task.clone(),
                        request: request.0.clone(),
                        field: name.clone(),
                        official: official.cloned(),
                        ours: ours.cloned(),
                    });
                }
            }
        }
    }
    differences
}

/// The requests of a task by their route, and which time it is that the route is taken.
fn by_route(exchanges: &[Value]) -> BTreeMap<(String, usize), &Value> {
    let mut requests = BTreeMap::new();
    for exchange in exchanges {
        let request = &exchange["request"];
        let route = format!(
            "{} {}",
            text(&request["method"]),
            route(&text(&request["path"]))
        );
        let times = requests.keys().filter(|(known, _)| *known == route).count();
        requests.insert((route, times), request);
    }
    requests
}

/// A path with `*` in the place of each name or id, which follow the names of collections.
fn route(path: &str) -> String {
    let segments = path.split('/').enumerate();
    let segments = segments.map(|(place, segment)| match place > 0 && place % 2 == 0 {
        true => "*",
        false => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn whole(request: Option<&&Value>) -> BTreeMap<String, String> {
    request
        .map(|_| ("request".to_owned(), "sent".to_owned()))
        .into_iter()
        .collect()
}

/// All fields of a request by name, other than its method.
fn fields(request: &&Value) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    flatten("", request, &mut fields);
    fields
}

fn flatten(name: &str, json: &Value, fields: &mut BTreeMap<String, String>) {
    let below = |child: &str| match name {
        "" => child.to_owned(),
        name => format!("{name}.{child}"),
    };
    match json {
        Value::Object(children) => {
            for (child, json) in children {
                flatten(&below(child), json, fields);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, json) in items.iter().enumerate() {
                flatten(&below(&place.to_string()), json, fields);
            }
        }
        json => {
            fields.insert(name.to_owned(), text(json));
        }
    }
}

fn text(json: &Value) -> String {
    json.as_str()
        .map_or_else(|| json.to_string(), str::to_owned)
}

//! Comes in: a client's exchanges through the proxy. Goes out: the same as JSON, by task, without what differs from run to run.

use std::collections::BTreeMap;
use std::io::Cursor;

use arrow::ipc::reader::StreamReader;
use redivis_tests::proxy::{Action, Exchange, Proxy};
use redivis_tests::server::Server;
use serde_json::{Map, Value, json};

/// The exchanges of each task, in their order.
pub(super) type Tasks = BTreeMap<String, Vec<Value>>;

/// The request by which a script says what comes next.
const TASK: &str = "/api/v1/task/";
/// Of no meaning, or of the connection alone; how long a body is stands with the body.
const UNKEPT_HEADERS: [&str; 3] = ["host", "connection", "content-length"];

/// A server of the sample data behind a proxy that writes everything down.
pub(super) struct Recorder {
    server: Server,
    proxy: Proxy,
}

impl Recorder {
    pub(super) async fn start() -> Recorder {
        let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        proxy.script(|request| match request.target.starts_with(TASK) {
            true => Action::reply(200, &[], ""),
            false => Action::Record,
        });
        Recorder { server, proxy }
    }

    /// The endpoint and the token for a client.
    pub(super) fn place(&self) -> (String, String) {
        let token = self.server.token().unwrap();
        (self.proxy.endpoint(), token.to_owned())
    }

    /// What was done so far.
    pub(super) fn tasks(&self) -> Tasks {
        let mut names = Names::default();
        names.add(self.server.token().unwrap(), "<token>");
        for endpoint in [self.server.endpoint(), &self.proxy.endpoint()] {
            names.add(endpoint, "<endpoint>");
            names.add(endpoint.trim_end_matches("/api/v1"), "<origin>");
        }
        let (mut tasks, mut task) = (Tasks::new(), None);
        for exchange in self.proxy.exchanges() {
            if let Some(name) = exchange.request.target.strip_prefix(TASK) {
                task = Some(name.to_owned());
                continue;
            }
            let exchanges = tasks
                .entry(task.clone().expect("a task begins before its requests"))
                .or_default();
            let exchange = written(&exchange);
            names.learn(&exchange["answer"]["body"]);
            // How often a state is asked for until it is reached depends on the machine: the last time counts.
            if exchanges
                .last()
                .is_some_and(|last: &Value| last["request"] == exchange["request"])
            {
                exchanges.pop();
            }
            exchanges.push(exchange);
        }
        for exchange in tasks.values_mut().flatten() {
            names.replace(exchange);
        }
        tasks
    }
}

/// What differs from run to run, and what stands in its place.
#[derive(Default)]
struct Names(Vec<(String, String)>);

impl Names {
    fn add(&mut self, volatile: &str, name: &str) {
        if !self.0.iter().any(|(known, _)| known == volatile) {
            self.0.push((volatile.to_owned(), name.to_owned()));
        }
    }

    /// Takes ids from an answer.
    fn learn(&mut self, json: &Value) {
        match json {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => {
                let kind = fields.get("kind").and_then(Value::as_str).unwrap_or("some");
                if let Some(Value::String(id)) = fields.get("id") {
                    self.add(id, &format!("<{kind} id>"));
                }
                if let Some(Value::String(id)) = fields.get("referenceId") {
                    for colon in [":", "%3A"] {
                        let name = format!("{colon}<{kind} reference id>");
                        self.add(&format!("{colon}{id}"), &name);
                    }
                }
                fields.values().for_each(|field| self.learn(field));
            }
            _ => {}
        }
    }

    fn replace(&self, json: &mut Value) {
        match json {
            Value::String(text) => {
                for (volatile, name) in &self.0 {
                    if text.contains(volatile) {
                        *text = text.replace(volatile, name);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), &value) {
                        (name, Value::Number(_)) if name.ends_with("At") => {
                            *value = json!("<time>");
                        }
                        ("referenceId" | "hash", Value::String(_)) => {
                            *value = json!(format!("<{name}>"))
                        }
                        _ => self.replace(value),
                    }
                }
            }
            _ => {}
        }
    }
}

fn written(exchange: &Exchange) -> Value {
    let request = &exchange.request;
    let target = request
        .target
        .strip_prefix("/api/v1")
        .unwrap_or(&request.target);
    let url = reqwest::Url::parse(&format!("http://server{target}")).unwrap();
    let query: Map<String, Value> = url
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect();
    let headers: Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), header(name, value)))
        .filter(|(name, _)| !UNKEPT_HEADERS.contains(&name.as_str()))
        .collect();
    let mut said =
        json!({"method": request.method, "path": url.path(), "query": query, "headers": headers});
    if request.method == "PUT" {
        said["body"] = json!(format!("{} bytes", exchange.sent_bytes));
    } else if !request.body.is_empty() {
        said["body"] = body(&request.body, request.header("content-type"));
    }
    let content_type = exchange
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.as_str());
    let mut answer = json!({"status": exchange.status, "type": content_type});
    if !exchange.body.is_empty() {
        answer["body"] = body(&exchange.body, content_type);
        if request.method == "POST" && answer["body"]["kind"] == "upload" {
            for field in ["status", "hash", "numRows", "numBytes"] {
                answer["body"][field] = json!("<as far as it has come>");
            }
        }
    }
    json!({"request": said, "answer": answer})
}

/// A header's value, without versions of a machine's software and without what is chosen at random.
fn header(name: &str, value: &str) -> Value {
    match name.to_lowercase().as_str() {
        "user-agent" => json!(value.split([' ', '/']).next()),
        "content-type" => json!(value.split("boundary=").next()),
        _ => json!(value),
    }
}

fn body(bytes: &[u8], content_type: Option<&str>) -> Value {
    if let Ok(json) = serde_json::from_slice(bytes) {
        return json;
    }
    let mut rest = Cursor::new(bytes);
    if let Ok(reader) = StreamReader::try_new(&mut rest, None) {
        let columns: Vec<String> = reader
            .schema()
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.name(), field.data_type()))
            .collect();
        let rows: Vec<usize> = reader.map(|batch| batch.unwrap().num_rows()).collect();
        let rest = &bytes[usize::try_from(rest.position()).unwrap()..];
        return json!({"arrow": columns, "rows of each batch": rows, "after the end": String::from_utf8_lossy(rest)});
    }
    let text = String::from_utf8_lossy(bytes);
    let boundary = content_type.and_then(|value| value.split_once("boundary="));
    match boundary {
        Some((_, boundary)) => json!(text.replace(boundary.trim_matches('"'), "<boundary>")),
        None => json!(text),
    }
}

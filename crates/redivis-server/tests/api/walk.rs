//! Every endpoint, with every kind of token: who is let in, and who is told what.
//!
//! The server names its paths; one that is not in the table below fails the test, and so does a method.

use std::collections::BTreeSet;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    life::{dataset, table},
    support::{Local, stream_ids},
    uploads::upload,
};

const TOKENS: &[u8] = br#"[
    {"token": "public", "user": "nora", "scopes": ["public"]},
    {"token": "overview", "user": "olga", "scopes": ["data.overview"]},
    {"token": "metadata", "user": "mia", "scopes": ["data.metadata"]},
    {"token": "data", "user": "dora", "scopes": ["data.data"]},
    {"token": "edit", "user": "local", "scopes": ["data.edit"]}
]"#;

/// Scopes, from the one that allows least.
const SCOPES: [&str; 5] = ["public", "overview", "metadata", "data", "edit"];

/// Who may use an endpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Need {
    /// So much access to the dataset; the number is that of the scope.
    Access(usize),
    /// The same, and some token whatever its scopes.
    Named(usize),
    /// So much by the token's scopes alone, since there is no dataset.
    Scope(usize),
    /// Any token.
    Token,
    /// The user who made what is asked for.
    Own(StatusCode),
    /// Anybody: what is shown depends on who asks.
    Anybody,
    /// Whoever knows the URL, or logs in.
    Secret,
    /// There is no such thing here.
    Never(StatusCode),
}

use Need::{Access, Anybody, Named, Never, Own, Scope, Secret, Token};

const OVERVIEW: usize = 1;
const METADATA: usize = 2;
const DATA: usize = 3;
const EDIT: usize = 4;
const MISSING: Need = Never(StatusCode::NOT_IMPLEMENTED);

/// What the methods of a path need: GET, POST, PUT, PATCH and DELETE in this order, as far as there are any.
fn needs(path: &str) -> Option<Vec<(Method, Need)>> {
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    if let Some(path) = path.strip_prefix("/oauth") {
        return Some(match path {
            "/device" | "/authorize" => vec![(get, Secret)],
            "/device_authorization" | "/token" => vec![(post, Secret)],
            _ => return None,
        });
    }
    let path = path.strip_prefix("/api/v1")?;
    // Tables, uploads and results of queries are read in the same way.
    let readable = [
        ("/tables/{table}/uploads/{upload}", false),
        ("/uploads/{upload}", false),
        ("/tables/{table}", false),
        ("/queries/{query}", true),
    ];
    if let Some((parent, is_query)) = readable
        .into_iter()
        .find(|(parent, _)| path.starts_with(parent))
    {
        let of = |need: Need| {
            if is_query {
                Own(StatusCode::NOT_FOUND)
            } else {
                need
            }
        };
        let below = &path[parent.len()..];
        let found = match below {
            "/variables" if is_query => Some(vec![(get, of(Access(METADATA)))]),
            "/variables/{variable}" if is_query => Some(vec![(get, of(Access(METADATA)))]),
            "/variables" | "/variables/{variable}" => {
                Some(vec![(get, Access(METADATA)), (patch, Access(EDIT))])
            }
            "/variables/{variable}/statistics" => Some(vec![(get, of(Access(METADATA)))]),
            "/readSessions" | "/exports" => Some(vec![(post, of(Named(DATA)))]),
            "/rows" if parent.ends_with("{upload}") => {
                Some(vec![(get, Access(DATA)), (post, Access(EDIT))])
            }
            "/rows" => Some(vec![(get, of(Access(DATA)))]),
            "/script" => Some(vec![(get, MISSING)]),
            "" if is_query => Some(vec![(get, of(Access(METADATA)))]),
            "/rawFiles" if is_query => Some(vec![(get, of(Access(DATA)))]),
            "" if parent.ends_with("{upload}") => {
                Some(vec![(get, Access(METADATA)), (delete, Access(EDIT))])
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    let (get, post, put, patch, delete) = (
        Method::GET,
        Method::POST,
        put,
        Method::PATCH,
        Method::DELETE,
    );
    let any = || {
        let methods = [&get, &post, &put, &patch, &delete];
        methods.map(|method| (method.clone(), MISSING)).to_vec()
    };
    Some(match path {
        "/tables/{table}" => vec![
            (get, Access(OVERVIEW)),
            (patch, Access(EDIT)),
            (delete, Access(EDIT)),
        ],
        "/tables/{table}/uploads" => vec![(get, Access(METADATA)), (post, Access(EDIT))],
        "/tables/{table}/tempUploads" => vec![(post, Access(EDIT))],
        "/tables/{table}/rawFiles" => vec![(get, Access(DATA)), (post, Access(EDIT))],
        "/tempUploads/{upload}" => vec![(post, Secret), (put, Secret)],
        "/uploadSessions/{session}" => vec![(put, Secret)],
        "/rawFiles/{file}" => vec![(get, Access(DATA))],
        "/readStreams/{id}" => vec![(get, Own(StatusCode::FORBIDDEN))],
        "/datasets/{dataset}" => vec![
            (get, Access(OVERVIEW)),
            (post, Access(EDIT)),
            (patch, Access(EDIT)),
            (delete, Access(EDIT)),
        ],
        "/datasets/{dataset}/variables" => vec![(patch, Access(EDIT))],
        "/datasets/{dataset}/tables" => vec![(get, Access(OVERVIEW)), (post, Access(EDIT))],
        "/datasets/{dataset}/versions" => vec![(get, Access(OVERVIEW)), (post, Access(EDIT))],
        "/datasets/{dataset}/versions/{tag}" => vec![
            (get, Access(OVERVIEW)),
            (patch, Access(EDIT)),
            (delete, Access(EDIT)),
        ],
        "/datasets/{dataset}/versions/{tag}/release"
        | "/datasets/{dataset}/versions/{tag}/unrelease"
        | "/datasets/{dataset}/versions/{tag}/undelete" => vec![(post, Access(EDIT))],
        "/users/me" => vec![(get, Token)],
        "/users/{user}/datasets" | "/organizations/{organization}/datasets" => {
            vec![(get, Anybody), (post, Scope(EDIT))]
        }
        "/users/{user}/workflows" | "/organizations/{organization}/workflows" => {
            vec![(get, Anybody)]
        }
        "/workflows/{workflow}" | "/workflows/{workflow}/{*rest}" => {
            vec![(get, Never(StatusCode::NOT_FOUND))]
        }
        "/queries" => vec![(post, Token)],
        "/exports/{export}" | "/exports/{export}/download" => {
            vec![(get, Own(StatusCode::NOT_FOUND))]
        }
        "/transforms/{*rest}" | "/notebooks/{*rest}" | "/notebookJobs/{*rest}" => any(),
        _ => return None,
    })
}

/// What the walk asks for.
struct Things {
    local: Local,
    private_file: String,
    public_file: String,
    query: String,
    export: String,
    stream: String,
}

/// A dataset with a release and a draft of two tables; it is public where its name says so. The id of its raw file.
async fn released(local: &Local, name: &str) -> String {
    let uri = dataset(local, name).await;
    if name.starts_with("public") {
        let change = json!({"publicAccessLevel": "data"});
        local.send(Method::PATCH, &uri, Some(change)).await;
    }
    let t = table(local, &uri, "t").await;
    upload(local, &t, "u.csv", "csv", b"n\n1\n2\n").await;
    let index = json!({"name": "files", "isFileIndex": true});
    let (_, index) = local.post(&format!("{uri}/tables"), index).await;
    let index = index["uri"].as_str().unwrap();
    let entry = json!({"tempUploads": [{"size": 1, "resumable": false}]});
    let (_, sent) = local.post(&format!("{index}/tempUploads"), entry).await;
    let url = sent["results"][0]["url"].as_str().unwrap();
    Client::new().put(url).body("x").send().await.unwrap();
    let file = json!({"files": [{"name": "f", "tempUploadId": sent["results"][0]["id"]}]});
    let (_, added) = local.post(&format!("{index}/rawFiles"), file).await;
    let file = added["results"][0]["id"].as_str().unwrap().to_owned();
    let released = local
        .post(&format!("{uri}/versions/next/release"), json!({}))
        .await;
    assert_eq!(released.0, 200, "{}", released.1);
    let opened = local
        .post(&format!("/datasets/local.{name}/versions"), json!({}))
        .await;
    assert_eq!(opened.0, 201, "{}", opened.1);
    let next = format!("/tables/local.{name}:next.t");
    upload(local, &next, "u.csv", "csv", b"n\n3\n").await;
    file
}

impl Things {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens.json");
        std::fs::write(&tokens, TOKENS).unwrap();
        let mut local = Local::with(&[], |config| {
            config.tokens = Some(tokens);
            config.requests_per_minute = None;
        })
        .await;
        local.set_token(Some("edit"));
        let private_file = released(&local, "private").await;
        let public_file = released(&local, "public").await;
        let organization = json!({"name": "d", "publicAccessLevel": "overview"});
        let (_, created) = local
            .post("/organizations/lab/datasets", organization)
            .await;
        let release = format!("{}/versions/next/release", created["uri"].as_str().unwrap());
        assert_eq!(local.post(&release, json!({})).await.0, 200);
        let text = "SELECT n FROM `local.private.t`";
        let (_, query) = local.post("/queries", json!({"query": text})).await;
        assert_eq!(query["status"], "completed", "{query}");
        let (_, export) = local
            .post("/tables/local.private.t/exports", json!({"format": "csv"}))
            .await;
        let session = local.session("/tables/local.private.t", json!({})).await;
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let (query, export) = (id(&query), id(&export));
        while local.json(&format!("/exports/{export}")).await["status"] != "completed" {
            tokio::task::yield_now().await;
        }
        Things {
            stream: stream_ids(&session).remove(0),
            private_file,
            public_file,
            query,
            export,
            local,
        }
    }

    /// A path with its parameters filled in; what is read is released, what is changed a draft.
    fn filled(&self, path: &str, dataset: &str, is_read: bool) -> String {
        let version = if is_read { "current" } else { "next" };
        let tag = if path.ends_with("/undelete") {
            "v1_0"
        } else {
            version
        };
        let is_public = dataset.starts_with("public");
        let file = if is_public {
            &self.public_file
        } else {
            &self.private_file
        };
        let table = format!("local.{dataset}:{version}.t");
        let filled = path.replace(
            "/tables/{table}/uploads/{upload}",
            "/tables/{table}/uploads/u_csv",
        );
        let filled = filled.replace("/uploads/{upload}", &format!("/uploads/{table}.u_csv"));
        [
            ("{table}", table.as_str()),
            ("{dataset}", &format!("local.{dataset}")),
            ("{tag}", tag),
            ("{file}", file),
            ("{variable}", "n"),
            ("{user}", "local"),
            ("{organization}", "lab"),
            ("{query}", &self.query),
            ("{export}", &self.export),
            ("{id}", &self.stream),
        ]
        .into_iter()
        .fold(filled, |filled, (name, value)| filled.replace(name, value))
    }
}

/// What a refusal is; `None` where the caller is let in. `scope` is the number of the token's, if there is one.
fn refusal(need: Need, scope: Option<usize>, public: bool) -> Option<StatusCode> {
    let access = if public { scope.max(Some(DATA)) } else { scope };
    let access = access.unwrap_or(0);
    let refused = |status| Some(scope.map_or(StatusCode::UNAUTHORIZED, |_| status));
    match need {
        Never(status) => Some(status),
        Anybody | Secret => None,
        Token if scope.is_some() => None,
        Own(_) if scope == Some(EDIT) => None,
        Own(status) => refused(status),
        Scope(needed) if scope.unwrap_or(0) >= needed => None,
        Scope(_) | Token => refused(StatusCode::FORBIDDEN),
        Access(_) | Named(_) if access < OVERVIEW => refused(StatusCode::NOT_FOUND),
        Access(needed) | Named(needed) if access < needed => refused(StatusCode::FORBIDDEN),
        Named(_) if scope.is_none() => refused(StatusCode::UNAUTHORIZED),
        Access(_) | Named(_) => None,
    }
}

#[tokio::test]
async fn every_endpoint_lets_in_whom_it_should() {
    let things = Things::new().await;
    let client = Client::new();
    let origin = things
        .local
        .server
        .endpoint()
        .trim_end_matches("/api/v1")
        .to_owned();
    let mut lost = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut disposable = 0;
    for path in things.local.server.routes() {
        let Some(needs) = needs(path) else {
            lost.insert(path.clone());
            continue;
        };
        for method in [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            // HEAD is what GET is.
            let same = if method == Method::HEAD {
                Method::GET
            } else {
                method.clone()
            };
            let need = needs
                .iter()
                .find(|(known, _)| *known == same)
                .map(|(_, need)| *need);
            for (dataset, is_public) in [("private", false), ("public", true)] {
                let scopes = SCOPES
                    .iter()
                    .enumerate()
                    .map(|(scope, token)| (Some(*token), Some(scope)));
                for (token, scope) in scopes.chain([(None, None), (Some("unknown"), None)]) {
                    let is_read = same == Method::GET;
                    // What ends a dataset's life is let in for one that is not needed any more.
                    let ends = method == Method::DELETE || path.ends_with("/release");
                    let name = if ends && scope == Some(EDIT) && need.is_some() {
                        disposable += 1;
                        let name = format!("{dataset}{disposable}");
                        released(&things.local, &name).await;
                        name
                    } else {
                        dataset.to_owned()
                    };
                    let url = format!("{origin}{}", things.filled(path, &name, is_read));
                    let mut request = client.request(method.clone(), &url);
                    if let Some(token) = token {
                        request = request.bearer_auth(token);
                    }
                    if !is_read {
                        request = request.json(&json!({}));
                    }
                    let status = request.send().await.unwrap().status();
                    // What names no version means the release, which may be public.
                    let public = is_public && (is_read || !url.contains(":next."));
                    let public = public && !path.contains("/exports/");
                    let expected = match need {
                        _ if token == Some("unknown") && !path.starts_with("/oauth") => {
                            Some(StatusCode::UNAUTHORIZED)
                        }
                        None => Some(StatusCode::METHOD_NOT_ALLOWED),
                        Some(need) => refusal(need, scope, public),
                    };
                    let right = match expected {
                        Some(expected) => status == expected,
                        None if need == Some(Secret) => {
                            ![401, 403, 405].contains(&status.as_u16()) && !status.is_server_error()
                        }
                        None => {
                            ![401, 403, 404, 405].contains(&status.as_u16())
                                && !status.is_server_error()
                        }
                    };
                    if !right {
                        wrong.push(format!("{method} {path} of {dataset} with {token:?}: {status}, not {expected:?}"));
                    }
                }
            }
        }
    }
    assert!(lost.is_empty(), "nothing is said about {lost:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

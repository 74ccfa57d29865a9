//! Requests to a server that may be killed at any moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::process::Process;

/// The server was killed before it answered in full: nobody knows what it did.
#[derive(Debug)]
pub(crate) struct Gone;

/// A way to one server.
#[derive(Clone)]
pub(crate) struct Wire {
    client: Client,
    endpoint: String,
    token: String,
    killed: Arc<AtomicBool>,
}

/// A complete answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body of what must have succeeded.
    pub(crate) fn json(&self, what: &str) -> Value {
        self.success(what);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    pub(crate) fn success(&self, what: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert!(
            (200..300).contains(&self.status),
            "{what}: {} {text}",
            self.status
        );
    }
}

impl Wire {
    pub(crate) fn to(server: &Process, token: &str) -> Self {
        let timeout = Duration::from_secs(60);
        // A connection whose body was refused half-way is closed, maybe when it is just taken up again.
        let client = Client::builder().timeout(timeout).pool_max_idle_per_host(0);
        Wire {
            client: client.build().unwrap(),
            endpoint: server.endpoint.clone(),
            token: token.to_owned(),
            killed: Arc::clone(&server.killed),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.endpoint));
        request.bearer_auth(&self.token)
    }

    /// The answer to a request, unless the server was killed.
    pub(crate) async fn answer(&self, request: RequestBuilder) -> Result<Answer, Gone> {
        let answered = async {
            let answer = request.send().await?;
            Ok::<_, reqwest::Error>(Answer {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                body: answer.bytes().await?.to_vec(),
            })
        };
        answered.await.map_err(|error| {
            let killed = self.killed.load(Ordering::SeqCst);
            assert!(killed, "a living server broke a connection: {error:?}");
            Gone
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Gone> {
        self.answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Gone> {
        self.answer(self.request(Method::POST, path).json(body))
            .await
    }
}

/// The path of a URL that the server gave, which holds at the next server too.
pub(crate) fn path_of(url: &str) -> String {
    url.split_once("/api/v1").unwrap().1.to_owned()
}

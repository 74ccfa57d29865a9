//! Requests that have no answer, or only a part of one: what is said of the network.

use super::Call;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Retry, root_cause};

impl Call {
    /// The call's failure while its answer was awaited or read.
    pub(crate) fn transport_error(&self, error: reqwest::Error) -> Error {
        // The URL is in the operation and resource already; a stream's URL may be all it takes to read it.
        let error = error.without_url();
        let what = if error.is_redirect() {
            "the service redirects in a way that cannot be followed"
        } else if error.is_body() || error.is_decode() {
            "the connection broke while the answer was read"
        } else {
            "the connection broke before an answer came"
        };
        let message = format!("{what}: {}", root_cause(&error));
        self.error(ErrorKind::Transport, message).with_source(error)
    }

    /// The failure to reach a host, which need not be the endpoint's: it says where the attempt went.
    fn unconnected(&self, client: &Client, error: reqwest::Error) -> Error {
        let to = error
            .url()
            .map(|url| format!(" to {}", client.route().to(url)));
        let error = error.without_url();
        let cause = root_cause(&error);
        let mut message = format!("cannot connect{}: {cause}", to.unwrap_or_default());
        if cause.contains("invalid peer certificate") {
            message.push_str(
                "; if an authority of your own vouches for it, SSL_CERT_FILE names a file with the certificates to trust",
            );
        }
        self.error(ErrorKind::Transport, message).with_source(error)
    }

    /// The failure of a request that has no token to be sent with.
    pub(crate) fn unsigned(&self, error: Error) -> Error {
        self.error(error.kind(), error.to_string())
            .with_retry(error.retry())
            .with_source(error)
    }

    /// The failure of a request that has no answer.
    pub(crate) fn unsent(&self, client: &Client, error: reqwest::Error, flowing: bool) -> Error {
        if error.is_connect() {
            let retry = if flowing { Retry::Yes } else { Retry::Few };
            return self.unconnected(client, error).with_retry(retry);
        }
        let retry = if error.is_builder() || error.is_redirect() {
            Retry::No
        } else {
            self.retry_unanswered()
        };
        self.transport_error(error).with_retry(retry)
    }
}

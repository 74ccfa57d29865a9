//! The way that requests take to a host, for the words of an error.

use std::fmt;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// What the HTTP client was told about proxies, as far as it is known here.
#[derive(Clone, Default)]
pub(crate) struct Route(Option<Arc<Matcher>>);

impl Route {
    /// By the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`, …), read as the HTTP client reads them.
    pub(crate) fn from_env() -> Self {
        Self(Some(Arc::new(Matcher::from_system())))
    }

    /// Host and port of a URL, and of the proxy on the way to it. A proxy's password is not shown.
    pub(crate) fn to(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let proxy = || {
            let proxy = self.0.as_ref()?.intercept(&url.as_str().parse().ok()?)?;
            let host = proxy.uri().host()?;
            let default = match proxy.uri().scheme_str() {
                Some("https") => 443,
                Some("http") | None => 80,
                Some(_) => 1080,
            };
            Some((host.to_owned(), proxy.uri().port_u16().unwrap_or(default)))
        };
        match proxy() {
            Some((proxy, proxy_port)) => {
                format!("{host}:{port} through the proxy {proxy}:{proxy_port}")
            }
            None => format!("{host}:{port}"),
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Route")
    }
}

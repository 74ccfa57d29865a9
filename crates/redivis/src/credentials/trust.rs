//! Whose hosts may know the token.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use psl::Psl;
use url::{Host, Origin, Url};

/// Whether a URL's host may know the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is the endpoint itself.
    Endpoint,
    /// It belongs to those whom the endpoint belongs to.
    Domain,
    None,
}

impl Trust {
    pub(crate) fn of(endpoint: &Url, url: &Url) -> Self {
        if endpoint.origin() == url.origin() {
            Self::Endpoint
        } else if url.scheme() == "https"
            && let Some(domain) = registered_domain(url)
            && Some(domain) == registered_domain(endpoint)
        {
            Self::Domain
        } else {
            Self::None
        }
    }
}

/// What one party has registered: `redivis.com` of `storage.redivis.com`, nothing of `localhost` or an address.
fn registered_domain(url: &Url) -> Option<String> {
    let Host::Domain(name) = url.host()? else {
        return None;
    };
    let name = name.trim_end_matches('.');
    let domain = psl::List.domain(name.as_bytes())?;
    // What nobody keeps a list of may belong to anybody.
    if !domain.suffix().is_known() {
        return None;
    }
    Some(String::from_utf8_lossy(domain.as_bytes()).into_owned())
}

/// The hosts of the endpoint's domain that wanted the token and took it: asked without once, not with every part of a file.
#[derive(Debug, Default)]
pub(crate) struct TrustedOrigins(Mutex<HashSet<Origin>>);

impl TrustedOrigins {
    pub(crate) fn contains(&self, url: &Url) -> bool {
        let trusted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trusted.contains(&url.origin())
    }

    pub(crate) fn add(&self, url: &Url) {
        let mut trusted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trusted.insert(url.origin());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_the_token_is_told() {
        let trust = |endpoint: &str, url: &str| {
            Trust::of(&endpoint.parse().unwrap(), &url.parse().unwrap())
        };
        let service = "https://redivis.com/api/v1";
        for (url, expected) in [
            ("https://redivis.com/uploads/1", Trust::Endpoint),
            ("https://redivis.com:443/x", Trust::Endpoint),
            ("https://REDIVIS.com/x", Trust::Endpoint),
            ("https://redivis.com:8443/x", Trust::Domain),
            ("https://storage.redivis.com/x", Trust::Domain),
            ("https://a.b.redivis.com./x", Trust::Domain),
            ("http://redivis.com/x", Trust::None),
            ("http://storage.redivis.com/x", Trust::None),
            ("https://redivis.com.example.org/x", Trust::None),
            ("https://notredivis.com/x", Trust::None),
            ("https://redivis.org/x", Trust::None),
            ("https://redivis.com@example.org/x", Trust::None),
            ("https://storage.googleapis.com/redivis.com/x", Trust::None),
            ("https://127.0.0.1/x", Trust::None),
            ("ftp://storage.redivis.com/x", Trust::None),
        ] {
            assert_eq!(trust(service, url), expected, "{url}");
        }
        // Names that strangers share, or that nobody registers.
        for (endpoint, url) in [
            ("https://me.github.io/api", "https://you.github.io/x"),
            ("https://a.co.uk/api", "https://b.co.uk/x"),
            ("https://redivis.test/api", "https://storage.redivis.test/x"),
            ("https://localhost/api", "https://localhost:1/x"),
            ("https://10.0.0.1/api", "https://10.0.0.1:1/x"),
            ("https://10.0.0.1/api", "https://10.0.0.2/x"),
        ] {
            assert_eq!(trust(endpoint, url), Trust::None, "{url}");
            assert_eq!(trust(endpoint, endpoint), Trust::Endpoint);
        }
    }
}

//! The endpoint's URL, as it is configured.

use std::net::IpAddr;

use url::{Host, Url};

use crate::error::{Error, ErrorKind, Result};

pub(crate) const CONFIGURE: &str = "configure the client for";

/// The endpoint as a URL; the text itself is not shown where it may hold credentials.
pub(crate) fn endpoint_url(text: &str) -> Result<Url> {
    let refused = |shown: &str, message: &str| {
        Error::new(CONFIGURE, shown, ErrorKind::Configuration, message)
    };
    let url = Url::parse(text.trim()).map_err(|error| {
        refused(
            "its endpoint",
            "it is not a URL such as https://redivis.com/api/v1",
        )
        .with_source(error)
    })?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(refused(
            "its endpoint",
            "it must start with https:// or http:// and name a host",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "its endpoint",
            "the URL must not contain a user name or password; set REDIVIS_API_TOKEN instead",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("its endpoint", "the URL must not contain ? or #"));
    }
    Ok(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

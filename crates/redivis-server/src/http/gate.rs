//! What every request passes: who asks, how often, and what was answered.
//!
//! One place, so that no endpoint can forget it. The access log names paths and users, never tokens; of ids
//! that are secrets only the beginning is logged.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderValue, Method, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Api,
    error::{ApiError, HEAD_ERROR},
    rate::{Allowance, Requester},
    target::blocking,
};
use crate::{
    catalog::{Access, Dataset},
    token::Token,
};

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The token's user; `None` without a token.
    pub(super) user: Option<String>,
    pub(super) address: IpAddr,
    /// What the token's scopes allow.
    access: Access,
}

impl Caller {
    /// What the caller may do with a dataset.
    pub(super) fn access_to(&self, dataset: &Dataset) -> Access {
        dataset.granted(self.access)
    }

    /// What the token's scopes alone allow.
    pub(super) fn scopes(&self) -> Access {
        self.access
    }

    /// Whether the token's scopes alone allow this much.
    pub(super) fn scopes_allow(&self, needed: Access) -> bool {
        self.access >= needed
    }

    /// Refuses what needs more than the token's scopes allow, where no dataset makes anything public.
    pub(super) fn require_scope(&self, needed: Access) -> Result<(), ApiError> {
        match (self.scopes_allow(needed), &self.user) {
            (true, _) => Ok(()),
            (false, None) => Err(ApiError::no_credentials()),
            (false, Some(_)) => Err(ApiError::insufficient_scope(needed)),
        }
    }

    /// Whether the caller may know of a dataset.
    pub(super) fn sees(&self, dataset: &Dataset) -> bool {
        self.access_to(dataset) >= Access::Overview
    }

    /// Refuses what needs more than the caller may do with a dataset that the caller sees.
    pub(super) fn require(&self, dataset: &Dataset, needed: Access) -> Result<(), ApiError> {
        if self.access_to(dataset) >= needed {
            Ok(())
        } else if self.user.is_none() {
            Err(ApiError::no_credentials())
        } else {
            Err(ApiError::insufficient_scope(needed))
        }
    }

    /// The answer for what does not exist or may not be seen; nobody can tell which of the two it was.
    pub(super) fn unseen(&self, what: &str, name: &str) -> ApiError {
        if self.user.is_none() {
            ApiError::no_credentials()
        } else {
            ApiError::not_found(what, name)
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or_else(|| ApiError::internal(&"a request came past the gate"))
    }
}

pub(super) async fn gate(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = logged(request.uri().path());
    // On a socket for both, IPv4 addresses arrive dressed as IPv6.
    let address = peer.ip().to_canonical();
    // A token that is not valid any more must not keep its owner from logging in.
    let secret = match request.headers().get(AUTHORIZATION) {
        Some(authorization) if !path.starts_with("/oauth/") => Some(bearer(authorization)),
        _ => None,
    };
    let (caller, requester) = identify(&api, address, secret).await;
    let user = match &caller {
        Ok(Caller {
            user: Some(user), ..
        }) => user.clone(),
        _ => "-".to_owned(),
    };

    let allowance = api.rate.count(requester);
    let mut response = match (caller, allowance.and_then(|allowance| allowance.exceeded)) {
        (_, Some(seconds)) => {
            ApiError::too_many("Too many requests in a minute", seconds).into_response()
        }
        (Err(error), None) => error.into_response(),
        (Ok(caller), None) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    };

    if let Some(Allowance {
        limit, remaining, ..
    }) = allowance
    {
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-limit", limit.into());
        headers.insert("x-ratelimit-remaining", remaining.into());
    }
    if method == Method::HEAD
        && let Some(payload) = response
            .extensions()
            .get::<ApiError>()
            .and_then(ApiError::header)
    {
        response.headers_mut().insert(HEAD_ERROR, payload);
    }
    tracing::info!(
        target: "redivis_server::access",
        %method,
        path,
        user,
        %address,
        status = response.status().as_u16(),
        milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    );
    response
}

/// Who asks, by the secret of an `Authorization` header if there is one, or why that cannot be said; and whom the request
/// counts for.
async fn identify(
    api: &Arc<Api>,
    address: IpAddr,
    secret: Option<Option<&str>>,
) -> (Result<Caller, ApiError>, Requester) {
    let anonymous = Requester::Address(address);
    let Some(secret) = secret else {
        let caller = Caller {
            user: None,
            address,
            access: Access::None,
        };
        return (Ok(caller), anonymous);
    };
    let token = match secret {
        None => Ok(None),
        Some(secret) => token(api, secret).await,
    };
    match token {
        Err(error) => (Err(error), anonymous),
        Ok(None) => (Err(ApiError::invalid_token()), anonymous),
        Ok(Some(token)) => {
            let caller = Caller {
                user: Some(token.user),
                address,
                access: token.access,
            };
            (Ok(caller), Requester::Token(token.digest))
        }
    }
}

/// The secret of an `Authorization` header.
pub(super) fn bearer(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, secret) = authorization.to_str().ok()?.split_once(' ')?;
    // The documentation once writes `Bearer:` (redivis-api §1.1).
    let bearer = scheme.trim_end_matches(':').eq_ignore_ascii_case("bearer");
    bearer.then(|| secret.trim())
}

/// The token with this secret: of the tokens file, or of a login.
async fn token(api: &Arc<Api>, secret: &str) -> Result<Option<Token>, ApiError> {
    if let Some(token) = api.tokens.find(secret) {
        return Ok(Some(token.clone()));
    }
    let (api, secret) = (Arc::clone(api), secret.to_owned());
    blocking(move || Ok(api.logins.find(&secret)?)).await
}

/// What comes before an id that is a secret: knowing it may be all that is needed.
const SECRETS: [&str; 3] = ["/readStreams/", "/tempUploads/", "/uploadSessions/"];

/// A path as it may be logged.
fn logged(path: &str) -> String {
    for before in SECRETS {
        if let Some((start, id)) = path.split_once(before) {
            let shown: String = id.chars().take(6).collect();
            return format!("{start}{before}{shown}…");
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_paths_are_not_logged() {
        for (path, shown) in [
            (
                "/api/v1/readStreams/0123456789",
                "/api/v1/readStreams/012345…",
            ),
            (
                "/api/v1/tempUploads/0123456789",
                "/api/v1/tempUploads/012345…",
            ),
            (
                "/api/v1/uploadSessions/0123456789",
                "/api/v1/uploadSessions/012345…",
            ),
            (
                "/api/v1/tables/o.d.t/tempUploads",
                "/api/v1/tables/o.d.t/tempUploads",
            ),
        ] {
            assert_eq!(logged(path), shown);
        }
    }
}

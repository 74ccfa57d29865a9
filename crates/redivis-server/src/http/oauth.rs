//! Logging in: `/oauth/…` at the host's root (redivis-api §1.3).
//!
//! The device flow of Python and R (RFC 8628) and the code flow of JavaScript, both with a challenge that ties a code to
//! the client which asked for it (RFC 7636). Parameters come as JSON or as a form.

use std::collections::HashMap;

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY},
    },
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    Routes, Shared, error::ApiError, gate::bearer, origin_for, parameters::Parameters,
    target::blocking,
};
use crate::login::{Asked, Issued, LoginError, PATIENCE};

/// Seconds that a device waits between its questions.
const INTERVAL: u64 = 1;

/// The redirect of clients that have the code typed in.
const TYPED_IN: &str = "urn:ietf:wg:oauth:2.0:oob";

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/oauth/device_authorization", post(begin))
        .route("/oauth/device", get(approve))
        .route("/oauth/authorize", get(authorize))
        .route("/oauth/token", post(token))
}

async fn begin(
    State(api): Shared,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let asked = asked(|name| fields.get(name))?;
    let (device_code, page) = api.logins.begin(asked)?;
    let uri = format!("{}/oauth/device", origin_for(&api, &headers));
    Ok(unstored(Json(json!({
        "device_code": device_code,
        "user_code": page,
        "verification_uri": uri,
        "verification_uri_complete": format!("{uri}?user_code={page}"),
        "expires_in": PATIENCE.as_secs(),
        "interval": INTERVAL,
    }))))
}

/// The page that a person opens to approve a device's login.
async fn approve(State(api): Shared, parameters: Parameters) -> Result<Response, ApiError> {
    let code = parameters.get("user_code").unwrap_or_default();
    api.logins.approve(code)?;
    Ok(page("You are logged in. This page can be closed."))
}

/// The page that a person opens to get a code to type in.
async fn authorize(State(api): Shared, parameters: Parameters) -> Result<Response, ApiError> {
    let field = |name: &str| parameters.get(name).map(str::to_owned);
    if field("response_type").as_deref() != Some("code") {
        return Err(invalid("`response_type` must be `code`"));
    }
    if field("redirect_uri").as_deref() != Some(TYPED_IN) {
        return Err(invalid(format!("`redirect_uri` must be `{TYPED_IN}`")));
    }
    let code = api.logins.authorize(asked(field)?)?;
    Ok(page(&format!(
        "The authorization code is <code>{code}</code>"
    )))
}

async fn token(
    State(api): Shared,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let required = |name: &str| {
        let missing = || invalid(format!("`{name}` is missing"));
        fields.get(name).ok_or_else(missing)
    };
    let grant_type = required("grant_type")?;
    let issued = match grant_type.as_str() {
        "refresh_token" => {
            let token = required("refresh_token")?;
            blocking(move || Ok(api.logins.renew(&token)?)).await?
        }
        "urn:ietf:params:oauth:grant-type:device_code" | "authorization_code" => {
            let code = required(match grant_type.as_str() {
                "authorization_code" => "code",
                _ => "device_code",
            })?;
            let verifier = required("code_verifier")?;
            let former = headers
                .get(AUTHORIZATION)
                .and_then(bearer)
                .map(str::to_owned);
            blocking(move || Ok(api.logins.redeem(&code, &verifier, former.as_deref())?)).await?
        }
        other => {
            let description = format!("There is no `grant_type` `{other}`");
            return Err(ApiError::oauth("unsupported_grant_type", description));
        }
    };
    Ok(unstored(Json(body_of(&issued))))
}

fn body_of(issued: &Issued) -> Value {
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in.as_secs(),
        // In seconds, unlike all other times (redivis-api §1).
        "expires_at": issued.expires_at.as_secs(),
        "scope": issued.scope,
    });
    if let Some(token) = &issued.refresh_token {
        body["refresh_token"] = token.as_str().into();
    }
    body
}

/// What a client wants to be allowed.
fn asked(field: impl Fn(&str) -> Option<String>) -> Result<Asked, ApiError> {
    let challenge = field("code_challenge").filter(|challenge| !challenge.is_empty());
    let (Some(challenge), Some("S256")) = (challenge, field("code_challenge_method").as_deref())
    else {
        return Err(invalid(
            "`code_challenge` and the `code_challenge_method` `S256` are needed",
        ));
    };
    Ok(Asked {
        scope: field("scope").unwrap_or_default(),
        challenge,
        offline: field("access_type").as_deref() == Some("offline"),
    })
}

fn invalid(description: impl Into<String>) -> ApiError {
    ApiError::oauth("invalid_request", description)
}

/// Parameters of a body, as JSON or as a form.
struct Fields(HashMap<String, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let json = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ApiError::invalid(error.body_text()))?;
        if !json {
            let fields = form_urlencoded::parse(&bytes).into_owned().collect();
            return Ok(Fields(fields));
        }
        let fields: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|_| invalid("The body is not a JSON object"))?;
        let texts = fields.into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            _ => None,
        });
        Ok(Fields(texts.collect()))
    }
}

fn page(text: &str) -> Response {
    unstored(Html(format!(
        "<!doctype html><meta charset=\"utf-8\"><title>redivis-server</title><p>{text}</p>\n"
    )))
}

/// An answer that carries secrets: nobody between may keep it, and its address is told to no other page.
fn unstored(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        let description = error.to_string();
        match error {
            LoginError::Off => Self::oauth("access_denied", description),
            LoginError::Scope(_) => Self::oauth("invalid_scope", description),
            LoginError::Waiting => Self::oauth("authorization_pending", description),
            LoginError::Invalid => Self::oauth("invalid_grant", description),
            LoginError::Database(error) => error.into(),
            LoginError::Random(error) => Self::internal(&error),
        }
    }
}

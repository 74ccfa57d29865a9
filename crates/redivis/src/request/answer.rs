//! The service's words: errors in every shape it has used, and its warnings.
//!
//! Shapes and statuses: redivis-api §1.4. Whatever comes is reduced to one legible line without the token, since it ends up
//! on terminals and in logs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::Call;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Retry, Wanted};
use crate::retry::parse_retry_after;

const MAX_ERROR_BYTES: usize = 64 << 10;
/// Of what may be a page for browsers.
const MAX_SHOWN_CHARS: usize = 400;
const MAX_SAID_CHARS: usize = 8000;
const MAX_WARNINGS: usize = 1000;
const HEAD_ERROR: &str = "x-redivis-error-payload";
const WARNING: &str = "x-redivis-warning";

impl Client {
    /// The error that an unsuccessful answer means.
    pub(crate) async fn refusal(&self, call: &Call, response: Response) -> Error {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| parse_retry_after(value, SystemTime::now()));
        let head = head_payload(response.headers());
        // A body that breaks off says less, but the status stands.
        let body = match head {
            Some(payload) => payload,
            None => match self.body(call, response, MAX_ERROR_BYTES).await {
                Ok((body, _)) => body.to_vec(),
                Err(_) => Vec::new(),
            },
        };
        let words = words(&body);
        let message = call.redact(&words.message.unwrap_or_default());
        let mut message = match words.is_json {
            true => self.whole(&message),
            false => self.clean(&message),
        };
        if message.is_empty() {
            message = status
                .canonical_reason()
                .unwrap_or("the service gave no reason")
                .to_lowercase();
        }
        match status {
            // It is the program that is not known.
            StatusCode::UNAUTHORIZED if words.code.as_deref() == Some("invalid_client") => {}
            StatusCode::UNAUTHORIZED => {
                message.push_str(match self.credentials() {
                    None => "; sign in by `redivis-sql login`, or by setting REDIVIS_API_TOKEN",
                    Some(credentials) if credentials.is_constant() => "; check REDIVIS_API_TOKEN",
                    Some(_) => "; sign in again by `redivis-sql login`",
                });
            }
            _ => {}
        }
        let (kind, retry) = kind_of(status, call.is_repeatable());
        call.error(kind, message)
            .with_retry(retry)
            .with_wanted(words.wanted)
            .with_response(
                status.as_u16(),
                words.code.map(|code| self.clean(&call.redact(&code))),
                retry_after,
            )
    }

    /// Passes the service's warning on, once per text and process (redivis-api §1.4).
    pub(super) fn show_warning(&self, response: &Response) {
        if let Some(text) = self.new_warning(response.headers()) {
            tracing::warn!("Redivis says: {text}");
        }
    }

    /// The warning, if it has not been shown before.
    fn new_warning(&self, headers: &HeaderMap) -> Option<String> {
        static SHOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let text = self.legible(headers.get(WARNING)?.as_bytes());
        let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !text.is_empty() && shown.len() < MAX_WARNINGS && shown.insert(text.clone());
        is_new.then_some(text)
    }

    /// The start of a body as one line that is safe to print.
    pub(crate) fn legible(&self, body: &[u8]) -> String {
        self.clean(&String::from_utf8_lossy(
            &body[..body.len().min(4 * MAX_SHOWN_CHARS)],
        ))
    }

    /// One line, no control characters, no token, not too long.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.line(text, MAX_SHOWN_CHARS)
    }

    /// The same of what the service says to people, whose end may say most: where in a query an error is.
    pub(crate) fn whole(&self, text: &str) -> String {
        self.line(text, MAX_SAID_CHARS)
    }

    fn line(&self, text: &str, most: usize) -> String {
        let mut text = match self.credentials() {
            Some(credentials) => credentials.redact(text),
            None => text.to_owned(),
        };
        text = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        if let Some((end, _)) = text.char_indices().nth(most) {
            text.truncate(end);
            text.push('…');
        }
        text
    }
}

fn kind_of(status: StatusCode, repeatable: bool) -> (ErrorKind, Retry) {
    let again = if repeatable { Retry::Yes } else { Retry::No };
    match status.as_u16() {
        401 => (ErrorKind::Unauthorized, Retry::No),
        403 => (ErrorKind::Forbidden, Retry::No),
        404 | 410 => (ErrorKind::NotFound, Retry::No),
        // Refused before anything was done, so repeatable whatever the call.
        429 => (ErrorKind::RateLimited, Retry::Yes),
        503 => (ErrorKind::Unavailable, Retry::Yes),
        500 | 502 | 504 => (ErrorKind::Unavailable, again),
        500.. => (ErrorKind::Unavailable, Retry::No),
        400.. => (ErrorKind::Invalid, Retry::No),
        _ => (ErrorKind::Protocol, Retry::No),
    }
}

/// The error that stands in for a body in the answer to `HEAD`.
fn head_payload(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(HEAD_ERROR)?.to_str().ok()?;
    Some(percent_decode_str(value).collect())
}

#[derive(Debug, Default, PartialEq)]
struct Words {
    code: Option<String>,
    message: Option<String>,
    wanted: Wanted,
    /// They came as JSON, from the service itself.
    is_json: bool,
}

/// Code and message of an error body: `{error, error_description}`, `{error: {message}}`, `{message}`, HTML or plain text.
fn words(body: &[u8]) -> Words {
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned)
    };
    match serde_json::from_slice::<Value>(body) {
        Ok(value @ Value::Object(_)) => {
            let nested = value.get("error").filter(|error| error.is_object());
            let code = nested
                .and_then(|error| text(error, "error").or_else(|| text(error, "code")))
                .or_else(|| text(&value, "error"));
            let message = text(&value, "error_description")
                .or_else(|| nested.and_then(|error| text(error, "error_description")))
                .or_else(|| nested.and_then(|error| text(error, "message")))
                .or_else(|| text(&value, "message"))
                .or_else(|| code.clone());
            let wanted = Wanted {
                scopes: wanted(value.get("scope")),
                amr_values: wanted(value.get("amr_values")),
            };
            Words {
                code,
                message,
                wanted,
                is_json: true,
            }
        }
        Ok(Value::String(message)) => Words {
            message: Some(message),
            ..Words::default()
        },
        Ok(_) => Words::default(),
        Err(_) => Words {
            message: Some(without_markup(&String::from_utf8_lossy(body))),
            ..Words::default()
        },
    }
}

/// What is wanted, separated by spaces or as a list; only what can stand in a command as it is.
fn wanted(value: Option<&Value>) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let plain = |text: &&str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || ".:_".contains(c) || c == '-';
        (1..=64).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-')
    };
    let texts = texts.into_iter().filter(plain);
    texts.map(str::to_owned).collect()
}

/// The text of an HTML page: its title where it has one, as a proxy's page says there what happened.
fn without_markup(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    if let Some(start) = lower.find("<title>").map(|at| at + "<title>".len())
        && let Some(end) = lower[start..].find("</title>")
    {
        return text[start..start + end].to_owned();
    }
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if !in_tag => plain.push(c),
            _ => {}
        }
    }
    plain
}

pub(super) fn looks_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;

    fn words_of(body: &str) -> (Option<String>, Option<String>) {
        let Words { code, message, .. } = words(body.as_bytes());
        (code, message.map(|text| text.trim().to_owned()))
    }

    fn pair(code: Option<&str>, message: &str) -> (Option<String>, Option<String>) {
        (code.map(str::to_owned), Some(message.to_owned()))
    }

    #[test]
    fn every_shape_of_error() {
        for (body, expected) in [
            (
                r#"{"status":404,"error":"not_found","error_description":"No such table"}"#,
                pair(Some("not_found"), "No such table"),
            ),
            (
                r#"{"error":{"message":"No such table","status":404}}"#,
                pair(None, "No such table"),
            ),
            (r#"{"message":"No"}"#, pair(None, "No")),
            (
                r#"{"error":"not_found"}"#,
                pair(Some("not_found"), "not_found"),
            ),
            (r#""just text""#, pair(None, "just text")),
            ("plain text\n", pair(None, "plain text")),
            (
                "<html><head><TITLE>502 Bad Gateway</TITLE></head><body>x</body></html>",
                pair(None, "502 Bad Gateway"),
            ),
            ("<h1>Oops</h1>", pair(None, "Oops")),
            ("{\"error\": \"trunc", pair(None, "{\"error\": \"trunc")),
            ("[]", (None, None)),
            ("{}", (None, None)),
            ("", pair(None, "")),
        ] {
            assert_eq!(words_of(body), expected, "{body}");
        }
    }

    #[test]
    fn what_a_token_lacks() {
        let wanted = |body: &str| words(body.as_bytes()).wanted;
        let asked = wanted(
            r#"{"error":"insufficient_scope","scope":"data.edit workflow.write","amr_values":["mfa"]}"#,
        );
        assert_eq!(asked.scopes, ["data.edit", "workflow.write"]);
        assert_eq!(asked.amr_values, ["mfa"]);
        let odd = wanted(r#"{"scope":["$(rm -rf ~)","--browser","`x`","ok",1],"amr_values":null}"#);
        assert_eq!(
            (odd.scopes, odd.amr_values),
            (vec!["ok".to_owned()], vec![])
        );
    }

    #[test]
    fn head_errors_come_in_a_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(head_payload(&headers), None);
        let payload =
            "%7B%22error%22%3A%22not_found%22%2C%22error_description%22%3A%22Gone%20%C3%A9%22%7D";
        headers.insert(HEAD_ERROR, payload.parse().unwrap());
        let words = words(&head_payload(&headers).unwrap());
        assert_eq!(words.code.as_deref(), Some("not_found"));
        assert_eq!(words.message.as_deref(), Some("Gone é"));
    }

    #[test]
    fn text_is_made_legible_and_secrets_are_kept() {
        let client = Client::builder()
            .token(Token::new("hunter2"))
            .build()
            .unwrap();
        assert_eq!(
            client.clean("bad\u{1b}[31m token\r\n hunter2\u{0}!"),
            "bad [31m token [token] !"
        );
        assert_eq!(client.clean(&"x".repeat(5000)).chars().count(), 401);
    }

    #[test]
    fn warnings_are_shown_once() {
        let client = Client::builder()
            .token(Token::new("hunter2"))
            .build()
            .unwrap();
        let headers = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(WARNING, text.parse().unwrap());
            client.new_warning(&headers)
        };
        assert_eq!(client.new_warning(&HeaderMap::new()), None);
        assert_eq!(headers("Please update").as_deref(), Some("Please update"));
        assert_eq!(headers("Please update"), None);
        assert_eq!(headers("Another\tone").as_deref(), Some("Another one"));
        assert_eq!(headers("I am hunter2").as_deref(), Some("I am [token]"));
        assert_eq!(headers("  "), None);
    }
}

//! Parameters of a request, in the query string or a JSON body, in every spelling that official clients use.
//!
//! Numbers come as integers, integral floats, numeric strings and, from R, as `1e+05` (redivis-api §1, §5.2).

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde_json::Value;
use url::form_urlencoded;

use super::error::ApiError;
use crate::number::whole;

/// The query string's parameters, in order.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Parameters(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        ))
    }
}

impl Parameters {
    /// The last value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that is a count.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.get(name) {
            None | Some("") => Ok(None),
            Some(text) => count_of_text(name, text).map(Some),
        }
    }

    /// A parameter that is a yes or no.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// Names, written with commas between or as several parameters; `None` when nothing was said.
    pub(super) fn names(&self, name: &str) -> Option<Vec<String>> {
        let names: Vec<String> = self.all(name).flat_map(split_names).collect();
        (!names.is_empty()).then_some(names)
    }
}

/// Names written with commas between.
pub(super) fn split_names(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
}

/// A count in a JSON body; `None` when it is missing or null.
pub(super) fn count_of_json(name: &str, value: Option<&Value>) -> Result<Option<u64>, ApiError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => count_of_text(name, text).map(Some),
        Some(Value::Number(number)) => count_of_text(name, &number.to_string()).map(Some),
        Some(other) => Err(not_a_count(name, other)),
    }
}

/// Reads a count: digits, or a float without a fraction.
pub(super) fn count_of_text(name: &str, text: &str) -> Result<u64, ApiError> {
    // In a query string, `1e+05` arrives as `1e 05` from clients that do not encode the plus.
    let text = text.trim().replace(' ', "+");
    whole(&text).ok_or_else(|| not_a_count(name, &text))
}

fn not_a_count(name: &str, value: &dyn std::fmt::Display) -> ApiError {
    ApiError::invalid(format!(
        "`{name}` must be a whole number that is not negative, and is `{value}`"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_come_in_every_spelling() {
        for (value, count) in [
            (json!(12), 12),
            (json!(12.0), 12),
            (json!("12"), 12),
            (json!("12.0"), 12),
            (json!("1e+05"), 100_000),
            (json!("2e+06"), 2_000_000),
            (json!("1e 05"), 100_000),
        ] {
            assert_eq!(count_of_json("n", Some(&value)).unwrap(), Some(count));
        }
        for value in [
            json!(-1),
            json!(1.5),
            json!("x"),
            json!(true),
            json!("nan"),
            json!(""),
        ] {
            assert!(count_of_json("n", Some(&value)).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_count_panic(text in "\\PC{0,30}") {
            let _ = count_of_text("n", &text);
        }

        #[test]
        fn every_count_is_read_as_it_was_written(count: u64) {
            prop_assert_eq!(count_of_text("n", &count.to_string()).unwrap(), count);
        }
    }
}

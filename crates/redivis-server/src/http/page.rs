//! Lists, a page at a time: `maxResults` and `pageToken` (redivis-api §1.6).
//!
//! `nextPageToken` is always there, null at the end: the Python client fails without it.

use std::convert::Infallible;

use serde_json::{Value, json};

use super::{error::ApiError, parameters::Parameters};

const DEFAULT: u64 = 100;
const MOST: u64 = 1000;

/// Which part of a list was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    start: usize,
    length: usize,
}

impl Page {
    pub(super) fn of(parameters: &Parameters) -> Result<Self, ApiError> {
        let length = parameters.count("maxResults")?.unwrap_or(DEFAULT).min(MOST);
        let start = match parameters.get("pageToken") {
            None | Some("") => 0,
            Some(token) => usize::from_str_radix(token, 16)
                .map_err(|_| ApiError::invalid("`pageToken` is not one that this server gave"))?,
        };
        Ok(Page {
            start,
            length: usize::try_from(length).unwrap_or(usize::MAX),
        })
    }

    /// The page's part of a list.
    pub(super) fn list<T>(
        self,
        kind: &str,
        items: &[T],
        to_json: impl Fn(usize, &T) -> Value,
    ) -> Value {
        let listed = self.try_list(kind, items, |index, item| {
            Ok::<_, Infallible>(to_json(index, item))
        });
        match listed {
            Ok(list) => list,
            Err(never) => match never {},
        }
    }

    /// The page's part of a list whose items have to be looked up.
    pub(super) fn try_list<T, E>(
        self,
        kind: &str,
        items: &[T],
        to_json: impl Fn(usize, &T) -> Result<Value, E>,
    ) -> Result<Value, E> {
        let start = self.start.min(items.len());
        let end = start.saturating_add(self.length).min(items.len());
        let results: Vec<Value> = items
            .iter()
            .enumerate()
            .take(end)
            .skip(start)
            .map(|(index, item)| to_json(index, item))
            .collect::<Result<_, _>>()?;
        // An empty page leads nowhere; a token after it would be followed for ever.
        let more = end < items.len() && end > start;
        Ok(json!({
            "kind": format!("{kind}List"),
            "results": results,
            "nextPageToken": more.then(|| format!("{end:x}")),
        }))
    }
}

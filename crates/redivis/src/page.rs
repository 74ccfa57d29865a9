//! Lists, fetched page by page as they are consumed (redivis-api §1.6).
//!
//! A stream rather than a vector: a listing of thousands costs only the pages that somebody looks at.

use std::future::Future;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::request::Call;
use crate::resource::text;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    results: Vec<T>,
    #[serde(default, deserialize_with = "text")]
    next_page_token: Option<String>,
}

/// Where a listing has come to.
struct Position<T> {
    /// The next page's token; `None` for the first page.
    token: Option<String>,
    pages: u64,
    /// The first item of an earlier page, of ever later ones: a list that goes round in a circle comes back to it.
    seen: Option<T>,
}

impl Client {
    /// The items that `call` lists, asking for `page_size` at a time.
    pub(crate) fn list<T>(&self, call: Call, page_size: u32) -> BoxStream<'static, Result<T>>
    where
        T: DeserializeOwned + Clone + PartialEq + Send + 'static,
    {
        let client = self.clone();
        let first = Position {
            token: None,
            pages: 0,
            seen: None,
        };
        stream::try_unfold(Some(first), move |position| {
            let (client, call) = (client.clone(), call.clone());
            async move {
                let Some(mut position) = position else {
                    return Ok(None);
                };
                let mut call = call.query("maxResults", page_size);
                if let Some(token) = &position.token {
                    call = call.query("pageToken", token);
                }
                let page: Page<T> = client.json(&call).await?;
                let next = page.next_page_token.filter(|token| !token.is_empty());
                let first = page.results.first();
                if (next.is_some() && next == position.token)
                    || (first.is_some() && first == position.seen.as_ref())
                {
                    return Err(call
                        .error(
                            ErrorKind::Protocol,
                            "the service answers with a page of the list that came before",
                        )
                        .with_retry(Retry::No));
                }
                position.pages += 1;
                if position.pages.is_power_of_two() {
                    position.seen = first.cloned();
                }
                position.token = next;
                let items = stream::iter(page.results.into_iter().map(Ok));
                Ok(Some((items, position.token.is_some().then_some(position))))
            }
        })
        .try_flatten()
        .boxed()
    }
}

/// The stream that a future brings, as a stream.
pub(crate) fn deferred<T, F>(stream: F) -> BoxStream<'static, Result<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<BoxStream<'static, Result<T>>>> + Send + 'static,
{
    stream::once(stream).try_flatten().boxed()
}

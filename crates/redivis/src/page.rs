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

enum Position {
    First,
    After(String),
}

impl Client {
    /// The items that `call` lists, asking for `page_size` at a time.
    pub(crate) fn list<T>(&self, call: Call, page_size: u32) -> BoxStream<'static, Result<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let client = self.clone();
        stream::try_unfold(Some(Position::First), move |position| {
            let (client, call) = (client.clone(), call.clone());
            async move {
                let Some(position) = position else {
                    return Ok(None);
                };
                let mut call = call.query("maxResults", page_size);
                if let Position::After(token) = &position {
                    call = call.query("pageToken", token);
                }
                let page: Page<T> = client.json(&call).await?;
                let next = page.next_page_token.filter(|token| !token.is_empty());
                if let (Position::After(this), Some(next)) = (&position, &next)
                    && this == next
                {
                    return Err(call
                        .error(
                            ErrorKind::Protocol,
                            "the service answers one page of the list with the same page again",
                        )
                        .with_retry(Retry::No));
                }
                let items = stream::iter(page.results.into_iter().map(Ok));
                Ok(Some((items, next.map(Position::After))))
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

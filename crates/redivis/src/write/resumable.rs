//! The resumable protocol: chunks, and after every interruption the question how much has arrived (redivis-api §6.3).

use std::sync::Arc;

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::content::Content;
use super::position::{Fault, Position, Step, acknowledged_by};
use super::progress::SendProgress;
use super::put::Put;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::request::Call;
use crate::retry::Attempts;

/// A content on its way over one session.
pub(super) struct Session<'a> {
    client: &'a Client,
    call: Call,
    url: Url,
    content: &'a Content,
    progress: &'a Arc<SendProgress>,
    position: Position,
    attempts: Attempts,
}

/// What the service says.
enum Answer {
    /// It has everything.
    Complete,
    /// It has this many bytes.
    Holds(u64),
    /// It accepts what it got, which may mean the chunk or the whole.
    Accepted,
}

impl<'a> Session<'a> {
    /// A session that has just been opened.
    pub(super) fn fresh(
        client: &'a Client,
        url: Url,
        content: &'a Content,
        progress: &'a Arc<SendProgress>,
    ) -> Self {
        Self {
            client,
            call: Call::to_url("send", content.name(), &url),
            url,
            content,
            progress,
            position: Position::start(content.len(), client.upload_chunk_size()),
            attempts: Attempts::new(client.retry_policy().clone()),
        }
    }

    /// A session of which nothing is known.
    pub(super) fn unknown(
        client: &'a Client,
        url: Url,
        content: &'a Content,
        progress: &'a Arc<SendProgress>,
    ) -> Self {
        Self {
            position: Position::unknown(content.len(), client.upload_chunk_size()),
            ..Self::fresh(client, url, content, progress)
        }
    }

    /// Sends what the service does not have, until it has everything.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut asking = self.position.is_unknown();
        loop {
            let answer = match asking {
                true => self.probe().await,
                false => self.send_chunk().await,
            };
            asking = match answer {
                Ok(Answer::Complete) => return self.complete(),
                Ok(Answer::Holds(bytes)) => {
                    let ask_again = self.acknowledge(bytes, asking).await?;
                    let has_all = bytes == self.content.len();
                    if has_all && asking {
                        // Asked, it names all bytes again: so they are there, as the official clients believe at once.
                        return self.complete();
                    }
                    ask_again || has_all
                }
                Ok(Answer::Accepted) => true,
                Err(error) => self.interrupted(error).await?,
            };
        }
    }

    fn complete(&mut self) -> Result<()> {
        let complete = self.position.complete();
        complete.map_err(|fault| self.explain(fault))?;
        self.progress.set_acknowledged(self.content.len());
        Ok(())
    }

    /// Waits before the service is asked how much it has; the error where it has failed too often.
    async fn interrupted(&mut self, error: Error) -> Result<bool> {
        self.attempts.wait_after(error).await?;
        self.progress.add_interruption();
        Ok(true)
    }

    /// Takes the service's word, if it can be believed; whether it has to be asked again.
    async fn acknowledge(&mut self, bytes: u64, asked: bool) -> Result<bool> {
        let before = self.position.next_chunk().start;
        let step = self.position.acknowledge(bytes);
        let step = step.map_err(|fault| self.explain(fault))?;
        self.progress.set_acknowledged(bytes);
        let stuck = |message: String| {
            let error = self.call.error(ErrorKind::Protocol, message);
            error.with_retry(Retry::Yes)
        };
        match step {
            Step::Forward => {
                self.attempts.progress();
                Ok(false)
            }
            Step::Back => {
                let error = stuck(format!(
                    "the service acknowledged {before} bytes before, and now only {bytes}"
                ));
                self.interrupted(error).await?;
                Ok(false)
            }
            Step::Still if bytes == before && !asked => {
                let error = stuck("the service took nothing of what was sent".to_owned());
                self.interrupted(error).await
            }
            Step::Still => Ok(false),
        }
    }

    async fn send_chunk(&mut self) -> Result<Answer> {
        let part = self.position.next_chunk();
        let total = self.content.len();
        let (start, end) = (part.start, part.end);
        let put = Put {
            call: &self.call,
            url: &self.url,
            content: self.content,
            part,
            content_range: Some(format!("bytes {start}-{}/{total}", end - 1)),
            progress: self.progress,
        };
        let sent = put.send(self.client).await;
        self.position.sent_to(start + sent.bytes);
        let is_all = end == total && start + sent.bytes == end;
        match self.read_answer(sent.answer?).await? {
            Answer::Complete if !is_all => Ok(Answer::Accepted),
            answer => Ok(answer),
        }
    }

    /// Asks how much has arrived.
    async fn probe(&mut self) -> Result<Answer> {
        let request = self
            .client
            .http()
            .request(Method::PUT, self.url.clone())
            .header(CONTENT_LENGTH, 0)
            .header(CONTENT_RANGE, format!("bytes */{}", self.content.len()));
        let response = self.client.answer(&self.call, request, true).await?;
        self.read_answer(response).await
    }

    async fn read_answer(&self, response: Response) -> Result<Answer> {
        let text = |name| {
            let value = response.headers().get(name)?;
            // What is no text is no range either.
            Some(value.to_str().unwrap_or("?").to_owned())
        };
        let (range, location) = (text(RANGE), text(LOCATION));
        match response.status() {
            status if status.is_success() => match range {
                Some(range) => {
                    match acknowledged_by(Some(&range)).map_err(|fault| self.explain(fault))? {
                        bytes if bytes == self.content.len() => Ok(Answer::Complete),
                        bytes => Ok(Answer::Holds(bytes)),
                    }
                }
                None => Ok(Answer::Complete),
            },
            StatusCode::PERMANENT_REDIRECT if location.is_none() => {
                let bytes =
                    acknowledged_by(range.as_deref()).map_err(|fault| self.explain(fault))?;
                Ok(Answer::Holds(bytes))
            }
            _ => Err(self.client.refused_put(&self.call, response).await),
        }
    }

    /// The error for a service that contradicts itself: asking again would only hide that.
    fn explain(&self, fault: Fault) -> Error {
        self.call
            .error(ErrorKind::Protocol, fault.to_string())
            .with_retry(Retry::No)
            .with_source(fault)
    }
}

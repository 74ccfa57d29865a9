//! Sending a content to a temp upload, in the way that the service asked for (redivis-api §6.2, §6.3).

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, LOCATION};
use url::Url;

use super::content::Content;
use super::progress::SendProgress;
use super::put::Put;
use super::resumable::Session;
use super::temp_upload::{SessionUrl, TempUpload};
use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::request::Call;
use crate::retry::Attempts;

const OPERATION: &str = "send";
/// How many sessions are opened for one file before a service that keeps losing them is given up.
const MAX_SESSIONS: u32 = 3;

impl Client {
    /// Sends a content to its temp upload: in one request, or in the resumable way if the service asked for that.
    ///
    /// Whatever interrupts it, it goes on where the service is; a session that the service has lost is replaced by a new one,
    /// up to twice. Fails with [`ErrorKind::Invalid`] if the content has another size than was announced, or changes.
    pub async fn send(
        &self,
        upload: &TempUpload,
        content: &Content,
        progress: &Arc<SendProgress>,
    ) -> Result<()> {
        let call = Call::get(OPERATION, content.name(), "");
        if content.len() != upload.size() {
            let (size, announced) = (content.len(), upload.size());
            return Err(call.error(
                ErrorKind::Invalid,
                format!("it has {size} bytes, but {announced} were announced"),
            ));
        }
        progress.begin(content.len());
        // There is no range of no bytes that the resumable protocol could name.
        if !upload.is_resumable() || content.is_empty() {
            return self.send_in_one_request(upload, content, progress).await;
        }
        let mut sessions = 1;
        loop {
            let session = self.open_session(upload).await?;
            let url = self.sending_url(&call, None, session.secret())?;
            match Session::fresh(self, url, content, progress).run().await {
                Err(error) if error.kind() == ErrorKind::NotFound && sessions < MAX_SESSIONS => {
                    sessions += 1;
                    progress.add_restart();
                    progress.set_acknowledged(0);
                }
                end => return end,
            }
        }
    }

    /// Opens a session of the resumable protocol: `POST <temp upload>` (redivis-api §6.3). It lives for 24 hours.
    pub async fn open_session(&self, upload: &TempUpload) -> Result<SessionUrl> {
        const OPERATION: &str = "start sending";
        let plain = Call::get(OPERATION, upload.name(), "");
        let url = self.sending_url(&plain, None, upload.url())?;
        let call = Call::to_url(OPERATION, upload.name(), &url);
        let mut attempts = Attempts::new(self.retry_policy().clone());
        loop {
            match self.start(&call, &url, upload.size()).await {
                Ok(session) => return Ok(session),
                Err(error) => attempts.wait_after(error).await?,
            }
        }
    }

    async fn start(&self, call: &Call, url: &Url, size: u64) -> Result<SessionUrl> {
        let request = self
            .http()
            .request(Method::POST, url.clone())
            .header(CONTENT_LENGTH, 0)
            .header("x-goog-resumable", "start")
            .header("x-upload-content-length", size);
        let response = self.answer(call, request, true).await?;
        if !response.status().is_success() {
            return Err(self.refusal(call, response).await);
        }
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| {
                call.error(
                    ErrorKind::Protocol,
                    "the service opened a session without saying where",
                )
            })?;
        let session = self.sending_url(call, Some(url), location)?;
        Ok(SessionUrl::from_secret(session))
    }

    /// Goes on with a session, perhaps of another process: asks the service how much it has, and sends the rest.
    ///
    /// The content must be the same as before. A session that the service no longer knows is an error of kind
    /// [`ErrorKind::NotFound`]: then [open](Self::open_session) a new one, or send everything anew.
    pub async fn resume(
        &self,
        session: &SessionUrl,
        content: &Content,
        progress: &Arc<SendProgress>,
    ) -> Result<()> {
        let call = Call::get(OPERATION, content.name(), "");
        let url = self.sending_url(&call, None, session.secret())?;
        progress.begin(content.len());
        Session::unknown(self, url, content, progress).run().await
    }

    /// One `PUT` of everything, from the start after each failure.
    async fn send_in_one_request(
        &self,
        upload: &TempUpload,
        content: &Content,
        progress: &Arc<SendProgress>,
    ) -> Result<()> {
        let plain = Call::get(OPERATION, content.name(), "");
        let url = self.sending_url(&plain, None, upload.url())?;
        let call = Call::to_url(OPERATION, content.name(), &url);
        let mut attempts = Attempts::new(self.retry_policy().clone());
        loop {
            let put = Put {
                call: &call,
                url: &url,
                content,
                part: 0..content.len(),
                content_range: None,
                progress,
            };
            let sent = put.send(self).await;
            let error = match sent.answer {
                Ok(response) if response.status().is_success() => {
                    if sent.bytes == content.len() {
                        progress.set_acknowledged(content.len());
                        return Ok(());
                    }
                    call.error(
                        ErrorKind::Protocol,
                        "the service accepted it before all had been sent",
                    )
                    .with_retry(Retry::Few)
                }
                Ok(response) => self.refused_put(&call, response).await,
                Err(error) => error,
            };
            attempts.wait_after(error).await?;
            progress.add_interruption();
        }
    }
}

//! Waiting for a client, but not for ever.
//!
//! The time is counted only while the server wants to read of a body, or to write, and begins anew with every byte.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

/// How long has been waited.
#[derive(Debug)]
struct Wait {
    patience: Duration,
    /// Runs while something is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    fn new(patience: Duration) -> Self {
        Wait {
            patience,
            timer: None,
        }
    }

    /// Passes on what is ready; fails when it was not for too long.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<T>,
        failed: impl FnOnce(io::Error) -> T,
    ) -> Poll<T> {
        if outcome.is_ready() {
            self.timer = None;
            return outcome;
        }
        let patience = self.patience;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let waited = format!("the client did nothing for {} seconds", patience.as_secs());
        Poll::Ready(failed(io::Error::new(io::ErrorKind::TimedOut, waited)))
    }
}

/// The body of a request.
#[derive(Debug)]
pub(super) struct PatientBody {
    body: Incoming,
    wait: Wait,
}

impl PatientBody {
    pub(super) fn new(body: Incoming, patience: Duration) -> Self {
        PatientBody {
            body,
            wait: Wait::new(patience),
        }
    }
}

impl Body for PatientBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let frame = frame.map(|frame| frame.map(|frame| frame.map_err(io::Error::other)));
        self.wait.poll(cx, frame, |error| Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that answers are written to. Reading is not limited here: while a request is answered, the connection is
/// read to notice when the client leaves, and nobody waits for anything.
#[derive(Debug)]
pub(super) struct PatientStream {
    stream: TcpStream,
    wait: Wait,
}

impl PatientStream {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        PatientStream {
            stream,
            wait: Wait::new(patience),
        }
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wait.poll(cx, written, Err)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.wait.poll(cx, written, Err)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

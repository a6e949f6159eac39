//! The listening socket, whose connections end when the emulator does, and what they answer to bytes that are no request.

mod refusal;
mod turn;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

pub(crate) use turn::Turn;

/// A listener whose open connections break when `ended` is cancelled: they would go on answering clients that hold one.
pub(crate) struct Ending {
    pub(crate) listener: TcpListener,
    pub(crate) ended: CancellationToken,
}

impl Ending {
    /// The next connection. Trouble with one, or with too many, is waited out.
    pub(crate) async fn accept(&mut self) -> Connection {
        let (stream, _): (_, SocketAddr) = axum::serve::Listener::accept(&mut self.listener).await;
        // Small answers must not wait for the client's acknowledgement of earlier ones; failing to say so costs only time.
        let _ = stream.set_nodelay(true);
        Connection { stream, ended: Box::pin(self.ended.clone().cancelled_owned()), turn: Turn::default(), refusal: Vec::new() }
    }
}

/// A connection that fails once the emulator has ended.
pub(crate) struct Connection {
    stream: TcpStream,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether a request is in hand.
    pub(crate) turn: Turn,
    /// What is still to be sent in place of the server's own refusal.
    refusal: Vec<u8>,
}

impl Connection {
    /// Fails when the emulator has ended, and wakes the task when it does.
    fn alive(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.ended.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Takes what the server says while no request is in hand: that what came is none. It says so without a body, and
    /// cannot be told another (hyper 1.12); Google's goes out instead, when the server flushes.
    fn refuse(&mut self, said: &[u8]) -> usize {
        if self.refusal.is_empty() {
            self.refusal = refusal::in_googles_shape(said);
        }
        said.len()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.alive(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.alive(cx)?;
        if self.turn.is_nobodys() {
            return Poll::Ready(Ok(self.refuse(bytes)));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.alive(cx)?;
        if self.turn.is_nobodys() {
            let said = bytes.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<_>>();
            return Poll::Ready(Ok(self.refuse(&said)));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.refusal.is_empty() {
            let sent = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.refusal))?;
            this.refusal.drain(..sent);
        }
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        this.turn.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

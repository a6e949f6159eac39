//! Whose turn it is on a connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// No request is in hand.
const NOBODYS: u8 = 0;
/// One is being answered.
const OURS: u8 = 1;
/// Its answer is complete and may not have been sent yet.
const LEAVING: u8 = 2;

/// Shared by a connection and the requests that come by it, one after the other. What is written while it is nobody's
/// turn is no answer of ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn(Arc<AtomicU8>);

impl Turn {
    /// A request has come; its turn ends with the value.
    pub(crate) fn begin(&self) -> InHand {
        self.0.store(OURS, Ordering::Relaxed);
        InHand(self.clone())
    }

    /// Everything written so far is out.
    pub(super) fn flushed(&self) {
        let _ = self.0.compare_exchange(LEAVING, NOBODYS, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(super) fn is_nobodys(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NOBODYS
    }
}

/// A request in hand.
#[derive(Debug)]
pub(crate) struct InHand(Turn);

impl InHand {
    /// An answer's body; the turn ends when all of it is taken or nobody wants it.
    pub(crate) fn until_sent(self, body: Body) -> impl HttpBody<Data = Bytes, Error = axum::Error> + Send + 'static {
        Answer { body, _in_hand: self }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.0.store(LEAVING, Ordering::Relaxed);
    }
}

struct Answer {
    body: Body,
    _in_hand: InHand,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

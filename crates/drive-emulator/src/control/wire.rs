//! Answers that break: connections cut, bodies broken off or changed.

use std::io;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_LENGTH, HeaderValue};
use tokio::runtime::Handle;

/// Time for bytes already handed over to reach the socket before the connection is cut. The server
/// drops what it has not written when a body fails.
const FLUSH: Duration = Duration::from_millis(50);
/// How much of a body nobody wants is read, in bytes; then the connection is closed.
const MOST_DRAINED: usize = 64 << 20;

/// An answer the server can only drop: its body fails at once, before a byte of the head is
/// written, and the connection is closed.
pub(super) fn cut() -> Response {
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(broken())])))
}

/// The same answer, broken off after `bytes` of its body.
pub(super) fn cut_after(response: Response, bytes: u64) -> Response {
    with_body(response, |body| {
        let frames = body.into_data_stream();
        stream::unfold(Some((frames, bytes)), |state| async move {
            let (mut frames, left) = state?;
            if left > 0
                && let Some(Ok(mut frame)) = frames.next().await
            {
                frame.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - frame.len() as u64;
                return Some((Ok(frame), Some((frames, left))));
            }
            tokio::time::sleep(FLUSH).await;
            Some((Err(broken()), None))
        })
    })
}

/// The same answer with a byte of every piece of its body inverted.
pub(super) fn corrupt(response: Response) -> Response {
    with_body(response, |body| {
        body.into_data_stream().map(|frame| {
            let mut bytes = frame.map_err(io::Error::other)?.to_vec();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte = !*byte;
            }
            Ok(Bytes::from(bytes))
        })
    })
}

/// The same body, read to its end in the background where whoever answers drops it early, as the servers of
/// Google do: a client that is still sending sees the refusal and not a broken connection.
pub(super) fn drained(body: Body) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let pieces = stream::unfold(Rest(Some(body.into_data_stream())), |mut rest| async move {
        let piece = rest.0.as_mut()?.next().await;
        if piece.as_ref().is_none_or(Result::is_err) {
            rest.0 = None;
        }
        Some((piece?, rest))
    });
    Body::from_stream(pieces)
}

/// What of a body is not read yet.
struct Rest(Option<BodyDataStream>);

impl Drop for Rest {
    fn drop(&mut self) {
        if let (Some(mut body), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                let mut left = MOST_DRAINED;
                while let Some(Ok(piece)) = body.next().await
                    && left > 0
                {
                    left = left.saturating_sub(piece.len());
                }
            });
        }
    }
}

/// Announced length of a body, in bytes.
pub(super) fn announced(response: &Response) -> Option<u64> {
    let header = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    header.or_else(|| response.body().size_hint().exact())
}

/// Replaces the body and keeps the length that was announced.
fn with_body<S>(response: Response, change: impl FnOnce(Body) -> S) -> Response
where
    S: stream::Stream<Item = io::Result<Bytes>> + Send + 'static,
{
    let length = announced(&response);
    let (mut parts, body) = response.into_parts();
    if let Some(length) = length {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::from_stream(change(body)))
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by a rule")
}

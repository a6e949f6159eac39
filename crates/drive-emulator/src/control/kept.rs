//! Bodies of requests, as the log keeps them.

use std::sync::{Arc, Mutex};

use axum::body::{Body, HttpBody as _};
use futures_util::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::lock;
use super::op::{Door, Op};

/// How much of a body the log keeps, in bytes.
const MOST_KEPT: u64 = 64 << 10;

/// A request's body as it goes by: what is kept of it for the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// What went by, where it is text.
    pub(super) fn text(&self) -> Option<String> {
        let bytes = std::mem::take(&mut *lock(&self.0));
        String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
    }
}

/// The same body; a small one that is JSON is kept. A channel's maker names a secret in it (5.1), which is not.
pub(super) fn kept(op: &Op, parts: &Parts, body: Body) -> (Body, Kept) {
    let kept = Kept::default();
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let json = kind.is_some_and(|kind| kind.trim_start().starts_with("application/json"));
    let small = body.size_hint().exact().is_some_and(|length| (1..=MOST_KEPT).contains(&length));
    if !json || !small || op.door != Door::Drive || ["changes.watch", "files.watch"].contains(&op.name) {
        return (body, kept);
    }
    let copy = kept.clone();
    let pieces = body.into_data_stream().inspect(move |piece| {
        if let Ok(piece) = piece {
            lock(&copy.0).extend_from_slice(piece);
        }
    });
    (Body::from_stream(pieces), kept)
}

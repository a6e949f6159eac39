//! Downloads: bytes from disk to the wire in constant memory.

use std::io::Read;
use std::path::Path;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::error::{ApiError, ApiResult};
use crate::ranges::Download;
use crate::store::blobs;

/// Bytes read from disk at a time.
const PIECE: usize = 256 * 1024;

/// What a download sends.
#[derive(Debug, Clone)]
pub struct Media {
    /// Content-Type.
    pub mime: String,
    /// The blob; none for no bytes.
    pub blob: Option<String>,
    /// Its whole length.
    pub size: u64,
    /// Which part of it.
    pub range: Download,
}

impl Media {
    /// The answer, 200 or 206 (2.4).
    pub async fn response(self, dir: &Path) -> ApiResult<Response> {
        let (start, length) = self.range.span(self.size);
        let (dir, blob) = (dir.to_path_buf(), self.blob);
        let reader = tokio::task::spawn_blocking(move || blobs::open(&dir, blob.as_deref(), start))
            .await
            .map_err(|_| ApiError::internal("a reader stopped"))??;
        let mut response = Response::new(Body::from_stream(pieces(reader, length)));
        let headers = response.headers_mut();
        let mime = HeaderValue::from_str(&self.mime);
        headers.insert(header::CONTENT_TYPE, mime.unwrap_or(HeaderValue::from_static("application/octet-stream")));
        attached(headers);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(range) = self.range.content_range(self.size).and_then(|range| HeaderValue::from_str(&range).ok()) {
            headers.insert(header::CONTENT_RANGE, range);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(response)
    }
}

/// No browser shows somebody's page as one of this server's.
pub(super) fn attached(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

type Reader = Box<dyn Read + Send>;

fn pieces(reader: Reader, length: u64) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold((reader, length), |(reader, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let (piece, reader) = tokio::task::spawn_blocking(move || piece(reader, left)).await.map_err(std::io::Error::other)??;
        let left = left - piece.len() as u64;
        Ok(Some((piece, (reader, left))))
    })
}

fn piece(mut reader: Reader, left: u64) -> std::io::Result<(Bytes, Reader)> {
    let mut buffer = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
    Ok((buffer.into(), reader))
}

//! `multipart/related` uploads and `multipart/mixed` batches, as clients really write them
//! (`drive-v3-behaviour` 1.21-1.23, 8.1, 8.6): bare line feeds, a line before the first boundary,
//! quoted boundaries, header names in any case, empty parts.
//!
//! The media of an upload may be gigabytes: it is handed on as it arrives.

mod boundary;
mod reader;

use base64::Engine as _;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use http::{HeaderMap, header};

use crate::error::{ApiError, ApiResult};
use boundary::Boundary;
use reader::Reader;

/// The metadata part and any part of a batch may be this long, in bytes.
const MAX_PART: usize = 8 << 20;
/// A batch holds at most this many calls (8.1); a few more parts are read to tell.
const MAX_PARTS: usize = 1_001;

/// One whole part.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its bytes, without the line end that belongs to the boundary.
    pub body: Bytes,
}

/// An upload: metadata first, media second (1.21).
pub struct Upload {
    /// The metadata part; its body is JSON or empty.
    pub metadata: Part,
    /// Headers of the media part.
    pub media_headers: HeaderMap,
    /// The media, as it arrives. Ends with an error when the body is cut or has a third part.
    pub media: BoxStream<'static, ApiResult<Bytes>>,
}

impl Upload {
    /// The type of the media, if the part names one.
    pub fn media_type(&self) -> Option<&str> {
        self.media_headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }
}

/// Reads a `multipart/related` body up to its media.
///
/// # Errors
/// 400 `badRequest` where the body has not two parts, or `content_type` has no boundary.
pub async fn upload<S, E>(content_type: &str, body: S) -> ApiResult<Upload>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: std::fmt::Display + 'static,
{
    let mut reader = reader(content_type, body)?;
    reader.skip_preamble().await?;
    let metadata = part(&mut reader).await?.ok_or_else(|| malformed("it has no parts"))?;
    let media_headers = reader.headers().await?.ok_or_else(|| malformed("it has one part, not two"))?;
    let coded = media_headers.get("content-transfer-encoding").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"base64"));
    let media = stream::try_unfold(reader, |mut reader| async move {
        match reader.chunk().await? {
            Some(bytes) => Ok(Some((bytes, reader))),
            None if reader.ended() => Ok(None),
            None => Err(malformed("it has more than two parts")),
        }
    });
    let media = if coded { base64_decoded(media).boxed() } else { media.boxed() };
    Ok(Upload { metadata, media_headers, media })
}

/// All parts of a body that is already here, such as a batch.
///
/// # Errors
/// 400 `badRequest` where the body is not what `content_type` says.
pub async fn parts(content_type: &str, body: Bytes) -> ApiResult<Vec<Part>> {
    let once = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut reader = reader(content_type, once)?;
    reader.skip_preamble().await?;
    let mut parts = Vec::new();
    while let Some(part) = part(&mut reader).await? {
        parts.push(part);
        if parts.len() > MAX_PARTS {
            return Err(malformed("it has too many parts"));
        }
    }
    Ok(parts)
}

/// The value of a parameter of a header such as `multipart/mixed; boundary="x"`.
pub fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (found, next) = if let Some(quoted) = after.strip_prefix('"') {
            let (found, next) = quoted.split_once('"')?;
            (found, next.split_once(';').map_or("", |(_, next)| next))
        } else {
            let (found, next) = after.split_once(';').unwrap_or((after, ""));
            (found.trim(), next)
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found.to_owned());
        }
        rest = next;
    }
}

fn reader<S, E>(content_type: &str, body: S) -> ApiResult<Reader>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: std::fmt::Display + 'static,
{
    let boundary = parameter(content_type, "boundary")
        .filter(|boundary| !boundary.is_empty())
        .ok_or_else(|| malformed("its Content-Type names no boundary"))?;
    let body = body.map(|chunk| chunk.map_err(|error| malformed(&format!("it broke off: {error}"))));
    Ok(Reader::new(Boundary::new(&boundary), body.boxed()))
}

async fn part(reader: &mut Reader) -> ApiResult<Option<Part>> {
    let Some(headers) = reader.headers().await? else {
        return Ok(None);
    };
    let mut body = BytesMut::new();
    while let Some(bytes) = reader.chunk().await? {
        body.extend_from_slice(&bytes);
        if body.len() > MAX_PART {
            return Err(malformed("a part is too long"));
        }
    }
    Ok(Some(Part { headers, body: body.freeze() }))
}

/// Undoes `Content-Transfer-Encoding: base64`, which browser clients use for the media part.
fn base64_decoded(coded: impl Stream<Item = ApiResult<Bytes>> + Send + 'static) -> impl Stream<Item = ApiResult<Bytes>> + Send + 'static {
    let state = (coded.boxed(), Vec::new(), false);
    stream::try_unfold(state, |(mut coded, mut pending, ended): (_, Vec<u8>, bool)| async move {
        if ended {
            return Ok(None);
        }
        let next: Option<ApiResult<Bytes>> = coded.next().await;
        let ended = next.is_none();
        let bytes = next.transpose()?.unwrap_or_default();
        pending.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
        // Four letters are three bytes; what is left over waits for its rest.
        let ready = if ended { pending.len() } else { pending.len() / 4 * 4 };
        let rest = pending.split_off(ready);
        let engine = base64::engine::general_purpose::STANDARD;
        let decoded = engine.decode(&pending).map_err(|_| malformed("its media is no base64"))?;
        Ok(Some((Bytes::from(decoded), (coded, rest, ended))))
    })
}

fn malformed(why: &str) -> ApiError {
    ApiError::bad_request(format!("Malformed multipart body: {why}."))
}

#[cfg(test)]
mod tests;

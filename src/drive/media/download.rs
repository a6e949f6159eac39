//! Content, streamed with constant memory and continued where the line broke.

use reqwest::{Method, Response, StatusCode, header};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{LONGEST_JSON, Raw, accepted, broken, limited};
use crate::drive::call::Cost;
use crate::drive::retry::Patience;
use crate::drive::{Drive, DriveError, FileId, Kind};

/// What a download wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    /// Bytes written to the sink by this call.
    pub written: u64,
    /// The file's length as the server said it.
    pub total: Option<u64>,
}

impl Drive {
    /// Writes the content of a file into `sink`, from byte `from` on. A broken line is continued with `Range` as long as
    /// bytes keep coming. Size and checksum are the caller's to compare; content that was replaced meanwhile shows there.
    pub async fn download(&self, id: &FileId, from: u64, sink: &mut (impl AsyncWrite + Unpin + Send)) -> Result<Downloaded, DriveError> {
        let what = format!("download {id}");
        let mut done = Downloaded { written: 0, total: None };
        let mut patience = Patience::default();
        loop {
            let before = done.written;
            let error = match self.raw.open(&what, id, from + done.written).await? {
                // 416: there is nothing after what we have.
                None => return Ok(done),
                Some((response, skip)) => match copy(response, skip, from, &mut done, sink).await {
                    Ok(()) => break,
                    Err(error) => error,
                },
            };
            if done.written > before {
                patience = Patience::default();
            }
            let Some(delay) = patience.next(&error) else { return Err(self.door.named(&what, error)) };
            tracing::debug!(%id, at = from + done.written, %error, "continuing a download");
            tokio::time::sleep(delay).await;
        }
        sink.flush().await.map_err(|e| self.door.named(&what, local(e)))?;
        Ok(done)
    }

    /// A document of Google's editors in another format, e.g. `application/pdf`; Drive gives at most 10 MB (2.9).
    pub async fn export(&self, id: &FileId, mime: &str) -> Result<Vec<u8>, DriveError> {
        let what = format!("export {id} as {mime}");
        let raw = &self.raw;
        self.door
            .call(&what, Cost::Download, |token| async move {
                let request = raw.request(Method::GET, &format!("drive/v3/files/{id}/export"), &token).query(&[("mimeType", mime)]);
                limited(accepted(request.send().await.map_err(broken)?).await?).await
            })
            .await
    }
}

impl Raw {
    /// The content from byte `from` on, and how many bytes of it to pass over; `None` when it ends before.
    async fn open(&self, what: &str, id: &FileId, from: u64) -> Result<Option<(Response, u64)>, DriveError> {
        self.door
            .call(what, Cost::Download, |token| async move {
                let mut request = self.request(Method::GET, &format!("drive/v3/files/{id}"), &token);
                request = request.query(&[("alt", "media"), ("supportsAllDrives", "true")]);
                if from > 0 {
                    request = request.header(header::RANGE, format!("bytes={from}-"));
                }
                let response = request.send().await.map_err(broken)?;
                match response.status() {
                    StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => Ok(None),
                    StatusCode::PARTIAL_CONTENT => starts_at(&response, from).map(|()| Some((response, 0))),
                    // A server that does not know ranges sends everything.
                    _ => accepted(response).await.map(|response| Some((response, from))),
                }
            })
            .await
    }
}

/// Copies a body into the sink, counting as it goes, so that a broken line loses nothing that was written.
async fn copy(
    mut response: Response,
    mut skip: u64,
    from: u64,
    done: &mut Downloaded,
    sink: &mut (impl AsyncWrite + Unpin + Send),
) -> Result<(), DriveError> {
    let whole = match response.status() {
        StatusCode::PARTIAL_CONTENT => content_range(&response).and_then(|(_, total)| total),
        _ => response.content_length(),
    };
    if done.total.is_some() && whole.is_some() && done.total != whole {
        return Err(DriveError::new(Kind::Refused, "the file was replaced while it was downloaded")
            .with(|f| f.reason = Some("contentChanged".into())));
    }
    done.total = done.total.or(whole);
    while let Some(mut chunk) = response.chunk().await.map_err(broken)? {
        if skip > 0 {
            let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= passed as u64;
            chunk = chunk.slice(passed..);
        }
        sink.write_all(&chunk).await.map_err(local)?;
        done.written += chunk.len() as u64;
    }
    match done.total {
        Some(total) if from + done.written < total => Err(DriveError::new(Kind::Network, "the content ended early")),
        _ => Ok(()),
    }
}

fn starts_at(response: &Response, from: u64) -> Result<(), DriveError> {
    match content_range(response) {
        Some((start, _)) if start == from => Ok(()),
        _ => Err(DriveError::new(Kind::Unreadable, "Drive sent another part of the file than was asked for")),
    }
}

/// `bytes 10-19/100`: where it starts, and the whole length where it is known.
fn content_range(response: &Response) -> Option<(u64, Option<u64>)> {
    let text = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = text.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

fn local(error: std::io::Error) -> DriveError {
    DriveError::new(Kind::Local, "what was downloaded cannot be written").because(error)
}

const _: () = assert!(LONGEST_JSON >= 10 * 1024 * 1024, "an export of 10 MB has to fit");

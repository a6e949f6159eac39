//! Reads parts one after another from a stream, keeping no more than a piece of it.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::boundary::Boundary;
use super::malformed;
use crate::error::ApiResult;

/// The headers of a part may be this long together, in bytes.
const MAX_HEADERS: usize = 64 << 10;

pub(super) struct Reader {
    boundary: Boundary,
    stream: BoxStream<'static, ApiResult<Bytes>>,
    buffer: BytesMut,
    /// The stream has no more.
    dry: bool,
    at: Place,
    /// Lines end with a bare line feed (1.22): a carriage return before a boundary is data then.
    bare_lines: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the first byte of a part's body, where a boundary needs no line feed before it.
    BodyStart,
    Body,
    /// After a boundary that another part follows.
    Between,
    /// After the closing boundary.
    End,
}

impl Reader {
    pub(super) fn new(boundary: Boundary, stream: BoxStream<'static, ApiResult<Bytes>>) -> Self {
        Self { boundary, stream, buffer: BytesMut::new(), dry: false, at: Place::BodyStart, bare_lines: false }
    }

    /// Reads up to the first part.
    pub(super) async fn skip_preamble(&mut self) -> ApiResult<()> {
        while self.chunk().await?.is_some() {}
        Ok(())
    }

    /// Whether the closing boundary was read.
    pub(super) fn ended(&self) -> bool {
        self.at == Place::End
    }

    /// The headers of the next part, or none after the last.
    pub(super) async fn headers(&mut self) -> ApiResult<Option<HeaderMap>> {
        if self.at != Place::Between {
            return Ok(None);
        }
        let mut headers = HeaderMap::new();
        let mut length = 0;
        loop {
            let line = self.line().await?;
            length += line.len();
            if length > MAX_HEADERS {
                return Err(malformed("the headers of a part are too long"));
            }
            if line.is_empty() {
                break;
            }
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                return Err(malformed("a part has a header without a colon"));
            };
            let name = HeaderName::from_bytes(line[..colon].trim_ascii());
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        self.at = Place::BodyStart;
        Ok(Some(headers))
    }

    /// The next bytes of the part, never empty; none at its end.
    pub(super) async fn chunk(&mut self) -> ApiResult<Option<Bytes>> {
        loop {
            match self.at {
                Place::Between | Place::End => return Ok(None),
                Place::BodyStart => {
                    let line = self.boundary.line().len();
                    while self.buffer.len() < line && self.fill().await? {}
                    if self.buffer.starts_with(self.boundary.line()) && self.pass_boundary(line).await? {
                        continue;
                    }
                    self.at = Place::Body;
                }
                Place::Body => {
                    if let Some(bytes) = self.body().await? {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// One step through a body; nothing when it only looked further.
    async fn body(&mut self) -> ApiResult<Option<Bytes>> {
        let Some(found) = self.boundary.find(&self.buffer) else {
            // A boundary may have begun at the end, a carriage return before it included.
            let safe = self.buffer.len().saturating_sub(self.boundary.len());
            if safe > 0 {
                return Ok(Some(self.buffer.split_to(safe).freeze()));
            }
            if !self.fill().await? {
                return Err(malformed("it ends before its closing boundary"));
            }
            return Ok(None);
        };
        let end = match self.buffer[..found].last() {
            Some(b'\r') if !self.bare_lines => found - 1,
            _ => found,
        };
        if end > 0 {
            return Ok(Some(self.buffer.split_to(end).freeze()));
        }
        let length = found + self.boundary.len();
        if !self.pass_boundary(length).await? {
            return Ok(Some(self.buffer.split_to(length).freeze()));
        }
        Ok(None)
    }

    /// Looks at what follows the boundary whose end is at `length`: false when the line goes on,
    /// so that it was data after all; else the line is consumed.
    async fn pass_boundary(&mut self, length: usize) -> ApiResult<bool> {
        while self.buffer.len() < length + 2 && self.fill().await? {}
        let rest = &self.buffer[length..];
        if rest.starts_with(b"--") {
            self.at = Place::End;
            return Ok(true);
        }
        if !matches!(rest.first(), Some(b'\r' | b'\n' | b' ' | b'\t')) {
            if rest.is_empty() {
                return Err(malformed("it ends before its closing boundary"));
            }
            return Ok(false);
        }
        let _boundary = self.buffer.split_to(length);
        let _padding = self.line().await?;
        self.at = Place::Between;
        Ok(true)
    }

    /// One line, without its end; notes how lines end.
    async fn line(&mut self) -> ApiResult<Bytes> {
        let mut seen = 0;
        loop {
            if let Some(end) = self.buffer[seen..].iter().position(|byte| *byte == b'\n') {
                let mut line = self.buffer.split_to(seen + end + 1);
                line.truncate(line.len() - 1);
                self.bare_lines = line.last() != Some(&b'\r');
                if !self.bare_lines {
                    line.truncate(line.len() - 1);
                }
                return Ok(line.freeze());
            }
            seen = self.buffer.len();
            if seen > MAX_HEADERS || !self.fill().await? {
                return Err(malformed("a line of a part's headers has no end"));
            }
        }
    }

    /// Takes more from the stream; false when there is no more.
    async fn fill(&mut self) -> ApiResult<bool> {
        while !self.dry {
            match self.stream.next().await.transpose()? {
                Some(bytes) if bytes.is_empty() => {}
                Some(bytes) => {
                    self.buffer.extend_from_slice(&bytes);
                    return Ok(true);
                }
                None => self.dry = true,
            }
        }
        Ok(false)
    }
}

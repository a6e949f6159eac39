//! Bodies in parts: nothing panics, and the pieces in which a body arrives do not change what it says.
//!
//! The input is a Content-Type up to the first line feed, then the body.

use std::convert::Infallible;

use bytes::Bytes;
use drive_emulator::multipart;
use futures_util::{FutureExt as _, StreamExt as _, stream};

/// A Content-Type and a body.
pub fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (content_type, body) = (String::from_utf8_lossy(&data[..end]), data.get(end + 1..).unwrap_or_default());
    let _ = multipart::parameter(&content_type, "charset");

    let whole = read(&content_type, body, body.len());
    for step in [1, 2, 7, 64] {
        assert_eq!(read(&content_type, body, step), whole, "in pieces of {step}");
    }
    if let Ok((metadata, media)) = &whole {
        assert!(metadata.len() + media.len() <= body.len(), "more than was sent");
    }
    let parts = multipart::parts(&content_type, Bytes::copy_from_slice(body)).now_or_never();
    if let Ok(parts) = parts.expect("all of it is here") {
        assert!(parts.iter().map(|part| part.body.len()).sum::<usize>() <= body.len(), "more than was sent");
    }
}

/// Metadata and media of an upload whose body comes in pieces of `step` bytes. A refusal is one whatever it says.
pub fn read(content_type: &str, body: &[u8], step: usize) -> Result<(Vec<u8>, Vec<u8>), ()> {
    let pieces: Vec<Result<Bytes, Infallible>> = body.chunks(step.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let reading = async {
        let mut upload = multipart::upload(content_type, stream::iter(pieces)).await.map_err(drop)?;
        let mut media = Vec::new();
        while let Some(bytes) = upload.media.next().await {
            media.extend_from_slice(&bytes.map_err(drop)?);
        }
        Ok((upload.metadata.body.to_vec(), media))
    };
    reading.now_or_never().expect("all of it is here")
}

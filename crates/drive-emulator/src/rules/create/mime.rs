//! What type a new file has.

use super::Content;
use crate::error::{ApiError, ApiResult};
use crate::rules::meta::{self, Meta};
use crate::store::files;

/// The type of a new file: as said, as the media says, as its bytes look, or plain bytes (1.7).
pub(super) fn of_new(meta: &Meta, content: Option<&Content>) -> ApiResult<String> {
    let said = meta::text(meta, "mimeType")?.filter(|mime| !mime.is_empty());
    let media = content.and_then(|content| content.mime.as_deref()).filter(|mime| !mime.is_empty());
    if let (Some(said), Some(media)) = (said, media)
        && files::is_editors_mime(said)
        && content.is_some_and(|content| content.staged.size > 0)
        && !importable(media)
    {
        return Err(ApiError::conversion_not_supported());
    }
    if let Some(mime) = said.or(media) {
        return Ok(mime.to_owned());
    }
    let name = meta::text(meta, "name")?.unwrap_or_default();
    let head = content.map_or(&[][..], |content| &content.staged.head);
    Ok(sniff(head, name).to_owned())
}

/// Types Drive turns into Docs, Sheets or Slides (1.8).
fn importable(mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    mime.starts_with("text/")
        || mime.starts_with("image/")
        || mime.starts_with("application/vnd.openxmlformats-officedocument.")
        || mime.starts_with("application/vnd.oasis.opendocument.")
        || mime.starts_with("application/vnd.google-apps.")
        || ["application/pdf", "application/rtf", "application/msword", "application/vnd.ms-excel"].contains(&mime)
}

/// A type from the first bytes, else from the extension.
fn sniff(head: &[u8], name: &str) -> &'static str {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"%PDF-", "application/pdf"),
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"PK\x03\x04", "application/zip"),
    ];
    const NAMES: &[(&str, &str)] = &[
        (".pdf", "application/pdf"),
        (".txt", "text/plain"),
        (".csv", "text/csv"),
        (".json", "application/json"),
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
    ];
    if head.is_empty() {
        return "application/octet-stream";
    }
    let name = name.to_ascii_lowercase();
    MAGIC
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, mime)| *mime)
        .or_else(|| NAMES.iter().find(|(end, _)| name.ends_with(end)).map(|(_, mime)| *mime))
        .unwrap_or("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b1_7_types_are_told_from_bytes_then_names() {
        assert_eq!(sniff(b"%PDF-1.7", "a.txt"), "application/pdf");
        assert_eq!(sniff(b"a,b", "A.CSV"), "text/csv");
        assert_eq!(sniff(b"", "a.pdf"), "application/octet-stream");
        assert_eq!(sniff(b"\x00\x01", "a"), "application/octet-stream");
    }
}

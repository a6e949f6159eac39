//! `files.export`: what editors' files are downloaded as (2.9).

use std::io::Read as _;

use crate::api::about::export_formats;
use crate::api::call::{Call, Reply};
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::rules::cx::Cx;
use crate::store::blobs;
use crate::store::files::FileRow;

/// Largest export, in bytes.
const MAX_EXPORT: usize = 10 << 20;

/// `files.export`.
pub fn export(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let mime = call.query.filled("mimeType").ok_or_else(|| ApiError::required_parameter("mimeType"))?;
    let (file, standing) = cx.visible(call.id(0), true)?;
    if !file.is_editors() || standing.glimpse {
        return Err(ApiError::file_not_exportable());
    }
    let formats = export_formats();
    let known = formats[&file.mime].as_array().is_some_and(|list| list.iter().any(|format| format == mime));
    if !known {
        return Err(ApiError::conversion_not_supported());
    }
    let bytes = content(cx, &file, mime)?;
    if bytes.len() > MAX_EXPORT {
        return Err(ApiError::export_too_large());
    }
    Ok(Reply::Bytes(mime.to_owned(), bytes))
}

/// The text the document was imported from or, without one, its name; as a page for PDF.
fn content(cx: &Cx<'_>, file: &FileRow, mime: &str) -> ApiResult<Vec<u8>> {
    let mut text = Vec::new();
    let most = u64::try_from(MAX_EXPORT).unwrap_or(u64::MAX) + 1;
    blobs::open(cx.dir, file.blob.as_deref(), 0)?.take(most).read_to_end(&mut text)?;
    if text.is_empty() {
        text = format!("{}\n", file.name).into_bytes();
    }
    Ok(if mime == "application/pdf" { pdf(&String::from_utf8_lossy(&text)) } else { text })
}

/// A PDF of one page with the first line of `text`: enough for a reader to open it.
fn pdf(text: &str) -> Vec<u8> {
    let line: String = text
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || " .,:;-_".contains(c) { c } else { '?' })
        .collect();
    let stream = format!("BT /F1 12 Tf 72 720 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(format!("{:010} 00000 n \n", out.len()));
        out.push_str(&[&(index + 1).to_string(), " 0 obj\n", object, "\nendobj\n"].concat());
    }
    let table = out.len();
    let size = objects.len() + 1;
    let end = format!(
        "xref\n0 {size}\n0000000000 65535 f \n{}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        offsets.concat()
    );
    (out + &end).into_bytes()
}

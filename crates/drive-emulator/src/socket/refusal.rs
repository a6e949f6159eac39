//! The answer to bytes that are no HTTP, or more of it than is read: Google's shape, and the connection is closed.
//!
//! Google's front end answers these with a page of HTML (6.3). Here it is the JSON of all other refusals, which tells more.

use http::StatusCode;

use crate::error::ApiError;

/// What to send for what the server `said`: a status line with nothing behind it.
pub(super) fn in_googles_shape(said: &[u8]) -> Vec<u8> {
    let code = said.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok()).unwrap_or(400);
    let (reason, message) = match code {
        414 => ("uriTooLong", "The requested URL is too long to be read."),
        431 => ("requestHeaderFieldsTooLarge", "The request's headers are too many or too long to be read."),
        _ => ("badRequest", "The request is malformed."),
    };
    let body = format!("{:#}\n", ApiError::new(code, reason, message).body());
    let phrase = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    format!(
        "HTTP/1.1 {code} {phrase}\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_kept_and_the_reason_said() {
        for (said, code, reason) in [
            (&b"HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n"[..], "431", "requestHeaderFieldsTooLarge"),
            (b"HTTP/1.1 414 URI Too Long\r\n\r\n", "414", "uriTooLong"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "400", "badRequest"),
            (b"", "400", "badRequest"),
        ] {
            let text = String::from_utf8(in_googles_shape(said)).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert!(head.starts_with(&format!("HTTP/1.1 {code} ")), "{head}");
            assert_eq!((body["error"]["code"].to_string(), &body["error"]["errors"][0]["reason"]), (code.to_owned(), &reason.into()));
        }
    }
}

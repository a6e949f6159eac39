//! Sending one notice. Plain http is spoken by hand; https needs a certificate nobody on loopback has, so
//! such a channel is kept and never told (5.7).

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Waits between tries where the receiver is unwell (5.13).
const WAITS: [Duration; 4] = [Duration::from_millis(200), Duration::from_millis(800), Duration::from_secs(3), Duration::from_secs(10)];
/// A receiver has so long to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A notice with everything it says.
#[derive(Clone)]
pub(super) struct Post {
    pub(super) address: String,
    pub(super) headers: Vec<(&'static str, String)>,
    /// The first of its channel.
    pub(super) first: bool,
}

/// Sends it, again where the receiver says 500, 502, 503, 504 or nothing; then gives up.
pub(super) async fn post(notice: Post) {
    let Ok(uri) = notice.address.parse::<http::Uri>() else {
        return;
    };
    if uri.scheme_str() != Some("http") {
        return;
    }
    for wait in WAITS {
        let status = tokio::time::timeout(PATIENCE, send(&uri, &notice.headers)).await;
        let unwell = match status {
            Ok(Ok(status)) => matches!(status, 500 | 502 | 503 | 504),
            Ok(Err(_)) | Err(_) => true,
        };
        if !unwell {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

/// One try; the status answered.
async fn send(uri: &http::Uri, headers: &[(&'static str, String)]) -> std::io::Result<u16> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await?;
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let authority = uri.authority().map_or(host, http::uri::Authority::as_str);
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)\r\n\
         Accept: */*\r\nContent-Length: 0\r\nConnection: close\r\n"
    );
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64).read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other("no status line"))
}

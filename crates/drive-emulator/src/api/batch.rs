//! `POST /batch/drive/v3`: many calls in one request (`drive-v3-behaviour` 8).

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};

use crate::api::serve::{self, collect};
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::multipart::{self, Part};

/// A batch holds at most this many calls (8.1).
const MAX_CALLS: usize = 100;
/// The address of a call in a batch is at most this long, in characters (8.1).
const MAX_ADDRESS: usize = 8_000;
/// Largest answer of all calls together, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// Answers a batch: 200 with an answer for each call, or an error for the whole (8.2).
pub async fn serve(app: &Arc<App>, parts: Parts, body: Body) -> Response {
    match answer(app, &parts, body).await {
        Ok(response) => response,
        Err(error) => error.respond(true),
    }
}

async fn answer(app: &Arc<App>, parts: &Parts, body: Body) -> ApiResult<Response> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let calls = multipart::parts(kind, collect(body).await?).await?;
    if calls.len() > MAX_CALLS {
        return Err(ApiError::bad_request(format!("A batch holds at most {MAX_CALLS} calls; this one has {}.", calls.len())));
    }
    let boundary = crate::ids::random("batch_", 24);
    let mut out = BytesMut::new();
    // One after another: Drive promises no order, and a fixed one makes tests repeatable.
    for call in calls {
        let name = call.headers.get("content-id").cloned();
        let answer = inner(app, parts, call).await?;
        write_part(&mut out, &boundary, name.as_ref(), answer).await?;
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let mut response = Response::new(Body::from(out.freeze()));
    if let Ok(kind) = HeaderValue::try_from(format!("multipart/mixed; boundary={boundary}")) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}

/// Does one call. It passes the gate by itself: it counts for quotas and can be struck by faults (6.28).
async fn inner(app: &Arc<App>, outer: &Parts, part: Part) -> ApiResult<Response> {
    let request = match read(&part.body, outer) {
        Ok(request) => request,
        Err(error) => return Ok(error.respond(true)),
    };
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let media = form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "alt" && value.eq_ignore_ascii_case("media"));
    if media || path.ends_with("/export") {
        return Ok(elsewhere(app, &path, &query));
    }
    // Boxed: serving a batch is part of serving.
    let done: Pin<Box<dyn Future<Output = Response> + Send>> = Box::pin(app.gate.run(request, |request| async {
        let (parts, body) = request.into_parts();
        if parts.uri.path().starts_with("/drive/v3/") {
            serve::serve(app, parts, body).await
        } else {
            ApiError::bad_request("A batch takes no uploads and no other batches.").respond(true)
        }
    }));
    Ok(done.await)
}

/// Reads the request in a part; line ends may be bare (8.6).
fn read(text: &Bytes, outer: &Parts) -> ApiResult<Request<Body>> {
    let malformed = || ApiError::bad_request("A part of the batch is no HTTP request.");
    let mut rest = text.clone();
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = rest.split_to(end);
        String::from_utf8(line.trim_ascii().to_vec()).map_err(|_| malformed())
    };
    // Some writers leave a blank line before the request.
    let mut first = line()?;
    if first.is_empty() {
        first = line()?;
    }
    let mut words = first.split_whitespace();
    let (method, address) = words.next().zip(words.next()).ok_or_else(malformed)?;
    if address.len() > MAX_ADDRESS {
        return Err(ApiError::bad_request("The address of a call in the batch is too long."));
    }
    let mut request = Request::builder().method(method).uri(path_of(address));
    let mut authorized = false;
    loop {
        let header = line()?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or_else(malformed)?;
        authorized |= name.trim().eq_ignore_ascii_case("authorization");
        request = request.header(name.trim(), value.trim());
    }
    // Its own credential, else that of the whole (8.3).
    if let Some(value) = outer.headers.get(AUTHORIZATION).filter(|_| !authorized) {
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Body::from(rest)).map_err(|_| malformed())
}

/// The path of an address that may be whole.
fn path_of(address: &str) -> &str {
    match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => address,
    }
}

/// No bytes in a batch: the answer says where they are (8.5).
fn elsewhere(app: &App, path: &str, query: &str) -> Response {
    let mut error = ApiError::new(302, "backendError", "Unknown Error.").status_word("UNKNOWN");
    if let Ok(location) = HeaderValue::try_from(format!("{}/download{path}?{query}", app.base_url())) {
        error = error.header(LOCATION, location);
    }
    error.respond(true)
}

async fn write_part(out: &mut BytesMut, boundary: &str, name: Option<&HeaderValue>, answer: Response) -> ApiResult<()> {
    let (parts, body) = answer.into_parts();
    // Where a rule breaks an answer off, or there is too much, the whole batch is lost.
    let body = axum::body::to_bytes(body, MAX_ANSWER.saturating_sub(out.len())).await.map_err(|_| ApiError::unavailable())?;
    let mut head = format!("--{boundary}\r\nContent-Type: application/http\r\n");
    if let Some(name) = name.and_then(|name| name.to_str().ok()) {
        let bare = name.trim().trim_start_matches('<').trim_end_matches('>');
        // Writing to a string cannot fail.
        let _ = write!(head, "Content-ID: <response-{bare}>\r\n");
    }
    let _ = write!(head, "\r\nHTTP/1.1 {} {}\r\n", parts.status.as_u16(), reason(parts.status));
    write_headers(&mut head, &parts.headers);
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&body);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn write_headers(head: &mut String, headers: &HeaderMap) {
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Unknown")
}

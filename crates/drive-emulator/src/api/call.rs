//! One call and its answer, as the handlers see them.

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Map, Value};

use crate::api::media::Media;
use crate::api::params::Query;
use crate::api::routes::Endpoint;
use crate::error::{ApiError, ApiResult};
use crate::rules::meta::Meta;

/// A call whose body is in memory.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is called.
    pub endpoint: &'static Endpoint,
    /// The ids in the path, decoded, in their order.
    pub ids: Vec<String>,
    /// The query.
    pub query: Query,
    /// The method, after `X-HTTP-Method-Override`.
    pub method: Method,
    /// The path as sent.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What a handler answers.
#[derive(Debug)]
pub enum Reply {
    /// An object, masked by `fields` before it is sent.
    Json(Value),
    /// Success without a body (11.8).
    Done,
    /// Bytes of a blob.
    Media(Media),
    /// An answer of its own, such as an export.
    Bytes(String, Vec<u8>),
    /// The write is kept although the caller is told this (3.7).
    Complaint(ApiError),
}

impl Call {
    /// An id of the path.
    pub fn id(&self, index: usize) -> &str {
        self.ids.get(index).map_or("", String::as_str)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The JSON object in the body; an empty body is an empty object (1.1).
    pub fn json(&self) -> ApiResult<Meta> {
        object(&self.body)
    }
}

/// Reads a JSON object; nothing is an empty one.
pub fn object(bytes: &[u8]) -> ApiResult<Meta> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        _ => Err(ApiError::parse_error()),
    }
}

/// A JSON answer (0.3).
pub fn json_response(value: &Value, pretty: bool) -> Response {
    let text = if pretty { format!("{value:#}\n") } else { value.to_string() };
    let mut response = Response::new(text.into());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    response
}

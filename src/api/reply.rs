//! What callers get: JSON in the shapes of CONTRACT §4, with sentences for people in Portuguese.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::callback::payload::cause;
use crate::error::{Exit, Failure};

/// How long a caller is asked to wait where the answer is "later".
const LATER_SECONDS: u32 = 10;

/// A status and a JSON document.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    body: Value,
}

impl Reply {
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body }
    }

    /// The request holds what cannot be used.
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, message)
    }

    /// `{"status":"error","message":…}`.
    pub(super) fn refused(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, json!({ "status": "error", "message": message.into() }))
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, json!({ "status": "not_found", "message": message.into() }))
    }

    /// `{"message":…}`: the old API had it so.
    pub(super) fn no_key() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, json!({ "message": "Chave de API ausente ou inválida." }))
    }

    /// A failure in the words of a callback; the English one is for the log.
    pub(super) fn of(failure: &Failure) -> Self {
        tracing::warn!(code = failure.code(), "a request failed: {failure}");
        let message = format!("Não foi possível atender ao pedido: {}.", cause(failure.code()));
        Self::new(status_of(failure.exit()), json!({ "status": "error", "message": message, "code": failure.code() }))
    }
}

/// What sort of failure this is to a caller.
pub(super) fn status_of(exit: Exit) -> StatusCode {
    match exit {
        Exit::Data | Exit::Usage => StatusCode::BAD_REQUEST,
        Exit::Later | Exit::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Exit::Refused => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Self::of(&failure)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, LATER_SECONDS.into());
        }
        response
    }
}

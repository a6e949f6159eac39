//! What the token endpoint says when it refuses: not the shape of API errors (7.7).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;

use crate::error::{ApiError, Reason};

/// A refusal of the token endpoint: `{"error": …, "error_description": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Such as `invalid_grant`.
    pub error: String,
    /// The sentence beside it.
    pub description: String,
}

impl TokenError {
    /// A refusal with status 400.
    pub fn new(error: &str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: error.to_owned(), description: description.into() }
    }

    /// 400 `invalid_grant`, with what is wrong with the assertion or the refresh token.
    pub fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    /// 400 `invalid_request` "Bad Request" (7.3).
    pub fn bad_request() -> Self {
        Self::new("invalid_request", "Bad Request")
    }

    /// 401 `unauthorized_client`: no delegation (7.6).
    pub fn unauthorized_client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::new(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized \
                 for any of the scopes requested.",
            )
        }
    }

    /// 401 `invalid_client`: no such OAuth client, or a wrong secret (7.10).
    pub fn invalid_client() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::new("invalid_client", "The OAuth client was not found.") }
    }
}

/// The emulator's own trouble, in this endpoint's shape.
impl From<ApiError> for TokenError {
    fn from(error: ApiError) -> Self {
        Self { status: error.code(), ..Self::new("internal_failure", error.message()) }
    }
}

impl From<rusqlite::Error> for TokenError {
    fn from(error: rusqlite::Error) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = Response::new(Body::from(format!("{body:#}\n")));
        *response.status_mut() = self.status;
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response.extensions_mut().insert(Reason(self.error));
        response
    }
}

//! Errors that rules answer with.

use serde::{Deserialize, Serialize};

use crate::auth::TokenError;
use crate::error::{ApiError, Shape};

/// An error a rule answers with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// The reason; a usual one for the status where none is named.
    #[serde(default)]
    pub reason: Option<String>,
    /// The message; the reason where none is named.
    #[serde(default)]
    pub message: Option<String>,
    /// `Retry-After`, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// The front end's word, such as `RESOURCE_EXHAUSTED`: then the body has a `status`, and `details` with the reason (6.2).
    #[serde(default)]
    pub status: Option<String>,
    /// How the body is written.
    #[serde(default)]
    pub body: BodyShape,
}

/// How the body of an error is written (6.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyShape {
    /// Google's JSON.
    #[default]
    Json,
    /// A front end's page.
    Html,
    /// The message alone.
    Text,
}

impl Status {
    /// An error with a status and a reason.
    pub fn new(code: u16, reason: &str) -> Self {
        Self { code, reason: Some(reason.to_owned()), message: None, retry_after: None, status: None, body: BodyShape::Json }
    }

    fn words(&self) -> (String, String) {
        let usual = match self.code {
            400 => "badRequest",
            401 => "authError",
            403 => "forbidden",
            404 => "notFound",
            409 => "conflict",
            429 => "rateLimitExceeded",
            _ => "backendError",
        };
        let reason = self.reason.clone().unwrap_or_else(|| usual.to_owned());
        let message = self.message.clone().unwrap_or_else(|| match reason.as_str() {
            "userRateLimitExceeded" => "User rate limit exceeded.".to_owned(),
            "rateLimitExceeded" => "Rate Limit Exceeded".to_owned(),
            "backendError" => "Service unavailable".to_owned(),
            _ => reason.clone(),
        });
        (reason, message)
    }

    /// The error as Drive gives it.
    pub fn api_error(&self) -> ApiError {
        let (reason, message) = self.words();
        let limit = reason.contains("ateLimitExceeded") || reason.contains("uotaExceeded");
        let mut error = ApiError::new(self.code, reason, message).shape(match self.body {
            BodyShape::Json => Shape::Json,
            BodyShape::Html => Shape::Html,
            BodyShape::Text => Shape::Text,
        });
        if limit {
            error = error.domain("usageLimits");
        }
        if let Some(word) = &self.status {
            let reason = error.reason().to_owned();
            error = error.status_word(word.clone()).detail(serde_json::json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
            }));
        }
        match self.retry_after {
            Some(seconds) => error.retry_after(seconds),
            None => error,
        }
    }

    /// The error as the token endpoint gives it (7.7).
    pub fn token_error(&self) -> TokenError {
        let (reason, message) = self.words();
        TokenError {
            status: http::StatusCode::from_u16(self.code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR),
            ..TokenError::new(&reason, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_in_the_shape_of_its_endpoint() {
        let status = Status { retry_after: Some(3), ..Status::new(403, "userRateLimitExceeded") };
        let error = status.api_error();
        assert_eq!(error.body()["error"]["errors"][0]["domain"], "usageLimits");
        assert_eq!(error.respond(true).headers()["retry-after"], "3");
        assert_eq!(status.token_error().error, "userRateLimitExceeded");
        assert_eq!(Status { reason: None, ..Status::new(503, "") }.api_error().reason(), "backendError");
    }
}

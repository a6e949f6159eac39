//! Conflicts, rates, ranges and server trouble (6.10-6.18).

use http::header::HeaderValue;

use crate::error::ApiError;

impl ApiError {
    /// 409 `fileIdInUse` (1.17).
    pub fn file_id_in_use() -> Self {
        Self::new(409, "fileIdInUse", "A file already exists with the provided ID.").at_parameter("file.id")
    }

    /// 409 `teamDriveAlreadyExists` (6.14).
    pub fn shared_drive_exists() -> Self {
        Self::new(409, "teamDriveAlreadyExists", "A shared drive already exists with the provided request ID.")
    }

    /// 403 `userRateLimitExceeded` (6.24), the words also used for the daily upload limit (6.11).
    pub fn user_rate_limit() -> Self {
        Self::forbidden("userRateLimitExceeded", "User rate limit exceeded.").domain("usageLimits")
    }

    /// 429 `rateLimitExceeded` (6.16).
    pub fn too_many_requests() -> Self {
        Self::new(429, "rateLimitExceeded", "Rate Limit Exceeded").domain("usageLimits").status_word("RESOURCE_EXHAUSTED")
    }

    /// 403 `sharingRateLimitExceeded` (3.21).
    pub fn sharing_rate_limit() -> Self {
        Self::forbidden("sharingRateLimitExceeded", "Rate limit exceeded. User message: \"Sorry, you have exceeded your sharing quota.\"")
    }

    /// 416 for a range that starts at or after the end (2.4); the answer names the size.
    pub fn range_not_satisfiable(size: u64) -> Self {
        let error = Self::new(416, "requestedRangeNotSatisfiable", "Request range not satisfiable").at_header("Range");
        match HeaderValue::try_from(format!("bytes */{size}")) {
            Ok(value) => error.header(http::header::CONTENT_RANGE, value),
            Err(_) => error,
        }
    }

    /// 500 `internalError` (6.17). `message` may say more than Google would.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "internalError", message)
    }

    /// 500 after a panic, which is told on stderr.
    pub fn broke() -> Self {
        Self::internal("The emulator broke; its standard error says where.")
    }

    /// 503 `backendError` (6.17).
    pub fn unavailable() -> Self {
        Self::new(503, "backendError", "Service unavailable")
    }

    /// 501 for what Drive has and the emulator does not serve.
    pub fn not_implemented(what: &str) -> Self {
        Self::new(501, "notImplemented", format!("The Drive emulator does not serve {what}.")).domain("emulator")
    }
}

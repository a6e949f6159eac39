//! Errors in the shapes Google answers with (`drive-v3-behaviour` 6a).
//!
//! One type carries every shape: the classic Drive body, the front end's body with `status` and
//! `details`, and the HTML or plain-text bodies a client must survive. The catalogue of the errors
//! the emulator gives is in `catalogue`, as constructors.

mod answer;
mod catalogue;

use std::borrow::Cow;

use http::header::{HeaderName, HeaderValue};
use http::{StatusCode, header};
use serde_json::Value;

pub(crate) use answer::Reason;

/// What a handler that may refuse a request returns.
pub type ApiResult<T> = Result<T, ApiError>;

/// A refusal, ready to be sent. Small to move: what it carries is boxed.
#[derive(Debug, Clone)]
pub struct ApiError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: StatusCode,
    message: String,
    item: Item,
    status: Option<Cow<'static, str>>,
    details: Vec<Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    shape: Shape,
}

/// The one entry of `errors[]`.
#[derive(Debug, Clone)]
struct Item {
    /// Where it differs from the top message (6.4, 6.5); else the top message is repeated.
    message: Option<String>,
    /// Absent on typed-parameter failures (0.7).
    domain: Option<&'static str>,
    reason: String,
    location: Option<(String, &'static str)>,
    extended_help: Option<String>,
}

/// How the body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The JSON object of `drive-v3-behaviour` 6.1.
    Json,
    /// A front end's HTML page (6.3).
    Html,
    /// The bare message as text (6.3, 1.37).
    Text,
    /// No body at all, as upload servers answer some refusals.
    Empty,
}

impl ApiError {
    /// An error in the classic Drive shape, domain `global`: the base all constructors start from.
    pub fn new(code: u16, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code: StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: message.into(),
            item: Item { message: None, domain: Some("global"), reason: reason.into(), location: None, extended_help: None },
            status: None,
            details: Vec::new(),
            headers: Vec::new(),
            shape: Shape::Json,
        }))
    }

    /// Names the query parameter at fault: `location` with `locationType: parameter`.
    #[must_use]
    pub fn at_parameter(mut self, name: impl Into<String>) -> Self {
        self.0.item.location = Some((name.into(), "parameter"));
        self
    }

    /// The same under another HTTP status, where it is unsettled which one it has.
    #[must_use]
    pub fn with_code(mut self, code: u16) -> Self {
        self.0.code = StatusCode::from_u16(code).unwrap_or(self.0.code);
        self
    }

    /// Names the header at fault: `location` with `locationType: header`.
    #[must_use]
    pub fn at_header(mut self, name: impl Into<String>) -> Self {
        self.0.item.location = Some((name.into(), "header"));
        self
    }

    /// Replaces the domain of the entry, `usageLimits` for quotas; `None` leaves it out.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<Option<&'static str>>) -> Self {
        self.0.item.domain = domain.into();
        self
    }

    /// Gives `errors[0].message` a text of its own.
    #[must_use]
    pub fn item_message(mut self, message: impl Into<String>) -> Self {
        self.0.item.message = Some(message.into());
        self
    }

    /// Adds the `status` word the API front end uses, such as `INVALID_ARGUMENT` (6.2).
    #[must_use]
    pub fn status_word(mut self, status: impl Into<Cow<'static, str>>) -> Self {
        self.0.status = Some(status.into());
        self
    }

    /// Adds one entry to `details`.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.0.details.push(detail);
        self
    }

    /// Adds the help address to the entry.
    #[must_use]
    pub fn extended_help(mut self, url: impl Into<String>) -> Self {
        self.0.item.extended_help = Some(url.into());
        self
    }

    /// Adds `Retry-After`, in seconds. Drive does not document it, a fault may ask for it (6.19).
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Chooses how the body is written.
    #[must_use]
    pub fn shape(mut self, shape: Shape) -> Self {
        self.0.shape = shape;
        self
    }

    /// The HTTP status.
    pub fn code(&self) -> StatusCode {
        self.0.code
    }

    /// The machine-readable reason, `errors[0].reason`.
    pub fn reason(&self) -> &str {
        &self.0.item.reason
    }

    /// The sentence at the top of the body.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.0.code.as_u16(), self.reason(), self.message())
    }
}

impl std::error::Error for ApiError {}

/// Trouble inside the emulator itself: a 500 that says what broke, since only tests read it.
impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        Self::internal(format!("The emulator failed: {error:#}"))
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(format!("The emulator's store failed: {error}"))
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(format!("The emulator's files failed: {error}"))
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(format!("The emulator met JSON it did not expect: {error}"))
    }
}

//! Errors in the shapes Google answers with (`drive-v3-behaviour` 6a).
//!
//! One type carries every shape: the classic Drive body, the front end's body with `status` and
//! `details`, and the HTML or plain-text bodies a client must survive. The catalogue of the errors
//! the emulator gives is in `catalogue`, as constructors.

mod catalogue;

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{StatusCode, header};
use serde_json::{Value, json};

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

/// Why a request was refused, for the log: goes beside the answer, not in it.
#[derive(Debug, Clone)]
pub(crate) struct Reason(pub(crate) String);

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

    /// The JSON body, whatever the shape it will be sent in.
    pub fn body(&self) -> Value {
        let item = &self.0.item;
        let mut entry = json!({ "message": item.message.as_ref().unwrap_or(&self.0.message) });
        if let Some(domain) = item.domain {
            entry["domain"] = json!(domain);
        }
        entry["reason"] = json!(item.reason);
        if let Some((location, kind)) = &item.location {
            entry["location"] = json!(location);
            entry["locationType"] = json!(kind);
        }
        if let Some(help) = &item.extended_help {
            entry["extendedHelp"] = json!(help);
        }
        let mut error = json!({
            "code": self.0.code.as_u16(),
            "message": self.0.message,
            "errors": [entry],
        });
        if let Some(status) = &self.0.status {
            error["status"] = json!(status);
        }
        if !self.0.details.is_empty() {
            error["details"] = json!(self.0.details);
        }
        json!({ "error": error })
    }

    /// The answer, its JSON indented or not (`prettyPrint`, 0.3).
    pub fn respond(&self, pretty: bool) -> Response {
        let (kind, text) = match self.0.shape {
            Shape::Json => ("application/json; charset=UTF-8", render(&self.body(), pretty)),
            Shape::Html => ("text/html; charset=UTF-8", self.html()),
            Shape::Text => ("text/plain; charset=UTF-8", self.0.message.clone()),
            Shape::Empty => ("text/plain; charset=UTF-8", String::new()),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = self.0.code;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in &self.0.headers {
            headers.append(name, value.clone());
        }
        response.extensions_mut().insert(Reason(self.reason().to_owned()));
        response
    }

    fn html(&self) -> String {
        let code = self.0.code;
        let message = self.0.message.replace('&', "&amp;").replace('<', "&lt;");
        format!("<!DOCTYPE html>\n<html lang=en>\n<title>Error {code}</title>\n<h1>{code}</h1>\n<p>{message}</p>\n</html>\n")
    }
}

fn render(body: &Value, pretty: bool) -> String {
    if pretty { format!("{body:#}\n") } else { body.to_string() }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.respond(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b6_1_the_classic_body_has_no_status_word() {
        let body = ApiError::not_found_file("abc").body();
        assert_eq!(
            body,
            json!({"error": {
                "code": 404,
                "message": "File not found: abc.",
                "errors": [{
                    "message": "File not found: abc.",
                    "domain": "global",
                    "reason": "notFound",
                    "location": "fileId",
                    "locationType": "parameter",
                }],
            }})
        );
    }

    #[test]
    fn b0_7_a_bad_boolean_names_the_field_and_has_no_domain() {
        let body = ApiError::invalid_typed_value("supports_all_drives", "TYPE_BOOL", "NOPE").body();
        let error = &body["error"];
        assert_eq!(error["status"], "INVALID_ARGUMENT");
        assert_eq!(error["message"], "Invalid value at 'supports_all_drives' (TYPE_BOOL), \"NOPE\"");
        assert_eq!(error["errors"][0]["reason"], "invalid");
        assert!(error["errors"][0].get("domain").is_none());
        assert_eq!(error["details"][0]["fieldViolations"][0]["field"], "supports_all_drives");
    }

    #[test]
    fn b6_5_a_bad_token_says_so_twice_in_different_words() {
        let error = &ApiError::invalid_credentials().body()["error"];
        assert_eq!(error["code"], 401);
        assert_eq!(error["errors"][0]["message"], "Invalid Credentials");
        assert_ne!(error["message"], error["errors"][0]["message"]);
        assert_eq!(error["errors"][0]["locationType"], "header");
    }

    #[test]
    fn b6_3_bodies_may_be_text_or_html() {
        let text = ApiError::malformed_content_range().respond(true);
        assert_eq!(text.headers()[CONTENT_TYPE], "text/plain; charset=UTF-8");
        let html = ApiError::new(502, "backendError", "a <b> & c").shape(Shape::Html);
        assert!(html.html().contains("a &lt;b> &amp; c"));
        assert_eq!(html.respond(true).status(), 502);
    }

    #[test]
    fn a_retry_after_becomes_a_header() {
        let response = ApiError::user_rate_limit().retry_after(7).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        assert_eq!(response.status(), 403);
    }
}

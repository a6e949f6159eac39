//! A refusal on the wire.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::{ApiError, Shape};

/// Why a request was refused, for the log: goes beside the answer, not in it.
#[derive(Debug, Clone)]
pub(crate) struct Reason(pub(crate) String);

impl ApiError {
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

#[cfg(test)]
mod tests {
    use http::header;

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

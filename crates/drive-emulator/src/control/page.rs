//! The page at `/`: one document that brings everything along and shows what the control API tells.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use sha2::{Digest as _, Sha256};

const PAGE: &str = concat!(
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n",
    "<title>Drive emulator</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>",
    include_str!("page/style.css"),
    "</style>\n",
    include_str!("page/body.html"),
    "<script>",
    include_str!("page/script.js"),
    "</script>\n</html>\n",
);

/// What the page may do: run its own script and style, by their sums, and ask this server. What it shows comes from
/// users; no text becomes markup (`trusted-types`), no other site frames the page.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let sum = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (script, style) = (sum(include_str!("page/script.js")), sum(include_str!("page/style.css")));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    HeaderValue::from_str(&policy).ok()
});

/// The page.
pub(super) fn response() -> Response {
    let mut response = Html(PAGE).into_response();
    let headers = response.headers_mut();
    headers.extend(POLICY.clone().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! Credentials (6.4-6.7).

use http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use crate::error::ApiError;

impl ApiError {
    /// A request without a credential. The answer depends on the method and on `alt=media` (6.4).
    pub fn no_credential(method: &http::Method, alt_media: bool) -> Self {
        if *method == http::Method::GET && alt_media {
            return Self::new(403, "forbidden", "The request is missing a valid API key.");
        }
        if *method == http::Method::GET {
            return Self::new(
                403,
                "forbidden",
                "Method doesn't allow unregistered callers (callers without established identity). \
                 Please use API Key or other form of API consumer identity to call this API.",
            )
            .status_word("PERMISSION_DENIED");
        }
        Self::new(
            401,
            "required",
            "Request is missing required authentication credential. Expected OAuth 2 access token, login \
             cookie or other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
        .item_message("Login Required.")
        .at_header("Authorization")
        .status_word("UNAUTHENTICATED")
    }

    /// 401 `authError`: the bearer token is unknown, expired or revoked (6.5).
    pub fn invalid_credentials() -> Self {
        Self::new(
            401,
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
             other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
        .item_message("Invalid Credentials")
        .at_header("Authorization")
        .status_word("UNAUTHENTICATED")
        .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\""))
    }

    /// 403 `insufficientPermissions`: the token lacks the scope (6.6). `method` is the full method
    /// name, such as `google.apps.drive.v3.DriveFiles.Create`.
    pub fn insufficient_scope(method: &str) -> Self {
        Self::new(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
            .item_message("Insufficient Permission: Request had insufficient authentication scopes.")
            .status_word("PERMISSION_DENIED")
            .detail(json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": { "service": "drive.googleapis.com", "method": method },
            }))
            .header(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(
                    "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", \
                 scope=\"https://www.googleapis.com/auth/drive\"",
                ),
            )
    }

    /// 403 `accessNotConfigured`: the API is off in the caller's project (6.7).
    pub fn api_disabled(project: &str) -> Self {
        let url = format!("https://console.developers.google.com/apis/api/drive.googleapis.com/overview?project={project}");
        Self::new(
            403,
            "accessNotConfigured",
            format!(
                "Google Drive API has not been used in project {project} before or it is disabled. Enable it by visiting {url} then retry."
            ),
        )
        .domain("usageLimits")
        .extended_help(url)
        .status_word("PERMISSION_DENIED")
        .detail(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": { "service": "drive.googleapis.com", "consumer": format!("projects/{project}") },
        }))
    }
}

//! The errors Drive gives, by name (`drive-v3-behaviour` 6b and the items named below).

use http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use super::{ApiError, Shape};

/// What is said to service accounts that try to own bytes (7.16).
const NO_STORAGE: &str = "Service Accounts do not have storage quota. Leverage shared drives \
(https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation \
(http://support.google.com/a/answer/7281227) instead.";

/// 404: a thing that does not exist, or that the caller may not know of.
impl ApiError {
    /// 404 `notFound` for a file (2.1, 1.4).
    pub fn not_found_file(id: &str) -> Self {
        Self::new(404, "notFound", format!("File not found: {id}.")).at_parameter("fileId")
    }

    /// 404 `notFound` for a permission (3.17).
    pub fn not_found_permission(id: &str) -> Self {
        Self::new(404, "notFound", format!("Permission not found: {id}."))
            .at_parameter("permissionId")
    }

    /// 404 `notFound` for a shared drive.
    pub fn not_found_drive(id: &str) -> Self {
        Self::new(404, "notFound", format!("Shared drive not found: {id}")).at_parameter("driveId")
    }

    /// 404 `notFound` for a revision.
    pub fn not_found_revision(id: &str) -> Self {
        Self::new(404, "notFound", format!("Revision not found: {id}.")).at_parameter("revisionId")
    }

    /// 404 `notFound` for a notification channel (5.14).
    pub fn not_found_channel(id: &str, project: &str) -> Self {
        Self::new(
            404,
            "notFound",
            format!("Channel '{id}' not found for project '{project}'"),
        )
    }

    /// 404 for an upload session that expired or never was (1.36).
    pub fn not_found_upload() -> Self {
        Self::new(404, "notFound", "Not Found").shape(Shape::Text)
    }

    /// 404 for a path no method has.
    pub fn not_found_path(path: &str) -> Self {
        Self::new(
            404,
            "notFound",
            format!("The requested URL {path} was not found on this server."),
        )
    }
}

/// 400: the request itself is wrong; never worth a retry.
impl ApiError {
    /// 400 `invalid` "Invalid Value" at a parameter: bad `q`, `pageToken`, `orderBy` (2.35, 2.40, 2.51).
    pub fn invalid_value(parameter: &str) -> Self {
        Self::new(400, "invalid", "Invalid Value").at_parameter(parameter)
    }

    /// 400 `invalidParameter` with a sentence of its own, such as the range of `pageSize` (2.33).
    pub fn invalid_parameter(parameter: &str, message: impl Into<String>) -> Self {
        Self::new(400, "invalidParameter", message).at_parameter(parameter)
    }

    /// 400 for a `pageSize` outside its range (2.33).
    pub fn page_size_out_of_range(value: i64, low: i64, high: i64) -> Self {
        Self::invalid_parameter(
            "page_size",
            format!("Invalid value '{value}'. Values must be within the range: [{low}, {high}]"),
        )
    }

    /// 400 for a name in `fields` that nothing has (1.52); only the offending leaf is named.
    pub fn invalid_field_selection(name: &str) -> Self {
        Self::invalid_parameter("fields", format!("Invalid field selection {name}"))
    }

    /// 400 `INVALID_ARGUMENT` for a value of the wrong type (0.7, 2.33). `field` is the proto name,
    /// `kind` the proto type: `TYPE_BOOL`, `TYPE_INT32`.
    pub fn invalid_typed_value(field: &str, kind: &str, value: &str) -> Self {
        let message = format!("Invalid value at '{field}' ({kind}), \"{value}\"");
        Self::new(400, "invalid", message.clone())
            .domain(None)
            .status_word("INVALID_ARGUMENT")
            .detail(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{ "field": field, "description": message }],
            }))
    }

    /// 400 `required` for a parameter that is missing.
    pub fn required_parameter(name: &str) -> Self {
        Self::new(400, "required", format!("Required parameter: {name}")).at_parameter(name)
    }

    /// 400 `required` for methods that insist on a mask (1.56).
    pub fn required_fields() -> Self {
        Self::new(
            400,
            "required",
            "The 'fields' parameter is required for this method.",
        )
        .at_parameter("fields")
    }

    /// 400 `badRequest` with a sentence of its own.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "badRequest", message)
    }

    /// 400 `invalid` with a sentence of its own.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    /// 400 `parseError` for a body that is not JSON (6.8).
    pub fn parse_error() -> Self {
        Self::new(400, "parseError", "Parse Error")
    }

    /// 400 for a conversion that does not exist; `location` is `convertTo` on exports (2.9, 1.8).
    pub fn conversion_not_supported() -> Self {
        Self::bad_request("The requested conversion is not supported.").at_parameter("convertTo")
    }

    /// 400 for an id that was not generated by Drive or is of another kind (1.16).
    pub fn id_not_usable() -> Self {
        Self::new(400, "invalid", "The provided file ID is not usable.").at_parameter("file.id")
    }

    /// 400 with the plain-text body upload servers give (1.37).
    pub fn malformed_content_range() -> Self {
        Self::new(400, "badContent", "Failed to parse Content-Range header").shape(Shape::Text)
    }

    /// 400 `invalidSharingRequest`: nobody at Google has this address and no mail may be sent (3.6).
    pub fn no_google_account(email: &str) -> Self {
        Self::invalid_sharing_request(&format!(
            "You are trying to invite {email}. Since there is no Google account associated with this email \
             address, you must check the \"Notify people\" box to invite this recipient."
        ))
    }

    /// 400 `invalidSharingRequest` with Drive's wrapping of a sentence for people (3.6-3.8).
    pub fn invalid_sharing_request(user_message: &str) -> Self {
        Self::new(
            400,
            "invalidSharingRequest",
            format!("Bad Request. User message: \"{user_message}\""),
        )
    }

    /// 400 `invalid` for an address that cannot be shared with (3.9).
    pub fn invalid_email_address() -> Self {
        Self::new(
            400,
            "invalid",
            "The specified emailAddress is invalid or not applicable for the given permission type.",
        )
        .at_parameter("permission.emailAddress")
    }

    /// 400 `channelIdNotUnique` (5.4).
    pub fn channel_id_not_unique(id: &str) -> Self {
        Self::new(
            400,
            "channelIdNotUnique",
            format!("Channel id {id} not unique"),
        )
    }

    /// 400 `push.webhookUrlNotHttps` (5.5).
    pub fn webhook_not_https(address: &str) -> Self {
        Self::new(
            400,
            "push.webhookUrlNotHttps",
            format!("WebHook callback must be HTTPS: {address}"),
        )
    }

    /// 401 `push.webhookUrlUnauthorized` (5.6).
    pub fn webhook_unauthorized(address: &str) -> Self {
        Self::new(
            401,
            "push.webhookUrlUnauthorized",
            format!("Unauthorized WebHook callback channel: {address}"),
        )
    }
}

/// Credentials (6.4-6.7).
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
        .header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\""),
        )
    }

    /// 403 `insufficientPermissions`: the token lacks the scope (6.6). `method` is the full method
    /// name, such as `google.apps.drive.v3.DriveFiles.Create`.
    pub fn insufficient_scope(method: &str) -> Self {
        Self::new(
            403,
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
        )
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
        let url = format!(
            "https://console.developers.google.com/apis/api/drive.googleapis.com/overview?project={project}"
        );
        Self::new(
            403,
            "accessNotConfigured",
            format!("Google Drive API has not been used in project {project} before or it is disabled. Enable it by visiting {url} then retry."),
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

/// 403: the caller is known and may not.
impl ApiError {
    /// 403 with a reason of the catalogue (6.12, 3.10) and its sentence.
    pub fn forbidden(reason: &str, message: impl Into<String>) -> Self {
        Self::new(403, reason, message)
    }

    /// 403 `insufficientFilePermissions` (2.60, 3.11).
    pub fn insufficient_file_permissions() -> Self {
        Self::forbidden(
            "insufficientFilePermissions",
            "The user does not have sufficient permissions for this file.",
        )
    }

    /// 403 `insufficientParentPermissions` (1.5).
    pub fn insufficient_parent_permissions() -> Self {
        Self::forbidden(
            "insufficientParentPermissions",
            "Insufficient permissions for the specified parent.",
        )
    }

    /// 403 `parentNotAFolder` (1.6).
    pub fn parent_not_a_folder() -> Self {
        Self::forbidden("parentNotAFolder", "The specified parent is not a folder.")
    }

    /// 403 `cannotAddParent` (1.3, 2.17).
    pub fn cannot_add_parent() -> Self {
        Self::forbidden(
            "cannotAddParent",
            "Increasing the number of parents is not allowed",
        )
    }

    /// 403 `teamDrivesParentLimit` (1.3).
    pub fn shared_drive_parent_limit() -> Self {
        Self::forbidden(
            "teamDrivesParentLimit",
            "A shared drive item must have exactly one parent.",
        )
    }

    /// 403 `teamDrivesFolderMoveInNotSupported` (2.23).
    pub fn folder_move_into_shared_drive() -> Self {
        Self::forbidden(
            "teamDrivesFolderMoveInNotSupported",
            "Moving folders into shared drives is not supported.",
        )
    }

    /// 403 `fieldNotWritable` (1.9, 3.16).
    pub fn field_not_writable() -> Self {
        Self::forbidden(
            "fieldNotWritable",
            "The resource body includes fields which are not directly writable.",
        )
    }

    /// 403 `fieldNotWritable` for `parents` in the body of an update (2.16).
    pub fn parents_not_writable() -> Self {
        Self::forbidden(
            "fieldNotWritable",
            "The parents field is not directly writable in update requests. Use the addParents and \
             removeParents parameters instead.",
        )
    }

    /// 403: editors' files take no generated id (1.16).
    pub fn generated_id_for_editors_file() -> Self {
        Self::forbidden(
            "insufficientFilePermissions",
            "Generated IDs are not supported for Docs Editors formats.",
        )
    }

    /// 403 `fileNotDownloadable` (2.8).
    pub fn file_not_downloadable() -> Self {
        Self::forbidden(
            "fileNotDownloadable",
            "Only files with binary content can be downloaded. Use Export with Docs Editors files.",
        )
        .at_parameter("alt")
    }

    /// 403 `fileNotExportable` (2.9).
    pub fn file_not_exportable() -> Self {
        Self::forbidden(
            "fileNotExportable",
            "Export only supports Docs Editors files.",
        )
    }

    /// 403 `exportSizeLimitExceeded` (2.9).
    pub fn export_too_large() -> Self {
        Self::forbidden(
            "exportSizeLimitExceeded",
            "This file is too large to be exported.",
        )
    }

    /// 403 `cannotDownloadAbusiveFile` (2.11).
    pub fn abusive_file() -> Self {
        Self::forbidden(
            "cannotDownloadAbusiveFile",
            "This file has been identified as malware or spam and cannot be downloaded.",
        )
    }

    /// 403 `invalidAbuseAcknowledgment` (2.3).
    pub fn invalid_abuse_acknowledgment() -> Self {
        Self::forbidden(
            "invalidAbuseAcknowledgment",
            "Only the owner can download abusive files, and only when alt=media is requested.",
        )
        .at_parameter("acknowledgeAbuse")
    }

    /// 403 `supportsTeamDrivesRequired` (2.36).
    pub fn supports_all_drives_required() -> Self {
        Self::forbidden(
            "supportsTeamDrivesRequired",
            "The supportsAllDrives parameter was not set to true.",
        )
    }

    /// 403 `teamDriveIncludeItemsRequired` (2.37).
    pub fn include_items_required() -> Self {
        Self::forbidden(
            "teamDriveIncludeItemsRequired",
            "The includeItemsFromAllDrives parameter must be set to true when the corpora or driveId \
             parameters name shared drives.",
        )
    }

    /// 403 `cannotModifyInheritedPermission`, or its shared-drive name (3.12).
    pub fn inherited_permission(shared_drive: bool) -> Self {
        let reason = if shared_drive {
            "cannotModifyInheritedTeamDrivePermission"
        } else {
            "cannotModifyInheritedPermission"
        };
        Self::forbidden(
            reason,
            "Cannot update or delete an inherited permission on an item.",
        )
    }

    /// 403 `cannotRemoveOwner` (3.17).
    pub fn cannot_remove_owner() -> Self {
        Self::forbidden(
            "cannotRemoveOwner",
            "The owner of a file cannot be removed.",
        )
    }

    /// 403 `pageTokenExpired`, for an empty token in permissions.list (3.15).
    pub fn page_token_expired() -> Self {
        Self::forbidden("pageTokenExpired", "The page token has expired.").at_parameter("pageToken")
    }

    /// 403 `storageQuotaExceeded` for a service account that would own bytes (7.16).
    pub fn service_account_storage() -> Self {
        Self::forbidden("storageQuotaExceeded", NO_STORAGE).domain("usageLimits")
    }

    /// 403 `storageQuotaExceeded` for a user whose storage is full.
    pub fn storage_quota() -> Self {
        Self::forbidden(
            "storageQuotaExceeded",
            "The user's Drive storage quota has been exceeded.",
        )
    }
}

/// Conflicts, rates, ranges and server trouble (6.10-6.18).
impl ApiError {
    /// 409 `fileIdInUse` (1.17).
    pub fn file_id_in_use() -> Self {
        Self::new(
            409,
            "fileIdInUse",
            "A file already exists with the provided ID.",
        )
        .at_parameter("file.id")
    }

    /// 409 `teamDriveAlreadyExists` (6.14).
    pub fn shared_drive_exists() -> Self {
        Self::new(
            409,
            "teamDriveAlreadyExists",
            "A shared drive already exists with the provided request ID.",
        )
    }

    /// 403 `userRateLimitExceeded` (6.24), the words also used for the daily upload limit (6.11).
    pub fn user_rate_limit() -> Self {
        Self::forbidden("userRateLimitExceeded", "User rate limit exceeded.").domain("usageLimits")
    }

    /// 429 `rateLimitExceeded` (6.16).
    pub fn too_many_requests() -> Self {
        Self::new(429, "rateLimitExceeded", "Rate Limit Exceeded")
            .domain("usageLimits")
            .status_word("RESOURCE_EXHAUSTED")
    }

    /// 403 `sharingRateLimitExceeded` (3.21).
    pub fn sharing_rate_limit() -> Self {
        Self::forbidden(
            "sharingRateLimitExceeded",
            "Rate limit exceeded. User message: \"Sorry, you have exceeded your sharing quota.\"",
        )
    }

    /// 416 for a range that starts at or after the end (2.4); the answer names the size.
    pub fn range_not_satisfiable(size: u64) -> Self {
        let error = Self::new(
            416,
            "requestedRangeNotSatisfiable",
            "Request range not satisfiable",
        )
        .at_header("Range");
        match HeaderValue::try_from(format!("bytes */{size}")) {
            Ok(value) => error.header(http::header::CONTENT_RANGE, value),
            Err(_) => error,
        }
    }

    /// 500 `internalError` (6.17). `message` may say more than Google would.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "internalError", message)
    }

    /// 503 `backendError` (6.17).
    pub fn unavailable() -> Self {
        Self::new(503, "backendError", "Service unavailable")
    }

    /// 501 for what Drive has and the emulator does not serve.
    pub fn not_implemented(what: &str) -> Self {
        Self::new(
            501,
            "notImplemented",
            format!("The Drive emulator does not serve {what}."),
        )
        .domain("emulator")
    }
}

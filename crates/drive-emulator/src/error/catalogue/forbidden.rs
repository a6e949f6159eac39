//! 403: the caller is known and may not.

use crate::error::ApiError;

/// What is said to service accounts that try to own bytes (7.16).
const NO_STORAGE: &str = "Service Accounts do not have storage quota. Leverage shared drives \
(https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation \
(http://support.google.com/a/answer/7281227) instead.";

impl ApiError {
    /// 403 with a reason of the catalogue (6.12, 3.10) and its sentence.
    pub fn forbidden(reason: &str, message: impl Into<String>) -> Self {
        Self::new(403, reason, message)
    }

    /// 403 `insufficientFilePermissions` (2.60, 3.11).
    pub fn insufficient_file_permissions() -> Self {
        Self::forbidden("insufficientFilePermissions", "The user does not have sufficient permissions for this file.")
    }

    /// 403 `insufficientParentPermissions` (1.5).
    pub fn insufficient_parent_permissions() -> Self {
        Self::forbidden("insufficientParentPermissions", "Insufficient permissions for the specified parent.")
    }

    /// 403 `parentNotAFolder` (1.6).
    pub fn parent_not_a_folder() -> Self {
        Self::forbidden("parentNotAFolder", "The specified parent is not a folder.")
    }

    /// 403 `cannotAddParent` (1.3, 2.17).
    pub fn cannot_add_parent() -> Self {
        Self::forbidden("cannotAddParent", "Increasing the number of parents is not allowed")
    }

    /// 403 `teamDrivesParentLimit` (1.3).
    pub fn shared_drive_parent_limit() -> Self {
        Self::forbidden("teamDrivesParentLimit", "A shared drive item must have exactly one parent.")
    }

    /// 403 `teamDrivesFolderMoveInNotSupported` (2.23).
    pub fn folder_move_into_shared_drive() -> Self {
        Self::forbidden("teamDrivesFolderMoveInNotSupported", "Moving folders into shared drives is not supported.")
    }

    /// 403 `fieldNotWritable` (1.9, 3.16).
    pub fn field_not_writable() -> Self {
        Self::forbidden("fieldNotWritable", "The resource body includes fields which are not directly writable.")
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
        Self::forbidden("insufficientFilePermissions", "Generated IDs are not supported for Docs Editors formats.")
    }

    /// 403 `fileNotDownloadable` (2.8).
    pub fn file_not_downloadable() -> Self {
        Self::forbidden("fileNotDownloadable", "Only files with binary content can be downloaded. Use Export with Docs Editors files.")
            .at_parameter("alt")
    }

    /// 403 `fileNotExportable` (2.9).
    pub fn file_not_exportable() -> Self {
        Self::forbidden("fileNotExportable", "Export only supports Docs Editors files.")
    }

    /// 403 `exportSizeLimitExceeded` (2.9).
    pub fn export_too_large() -> Self {
        Self::forbidden("exportSizeLimitExceeded", "This file is too large to be exported.")
    }

    /// 403 `cannotDownloadAbusiveFile` (2.11).
    pub fn abusive_file() -> Self {
        Self::forbidden("cannotDownloadAbusiveFile", "This file has been identified as malware or spam and cannot be downloaded.")
    }

    /// 403 `invalidAbuseAcknowledgment` (2.3).
    pub fn invalid_abuse_acknowledgment() -> Self {
        Self::forbidden("invalidAbuseAcknowledgment", "Only the owner can download abusive files, and only when alt=media is requested.")
            .at_parameter("acknowledgeAbuse")
    }

    /// 403 `supportsTeamDrivesRequired` (2.36).
    pub fn supports_all_drives_required() -> Self {
        Self::forbidden("supportsTeamDrivesRequired", "The supportsAllDrives parameter was not set to true.")
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
        let reason = if shared_drive { "cannotModifyInheritedTeamDrivePermission" } else { "cannotModifyInheritedPermission" };
        Self::forbidden(reason, "Cannot update or delete an inherited permission on an item.")
    }

    /// 403 `cannotRemoveOwner` (3.17).
    pub fn cannot_remove_owner() -> Self {
        Self::forbidden("cannotRemoveOwner", "The owner of a file cannot be removed.")
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
        Self::forbidden("storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")
    }
}

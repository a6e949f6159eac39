//! 404: a thing that does not exist, or that the caller may not know of.

use crate::error::{ApiError, Shape};

impl ApiError {
    /// 404 `notFound` for a file (2.1, 1.4).
    pub fn not_found_file(id: &str) -> Self {
        Self::new(404, "notFound", format!("File not found: {id}.")).at_parameter("fileId")
    }

    /// 404 `notFound` for a permission (3.17).
    pub fn not_found_permission(id: &str) -> Self {
        Self::new(404, "notFound", format!("Permission not found: {id}.")).at_parameter("permissionId")
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
        Self::new(404, "notFound", format!("Channel '{id}' not found for project '{project}'"))
    }

    /// 404 for an upload session that expired or never was (1.36).
    pub fn not_found_upload() -> Self {
        Self::new(404, "notFound", "Not Found").shape(Shape::Text)
    }

    /// 404 for a path no method has.
    pub fn not_found_path(path: &str) -> Self {
        Self::new(404, "notFound", format!("The requested URL {path} was not found on this server."))
    }
}

//! The folder that the trees of all technicians lie in, where it is not as it has to be.

use crate::error::{Exit, Failure};

/// It lies in the trash. Drive makes folders inside it without a word then; nobody would ever see them.
pub fn parent_trashed(id: &str) -> Failure {
    Failure::new(Exit::Refused, "parent_trashed", format!("the parent folder {id} is in Drive's trash"))
}

/// It is not there for this account.
pub fn parent_not_found(id: &str, account: &str) -> Failure {
    Failure::new(Exit::Refused, "parent_not_found", format!("the parent folder {id} does not exist on Drive, or {account} cannot see it"))
        .hint(format!(
            "share it with {account} as writer (Editor), or correct `drive.parent_folder_id`; if it lies in a shared drive set `drive.shared_drive_id`"
        ))
}

//! Whom and what an act may name.

use super::Control;
use crate::error::{ApiError, ApiResult};
use crate::store::accounts;

/// Kinds of editors' files.
const KINDS: [&str; 5] = ["document", "spreadsheet", "presentation", "drawing", "form"];

/// Refuses what is no address somebody may have.
pub(super) fn address(email: &str) -> ApiResult<()> {
    let sound = email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if sound && !email.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("{email:?} is no address, such as ana@example.com.")))
}

/// Refuses what is neither a service account's name nor its whole address.
pub(crate) fn service_name(name: &str) -> ApiResult<()> {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._@".contains(c)) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("{name:?} is no name of a service account: letters, digits and dashes.")).at_parameter("name"))
}

/// Refuses what is no kind of editors' file.
pub(super) fn kind(kind: &str) -> ApiResult<()> {
    if KINDS.contains(&kind) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("{kind:?} is no kind; there are {}.", KINDS.join(", "))).at_parameter("kind"))
}

impl Control {
    /// Refuses an address nobody has.
    pub(crate) fn known(&self, email: &str) -> ApiResult<()> {
        if self.app.store.read(|db| accounts::find(db, email))?.is_some() {
            return Ok(());
        }
        Err(ApiError::new(404, "notFound", format!("Nobody has the address {email:?}.")))
    }
}

//! With whom `novos` is to be shared.

use super::Provisioner;
use crate::ledger::{Technician, WantedGrant};

/// The role of the technician's own address after `share --revoke`: remembered as not wanted.
pub const NO_ROLE: &str = "none";

impl Provisioner<'_> {
    /// The technician, in the configured role, and whoever `share --with` added. What was said of the technician's own
    /// address with `share` wins over the configuration.
    pub async fn wanted_grants(&self, technician: &Technician) -> anyhow::Result<Vec<WantedGrant>> {
        let mut grants = self.ledger.wanted_grants(&technician.user).await?;
        if let Some(email) = technician.email.clone().filter(|email| !grants.iter().any(|g| g.email == *email)) {
            grants.insert(0, WantedGrant { email, role: self.settings.share.role.clone(), notify: self.settings.share.notify });
        }
        grants.retain(|g| g.role != NO_ROLE);
        Ok(grants)
    }
}

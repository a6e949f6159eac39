//! What a run with a limited reach is refused, and how it hears of others.

use super::Provisioner;
use crate::domain::technician::UserId;
use crate::error::{Exit, Failure};
use crate::ledger::Technician;

impl Provisioner<'_> {
    /// Fails with `gate_refused` (77) for somebody who may not be touched.
    pub fn may_touch(&self, user: &UserId) -> Result<(), Failure> {
        if self.reach.holds(user) {
            return Ok(());
        }
        Err(Failure::new(Exit::Refused, "gate_refused", "this key may not act on that user").hint("name a user of your own"))
    }

    /// Another technician in a sentence: without id and folder where they may not be named.
    pub(super) fn naming(&self, other: &Technician) -> String {
        if self.reach.holds(&other.user) {
            format!("the technician {} ({})", other.user, other.folder)
        } else {
            "another technician".to_owned()
        }
    }
}

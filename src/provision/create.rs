//! Creating one technician: enter, observe, plan, apply, all under the technician's lock.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Applied, Candidate, Plan, Prepared, Provisioner, Survey, prepare};
use crate::fs_layout::{Credentials, Key};

/// How a creation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Made now, or finished now.
    Created,
    /// Everything was as wanted.
    Unchanged,
    /// Something was put right.
    Repaired,
}

/// A technician after `create`.
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Who, and their folders.
    pub prepared: Prepared,
    /// What was found to differ before.
    pub plan: Plan,
    /// What has become of it.
    pub applied: Applied,
}

impl Provisioner<'_> {
    /// Makes, finishes or mends one technician. A `survey` taken for many spares each its own; one that is older than
    /// somebody else's work on this technician is taken again. `tecnicos.json` is left to the caller, who may
    /// write for many at once.
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(user = %candidate.user))]
    pub async fn create(
        &self,
        candidate: &Candidate,
        survey: Option<&Survey>,
        secrets: Option<(&Key, &Credentials)>,
    ) -> anyhow::Result<Outcome> {
        let lock = self.ledger.lock_technician(&candidate.user).await?;
        let own;
        let survey = match survey {
            Some(survey) if !lock.waited() => survey,
            _ => {
                own = prepare(self, std::slice::from_ref(candidate)).await?;
                &own
            }
        };
        let mut prepared = self.enter(candidate, survey).await?;
        let there = self.observe(&prepared.technician, &prepared.rows, survey).await?;
        let plan = self.plan(&prepared, &there).await?;
        let applied = self.apply(&mut prepared, &plan, &there, secrets).await?;
        let status = match (prepared.unfinished, applied.changed) {
            (true, _) => Status::Created,
            (false, true) => Status::Repaired,
            (false, false) => Status::Unchanged,
        };
        Ok(Outcome { status, prepared, plan, applied })
    }

    /// Puts right what `check` found, under the technician's lock.
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(user = %prepared.technician.user))]
    pub async fn repair(&self, prepared: &mut Prepared) -> anyhow::Result<Applied> {
        let _lock = self.ledger.lock_technician(&prepared.technician.user).await?;
        prepared.rows = self.assign(&prepared.technician, &self.settings.layout.drive_folders()).await?;
        let subject = super::Subject { user: &prepared.technician.user, folder: &prepared.technician.folder, rows: &prepared.rows };
        let survey = self.survey(&[subject]).await?;
        let there = self.observe(&prepared.technician, &prepared.rows, &survey).await?;
        let plan = self.plan(prepared, &there).await?;
        self.apply(prepared, &plan, &there, None).await
    }
}

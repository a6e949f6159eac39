//! Creating one technician: enter, observe, plan, apply, all under the technician's lock.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Applied, Candidate, Observed, Plan, Prepared, Provisioner, Survey, prepare};
use crate::domain::technician::Email;
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
    /// Back after a removal, with everything there was.
    Restored,
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
    /// The address that was theirs until now, where another was asked for.
    pub former_email: Option<Email>,
}

/// A creation that is decided and not carried out.
pub struct Foreseen {
    /// Who, and their folders.
    pub prepared: Prepared,
    pub(super) there: Observed,
    /// What differs now.
    pub plan: Plan,
    /// The address that was theirs until now, where another is asked for.
    pub former_email: Option<Email>,
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
        self.may_touch(&candidate.user)?;
        let lock = self.ledger.lock_technician(&candidate.user).await?;
        let Foreseen { mut prepared, there, plan, former_email } = self.foresee(candidate, survey.filter(|_| !lock.waited())).await?;
        let applied = self.apply(&mut prepared, &plan, &there, secrets).await?;
        let status = match (prepared.restored, prepared.unfinished, applied.changed) {
            (true, ..) => Status::Restored,
            (_, true, _) => Status::Created,
            (_, _, true) => Status::Repaired,
            _ => Status::Unchanged,
        };
        Ok(Outcome { status, prepared, plan, applied, former_email })
    }

    /// Enters, observes and plans: everything that comes before Drive and the VM are changed. `survey` where one was taken for
    /// many and is young enough.
    pub(super) async fn foresee(&self, candidate: &Candidate, survey: Option<&Survey>) -> anyhow::Result<Foreseen> {
        let before = self.ledger.technician(&candidate.user).await?.and_then(|t| t.email);
        let mut own = None;
        if survey.is_none() {
            own = Some(prepare(self, std::slice::from_ref(candidate)).await?);
        }
        let nothing = Survey::default();
        let prepared = self.enter(candidate, survey.or(own.as_ref()).unwrap_or(&nothing)).await?;
        if prepared.restored && own.is_none() {
            // Somebody removed since the survey for many was taken lies elsewhere by now.
            own = Some(prepare(self, std::slice::from_ref(candidate)).await?);
        }
        let survey = own.as_ref().or(survey).unwrap_or(&nothing);
        let there = self.observe(&prepared.technician, &prepared.rows, survey).await?;
        let plan = self.plan(&prepared, &there).await?;
        let former_email = before.filter(|old| prepared.technician.email.as_ref() != Some(old));
        Ok(Foreseen { prepared, there, plan, former_email })
    }

    /// Puts right what `check` found, under the technician's lock. Somebody removed since is left alone.
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(user = %prepared.technician.user))]
    pub async fn repair(&self, prepared: &mut Prepared) -> anyhow::Result<Applied> {
        let _lock = self.ledger.lock_technician(&prepared.technician.user).await?;
        prepared.technician = self.in_service(&prepared.technician).await?;
        Ok(self.make_so(prepared).await?.1)
    }
}

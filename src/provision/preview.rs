//! What a creation would do, without writing anything anywhere.

use super::create::Foreseen;
use super::observe::{Seen, Subject, Survey};
use super::{Candidate, Drift, Plan, Prepared, Problem, Provisioner, prepare};

impl Provisioner<'_> {
    /// What a creation would do for each candidate, and why it would fail. To be asked on a copy of the ledger
    /// ([`crate::ledger::Ledger::sketch`]): the names and ids of one count for the next.
    pub async fn preview(&self, candidates: &[Candidate]) -> anyhow::Result<Vec<anyhow::Result<Foreseen>>> {
        let each = self.settings.layout.drive_folders().len();
        // Nothing is made, so they need not be Drive's.
        let ids: Vec<String> = (0..candidates.len() * each).map(|n| format!("dry-run-{n:08}")).collect();
        self.ledger.add_spare_ids(&ids).await?;
        let survey = prepare(self, candidates).await?;
        let mut previews = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            previews.push(self.preview_one(candidate, &survey).await);
        }
        Ok(previews)
    }

    async fn preview_one(&self, candidate: &Candidate, survey: &Survey) -> anyhow::Result<Foreseen> {
        self.may_touch(&candidate.user)?;
        let foreseen = self.foresee(candidate, Some(survey)).await?;
        self.check_way_is_free(&foreseen.prepared.technician, &foreseen.plan)?;
        let is_new = matches!(foreseen.there.folders.get(""), Some(Seen::NeverMade | Seen::Gone { .. }));
        let in_the_trash = || async { anyhow::Ok(self.drive.get(&self.parent()?).await?.is_some_and(|parent| parent.trashed)) };
        if foreseen.plan.drifts.iter().any(|d| d.problem == Problem::ParentTrashed) || (is_new && in_the_trash().await?) {
            return Err(self.parent_trashed().into());
        }
        Ok(foreseen)
    }

    /// The differences of many technicians, from one survey.
    pub async fn plans(&self, prepared: &[Prepared]) -> anyhow::Result<Vec<Plan>> {
        let subjects: Vec<Subject<'_>> =
            prepared.iter().map(|p| Subject { user: &p.technician.user, folder: &p.technician.folder, rows: &p.rows }).collect();
        let survey = self.survey(&subjects).await?;
        let mut plans = Vec::with_capacity(prepared.len());
        for one in prepared {
            if one.technician.removing_at.is_some() {
                let drift = Drift { place: one.technician.folder.clone(), problem: Problem::RemovalUnfinished };
                plans.push(Plan { drifts: vec![drift] });
                continue;
            }
            let there = self.observe(&one.technician, &one.rows, &survey).await?;
            plans.push(self.plan(one, &there).await?);
        }
        Ok(plans)
    }
}

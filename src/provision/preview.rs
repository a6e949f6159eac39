//! What a creation would do, without writing anything anywhere.

use super::observe::Subject;
use super::{Candidate, Drift, Plan, Prepared, Problem, Provisioner};
use crate::domain::clock;
use crate::ledger::Technician;

/// What would be done for one candidate.
pub struct Preview {
    /// Who.
    pub user: String,
    /// What differs now.
    pub plan: Plan,
}

impl Provisioner<'_> {
    /// Plans for each candidate from what is there.
    pub async fn preview(&self, candidates: &[Candidate]) -> anyhow::Result<Vec<Preview>> {
        let mut prepared = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let technician = match self.ledger.technician(&candidate.user).await? {
                // A creation takes a removal back.
                Some(known) => Technician { removed_at: None, removing_at: None, ..known },
                None => imagined(candidate),
            };
            prepared.push(self.known(technician).await?);
        }
        self.plans(&prepared)
            .await
            .map(|plans| plans.into_iter().zip(&prepared).map(|(plan, p)| Preview { user: p.technician.user.to_string(), plan }).collect())
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

fn imagined(candidate: &Candidate) -> Technician {
    let wanted = &candidate.wanted;
    Technician {
        user: candidate.user.clone(),
        name: candidate.called.clone(),
        email: wanted.email.clone(),
        portal_user: wanted.portal_user.clone(),
        folder: wanted.folder.clone(),
        created_at: clock::now(),
        removed_at: None,
        removing_at: None,
        place: None,
        former_email: None,
        registry_entry: None,
        renaming_at: None,
    }
}

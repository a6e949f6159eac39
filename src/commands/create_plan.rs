//! `tecnico create --dry-run`: what would be done. Nothing is written, on either side or in the ledger.

use schemars::JsonSchema;
use serde::Serialize;

use super::create;
use super::report::Cost;
use crate::context::Context;
use crate::document::Document;
use crate::error::Exit;
use crate::provision::{Candidate, Foreseen};
use crate::verdict::advice;

/// What `create --dry-run` would do.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct DryRun {
    steps: Vec<Step>,
    /// Of many: who would fail.
    failed: Vec<Failing>,
    drive: Cost,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    user: String,
    /// What is missing or wrong.
    problem: &'static str,
    place: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Failing {
    user: String,
    error: String,
    hint: Option<String>,
}

impl Document for DryRun {
    const SCHEMA: &'static str = "tecnico.create.plan/1";
}

/// Of one technician; fails as the creation would.
pub(super) async fn of_one(candidate: &Candidate, context: &Context) -> anyhow::Result<Exit> {
    let mut plan = DryRun::default();
    for foreseen in foresee(std::slice::from_ref(candidate), context).await? {
        plan.add(&foreseen?, context);
    }
    plan.finish(context).await
}

/// Of every row of a file; ends with 1 where one would fail.
pub(super) async fn of_many(candidates: &[Candidate], context: &Context) -> anyhow::Result<Exit> {
    let mut plan = DryRun::default();
    for (candidate, foreseen) in candidates.iter().zip(foresee(candidates, context).await?) {
        match foreseen {
            Ok(foreseen) => plan.add(&foreseen, context),
            Err(fault) => {
                let error = format!("{fault:#}");
                context.ui.warn(format!("{} {}: {error}", context.ui.bad("would fail"), candidate.user));
                plan.failed.push(Failing { user: candidate.user.to_string(), error, hint: advice(&fault).hint });
            }
        }
    }
    plan.finish(context).await
}

async fn foresee(candidates: &[Candidate], context: &Context) -> anyhow::Result<Vec<anyhow::Result<Foreseen>>> {
    let sketch = context.sketch().await?;
    context.provisioner_on(sketch.ledger()).await?.preview(candidates).await
}

impl DryRun {
    fn add(&mut self, foreseen: &Foreseen, context: &Context) {
        let Foreseen { prepared, plan, former_email, .. } = foreseen;
        create::notes(prepared, plan, former_email.as_ref(), context);
        let steps: Vec<_> = plan.drifts.iter().filter(|d| d.problem.is_repairable()).collect();
        for drift in &steps {
            context.ui.say(format!("would put right: {}", drift.sentence()));
            let user = prepared.technician.user.to_string();
            self.steps.push(Step { user, problem: drift.problem.code(), place: drift.place.clone() });
        }
        if steps.is_empty() {
            context.ui.say(format!("{}: nothing to do", prepared.technician.user));
        }
    }

    async fn finish(mut self, context: &Context) -> anyhow::Result<Exit> {
        self.drive = context.drive().await?.meter().into();
        if context.ui.is_json() {
            context.ui.json(&self);
        }
        Ok(if self.failed.is_empty() { Exit::Done } else { Exit::NotClean })
    }
}

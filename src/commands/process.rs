//! `tecnico process`.

use std::time::Duration;

use super::check;
use super::cycle_report::{self, Processed};
use crate::agent::{Job, Plan, Scope, is_of_callbacks, wake};
use crate::context::Context;
use crate::drive::FileId;
use crate::error::{Exit, Failure};

/// One of three; the usage says which where none was named.
const USAGE: &str = "tecnico process [OPTIONS] USER…\n       tecnico process [OPTIONS] --all\n       tecnico process [OPTIONS] --file ID";
/// How long a run waits for the cycle of a `watch` that is under way.
const PATIENCE: Duration = Duration::from_mins(2);

/// Take, judge and file away what some technicians have in novos, now
///
/// The same as watch, over the whole novos of those named instead of what Drive says has changed. What waits for a later
/// try is taken at once; what waits still is shown, with until when:
///
///     tecnico process 42
///     tecnico process --all
///     tecnico process --file 1AbCdEfGhIjKlMnOpQrStUvWxYz
///
/// With --job-id, callbacks answer that task of the backend; it hears of the run's end even where there was nothing to do, and
/// of files that have to wait: their end is told under the same id.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = USAGE)]
pub struct Args {
    /// The technicians
    #[arg(required_unless_present_any = ["all", "file"], conflicts_with_all = ["all", "file"])]
    users: Vec<String>,
    /// Every technician
    #[arg(long, conflicts_with = "file")]
    all: bool,
    /// One file, by its id on Drive
    #[arg(long, value_name = "ID")]
    file: Option<String>,
    /// The backend's task that this run answers
    #[arg(long, value_name = "ID")]
    job_id: Option<String>,
    /// Where the callbacks of this run go, instead of callback.url
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
}

/// Runs `tecnico process`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let agent = context.agent().await?;
    let job = Job::named(args.job_id, args.callback_url.as_deref(), &agent.settings.callback)?;
    let scope = if let Some(file) = &args.file {
        let id = FileId::new(file).map_err(|e| Failure::new(Exit::Usage, "bad_file_id", e.to_string()))?;
        Scope::File(id)
    } else {
        let provisioner = context.provisioner().await?;
        let mut users = Vec::new();
        for user in &args.users {
            users.push(check::known(user, &provisioner).await?.user);
        }
        if args.all {
            users = agent.ledger.technicians().await?.into_iter().map(|t| t.user).collect();
        }
        Scope::Users(users)
    };
    let plan =
        Plan { wait_for_settling: true, patience: PATIENCE, hurry: Some("asked for by `tecnico process`"), job, ..Plan::over(scope) };
    let mut report = wake::run_once(&agent, &plan).await?;
    if context.global.within.is_some() {
        // Callbacks go out along with it, whosever they are.
        report.faults.retain(|fault| !is_of_callbacks(&fault.failure));
    }
    cycle_report::tell::<Processed>(&report, true, context);
    Ok(report.exit())
}

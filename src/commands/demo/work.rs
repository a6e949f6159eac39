//! The cycles of the demo, and what they say.

use std::path::Path;

use super::files::{self, Drops};
use super::heading;
use crate::agent::{Agent, FiledLine, Plan, Scope};
use crate::context::Context;
use crate::domain::item::Outcome;
use crate::domain::text::visible;

/// After so many cycles everything there is has been handled.
const CYCLES: usize = 5;

/// Cycles until nothing is left to do, as `tecnico watch` would be run by a timer.
pub(super) async fn work(dir: &Path, agent: &Agent, drops: &Drops, context: &Context) -> anyhow::Result<()> {
    heading(3, "tecnico watch takes them, judges them and files them away", context);
    let (mut filed, mut faults) = (Vec::new(), Vec::new());
    for n in 1..=CYCLES {
        let plan = Plan::over(Scope::Everyone);
        let (report, ()) =
            tokio::try_join!(async { anyhow::Ok(agent.run_cycle(&plan).await?) }, files::replace_while_handled(dir, n, drops, context))?;
        let is_last = report.is_quiet() && report.delivered == 0;
        filed.extend(report.filed);
        faults.extend(report.faults);
        if is_last {
            break;
        }
    }
    // Files go side by side; they are told in the order they were dropped in, a file's versions oldest first.
    filed.sort_by_key(|line: &FiledLine| drops.place_of(&line.file_id));
    let ui = &context.ui;
    for (at, line) in filed.iter().enumerate() {
        let remark = match &line.reason {
            Some(reason) => visible(reason).into_owned(),
            None => version(at, filed.iter().map(|l| l.file_id.as_str())).to_owned(),
        };
        say(line.outcome, &line.user, &line.name, &remark, context);
    }
    ui.say(ui.dim("  Why a file is in erro also stands in its description on Drive, for its owner."));
    for fault in &faults {
        ui.say(format!("  {} {}", ui.bad("error"), fault.failure));
    }
    Ok(())
}

/// Of a file with several versions, which one the line at `at` is about, of lines that name these files.
pub(super) fn version<'f>(at: usize, files: impl Iterator<Item = &'f str> + Clone) -> &'static str {
    let mine = files.clone().nth(at);
    match (files.clone().filter(|f| Some(*f) == mine).count(), files.take(at).any(|f| Some(f) == mine)) {
        (0 | 1, _) => "",
        (_, false) => "replaced while the program had it",
        (_, true) => "the newer version",
    }
}

/// One file and how it ended.
fn say(outcome: Outcome, user: &str, name: &str, remark: &str, context: &Context) {
    let ui = &context.ui;
    let word = format!("{:<11}", outcome.as_str());
    let word = if outcome == Outcome::Processado { ui.good(word) } else { ui.bad(word) };
    ui.say(format!("  {word}  {user}  {:<24}{}", visible(name), ui.dim(remark)).trim_end());
}

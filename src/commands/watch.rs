//! `tecnico watch`.

use std::io::IsTerminal;
use std::time::Duration;

use super::cycle_report::{self, Watched};
use super::service::Service;
use crate::agent::wake::{self, Told};
use crate::agent::{Plan, Scope};
use crate::context::Context;
use crate::domain::clock::{self, rfc3339};
use crate::error::Exit;
use crate::verdict::advice;

/// Take, judge and file away what has reached novos, and tell the backend
///
/// One look at everything, for cron or a systemd timer; it says nothing when all went well and nobody is watching.
/// With --follow it stays and looks again and again:
///
///     tecnico watch
///     tecnico watch --follow --interval 30s
///
/// SIGTERM ends --follow after the step in hand; SIGHUP, or a change of the file, reads the configuration again. One --follow
/// works on a ledger: a second says so and ends with 75.
/// Ends with 1 when something went wrong with some files (they wait and are tried again), with 75 when another run is at it.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Stay, and look again and again
    #[arg(long)]
    follow: bool,
    /// With --follow: how often to look, e.g. 10s or 1m [default: watch.interval]
    #[arg(long, value_name = "DURATION", requires = "follow", value_parser = duration)]
    interval: Option<Duration>,
}

impl Args {
    /// Whether it is a service.
    pub fn stays(&self) -> bool {
        self.follow
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    clock::duration(text).ok_or_else(|| "a time such as 10s, 1m or 1h30m".to_owned())
}

/// Runs `tecnico watch`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let agent = context.agent().await?;
    // Cron mails whatever is printed.
    let show_lines = std::io::stdout().is_terminal() || context.global.verbose > 0;
    if !args.follow {
        let plan = Plan { wait_for_settling: true, ..Plan::over(Scope::Everyone) };
        let report = wake::run_once(&agent, &plan).await?;
        cycle_report::tell::<Watched>(&report, show_lines && !report.is_quiet(), context);
        return Ok(report.exit());
    }
    let follow = wake::Follow { interval: args.interval, config: context.config_path() };
    let _service = Service::up("looking");
    wake::follow(agent, follow, || context.reloaded_agent(), |told| tell(&told, show_lines, context)).await?;
    Ok(Exit::Done)
}

fn tell(told: &Told<'_>, show_lines: bool, context: &Context) {
    match told {
        Told::Cycle(report) => Service::status(format_args!(
            "looked at {}: {} filed, {} waiting, {} went wrong",
            rfc3339(report.ended_at),
            report.filed.len(),
            report.waiting.len(),
            report.faults.len()
        )),
        Told::Trouble(failure) => Service::status(format_args!("no cycle could run: {failure}")),
        Told::NotReloaded(fault) => Service::status(format_args!("on the old configuration: {fault}")),
        Told::Ending => Service::status("ending, once the files in hand are done"),
        Told::Reloaded { .. } => {}
    }
    match told {
        Told::Ending => {}
        Told::Cycle(report) if report.is_quiet() => {}
        Told::Cycle(report) => cycle_report::tell::<Watched>(report, show_lines, context),
        Told::Trouble(failure) => context.ui.failure(failure.code(), &failure.to_string(), &[], failure.hint_text()),
        Told::Reloaded { changed: true } => context.ui.note("the configuration was read again"),
        Told::Reloaded { changed: false } => context.ui.note("asked to, the configuration was read again; the file is as it was"),
        Told::NotReloaded(fault) => {
            let advice = advice(fault);
            context.ui.failure(advice.code, &format!("{fault:#}"), &[], advice.hint.as_deref());
            context.ui.warn("the new configuration is not usable; the old one stays in force");
        }
    }
}

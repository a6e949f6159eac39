//! `tecnico doctor`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::agent::{Trial, try_program};
use crate::api::Key;
use crate::config::Settings;
use crate::config::places::is_of_the_machine;
use crate::context::Context;
use crate::doctor::{self, CHECKS, Finding, Findings, Verdict};
use crate::document::Document;
use crate::domain::clock;
use crate::domain::text::count;
use crate::error::Exit;
use crate::verdict::advice;

/// Try everything out, and say what to mend
///
/// Does what tecnico does, on what is configured: reads the keys, writes to the disk, makes, moves
/// and trashes a folder of its own on Drive, reads the feed, sends the backend a ping. Technicians'
/// files and folders are not touched. Prints what is wrong with what mends it, then one line; with
/// -v also what is right and what could not be tried. Ends with 1 when something does not work.
///
///     tecnico doctor
///     tecnico doctor --only parent,roundtrip --as ana@example.com
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Only these checks, and what they need
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(CHECKS.map(|c| c.name)))]
    only: Vec<String>,
    /// Share the scratch folder with this address instead of the account's own
    #[arg(long = "as", value_name = "E-MAIL")]
    share_with: Option<String>,
    /// Run process.command on a copy of this file, as the user "doctor", and tell its verdict
    #[arg(long, value_name = "FILE")]
    try_file: Option<PathBuf>,
}

/// What each check found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    healthy: bool,
    problems: usize,
    warnings: usize,
    /// Checks that were not tried, because something they need does not work.
    skipped: usize,
    findings: Findings,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.doctor/1";
}

/// Runs `tecnico doctor`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let wanted = wanted(&args.only);
    let mut findings: Findings = Vec::new();
    let mut in_trouble: Vec<&str> = Vec::new();
    let mut unreachable: Option<&str> = None;
    for check in CHECKS.iter().filter(|c| wanted.contains(&c.name)) {
        let trouble = check.needs.iter().copied().find(|n| in_trouble.contains(n));
        let asks_drive = check.asks_drive();
        let found = match trouble.or(unreachable.filter(|_| asks_drive)) {
            Some(needed) => vec![Finding::skipped(check.name, needed)],
            None => one(check.name, args, context).await.unwrap_or_else(|fault| {
                let told = advice(&fault);
                if asks_drive && told.exit == Exit::Unavailable {
                    unreachable = Some(check.name);
                }
                vec![Finding { check: check.name, verdict: Verdict::Problem, message: doctor::in_full(fault.as_ref()), fix: told.hint }]
            }),
        };
        if found.iter().any(|f| matches!(f.verdict, Verdict::Problem | Verdict::Skipped)) {
            in_trouble.push(check.name);
        }
        findings.extend(found);
    }
    let count = |verdict| findings.iter().filter(|f| f.verdict == verdict).count();
    let (problems, warnings, skipped) = (count(Verdict::Problem), count(Verdict::Warning), count(Verdict::Skipped));
    let report = Report { healthy: problems == 0, problems, warnings, skipped, findings };
    tell(&report, args.try_file.is_some(), context);
    Ok(if report.healthy { Exit::Done } else { Exit::NotClean })
}

/// The checks asked for and, before them, those they build on; all where none is named.
fn wanted(only: &[String]) -> Vec<&'static str> {
    let mut wanted: Vec<&'static str> = Vec::new();
    // From the last to the first: what a check needs stands before it.
    for check in CHECKS.iter().rev() {
        if only.is_empty() || only.iter().any(|o| o == check.name) || wanted.contains(&check.name) {
            wanted.extend(check.needs);
            wanted.push(check.name);
        }
    }
    wanted
}

async fn one(check: &'static str, args: &Args, context: &Context) -> anyhow::Result<Findings> {
    let settings = context.settings().await?;
    let config = context.config_path().unwrap_or_default();
    Ok(match check {
        "config" => vec![Finding::good("config", format!("{} is understood", config.display()))],
        "user" => doctor::local::user(settings),
        "disk" => {
            // A ledger in trouble is its own check's to tell.
            let (technicians, is_first) = match context.ledger().await {
                Ok(ledger) => {
                    let technicians = ledger.technicians().await;
                    let knows_nobody = technicians.as_ref().is_ok_and(Vec::is_empty);
                    let is_first = knows_nobody && ledger.removed_technicians().await.is_ok_and(|removed| removed.is_empty());
                    (technicians.unwrap_or_default(), is_first)
                }
                Err(_) => (Vec::new(), false),
            };
            doctor::local::disk(settings, &technicians, is_first)
        }
        "key" => doctor::local::key(settings).into_iter().chain(api_key(settings)).collect(),
        "services" if is_of_the_machine(&config) => {
            let last = match context.ledger().await {
                Ok(ledger) => ledger.last_cycle().await.ok().flatten(),
                Err(_) => None,
            };
            doctor::systemd::services(settings, last.is_some())
        }
        "services" => vec![Finding::good("services", "these are not the settings that services of systemd's read")],
        "processor" => processor(settings, args.try_file.as_deref()).await?,
        "ledger" => doctor::state::ledger(context.ledger().await?).await?,
        "lock" => doctor::state::lock(context.ledger().await?, settings, clock::now()).await?,
        "quota" => doctor::state::quota(context.ledger().await?, clock::now()).await?,
        "work" => doctor::work::work(context.ledger().await?, settings, &config, clock::now()).await?,
        "leftovers" => doctor::state::leftovers(context.ledger().await?, settings).await?,
        "credentials" => vec![Finding::good("credentials", format!("the credentials are those of {}", context.drive().await?.account()))],
        "clock" => doctor::drive::clock(context.drive().await?).await?,
        "token" => doctor::drive::token(context.drive().await?).await?,
        "scope" => doctor::drive::scope(context.drive().await?).await?,
        "account" => doctor::drive::account(context.drive().await?, &settings.drive).await?,
        "parent" => doctor::drive::parent(context.drive().await?, &settings.drive).await?,
        "roundtrip" => doctor::drive::round_trip(context.drive().await?, &settings.drive, args.share_with.as_deref()).await?,
        "feed" => doctor::drive::feed(context.drive().await?).await?,
        _ => doctor::backend::ping(&settings.callback, &config).await?,
    })
}

/// The key of the HTTP API, where a file holds one.
fn api_key(settings: &Settings) -> Option<Finding> {
    let file = settings.serve.api_key_file.as_deref()?;
    Some(match Key::load(None, Some(file)) {
        Ok(_) => Finding::good("key", format!("{} holds the key of the HTTP API", file.display())),
        Err(failure) => Finding::of_failure("key", &failure),
    })
}

/// Whether the program that judges can be started; on a file, what it says.
async fn processor(settings: &Settings, file: Option<&Path>) -> anyhow::Result<Findings> {
    let found = doctor::processor::processor(settings);
    let Some(file) = file.filter(|_| found.iter().all(|f| f.verdict == Verdict::Good)) else { return Ok(found) };
    let shown = file.display();
    let again = "run it by hand on that file; processados is exit 0, later is 75, anything else is erro";
    Ok(vec![match try_program(&settings.process, file).await? {
        Trial::Processed(Err(dropped)) => {
            let fix = "print a JSON object or array of at most 32 KiB on the last line (docs/callbacks.md)";
            Finding::warning("processor", format!("{shown} would go to processados, and its data be dropped: {dropped}"), fix)
        }
        Trial::Processed(Ok(data)) => {
            let data = data.map(|d| format!(", with the data {d}")).unwrap_or_default();
            Finding::good("processor", format!("{shown} would go to processados{data}"))
        }
        Trial::Later(said) => Finding::warning("processor", format!("{shown} would be tried again later: {said}"), again),
        Trial::Refused(reason) => Finding::warning("processor", format!("{shown} would go to erro: {reason}"), again),
        Trial::Broke(how) => Finding::problem("processor", format!("the program broke on {shown}: {how}"), again),
    }])
}

/// `tried`: a file was given to the program, whose verdict is what was asked for.
fn tell(report: &Report, tried: bool, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.json(report);
    }
    let all = context.global.verbose > 0;
    for finding in &report.findings {
        let word = match finding.verdict {
            Verdict::Good if !(all || tried && finding.check == "processor") => continue,
            Verdict::Skipped if !all => continue,
            Verdict::Good => ui.good("ok"),
            Verdict::Warning => ui.bold("warning"),
            Verdict::Problem => ui.bad("problem"),
            Verdict::Skipped => ui.dim("skipped"),
        };
        ui.say(format!("{word} {}: {}", finding.check, finding.message));
        if let Some(fix) = &finding.fix {
            ui.say(ui.dim(format!("    fix: {}", ui.mend(fix).replace('\n', "\n    "))));
        }
    }
    ui.say(summary(report, context));
}

/// How many checks were made, of which one may find several things, and how they ended.
fn summary(report: &Report, context: &Context) -> String {
    let ui = &context.ui;
    let checks = |wanted: &dyn Fn(Verdict) -> bool| {
        report.findings.iter().filter(|f| wanted(f.verdict)).map(|f| f.check).collect::<std::collections::BTreeSet<_>>().len() as u64
    };
    let verdict = match (report.problems, report.warnings) {
        (0, 0) => ui.good("all well"),
        (0, warnings) => ui.good(format!("all works; {warnings} to look at")),
        (problems, 0) => ui.bad(format!("{problems} to mend")),
        (problems, warnings) => ui.bad(format!("{problems} to mend, {warnings} to look at")),
    };
    let skipped = match report.skipped {
        0 => String::new(),
        n => format!("; {n} not tried until that works (-v names them)"),
    };
    format!("{}: {verdict}{skipped}", count(checks(&|v| v != Verdict::Skipped), "check", "checks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_check_needs_comes_with_it_and_before_it() {
        let parent = wanted(&["parent".to_owned()]);
        assert!(["config", "credentials", "account", "parent"].iter().all(|c| parent.contains(c)) && !parent.contains(&"backend"));
        assert_eq!(CHECKS.iter().filter(|c| wanted(&[]).contains(&c.name)).count(), CHECKS.len());
        for (at, check) in CHECKS.iter().enumerate() {
            assert!(check.needs.iter().all(|n| CHECKS[..at].iter().any(|c| c.name == *n)), "{} stands before what it needs", check.name);
        }
    }
}

//! The work: what waits, what is stuck, given up or silent. `status` and `doctor` say the same of it.

use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::systemd::starts_cycles;
use super::{Finding, Findings};
use crate::config::Settings;
use crate::config::places::is_of_the_machine;
use crate::domain::clock::{Millis, millis, rfc3339};
use crate::domain::item::Item;
use crate::domain::text::{count, visible};
use crate::error::Failure;
use crate::ledger::{Counts, LastCycle, Ledger, StoppedAddress};

/// Something that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trouble {
    /// A stable word for programs.
    pub code: &'static str,
    /// What it is, as a sentence.
    pub message: String,
    /// What mends it.
    pub fix: String,
}

/// How the work stands, and what is wrong with it.
#[derive(Debug)]
pub struct Standing {
    /// How much there is.
    pub counts: Counts,
    /// The last cycle, where one has run.
    pub last: Option<LastCycle>,
    /// Files that have got no step further for `status.stuck`, with the time of their last one.
    pub stuck: Vec<(Item, Millis)>,
    /// Addresses that want no callbacks any more.
    pub stopped: Vec<StoppedAddress>,
    /// What is wrong, in the order in which it should be looked at.
    pub troubles: Vec<Trouble>,
}

/// The moment that lies `time` before `now`.
pub fn ago(now: Millis, time: Duration) -> Millis {
    now.saturating_sub(millis(time))
}

/// How the work stands, from the ledger alone. `config` is the file the settings come from: that of the machine is what
/// systemd's units work by.
pub async fn standing(ledger: &Ledger, settings: &Settings, config: &Path, now: Millis) -> Result<Standing, Failure> {
    let counts = ledger.counts(now).await?;
    let last = ledger.last_cycle().await?;
    let stuck = ledger.stuck_items(ago(now, settings.stuck)).await?;
    let stopped = ledger.stopped_addresses().await?;
    let mut troubles = Vec::new();
    if let Some(trouble) = silence(last.as_ref(), settings, config, now)
        && !is_at_work(ledger, settings, now).await?
    {
        troubles.push(trouble);
    }
    troubles.extend(ledger.unmade(&settings.layout, None).await?.map(|unmade| {
        let failure = unmade.failure();
        let fix = failure.hint_text().unwrap_or_default().to_owned();
        Trouble { code: failure.code(), message: failure.to_string(), fix }
    }));
    troubles.extend(no_step_further(&stuck));
    if counts.dead > 0 {
        troubles.push(Trouble {
            code: "callbacks_dead",
            message: count(counts.dead, "callback was given up", "callbacks were given up"),
            fix: "mend the backend, then `tecnico callbacks retry`".to_owned(),
        });
    }
    troubles.extend(stopped.iter().map(|address| Trouble {
        code: "address_stopped",
        message: format!(
            "{} wants no callbacks any more since {}: {}",
            visible(&address.url),
            rfc3339(address.stopped_at),
            visible(&address.reason)
        ),
        fix: "correct callback.url, then `tecnico callbacks retry`".to_owned(),
    }));
    Ok(Standing { counts, last, stuck, stopped, troubles })
}

fn silence(last: Option<&LastCycle>, settings: &Settings, config: &Path, now: Millis) -> Option<Trouble> {
    let Some(last) = last else {
        let fix = if is_of_the_machine(config) { starts_cycles() } else { "`tecnico watch`".to_owned() };
        return Some(Trouble { code: "no_cycle_yet", message: "no cycle has run yet".to_owned(), fix });
    };
    if last.succeeded_at.is_some_and(|at| at >= ago(now, settings.silence)) {
        return None;
    }
    let since = last.succeeded_at.map_or_else(|| "ever".to_owned(), |at| format!("since {}", rfc3339(at)));
    let why = last.failure.as_deref().map(|f| format!("; the last one: {}", visible(f))).unwrap_or_default();
    let message = format!("no cycle has gone well {since}{why}");
    Some(Trouble { code: "silence", message, fix: "`tecnico watch -v` shows what is wrong".to_owned() })
}

/// Whether a cycle is under way in which files move on: a long one is no silence. One that hangs is.
async fn is_at_work(ledger: &Ledger, settings: &Settings, now: Millis) -> Result<bool, Failure> {
    Ok(ledger.cycle_under_way()?.is_some() && ledger.has_stepped_since(ago(now, settings.silence), now).await?)
}

fn no_step_further(stuck: &[(Item, Millis)]) -> Option<Trouble> {
    let (first, _) = stuck.first()?;
    let name = visible(&first.sighted.name);
    let which = if stuck.len() == 1 { "" } else { " first" };
    let why = first.reason.as_deref().map(|r| format!(": {}", visible(r))).unwrap_or_default();
    let message = format!(
        "{} (no step further for longer than status.stuck), {name} of {}{which}{why}",
        count(stuck.len(), "file is stuck", "files are stuck"),
        first.sighted.user
    );
    Some(Trouble { code: "stuck", message, fix: format!("`tecnico why {}` says what happened to it", first.id) })
}

/// What is stuck, given up or silent.
pub async fn work(ledger: &Ledger, settings: &Settings, config: &Path, now: Millis) -> Result<Findings, Failure> {
    let standing = standing(ledger, settings, config, now).await?;
    let silent = standing.troubles.iter().any(|t| t.code == "silence");
    let failed = standing.last.as_ref().and_then(|last| last.failure.as_deref()).filter(|_| !silent);
    let mut findings: Findings = standing
        .troubles
        .into_iter()
        .map(|t| {
            // Whoever sets a machine up asks the doctor before anything runs.
            let of = if t.code == "no_cycle_yet" { Finding::warning } else { Finding::problem };
            of("work", t.message, t.fix)
        })
        .collect();
    findings.extend(failed.map(|failure| {
        Finding::warning("work", format!("the last cycle failed: {}", visible(failure)), "`tecnico watch -v` shows what is wrong")
    }));
    if findings.is_empty() {
        let (open, undelivered) = (standing.counts.open(), standing.counts.undelivered);
        findings.push(Finding::good("work", format!("{open} files under way, {undelivered} callbacks to deliver")));
    }
    Ok(findings)
}

//! What tecnico knows: the ledger's health, the work that waits, and what the old system left behind.

use super::{Finding, Findings};
use crate::config::Settings;
use crate::domain::clock::{Millis, rfc3339};
use crate::error::Failure;
use crate::fs_layout::Base;
use crate::ledger::Ledger;

/// Reads the ledger for damage, and tells who is at it.
pub async fn ledger(ledger: &Ledger) -> Result<Findings, Failure> {
    ledger.check().await?;
    let technicians = ledger.technicians().await?.len();
    // The lock ends with its process, so a held one is a run under way, never a leftover.
    let busy = ledger.try_lock("cycle")?.is_none();
    let at_it = if busy { "; a cycle is running at this moment" } else { "" };
    Ok(vec![Finding::good("ledger", format!("{} is whole, {technicians} technicians{at_it}", ledger.path().display()))])
}

/// What is stuck, given up or silent.
pub async fn work(ledger: &Ledger, settings: &Settings, now: Millis) -> Result<Findings, Failure> {
    let counts = ledger.counts(now).await?;
    let mut findings = Vec::new();
    if counts.dead > 0 {
        let message = format!("{} callbacks were given up", counts.dead);
        findings.push(Finding::problem("work", message, "mend the backend, then `tecnico callbacks retry`"));
    }
    for stopped in ledger.stopped_addresses().await? {
        let message = format!("{} wants no callbacks any more ({})", stopped.url, stopped.reason);
        findings.push(Finding::problem("work", message, "correct callback.url, then `tecnico callbacks retry`"));
    }
    let silence = i64::try_from(settings.silence.as_millis()).unwrap_or(i64::MAX);
    match ledger.last_cycle().await? {
        None => findings.push(Finding::warning("work", "no cycle has run yet", "sudo systemctl enable --now tecnico-watch.timer")),
        Some(last) if last.succeeded_at.is_none_or(|at| at < now.saturating_sub(silence)) => {
            let since = last.succeeded_at.map_or_else(|| "ever".to_owned(), |at| format!("since {}", rfc3339(at)));
            let why = last.failure.map(|f| format!("; the last one: {f}")).unwrap_or_default();
            findings.push(Finding::problem("work", format!("no cycle has gone well {since}{why}"), "`tecnico watch -v` shows why"));
        }
        Some(_) => {}
    }
    if findings.is_empty() {
        findings.push(Finding::good("work", format!("{} files under way, {} callbacks to deliver", counts.open(), counts.undelivered)));
    }
    Ok(findings)
}

/// Technicians in `tecnicos.json` whom the ledger does not know.
pub async fn leftovers(ledger: &Ledger, settings: &Settings) -> Result<Findings, Failure> {
    let Some(base) = Base::open_existing(&settings.base_dir)? else { return Ok(Vec::new()) };
    let registry = base.registry();
    let mut unknown = Vec::new();
    for entry in registry.read()? {
        if ledger.folder_by_drive_id(&entry.pasta_drive_id).await?.is_none() {
            unknown.push(entry.nome);
        }
    }
    Ok(match unknown.as_slice() {
        [] => vec![Finding::good("leftovers", "tecnicos.json and the ledger agree on who there is")],
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let message = format!("tecnicos.json names {first}{more}, whom tecnico does not know");
            let fix = format!("tecnico import '{}' --dry-run", registry.path().display());
            vec![Finding::warning("leftovers", message, fix)]
        }
    })
}

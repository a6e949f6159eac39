//! What tecnico knows: the ledger's health, the work that waits, and what the old system left behind.

use super::{Finding, Findings};
use crate::config::Settings;
use crate::domain::clock::{Millis, rfc3339};
use crate::domain::text::visible;
use crate::error::Failure;
use crate::fs_layout::Base;
use crate::ledger::Ledger;

/// Quota units from which on Google asks a project for money, a day (drive-v3-behaviour 6.22).
const UNITS_A_DAY: u64 = 400_000_000;

/// Reads the ledger for damage.
pub async fn ledger(ledger: &Ledger) -> Result<Findings, Failure> {
    ledger.check().await?;
    let technicians = ledger.technicians().await?.len();
    Ok(vec![Finding::good("ledger", format!("{} is whole, {technicians} technicians", ledger.path().display()))])
}

/// Who is at the folders, and for how long. The lock ends with its process, so a held one is a run under way, never a
/// leftover; but a process may hang.
pub fn lock(ledger: &Ledger, settings: &Settings, now: Millis) -> Result<Findings, Failure> {
    if ledger.try_lock("cycle")?.is_some() {
        return Ok(vec![Finding::good("lock", "no cycle is running at this moment")]);
    }
    let Some(holder) = ledger.lock_holder("cycle")? else {
        return Ok(vec![Finding::good("lock", "a cycle is running at this moment")]);
    };
    let message = format!("a cycle (process {}) has been running since {}", holder.pid, rfc3339(holder.since));
    Ok(vec![if holder.since < now.saturating_sub(silence(settings)) {
        let fix = format!("if it hangs, and is not merely at many or large files: `kill {}`; the lock goes with its process", holder.pid);
        Finding::warning("lock", message, fix)
    } else {
        Finding::good("lock", message)
    }])
}

/// What was asked of Drive today, by every command together.
pub async fn quota(ledger: &Ledger, now: Millis) -> Result<Findings, Failure> {
    let spent = ledger.units_of_day(now).await?;
    let message = format!(
        "{} calls and {} quota units today (UTC), {:.1} % of the {} a day that a project has",
        spent.calls,
        spent.units,
        percent(spent.units, UNITS_A_DAY),
        UNITS_A_DAY
    );
    Ok(vec![if spent.units > UNITS_A_DAY / 5 * 4 {
        let fix = "in the config, under [watch]: a longer interval and reconcile_every; or ask Google for more, in the Cloud console";
        Finding::warning("quota", message, fix)
    } else {
        Finding::good("quota", message)
    }])
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}

fn silence(settings: &Settings) -> Millis {
    i64::try_from(settings.silence.as_millis()).unwrap_or(i64::MAX)
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
    let silence = silence(settings);
    let patience = i64::try_from(settings.stuck.as_millis()).unwrap_or(i64::MAX);
    let stuck = ledger.stuck_items(now.saturating_sub(patience)).await?;
    if let Some((first, _)) = stuck.first() {
        let name = visible(&first.sighted.name);
        let why = first.reason.as_deref().map(|r| format!(": {}", visible(r))).unwrap_or_default();
        let message = match stuck.len() {
            1 => format!("1 file is stuck, {name} of {}{why}", first.sighted.user),
            n => format!("{n} files are stuck, {name} of {} first{why}", first.sighted.user),
        };
        findings.push(Finding::problem("work", message, format!("`tecnico why {}` says what happened to it", first.id)));
    }
    match ledger.last_cycle().await? {
        None => {
            let fix = if settings.drive.is_sandbox() {
                "`tecnico --sandbox DIR watch`"
            } else {
                "sudo systemctl enable --now tecnico-watch.timer"
            };
            findings.push(Finding::warning("work", "no cycle has run yet", fix));
        }
        Some(last) if last.succeeded_at.is_none_or(|at| at < now.saturating_sub(silence)) => {
            let since = last.succeeded_at.map_or_else(|| "ever".to_owned(), |at| format!("since {}", rfc3339(at)));
            let why = last.failure.map(|f| format!("; the last one: {f}")).unwrap_or_default();
            findings.push(Finding::problem("work", format!("no cycle has gone well {since}{why}"), "`tecnico watch -v` shows why"));
        }
        Some(last) => {
            let failed = last.failure.map(|failure| format!("the last cycle failed: {failure}"));
            findings.extend(failed.map(|message| Finding::warning("work", message, "`tecnico watch -v` shows why")));
        }
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
            let fix = format!("tecnico import '{}'", registry.path().display());
            vec![Finding::warning("leftovers", message, fix)]
        }
    })
}

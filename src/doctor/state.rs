//! What tecnico knows: the ledger's health, who is at it, what was asked of Drive, and what the old system left behind.

use super::work::ago;
use super::{Finding, Findings};
use crate::config::Settings;
use crate::domain::clock::{Millis, rfc3339};
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
/// leftover; but a process may hang. The agent's accounts for itself with every look.
pub async fn lock(ledger: &Ledger, settings: &Settings, now: Millis) -> Result<Findings, Failure> {
    let Some(holder) = ledger.cycle_under_way()? else {
        return Ok(vec![Finding::good("lock", "no cycle is running at this moment")]);
    };
    let message = format!("a cycle (process {}) has been running since {}", holder.pid, rfc3339(holder.since));
    let last_heard = ledger.last_cycle().await?.map_or(holder.since, |last| last.ended_at.max(holder.since));
    Ok(vec![if last_heard < ago(now, settings.silence) {
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

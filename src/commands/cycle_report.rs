//! What `watch` and `process` print of a cycle.

use schemars::JsonSchema;
use serde::Serialize;

use super::report::Cost;
use crate::agent::CycleReport;
use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::rfc3339;
use crate::domain::item::{Outcome, shown};
use crate::domain::text::{count, visible};

/// What a cycle did.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Cycle {
    started_at: String,
    ended_at: String,
    found: usize,
    filed: Vec<Filed>,
    waiting: Vec<Waiting>,
    faults: Vec<Fault>,
    notes: Vec<String>,
    delivered: usize,
    undelivered: usize,
    drive: Cost,
}

/// A cycle of `watch`; with `--follow` a line a cycle in which something happened.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Watched {
    #[serde(flatten)]
    cycle: Cycle,
}

impl Document for Watched {
    const SCHEMA: &'static str = "tecnico.watch/1";
}

impl From<Cycle> for Watched {
    fn from(cycle: Cycle) -> Self {
        Self { cycle }
    }
}

/// The cycle of `process`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Processed {
    #[serde(flatten)]
    cycle: Cycle,
}

impl Document for Processed {
    const SCHEMA: &'static str = "tecnico.process/1";
}

impl From<Cycle> for Processed {
    fn from(cycle: Cycle) -> Self {
        Self { cycle }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct Filed {
    user: String,
    item_id: String,
    file_id: String,
    name: String,
    #[schemars(extend("enum" = ["processado", "erro", "retirado"]))]
    outcome: &'static str,
    reason: Option<String>,
    local_path: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Waiting {
    user: String,
    item_id: String,
    name: String,
    /// Null where it is for another program, or the next cycle, to say.
    until: Option<String>,
    reason: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Fault {
    code: &'static str,
    message: String,
    hint: Option<String>,
}

/// One document, or lines for people: what ended and what waits on stdout, what went wrong on stderr.
pub(super) fn tell<D: Document + From<Cycle>>(report: &CycleReport, show_lines: bool, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.json(&D::from(document(report)));
    }
    if show_lines {
        for line in &report.filed {
            let word = match line.outcome {
                Outcome::Processado => ui.good(line.outcome),
                Outcome::Erro => ui.bad(line.outcome),
                Outcome::Retirado => ui.dim(line.outcome),
            };
            let reason = line.reason.as_deref().map(|r| format!("  {}", visible(r))).unwrap_or_default();
            ui.say(format!("{word}  {}  {}{reason}", line.user, shown(&line.name)));
        }
        for line in &report.waiting {
            let until = line.until.map(|at| format!("  until {}", rfc3339(at))).unwrap_or_default();
            let (name, reason) = (shown(&line.name), visible(&line.reason));
            ui.say(format!("{}  {}  {name}{until}: {reason}", ui.bold("waits"), line.user));
        }
        let told = match (report.delivered, report.undelivered) {
            (0, 0) => None,
            (sent, 0) => Some(format!("{} delivered", count(sent, "callback", "callbacks"))),
            (sent, left) => Some(format!("{} delivered, {left} to be tried again", count(sent, "callback", "callbacks"))),
        };
        let (found, filed) = (report.found, report.filed.len());
        // A run that could not look has found nothing out.
        let counts = (found + filed > 0 || report.is_clean()).then(|| format!("{found} found, {filed} filed"));
        let said: Vec<String> = counts.into_iter().chain(told).collect();
        let said = if said.is_empty() { String::new() } else { format!("{}; ", said.join(", ")) };
        ui.say(ui.dim(format!("{said}{}", Cost::from(report.drive))));
    }
    for note in &report.notes {
        ui.note(format!("note: {note}"));
    }
    for fault in &report.faults {
        ui.failure(fault.failure.code(), &fault.failure.to_string(), &[], fault.failure.hint_text());
    }
}

fn document(report: &CycleReport) -> Cycle {
    let filed = report.filed.iter().map(|f| Filed {
        user: f.user.clone(),
        item_id: f.item_id.clone(),
        file_id: f.file_id.clone(),
        name: f.name.clone(),
        outcome: f.outcome.as_str(),
        reason: f.reason.clone(),
        local_path: f.local_path.clone(),
    });
    let waiting = report.waiting.iter().map(|w| Waiting {
        user: w.user.clone(),
        item_id: w.item_id.clone(),
        name: w.name.clone(),
        until: w.until.map(rfc3339),
        reason: w.reason.clone(),
    });
    let faults = report.faults.iter().map(|f| Fault {
        code: f.failure.code(),
        message: f.failure.to_string(),
        hint: f.failure.hint_text().map(str::to_owned),
    });
    Cycle {
        started_at: rfc3339(report.started_at),
        ended_at: rfc3339(report.ended_at),
        found: report.found,
        filed: filed.collect(),
        waiting: waiting.collect(),
        faults: faults.collect(),
        notes: report.notes.clone(),
        delivered: report.delivered,
        undelivered: report.undelivered,
        drive: report.drive.into(),
    }
}

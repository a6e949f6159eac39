//! `tecnico create --from FILE`: every row checked before the first write, then many side by side.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::registry_writer::RegistryWriter;
use super::report::{Cost, Created};
use super::{create, create_plan, folder_event};
use crate::callback::payload::Attempt;
use crate::context::Context;
use crate::creation;
use crate::document::{Document, Named};
use crate::domain::clock;
use crate::error::{Exit, Failure};
use crate::fs_layout::Entry;
use crate::provision::{Candidate, Provisioner, Status, Survey, prepare};
use crate::verdict::advice;

/// What became of each row of `create --from`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Bulk {
    rows: Vec<Row>,
    created: usize,
    repaired: usize,
    unchanged: usize,
    failed: usize,
    drive: Cost,
    seconds: f64,
}

impl Document for Bulk {
    const SCHEMA: &'static str = "tecnico.create.bulk/1";
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Row {
    Done(Box<Named<Created>>),
    Failed {
        user: String,
        #[schemars(extend("enum" = ["failed"]))]
        status: &'static str,
        error: String,
        hint: Option<String>,
    },
}

pub(super) async fn run(file: &Path, parallel: usize, dry_run: bool, context: &Context) -> anyhow::Result<Exit> {
    let candidates = read(file)?;
    if dry_run {
        return create_plan::of_many(&candidates, context).await;
    }
    let provisioner = context.provisioner().await?;
    let begun = clock::now();
    let rows = create_all(&candidates, parallel, &provisioner, context).await?;
    let count = |status| rows.iter().filter(|r| matches!(r, Row::Done(c) if c.document.status == status)).count();
    let failed = rows.iter().filter(|r| matches!(r, Row::Failed { .. })).count();
    #[expect(clippy::cast_precision_loss, reason = "a run of seconds")]
    let seconds = (clock::now() - begun) as f64 / 1000.0;
    let bulk = Bulk {
        created: count(Status::Created),
        repaired: count(Status::Repaired) + count(Status::Restored),
        unchanged: count(Status::Unchanged),
        failed,
        drive: provisioner.drive.meter().into(),
        seconds,
        rows,
    };
    tell(&bulk, context);
    Ok(if failed == 0 { Exit::Done } else { Exit::NotClean })
}

async fn create_all(
    candidates: &[Candidate],
    parallel: usize,
    provisioner: &Provisioner<'_>,
    context: &Context,
) -> anyhow::Result<Vec<Row>> {
    let survey = prepare(provisioner, candidates).await?;
    let bar = context.ui.progress(candidates.len() as u64, "creating");
    let mut results = stream::iter(candidates.iter().enumerate())
        .map(|(at, candidate)| {
            let survey = &survey;
            async move { (at, create_one(candidate, survey, provisioner, context).await) }
        })
        .buffer_unordered(parallel);
    let mut rows = BTreeMap::new();
    let mut registry = RegistryWriter::new(provisioner.base.registry());
    // Nothing is waited for in here: the rows under way would stand still meanwhile.
    while let Some((at, result)) = results.next().await {
        bar.inc(1);
        let (entry, row) = result?;
        rows.insert(at, row);
        if let Some(entry) = entry {
            registry.add(entry).await?;
        }
    }
    registry.finish().await?;
    bar.finish_and_clear();
    folder_event::send(context).await;
    Ok(rows.into_values().collect())
}

/// One row, with what the backend is to hear of it.
async fn create_one(
    candidate: &Candidate,
    survey: &Survey,
    provisioner: &Provisioner<'_>,
    context: &Context,
) -> anyhow::Result<(Option<Entry>, Row)> {
    let outcome = match provisioner.create(candidate, Some(survey), None).await {
        Ok(outcome) => outcome,
        Err(fault) => {
            folder_event::failed(context, None, &candidate.user, &candidate.called, Attempt::Prepare, &fault).await;
            return Ok((None, failed(candidate, &fault, context)));
        }
    };
    create::notes(&outcome.prepared, &outcome.plan, outcome.former_email.as_ref(), context);
    let folders = creation::folders(&outcome.prepared, outcome.applied.novos_link.clone(), outcome.applied.shared, provisioner)?;
    let document = Created::new(&outcome, folders, provisioner);
    if outcome.status != Status::Unchanged {
        let technician = &outcome.prepared.technician;
        let done = creation::in_words(outcome.status);
        folder_event::done(context, None, &technician.user, &technician.name, done, &document.folders).await?;
    }
    Ok((outcome.applied.registry, Row::Done(Box::new(document.into()))))
}

fn failed(candidate: &Candidate, fault: &anyhow::Error, context: &Context) -> Row {
    let hint = advice(fault).hint;
    let error = format!("{fault:#}");
    context.ui.warn(format!("{} {}: {error}", context.ui.bad("failed"), candidate.user));
    Row::Failed { user: candidate.user.to_string(), status: "failed", error, hint }
}

fn tell(bulk: &Bulk, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.json(bulk);
    }
    ui.say(format!(
        "{} created, {} repaired, {} unchanged, {} failed",
        ui.bold(bulk.created),
        bulk.repaired,
        bulk.unchanged,
        if bulk.failed > 0 { ui.bad(bulk.failed) } else { "0".to_owned() }
    ));
    ui.say(ui.dim(format!("{} in {:.1} s", bulk.drive, bulk.seconds)));
    if bulk.failed > 0 {
        ui.note("the same command again goes on with what failed");
    }
}

/// Reads and checks every row. Any fault refuses the whole file, naming each line.
fn read(file: &Path) -> Result<Vec<Candidate>, Failure> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut f| f.read_to_string(&mut text))
    };
    let shown = if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() };
    read.map_err(|e| {
        Failure::new(Exit::Data, "csv_unreadable", format!("cannot read {shown}"))
            .hint("name a CSV file in UTF-8 with the header user,email,name,portal_user, or - for stdin; nothing was created")
            .because(e)
    })?;
    parse(&text, &shown)
}

fn parse(text: &str, shown: &str) -> Result<Vec<Candidate>, Failure> {
    const HEADER: [&str; 4] = ["user", "email", "name", "portal_user"];
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let column = |name: &str| header.iter().position(|h| h == name);
    let is_twice = |h: &str| header.iter().filter(|other| *other == h).count() > 1;
    if column("user").is_none() || header.iter().any(|h| !HEADER.contains(&h) || is_twice(h)) {
        return Err(Failure::new(
            Exit::Data,
            "csv_header",
            format!("{shown}: the first line must be user,email,name,portal_user (only user must be there)"),
        )
        .hint("nothing was created; correct the first line (fields are separated by commas, names in lower case)"));
    }
    let mut candidates = Vec::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut emails: BTreeMap<String, u64> = BTreeMap::new();
    let mut faults = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                faults.push(e.to_string());
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            faults.push(format!("line {line}: {} fields instead of {}", record.len(), header.len()));
            continue;
        }
        let cell = |name: &str| column(name).and_then(|at| record.get(at)).filter(|v| !v.is_empty());
        match Candidate::parse(cell("user").unwrap_or_default(), cell("email"), cell("name"), cell("portal_user")) {
            Ok(candidate) => {
                if let Some(first) = seen.insert(candidate.user.to_string(), line) {
                    faults.push(format!("line {line}: the user {} stands in line {first} already", candidate.user));
                }
                if let Some(email) = &candidate.wanted.email
                    && let Some(first) = emails.insert(email.to_string(), line)
                {
                    faults.push(format!("line {line}: the e-mail {email} stands in line {first} already"));
                }
                candidates.push(candidate);
            }
            Err(fault) => faults.push(format!("line {line}: {fault}")),
        }
    }
    if faults.is_empty() {
        return Ok(candidates);
    }
    let (count, list) = (faults.len(), faults.join("\n  "));
    Err(Failure::new(Exit::Data, "csv_rows", format!("{shown}: {count} wrong, nothing was created\n  {list}"))
        .hint("correct the lines and run the same command again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_line_is_named_at_once() {
        let csv = "user,email,name,portal_user\n42,ana@example.com,Ana Maria,ana\n43,nobody,João Silva,\n42,bea@example.com,Bea,\n44,x@example.com\n";
        let fault = parse(csv, "t.csv").expect_err("wrong").to_string();
        for says in ["line 3: for 43", "line 4: the user 42 stands in line 2", "line 5: 2 fields"] {
            assert!(fault.contains(says), "{fault}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_missing_columns_are_fine() {
        let rows = parse("\u{feff}user,name\nana@example.com,Ana Maria\n", "t.csv").expect("read");
        assert_eq!((rows.len(), rows[0].wanted.folder.as_str()), (1, "Ana_Maria"));
        assert_eq!(parse("usuario\n42\n", "t.csv").expect_err("header").code(), "csv_header");
        assert_eq!(parse("user,email,email\n42,a@example.com,b@example.com\n", "t.csv").expect_err("header").code(), "csv_header");
    }
}

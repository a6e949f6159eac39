//! `tecnico sandbox DIR drop`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::super::{check, share};
use crate::context::Context;
use crate::document::Document;
use crate::domain::text::{shell_word, visible};
use crate::embedded::ADMIN;
use crate::error::{Exit, Failure};

/// Drop files into a technician's novos, as the technician would
///
///     tecnico sandbox ./sandbox drop 42 16517189.pdf
///
/// A folder is dropped whole. The next `tecnico --sandbox ./sandbox watch` takes what was dropped.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = "tecnico sandbox DIR drop USER FILE…")]
pub struct Args {
    /// The technician
    user: String,
    /// The files and folders of this machine to copy there
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What was dropped.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Report {
    user: String,
    /// As whom.
    email: String,
    novos_folder_id: String,
    files: Vec<Dropped>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Dropped {
    file_id: String,
    /// Below `novos`.
    name: String,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.sandbox.drop/1";
}

/// Runs `tecnico sandbox DIR drop`.
pub(super) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let provisioner = context.provisioner().await?;
    let technician = check::known(&args.user, &provisioner).await?;
    let novos = share::novos_of(&technician, &provisioner).await?;
    let email = technician.email.as_ref().map_or(ADMIN, |e| e.as_str());
    // Whoever is shared with may have no account there yet.
    context.embedded()?.control().user(email)?;
    let mut report =
        Report { user: technician.user.to_string(), email: email.to_owned(), novos_folder_id: novos.to_string(), files: Vec::new() };
    for path in &args.files {
        put(path, "", novos.as_str(), &mut report, context)?;
    }
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&report);
        return Ok(Exit::Done);
    }
    for file in &report.files {
        ui.say(format!("{} {} is in novos of {}, dropped by {email}", ui.good("✓"), visible(&file.name), technician.user));
    }
    let dir = context.global.sandbox.as_deref().unwrap_or(Path::new("DIR")).display().to_string();
    ui.note(format!("next: `tecnico --sandbox {} watch`", shell_word(&dir)));
    Ok(Exit::Done)
}

/// Puts a file, or a folder with all that is in it, into a folder on Drive.
fn put(path: &Path, above: &str, parent: &str, report: &mut Report, context: &Context) -> anyhow::Result<()> {
    let control = context.embedded()?.control();
    let refused = |why: String| {
        Failure::new(Exit::Refused, "drop_refused", format!("{} may not drop that into novos: {why}", report.email))
            .hint(format!("`tecnico check {} --repair` gives them novos back", report.user))
    };
    let unreadable = |e: std::io::Error| {
        Failure::new(Exit::Data, "file_unreadable", format!("{} cannot be read", path.display())).hint("name a file or a folder").because(e)
    };
    // `.` and `..` have no name of their own.
    let named = if path.file_name().is_some() { path.to_owned() } else { path.canonicalize().map_err(unreadable)? };
    let name = named.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
    let below = format!("{above}{name}");
    if path.is_dir() {
        let folder = control.mkdir(&report.email, parent, &name).map_err(|e| refused(e.to_string()))?;
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
        let mut inside: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).collect();
        // A link to a folder may lead round in a circle.
        inside.retain(|path| !(path.is_symlink() && path.is_dir()));
        inside.sort();
        return inside.iter().try_for_each(|path| put(path, &format!("{below}/"), &folder, report, context));
    }
    let kind = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("pdf")) { "application/pdf" } else { "application/octet-stream" };
    let content = std::fs::read(path).map_err(unreadable)?;
    let file_id = control.put(&report.email, parent, &name, &content, kind).map_err(|e| refused(e.to_string()))?;
    report.files.push(Dropped { file_id, name: below });
    Ok(())
}

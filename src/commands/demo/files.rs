//! The demo's work orders, and the program that judges them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::domain::folder::Role;
use crate::provision::Provisioner;

/// The file that is replaced while the processor has it.
const REPLACED: &str = "16517191.pdf";

/// Refuses what is no PDF. With the file to be replaced it waits until that has happened, so that the story is the
/// same each time.
const PROCESSOR: &str = r#"#!/bin/sh
here=$(dirname "$0")
name=$(basename "$1")
if [ "$name" = "16517191.pdf" ] && [ ! -e "$here/replaced" ]; then
    touch "$here/handling"
    while [ ! -e "$here/replaced" ]; do sleep 0.05; done
fi
if [ "$(head -c 5 "$1")" != "%PDF-" ]; then
    echo "o arquivo não é um PDF" >&2
    exit 1
fi
printf '{"ordem": "%s"}\n' "${name%%.*}"
"#;

/// Writes the processor and a configuration that names it.
pub(super) fn write_processor(dir: &Path) -> anyhow::Result<()> {
    let dir = std::path::absolute(dir)?;
    let script = dir.join("processor.sh");
    std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o755).open(&script)?.write_all(PROCESSOR.as_bytes())?;
    let command = toml::Value::Array(vec![script.display().to_string().into(), "{path}".into()]);
    std::fs::write(dir.join("config.toml"), format!("[process]\ncommand = {command}\n\n[watch]\nsettle = \"0s\"\n"))?;
    Ok(())
}

/// What the technicians drop: the user, the name, the content, and what is special about it.
const FILES: [(&str, &str, &str, &str); 6] = [
    ("42", "16517189.pdf", "%PDF-1.7 uma ordem", "a work order like any other"),
    ("42", "16517190.pdf", "isto não é um PDF", "not a PDF: the processor refuses it"),
    ("42", REPLACED, "%PDF-1.7 primeira versão", "replaced by a newer version while the processor has it"),
    ("43", "16517200.pdf", "%PDF-1.7 frente", "two files of one name, this"),
    ("43", "16517200.pdf", "%PDF-1.7 verso", "and this"),
    ("43", "../../etc/16517201.pdf", "%PDF-1.7 nome hostil", "a name that tries to leave the folder"),
];

/// A folder that is dropped whole, by user 44.
const FOLDER: (&str, [&str; 2]) = ("semana 47", ["16517301.pdf", "16517302.pdf"]);

/// Acts as the technicians.
pub(super) async fn drop_all(provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<()> {
    let (control, ui) = (context.embedded()?.control(), &context.ui);
    ui.say("");
    ui.say(ui.bold("What they drop into their novos"));
    for (technician, row) in provisioner.ledger.folders_of_role(Role::Novos).await? {
        let Some(email) = &technician.email else { continue };
        let mine = FILES.iter().filter(|(user, ..)| *user == technician.user.as_str());
        for (user, name, content, special) in mine {
            ui.say(format!("  {user}  {name:<24} {}", ui.dim(special)));
            control.put(email.as_str(), &row.drive_id, name, content.as_bytes(), "application/pdf")?;
        }
        if technician.user.as_str() == "44" {
            ui.say(format!("  44  {:<24} {}", format!("{}/", FOLDER.0), ui.dim("a whole folder")));
            let folder = control.mkdir(email.as_str(), &row.drive_id, FOLDER.0)?;
            for name in FOLDER.1 {
                control.put(email.as_str(), &folder, name, b"%PDF-1.7 de uma pasta", "application/pdf")?;
            }
        }
    }
    Ok(())
}

/// What a newcomer wonders about in the trees.
pub(super) fn explain(context: &Context) {
    let ui = &context.ui;
    for line in [
        "Of 16517191.pdf both versions were handled, each once: Drive keeps one file, the VM has both.",
        "Where a name is taken, a part of the file's Drive id keeps the two apart. Nothing is overwritten.",
        "On the VM a name is made harmless; the emptied folder moves out of the way on Drive, nothing is deleted.",
    ] {
        ui.say(ui.dim(format!("  {line}")));
    }
}

/// In the first cycle: waits until the processor has the file, replaces it on Drive, and lets the processor go on.
pub(super) async fn replace_while_handled(dir: &Path, cycle: usize, context: &Context) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(20);
    while cycle == 1 && !dir.join("replaced").exists() && Instant::now() < until {
        if dir.join("handling").exists() {
            replace(context)?;
            std::fs::write(dir.join("replaced"), "")?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn replace(context: &Context) -> anyhow::Result<()> {
    let control = context.embedded()?.control();
    let snapshot = control.snapshot()?;
    let files = snapshot["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(id) = files.iter().find(|f| f["name"] == REPLACED).and_then(|f| f["id"].as_str()) {
        control.replace("ana@example.com", id, "%PDF-1.7 segunda versão".as_bytes())?;
    }
    Ok(())
}

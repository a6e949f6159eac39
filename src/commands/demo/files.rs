//! The demo's work orders, and the program that judges them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{TECHNICIANS, heading};
use crate::context::Context;
use crate::domain::technician::UserId;
use crate::provision::Provisioner;

/// The file that is replaced while the processor has it, and whose it is.
const REPLACED: (&str, &str) = ("16517191.pdf", "ana@example.com");

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
    ("42", "16517190.pdf", "isto não é um PDF", "no PDF, whatever its name says"),
    ("42", REPLACED.0, "%PDF-1.7 primeira versão", "she replaces it during step 3"),
    ("43", "16517200.pdf", "%PDF-1.7 frente", "two files of one name: this"),
    ("43", "16517200.pdf", "%PDF-1.7 verso", "and this"),
    ("43", "../../etc/16517201.pdf", "%PDF-1.7 nome hostil", "a name that tries to leave the folder"),
];

/// A folder that is dropped whole, by user 44.
const FOLDER: (&str, [&str; 2]) = ("semana 47", ["16517301.pdf", "16517302.pdf"]);

/// The dropped files' ids on Drive, in order.
pub(super) struct Drops(Vec<String>);

impl Drops {
    /// Where in that order a file comes; one that nobody dropped comes last.
    pub(super) fn place_of(&self, file_id: &str) -> usize {
        self.0.iter().position(|id| id == file_id).unwrap_or(self.0.len())
    }
}

/// Acts as the technicians.
pub(super) async fn drop_all(provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<Drops> {
    let (control, ui) = (context.embedded()?.control(), &context.ui);
    heading(2, "They drop files into their novos", context);
    let mut drops = Vec::new();
    let inbox = &provisioner.settings.layout.inbox;
    for (user, email, _) in TECHNICIANS {
        let id = UserId::parse(user).map_err(anyhow::Error::msg)?;
        let rows = provisioner.ledger.folder_ids(&id).await?;
        let Some(novos) = rows.iter().find(|r| r.path == *inbox).map(|r| r.drive_id.as_str()) else { continue };
        for (_, name, content, special) in FILES.iter().filter(|(whose, ..)| *whose == user) {
            ui.say(format!("  {user}  {name:<24}{}", ui.dim(special)));
            drops.push(control.put(email, novos, name, content.as_bytes(), "application/pdf")?);
        }
        if user == "44" {
            ui.say(format!("  44  {:<24}{}", format!("{}/", FOLDER.0), ui.dim("a whole folder with two files")));
            let folder = control.mkdir(email, novos, FOLDER.0)?;
            for name in FOLDER.1 {
                drops.push(control.put(email, &folder, name, b"%PDF-1.7 de uma pasta", "application/pdf")?);
            }
        }
    }
    Ok(Drops(drops))
}

/// What a newcomer wonders about in the trees.
pub(super) fn explain(context: &Context) {
    let ui = &context.ui;
    for line in [
        "Both versions of 16517191.pdf were handled, each once: Drive keeps one file,",
        "the VM both. Where a name is taken, a part of the file's Drive id keeps the",
        "two apart; a hostile name is made harmless. The emptied folder is put out of",
        "the way. Nothing is overwritten, nothing deleted.",
    ] {
        ui.say(ui.dim(format!("  {line}")));
    }
}

/// In the first cycle: waits until the processor has the file, replaces it on Drive, and lets the processor go on.
pub(super) async fn replace_while_handled(dir: &Path, cycle: usize, drops: &Drops, context: &Context) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(20);
    while cycle == 1 && !dir.join("replaced").exists() && Instant::now() < until {
        if dir.join("handling").exists() {
            replace(drops, context)?;
            std::fs::write(dir.join("replaced"), "")?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn replace(drops: &Drops, context: &Context) -> anyhow::Result<()> {
    let place = FILES.iter().position(|(_, name, ..)| *name == REPLACED.0);
    if let Some(id) = place.and_then(|at| drops.0.get(at)) {
        context.embedded()?.control().replace(REPLACED.1, id, "%PDF-1.7 segunda versão".as_bytes())?;
    }
    Ok(())
}

//! Both trees and the grants, side by side with what a technician sees.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use crate::context::Context;
use crate::provision::Provisioner;

/// Prints Drive's tree with its grants, then the VM's, under a heading.
pub(super) fn show(when: &str, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<()> {
    let ui = &context.ui;
    ui.say("");
    ui.say(ui.bold(format!("{when}, on Drive")));
    drive(&provisioner.settings.drive.parent_folder_id, 1, context)?;
    ui.say("");
    ui.say(format!("{} {}", ui.bold(format!("{when}, on the VM")), ui.dim(provisioner.base.path().display())));
    local(provisioner.base.path(), 1, context)
}

fn drive(folder: &str, depth: usize, context: &Context) -> anyhow::Result<()> {
    let mut children = context.embedded()?.control().children(folder)?;
    children.retain(|c| c["trashed"] != true);
    children.sort_by_key(|c| c["name"].as_str().map(str::to_owned));
    for child in children {
        let name = child["name"].as_str().unwrap_or_default();
        let line = format!("{}{}{}", "  ".repeat(depth), name.escape_debug(), grants(&child, context));
        context.ui.say(line);
        drive(child["id"].as_str().unwrap_or_default(), depth + 1, context)?;
    }
    Ok(())
}

/// With whom a folder itself, not one above it, is shared.
fn grants(file: &Value, context: &Context) -> String {
    let direct: Vec<String> = file["permissions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|p| p["role"] != "owner" && p["inherited"] != true)
        .filter_map(|p| Some(format!("{} may write", p["emailAddress"].as_str()?)))
        .collect();
    if direct.is_empty() { String::new() } else { context.ui.good(format!("   ← {}", direct.join(", "))) }
}

fn local(dir: &Path, depth: usize, context: &Context) -> anyhow::Result<()> {
    let mut names: Vec<_> = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?.flatten().map(|e| e.path()).collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        context.ui.say(format!("{}{}{}", "  ".repeat(depth), name, if path.is_dir() { "/" } else { "" }));
        if path.is_dir() {
            local(&path, depth + 1, context)?;
        }
    }
    Ok(())
}

//! Both trees, side by side.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::TECHNICIANS;
use crate::context::Context;
use crate::domain::folder::Role;
use crate::domain::technician::UserId;
use crate::domain::text::visible;
use crate::provision::Provisioner;

/// Prints what lies in every folder on Drive and beside it on the VM, under a heading; empty folders are left out.
pub(super) async fn show(when: &str, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<()> {
    let ui = &context.ui;
    ui.say("");
    ui.say(ui.bold(row(when, "on Drive", "on the VM")));
    let mut shared = Vec::new();
    for (user, ..) in TECHNICIANS {
        let user = UserId::parse(user).map_err(anyhow::Error::msg)?;
        let Some(technician) = provisioner.ledger.technician(&user).await? else { continue };
        let folders = provisioner.ledger.folder_ids(&user).await?;
        let tree = provisioner.base.path().join(&technician.folder);
        for role in [Role::Novos, Role::Processados, Role::Erro] {
            let path = provisioner.settings.layout.path_of(role);
            let Some(id) = folders.iter().find(|f| f.path == path).map(|f| f.drive_id.as_str()) else { continue };
            if role == Role::Novos {
                shared.push(shared_with(id, context)?);
            }
            let mut label = format!("  {}/{}", technician.folder, role.as_str());
            for (on_drive, on_vm) in side_by_side(id, &tree, path, provisioner, context).await? {
                ui.say(row(&label, &visible(&on_drive), &visible(&on_vm)).trim_end());
                label.clear();
            }
        }
    }
    ui.say(ui.dim(format!("  Each novos is shared with its technician:\n    {}", shared.join(", "))));
    Ok(())
}

fn row(label: &str, on_drive: &str, on_vm: &str) -> String {
    format!("{label:<27}{on_drive:<26}{on_vm}")
}

/// With whom a folder itself, not one above it, is shared.
fn shared_with(folder: &str, context: &Context) -> anyhow::Result<String> {
    let file = context.embedded()?.control().file(folder)?;
    let grants = file["permissions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let direct = grants.iter().filter(|p| p["role"] != "owner" && p["inherited"] != true);
    Ok(direct.filter_map(|p| p["emailAddress"].as_str()).collect::<Vec<_>>().join(" and "))
}

/// Every file on Drive and what became of it on the VM; then what lies on the VM alone.
async fn side_by_side(
    folder: &str,
    tree: &Path,
    path: &str,
    provisioner: &Provisioner<'_>,
    context: &Context,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut local = BTreeSet::new();
    on_vm(&tree.join(path), "", &mut local);
    let mut pairs = Vec::new();
    for (id, name) in on_drive(folder, "", context)? {
        let mut beside = Vec::new();
        for item in provisioner.ledger.items_of_file(&id).await? {
            let copy = item.local_path.as_deref().and_then(|p| p.strip_prefix(path)?.strip_prefix('/').map(str::to_owned));
            beside.extend(copy.filter(|name| local.remove(name)));
        }
        let mut beside = beside.into_iter();
        pairs.push((name, beside.next().unwrap_or_default()));
        pairs.extend(beside.map(|copy| (String::new(), copy)));
    }
    // Of two files of one name either may have come first; the shorter name is told first.
    pairs.chunk_by_mut(|a, b| a.0 == b.0).for_each(|same| same.sort_by_key(|(_, copy)| copy.len()));
    pairs.extend(local.into_iter().map(|name| (String::new(), name)));
    Ok(pairs)
}

/// The ids and names of what lies in a folder; a folder in it stands for itself where it is empty.
fn on_drive(folder: &str, above: &str, context: &Context) -> anyhow::Result<Vec<(String, String)>> {
    let mut children = context.embedded()?.control().children(folder)?;
    children.retain(|c| c["trashed"] != true);
    children.sort_by_key(|c| (c["name"].as_str().map(str::to_owned), c["createdTime"].as_str().map(str::to_owned)));
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for child in children {
        let (id, name) = (text(&child["id"]), format!("{above}{}", text(&child["name"])));
        if child["mimeType"] != crate::drive::FOLDER {
            found.push((id, name));
            continue;
        }
        let inside = on_drive(&id, &format!("{name}/"), context)?;
        if inside.is_empty() {
            found.push((id, format!("{name}/")));
        }
        found.extend(inside);
    }
    Ok(found)
}

fn on_vm(dir: &Path, above: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            on_vm(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name);
        }
    }
}

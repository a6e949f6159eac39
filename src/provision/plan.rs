//! Wanted against there: pure, so that `check` can print what `create` would do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::drift::{Drift, Plan, Problem};
use super::observe::{Observed, Seen};
use super::twins::{Twin, Whose};
use crate::domain::folder::{Layout, Role, WantedFolder};
use crate::domain::tags;
use crate::domain::text::shell_path;
use crate::drive::{Entry, Grant};
use crate::fs_layout::Entry as RegistryEntry;
use crate::fs_layout::credentials::FILE as CREDENTIALS;
use crate::fs_layout::{LocalState, SECRET_MODE};
use crate::ledger::{Technician, WantedGrant};

/// What is to be true of one technician.
pub struct Wanted<'a> {
    /// Who.
    pub technician: &'a Technician,
    /// Where their folders lie.
    pub layout: &'a Layout,
    /// The mode of their folders on the VM.
    pub folder_mode: u32,
    /// The Drive folder every tree lies in.
    pub parent_id: &'a str,
    /// The ids their folders have or are to have, by path.
    pub ids: &'a BTreeMap<String, String>,
    /// With whom `novos` is to be shared, and as what.
    pub grants: &'a [WantedGrant],
    /// Their entry in `tecnicos.json`; `None` while ids are missing.
    pub registry: Option<&'a RegistryEntry>,
    /// Where `tecnicos.json` lies.
    pub registry_file: PathBuf,
}

/// The difference between `wanted` and `there`.
pub fn plan(wanted: &Wanted<'_>, there: &Observed) -> Plan {
    let mut drifts = Vec::new();
    for folder in wanted.layout.drive_folders() {
        folder_drifts(wanted, there, &folder, &mut drifts);
    }
    for twin in &there.twins {
        drifts.push(twin_drift(wanted, twin));
    }
    grant_drifts(wanted.grants, &there.grants, &mut drifts);
    former_drift(wanted, there, &mut drifts);
    // A tree that lies somewhere else is not missing.
    let elsewhere = wanted.technician.place.as_ref();
    drifts
        .extend(elsewhere.map(|at| Drift { place: wanted.technician.folder.clone(), problem: Problem::LocalElsewhere { at: at.clone() } }));
    for local in there.local.iter().filter(|_| elsewhere.is_none()) {
        let problem = match local.state {
            LocalState::Missing => Problem::LocalMissing,
            LocalState::NotADirectory => Problem::LocalInTheWay,
            LocalState::Present => match local.mode {
                Some(mode) if mode != wanted.folder_mode => Problem::LocalMode { mode, wants: wanted.folder_mode },
                _ => continue,
            },
        };
        drifts.push(Drift { place: below(&wanted.technician.folder, &local.path), problem });
    }
    if let Some(mode) = there.credentials_mode.filter(|m| *m != SECRET_MODE) {
        drifts
            .push(Drift { place: below(&wanted.technician.folder, CREDENTIALS), problem: Problem::LocalMode { mode, wants: SECRET_MODE } });
    }
    let problem = match (&there.registry, wanted.registry) {
        (None, _) => Some(Problem::RegistryMissing),
        (Some(has), Some(wants)) if !says(has, wants) => Some(Problem::RegistryDiffers),
        _ => None,
    };
    drifts.extend(problem.map(|problem| Drift { place: "tecnicos.json".to_owned(), problem }));
    Plan { drifts }
}

fn folder_drifts(wanted: &Wanted<'_>, there: &Observed, folder: &WantedFolder, drifts: &mut Vec<Drift>) {
    let place = below(&wanted.technician.folder, &folder.path);
    let mut found = |problem| drifts.push(Drift { place: place.clone(), problem });
    let entry = match there.folders.get(&folder.path) {
        None | Some(Seen::NeverMade) => return found(Problem::FolderMissing),
        Some(Seen::Gone { id }) => return found(Problem::FolderGone { id: id.clone() }),
        Some(Seen::There(entry)) => entry,
    };
    if entry.explicitly_trashed {
        found(Problem::FolderTrashed);
    } else if entry.trashed && folder.role == Role::Usuario {
        found(Problem::ParentTrashed);
    }
    if !lies_where_wanted(wanted, there, folder, entry) {
        found(Problem::FolderMoved { from: entry.parents.first().map(ToString::to_string) });
    }
    if entry.name != drive_name(wanted.technician, folder) {
        found(Problem::FolderRenamed { now: entry.name.clone() });
    }
    let mark = tags::of(&wanted.technician.user, &folder.path, folder.role, wanted.parent_id);
    if !mark.iter().all(|(k, v)| entry.app_properties.get(k) == Some(v)) {
        found(Problem::FolderUntagged);
    }
}

/// A folder whose parent must be made anew is in the wrong place, wherever it is.
fn lies_where_wanted(wanted: &Wanted<'_>, there: &Observed, folder: &WantedFolder, entry: &Entry) -> bool {
    let Some(parent) = parent_path(&folder.path) else {
        return entry.parents.iter().any(|p| p.as_str() == wanted.parent_id);
    };
    let parent_stands = matches!(there.folders.get(parent), Some(Seen::There(_)));
    parent_stands && wanted.ids.get(parent).is_some_and(|id| entry.parents.iter().any(|p| p.as_str() == id))
}

fn twin_drift(wanted: &Wanted<'_>, twin: &Twin) -> Drift {
    let id = twin.entry.id.to_string();
    let problem = match twin.whose {
        Whose::Theirs => Problem::FolderTwin { id },
        Whose::Unknown => Problem::Namesake { id, registry: shell_path(&wanted.registry_file) },
        Whose::Unclear => Problem::FolderElsewhere { id, at: twin.entry.parents.first().map(ToString::to_string) },
    };
    Drift { place: below(&wanted.technician.folder, &twin.path), problem }
}

fn grant_drifts(wanted: &[WantedGrant], there: &[Grant], drifts: &mut Vec<Drift>) {
    for want in wanted {
        let held: Vec<&Grant> = there.iter().filter(|g| g.is_for(want.email.as_str())).collect();
        let place = want.email.to_string();
        if held.iter().any(|g| g.role == want.role || (g.inherited && rank(&g.role) >= rank(&want.role))) {
            continue;
        }
        let problem = match held.iter().find(|g| !g.inherited) {
            Some(g) if g.role == "owner" => continue,
            Some(g) => Problem::GrantRole { has: g.role.clone(), wants: want.role.clone(), permission_id: g.id.clone() },
            None => Problem::GrantMissing { role: want.role.clone(), notify: want.notify },
        };
        drifts.push(Drift { place, problem });
    }
    for grant in
        there.iter().filter(|g| !g.inherited && !g.deleted && g.role != "owner" && g.role != "organizer" && g.role != "fileOrganizer")
    {
        let asked = wanted.iter().any(|w| grant.is_for(w.email.as_str()));
        if !asked {
            let place = grant.who().to_owned();
            drifts.push(Drift { place, problem: Problem::GrantUnwanted { role: grant.role.clone() } });
        }
    }
}

/// The address from before a change, until its grant is gone, unless somebody wants it all the same.
fn former_drift(wanted: &Wanted<'_>, there: &Observed, drifts: &mut Vec<Drift>) {
    let Some(former) = &wanted.technician.former_email else { return };
    if wanted.grants.iter().any(|w| w.email == *former) {
        return;
    }
    let held = there.grants.iter().find(|g| g.is_for(former.as_str()) && !g.inherited && g.role != "owner");
    drifts.retain(|d| !matches!(d.problem, Problem::GrantUnwanted { .. }) || !d.place.eq_ignore_ascii_case(former.as_str()));
    let permission_id = held.map(|g| g.id.clone());
    drifts.push(Drift { place: former.to_string(), problem: Problem::GrantFormer { permission_id } });
}

/// Whether an entry says what is wanted; what is not known here is nobody's business.
fn says(has: &RegistryEntry, wants: &RegistryEntry) -> bool {
    let pairs = [
        (&has.nome, &wants.nome),
        (&has.email, &wants.email),
        (&has.usuario_portal, &wants.usuario_portal),
        (&has.pasta_vm, &wants.pasta_vm),
        (&has.pasta_drive_id, &wants.pasta_drive_id),
        (&has.pasta_novos_id, &wants.pasta_novos_id),
    ];
    pairs.iter().all(|(has, wants)| wants.is_empty() || has == wants)
}

fn rank(role: &str) -> u8 {
    ["reader", "commenter", "writer", "fileOrganizer", "organizer", "owner"]
        .iter()
        .position(|r| *r == role)
        .map_or(0, |at| u8::try_from(at).unwrap_or(0))
}

/// The name a folder has on Drive.
pub(super) fn drive_name(technician: &Technician, folder: &WantedFolder) -> String {
    match folder.role {
        Role::Usuario => technician.folder.clone(),
        _ => folder.path.rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

/// The path of the folder that holds `path`; `None` for the technician's own.
pub(super) fn parent_path(path: &str) -> Option<&str> {
    if path.is_empty() { None } else { Some(path.rsplit_once('/').map_or("", |(parent, _)| parent)) }
}

/// `Ana_Maria/pdfs/novos`.
pub(super) fn below(folder: &str, path: &str) -> String {
    if path.is_empty() { folder.to_owned() } else { format!("{folder}/{path}") }
}

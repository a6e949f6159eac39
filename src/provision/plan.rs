//! Wanted against there: pure, so that `check` can print what `create` would do.

use std::collections::BTreeMap;

use super::observe::{Observed, Seen, Twin};
use crate::domain::folder::{Layout, Role, WantedFolder};
use crate::domain::tags;
use crate::domain::technician::UserId;
use crate::drive::{Entry, Grant};
use crate::fs_layout::Entry as RegistryEntry;
use crate::fs_layout::credentials::FILE as CREDENTIALS;
use crate::fs_layout::{DIR_MODE, LocalState, SECRET_MODE};
use crate::ledger::{Technician, WantedGrant};

/// What is to be true of one technician.
pub struct Wanted<'a> {
    /// Who.
    pub technician: &'a Technician,
    /// Where their folders lie.
    pub layout: &'a Layout,
    /// The Drive folder every tree lies in.
    pub parent_id: &'a str,
    /// The ids their folders have or are to have, by path.
    pub ids: &'a BTreeMap<String, String>,
    /// With whom `novos` is to be shared, and as what.
    pub grants: &'a [WantedGrant],
    /// Their entry in `tecnicos.json`; `None` while ids are missing.
    pub registry: Option<&'a RegistryEntry>,
}

/// Everything that differs for one technician, parents before children.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The differences.
    pub drifts: Vec<Drift>,
}

/// One difference between what is wanted and what is there.
#[derive(Debug, Clone)]
pub struct Drift {
    /// Where: a path below the technician's folder, an address, or a file.
    pub place: String,
    /// What.
    pub problem: Problem,
}

/// The ways in which a technician's things can differ from what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Not on Drive, and never was.
    FolderMissing,
    /// Was on Drive; its id is not found any more.
    FolderGone {
        /// The id it had.
        id: String,
    },
    /// In Drive's trash.
    FolderTrashed,
    /// In Drive's trash with the folder that holds every tree.
    ParentTrashed,
    /// In another folder than wanted.
    FolderMoved {
        /// Where it is now, where that can be seen.
        from: Option<String>,
    },
    /// Under another name.
    FolderRenamed {
        /// Its name now.
        now: String,
    },
    /// Without tecnico's mark.
    FolderUntagged,
    /// A second folder of the same part.
    FolderTwin {
        /// Its id.
        id: String,
    },
    /// A folder of the technician's name that may be somebody else's.
    Namesake {
        /// Its id.
        id: String,
    },
    /// Not shared with somebody who is to have it.
    GrantMissing {
        /// The wanted role.
        role: String,
        /// Whether Google is to send its e-mail.
        notify: bool,
    },
    /// Shared in another role.
    GrantRole {
        /// The role now.
        has: String,
        /// The role wanted.
        wants: String,
        /// Drive's id of the grant.
        permission_id: String,
    },
    /// Shared with somebody nobody asked for.
    GrantUnwanted {
        /// The role they have.
        role: String,
    },
    /// Not on the VM.
    LocalMissing,
    /// Something else stands where the folder is to be.
    LocalInTheWay,
    /// Its mode is not the one wanted.
    LocalMode {
        /// The mode now.
        mode: u32,
        /// The mode it is to have.
        wants: u32,
    },
    /// No entry in `tecnicos.json`.
    RegistryMissing,
    /// Another entry in `tecnicos.json` than wanted.
    RegistryDiffers,
}

impl Problem {
    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FolderMissing => "folder_missing",
            Self::FolderGone { .. } => "folder_gone",
            Self::FolderTrashed => "folder_trashed",
            Self::ParentTrashed => "parent_trashed",
            Self::FolderMoved { .. } => "folder_moved",
            Self::FolderRenamed { .. } => "folder_renamed",
            Self::FolderUntagged => "folder_untagged",
            Self::FolderTwin { .. } => "folder_duplicated",
            Self::Namesake { .. } => "folder_namesake",
            Self::GrantMissing { .. } => "grant_missing",
            Self::GrantRole { .. } => "grant_role",
            Self::GrantUnwanted { .. } => "grant_unwanted",
            Self::LocalMissing => "local_missing",
            Self::LocalInTheWay => "local_in_the_way",
            Self::LocalMode { .. } => "local_mode",
            Self::RegistryMissing => "registry_missing",
            Self::RegistryDiffers => "registry_differs",
        }
    }

    /// Whether `check --repair` mends it; what it cannot decide is left to a person.
    pub fn is_repairable(&self) -> bool {
        !matches!(self, Self::ParentTrashed | Self::Namesake { .. } | Self::GrantUnwanted { .. } | Self::LocalInTheWay)
    }
}

impl Drift {
    /// What is wrong, as a sentence.
    pub fn sentence(&self) -> String {
        let place = &self.place;
        match &self.problem {
            Problem::FolderMissing => format!("{place} is not on Drive"),
            Problem::FolderGone { id } => format!("{place} is gone from Drive (it was {id})"),
            Problem::FolderTrashed => format!("{place} is in Drive's trash"),
            Problem::ParentTrashed => format!("{place} is in Drive's trash, with the parent folder of all trees"),
            Problem::FolderMoved { from: Some(from) } => format!("{place} was moved into the folder {from}"),
            Problem::FolderMoved { from: None } => format!("{place} was moved out of the technician's tree"),
            Problem::FolderRenamed { now } => format!("{place} was renamed to {now:?} on Drive"),
            Problem::FolderUntagged => format!("{place} does not carry tecnico's mark on Drive"),
            Problem::FolderTwin { id } => format!("{place} is on Drive twice (the other is {id})"),
            Problem::Namesake { id } => format!("a folder named {place} that tecnico did not make lies beside it ({id})"),
            Problem::GrantMissing { role, .. } => format!("novos is not shared with {place} (as {role})"),
            Problem::GrantRole { has, wants, .. } => format!("{place} is {has} of novos instead of {wants}"),
            Problem::GrantUnwanted { role } => format!("novos is shared with {place} (as {role}), which nobody asked for"),
            Problem::LocalMissing => format!("{place} is not on the VM"),
            Problem::LocalInTheWay => format!("{place} on the VM is not a folder"),
            Problem::LocalMode { mode, wants } => format!("{place} on the VM has mode {mode:04o} instead of {wants:04o}"),
            Problem::RegistryMissing => format!("{place} has no entry for them"),
            Problem::RegistryDiffers => format!("{place} says something else of them"),
        }
    }

    /// The command that mends it.
    pub fn fix(&self, user: &UserId) -> String {
        let (place, user) = (&self.place, user.typed());
        match &self.problem {
            Problem::Namesake { .. } => {
                "rename it on Drive, or, if it is the same person's from the old system, `tecnico import tecnicos.json`".to_owned()
            }
            Problem::GrantUnwanted { role } => format!(
                "`tecnico share {user} --with {place} --revoke`, or keep it with `tecnico share {user} --with {place} --role {role}`"
            ),
            Problem::ParentTrashed => "take the folder of `drive.parent_folder_id` out of the trash, in Drive".to_owned(),
            Problem::LocalInTheWay => format!("move what is at {place} elsewhere, then `tecnico check {user} --repair`"),
            _ => format!("`tecnico check {user} --repair`"),
        }
    }
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
    for local in &there.local {
        let problem = match local.state {
            LocalState::Missing => Problem::LocalMissing,
            LocalState::NotADirectory => Problem::LocalInTheWay,
            LocalState::Present => match local.mode {
                Some(mode) if mode != DIR_MODE => Problem::LocalMode { mode, wants: DIR_MODE },
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
    if !tags::of(&wanted.technician.user, &folder.path, folder.role).iter().all(|(k, v)| entry.app_properties.get(k) == Some(v)) {
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
    let problem = if twin.is_theirs { Problem::FolderTwin { id } } else { Problem::Namesake { id } };
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
fn below(folder: &str, path: &str) -> String {
    if path.is_empty() { folder.to_owned() } else { format!("{folder}/{path}") }
}

//! One difference between what is wanted and what is there: its code for programs, its sentence and its mend for people.

use crate::domain::technician::UserId;
use crate::domain::text::count;

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
    /// A folder with the mark of a part, from before it named a parent folder, and not where this one's are: perhaps another
    /// installation's.
    FolderElsewhere {
        /// Its id.
        id: String,
        /// The folder it lies in, where that can be seen.
        at: Option<String>,
    },
    /// What was `novos` before the layout was changed is shared still, or not empty.
    InboxFormer {
        /// Its id.
        id: String,
        /// How many have access.
        shared: usize,
        /// How much lies in it.
        files: usize,
    },
    /// A folder of the technician's name that may be somebody else's.
    Namesake {
        /// Its id.
        id: String,
        /// Where `tecnicos.json` lies, as a word for a shell.
        registry: String,
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
    /// Shared, or only noted to be, with the address that was theirs before a change.
    GrantFormer {
        /// Drive's id of the grant, where it is still there.
        permission_id: Option<String>,
    },
    /// On the VM in another place: in the archive, or under the name before a rename.
    LocalElsewhere {
        /// That place, below the base directory.
        at: String,
    },
    /// A removal was begun and is not done.
    RemovalUnfinished,
    /// They got another name or address, and the backend was never told.
    RenameUntold,
    /// Of somebody to be removed: shared with somebody who is to have nothing any more.
    Access {
        /// Drive's id of what is shared.
        file_id: String,
        /// Drive's id of the grant.
        permission_id: String,
        /// Where it is.
        on: String,
        /// The role they have.
        role: String,
    },
    /// Of somebody to be removed: the tree on Drive is not in the archive.
    NotArchived {
        /// The archive's name.
        archive: String,
    },
    /// Of somebody to be removed: the tree on the VM is not in the archive.
    LocalNotArchived {
        /// The archive's name.
        archive: String,
    },
    /// Of somebody to be removed: `tecnicos.json` names them.
    RegistryUnwanted,
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
            Self::FolderElsewhere { .. } => "folder_elsewhere",
            Self::InboxFormer { .. } => "folder_former",
            Self::Namesake { .. } => "folder_namesake",
            Self::GrantMissing { .. } => "grant_missing",
            Self::GrantRole { .. } => "grant_role",
            Self::GrantUnwanted { .. } => "grant_unwanted",
            Self::GrantFormer { .. } => "grant_former",
            Self::LocalElsewhere { .. } => "local_elsewhere",
            Self::RemovalUnfinished => "removal_unfinished",
            Self::RenameUntold => "rename_untold",
            Self::Access { .. } => "access",
            Self::NotArchived { .. } => "not_archived",
            Self::LocalNotArchived { .. } => "local_not_archived",
            Self::RegistryUnwanted => "registry_unwanted",
            Self::LocalMissing => "local_missing",
            Self::LocalInTheWay => "local_in_the_way",
            Self::LocalMode { .. } => "local_mode",
            Self::RegistryMissing => "registry_missing",
            Self::RegistryDiffers => "registry_differs",
        }
    }

    /// Whether `check --repair` mends it; what it cannot decide is left to a person.
    pub fn is_repairable(&self) -> bool {
        !matches!(
            self,
            Self::ParentTrashed
                | Self::FolderElsewhere { .. }
                | Self::Namesake { .. }
                | Self::GrantUnwanted { .. }
                | Self::LocalInTheWay
                | Self::RemovalUnfinished
        )
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
            Problem::FolderElsewhere { id, at } => {
                let at = at.as_ref().map_or_else(String::new, |at| format!(", in {at}"));
                format!("a folder with the mark of {place} lies elsewhere ({id}{at}); it may be another installation's")
            }
            Problem::InboxFormer { shared, files, .. } => format!(
                "{place} was their novos before `layout.inbox` was changed, and is shared still ({}, {} in it)",
                count(*shared as u64, "grant", "grants"),
                count(*files as u64, "file or folder", "files or folders")
            ),
            Problem::Namesake { id, .. } => format!("a folder named {place} that tecnico did not make lies beside it ({id})"),
            Problem::GrantMissing { role, .. } => format!("novos is not shared with {place} (as {role})"),
            Problem::GrantRole { has, wants, .. } => format!("{place} is {has} of novos instead of {wants}"),
            Problem::GrantUnwanted { role } => format!("novos is shared with {place} (as {role}), which nobody asked for"),
            Problem::GrantFormer { .. } => format!("{place} was their address before and is to have no access any more"),
            Problem::LocalElsewhere { at } => format!("{place} lies at {at} on the VM"),
            Problem::RemovalUnfinished => format!("the removal of {place} was begun and is not done"),
            Problem::RenameUntold => format!("{place} got a new name or address, of which the backend was not told"),
            Problem::Access { on, role, .. } => format!("{on} is shared with {place} (as {role})"),
            Problem::NotArchived { archive } => format!("{place} is not in {archive} on Drive"),
            Problem::LocalNotArchived { archive } => format!("{place} is not in {archive} on the VM"),
            Problem::RegistryUnwanted => format!("{place} has an entry for them"),
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
            Problem::FolderElsewhere { .. } => {
                "`tecnico check --repair` of the installation it belongs to marks it as its own; if it is this one's, move it beside its \
                 namesake in Drive"
                    .to_owned()
            }
            Problem::Namesake { registry, .. } => {
                format!("rename it on Drive, or, if it is the same person's from the old system, `tecnico import {registry}`")
            }
            Problem::GrantUnwanted { role } => format!(
                "`tecnico share {user} --with {place} --revoke`, or keep it with `tecnico share {user} --with {place} --role {role}`"
            ),
            Problem::ParentTrashed => "take the folder of `drive.parent_folder_id` out of the trash, in Drive".to_owned(),
            Problem::RemovalUnfinished => {
                format!("`tecnico remove {user} --confirm {user}` finishes it; `tecnico create {user}` takes it back")
            }
            Problem::LocalInTheWay => format!("move what is at {place} elsewhere, then `tecnico check {user} --repair`"),
            _ => format!("`tecnico check {user} --repair`"),
        }
    }
}

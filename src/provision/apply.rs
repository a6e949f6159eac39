//! Making it so: the VM first, then Drive level by level, then the grants. Every step can be repeated.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::drift::{Plan, Problem};
use super::home::check_nothing_blocks;
use super::observe::{Observed, Seen};
use super::plan::{self, Wanted};
use super::{Prepared, Provisioner};
use crate::domain::folder::{Role, WantedFolder};
use crate::domain::tags;
use crate::drive::{Change, Created, Entry, FileId, Kind, NewFolder, NewGrant};
use crate::error::{Exit, Failure};
use crate::fs_layout::credentials::FILE as CREDENTIALS;
use crate::fs_layout::{Credentials, Entry as RegistryEntry, Key, SECRET_MODE, Written};
use crate::ledger::{FolderState, WantedGrant};

/// What has become of one technician.
pub struct Applied {
    /// The address of `novos` for people.
    pub novos_link: Option<String>,
    /// Whether `novos` is shared with the technician.
    pub shared: bool,
    /// Whether anything was changed.
    pub changed: bool,
    /// What `tecnicos.json` is to say, where it does not say it yet.
    pub registry: Option<RegistryEntry>,
}

impl Provisioner<'_> {
    /// What differs for a prepared technician.
    pub async fn plan(&self, prepared: &Prepared, there: &Observed) -> anyhow::Result<Plan> {
        let grants = self.wanted_grants(&prepared.technician).await?;
        let ids = ids_of(prepared);
        let registry = self.registry_entry(prepared)?;
        let mut plan = plan::plan(&self.wanted(prepared, &ids, &grants, &registry), there);
        // What a layout of before named is known, too.
        let rows = self.ledger.folder_ids(&prepared.technician.user).await?;
        plan.drifts.extend(self.former_inboxes(prepared, &rows).await?);
        Ok(plan)
    }

    fn wanted<'w>(
        &'w self,
        prepared: &'w Prepared,
        ids: &'w BTreeMap<String, String>,
        grants: &'w [WantedGrant],
        registry: &'w RegistryEntry,
    ) -> Wanted<'w> {
        Wanted {
            technician: &prepared.technician,
            layout: &self.settings.layout,
            folder_mode: self.settings.modes.folder,
            parent_id: &self.settings.drive.parent_folder_id,
            ids,
            grants,
            registry: Some(registry),
            registry_file: self.base.registry().path(),
        }
    }

    /// Brings about what `plan` says is missing. `secrets` are written before Drive is touched.
    pub async fn apply(
        &self,
        prepared: &mut Prepared,
        plan: &Plan,
        there: &Observed,
        secrets: Option<(&Key, &Credentials)>,
    ) -> anyhow::Result<Applied> {
        let mut changed = plan.drifts.iter().any(|d| d.problem.is_repairable());
        self.apply_local(prepared, plan).await?;
        if let Some((key, credentials)) = secrets {
            changed |= self.base.tree(&prepared.technician.folder)?.write_credentials(key, credentials)? != Written::Unchanged;
        }
        self.replace_gone(prepared, there).await?;
        let entries = self.apply_folders(prepared, there).await?;
        for twin in there.twins.iter().filter(|t| t.is_to_be_merged(&there.twins)) {
            if let Some(keeper) = entries.get(&twin.path) {
                self.merge_twin(&twin.entry, &keeper.id, &prepared.technician).await?;
            }
        }
        let novos = entries.get(self.settings.layout.path_of(Role::Novos));
        if let Some(novos) = novos {
            self.apply_grants(&novos.id, plan).await?;
            self.close_former_inboxes(plan, &novos.id).await?;
        }
        if prepared.technician.former_email.take().is_some() {
            self.ledger.forget_former_email(&prepared.technician.user).await?;
        }
        self.put_back_registry_entry(prepared).await?;
        let wants_registry = plan.drifts.iter().any(|d| matches!(d.problem, Problem::RegistryMissing | Problem::RegistryDiffers));
        let replaced = there.folders.values().any(|s| matches!(s, Seen::Gone { .. }));
        Ok(Applied {
            novos_link: novos.and_then(|e| e.web_view_link.clone()),
            shared: self.is_shared(prepared).await?,
            changed,
            registry: if wants_registry || replaced { Some(self.registry_entry(prepared)?) } else { None },
        })
    }

    /// Whether `novos` is to be, and after the grants is, shared with the technician.
    pub async fn is_shared(&self, prepared: &Prepared) -> anyhow::Result<bool> {
        let grants = self.wanted_grants(&prepared.technician).await?;
        Ok(grants.iter().any(|g| Some(&g.email) == prepared.technician.email.as_ref()))
    }

    pub(super) async fn apply_local(&self, prepared: &mut Prepared, plan: &Plan) -> anyhow::Result<()> {
        let came_home = self.bring_home(&mut prepared.technician).await?;
        let tree = self.base.tree(&prepared.technician.folder)?;
        check_nothing_blocks(&prepared.technician, plan)?;
        if came_home || plan.drifts.iter().any(|d| d.problem == Problem::LocalMissing) {
            tree.create(&self.settings.layout.local_folders())?;
        }
        for drift in plan.drifts.iter().filter(|d| matches!(d.problem, Problem::LocalMode { .. })) {
            let path = drift.place.strip_prefix(&prepared.technician.folder).unwrap_or_default();
            match path.trim_start_matches('/') {
                CREDENTIALS => tree.fix_file_mode(CREDENTIALS, SECRET_MODE)?,
                folder => tree.fix_mode(folder)?,
            }
        }
        Ok(())
    }

    /// Gives folders that are gone a new id: an id is used once (drive-v3-behaviour 1.18).
    pub(super) async fn replace_gone(&self, prepared: &mut Prepared, there: &Observed) -> anyhow::Result<()> {
        let gone: Vec<(&String, &String)> =
            there.folders.iter().filter_map(|(p, s)| if let Seen::Gone { id } = s { Some((p, id)) } else { None }).collect();
        if gone.is_empty() {
            return Ok(());
        }
        for (path, id) in gone {
            self.ledger.forget_id(&prepared.technician.user, path, id).await?;
        }
        prepared.rows = self.assign(&prepared.technician, &self.settings.layout.drive_folders()).await?;
        Ok(())
    }

    /// Levels one after another, siblings side by side.
    pub(super) async fn apply_folders(&self, prepared: &Prepared, there: &Observed) -> anyhow::Result<BTreeMap<String, Entry>> {
        let folders = self.settings.layout.drive_folders();
        let depth = |f: &WantedFolder| if f.path.is_empty() { 0 } else { f.path.matches('/').count() + 1 };
        let deepest = folders.iter().map(depth).max().unwrap_or(0);
        let mut done = BTreeMap::new();
        for level in 0..=deepest {
            let siblings = folders
                .iter()
                .filter(|f| depth(f) == level)
                .map(|f| async move { anyhow::Ok((f.path.clone(), self.apply_folder(prepared, f, there.folders.get(&f.path)).await?)) });
            let made = try_join_all(siblings).await?;
            if made.iter().any(|(path, entry)| path.is_empty() && entry.trashed) {
                return Err(self.parent_trashed().into());
            }
            done.extend(made);
        }
        // Once for all levels: a run that does not get here leaves ids that the next run finds in use.
        let news: Vec<&str> = done.keys().map(String::as_str).filter(|p| is_reserved(prepared, p)).collect();
        if !news.is_empty() {
            self.ledger.mark_all_created(&prepared.technician.user, &news).await?;
        }
        Ok(done)
    }

    /// The folder every tree is to lie in is in the trash.
    pub(super) fn parent_trashed(&self) -> Failure {
        crate::drive::parent_trashed(&self.settings.drive.parent_folder_id)
            .hint("take it out of the trash in Drive, or set `drive.parent_folder_id` to another; then run the same command again")
    }

    async fn apply_folder(&self, prepared: &Prepared, folder: &WantedFolder, seen: Option<&Seen>) -> anyhow::Result<Entry> {
        let ids = ids_of(prepared);
        let missing = |path: &str| anyhow::anyhow!("the ledger has no id for {path:?}");
        let parent = match plan::parent_path(&folder.path) {
            None => self.parent()?,
            Some(path) => FileId::new(ids.get(path).ok_or_else(|| missing(path))?)?,
        };
        let entry = if let Some(Seen::There(entry)) = seen {
            (**entry).clone()
        } else {
            let id = FileId::new(ids.get(&folder.path).ok_or_else(|| missing(&folder.path))?)?;
            let name = plan::drive_name(&prepared.technician, folder);
            let new = NewFolder {
                id: id.clone(),
                name,
                parent: parent.clone(),
                app_properties: tags::of(&prepared.technician.user, &folder.path, folder.role, &self.settings.drive.parent_folder_id),
            };
            let made = self.drive.create_folder(&new).await;
            match made.map_err(|e| if folder.path.is_empty() && e.kind == Kind::Gone { self.parent_not_found(e) } else { e.into() })? {
                Created::New(entry) => return Ok(entry),
                // Ours: an earlier run made it and did not hear so.
                Created::Existing => self.drive.get(&id).await?.ok_or_else(|| {
                    Failure::new(Exit::Later, "folder_not_visible", format!("Drive says the folder {id} exists, but does not show it yet"))
                        .hint("run the same command again in a minute")
                })?,
            }
        };
        match self.mend(prepared, folder, &parent, &entry) {
            Some(change) => Ok(self.drive.update(&entry.id, &change).await?),
            None => Ok(entry),
        }
    }

    async fn apply_grants(&self, novos: &FileId, plan: &Plan) -> anyhow::Result<()> {
        for drift in &plan.drifts {
            match &drift.problem {
                Problem::GrantMissing { role, notify } => {
                    self.drive.grant(novos, &NewGrant { email: drift.place.clone(), role: role.clone(), notify: *notify }).await?;
                }
                Problem::GrantRole { wants, permission_id, .. } => {
                    self.drive.regrant(novos, permission_id, wants).await?;
                }
                _ => {}
            }
        }
        // Only when the new address has its access is the old one's taken.
        for drift in &plan.drifts {
            if let Problem::GrantFormer { permission_id: Some(permission_id) } = &drift.problem {
                self.drive.revoke(novos, permission_id).await?;
            }
        }
        Ok(())
    }

    /// What `tecnicos.json` is to say of them (CONTRACT 1.2).
    fn registry_entry(&self, prepared: &Prepared) -> anyhow::Result<RegistryEntry> {
        let technician = &prepared.technician;
        let ids = ids_of(prepared);
        let id = |role| ids.get(self.settings.layout.path_of(role)).cloned().unwrap_or_default();
        Ok(RegistryEntry {
            nome: technician.name.clone(),
            email: technician.email.as_ref().map(ToString::to_string).unwrap_or_default(),
            usuario_portal: technician.portal_user.clone().unwrap_or_default(),
            pasta_vm: self.base.tree(&technician.folder)?.path().display().to_string(),
            pasta_drive_id: id(Role::Usuario),
            pasta_novos_id: id(Role::Novos),
        })
    }

    /// The one change that puts a folder right: place, name, mark and trash together.
    fn mend(&self, prepared: &Prepared, folder: &WantedFolder, parent: &FileId, entry: &Entry) -> Option<Change> {
        let mut change = Change::default();
        let name = plan::drive_name(&prepared.technician, folder);
        if entry.name != name {
            change.name = Some(name);
        }
        if !entry.parents.contains(parent) {
            change.add_parent = Some(parent.clone());
            change.remove_parent = entry.parents.first().cloned();
        }
        if entry.explicitly_trashed {
            change.trashed = Some(false);
        }
        let tags = tags::of(&prepared.technician.user, &folder.path, folder.role, &self.settings.drive.parent_folder_id);
        change.app_properties =
            tags.into_iter().filter(|(k, v)| entry.app_properties.get(k) != Some(v)).map(|(k, v)| (k, Some(v))).collect();
        if entry.app_properties.contains_key(tags::REMOVED) {
            change.app_properties.insert(tags::REMOVED.to_owned(), None);
        }
        (change != Change::default()).then_some(change)
    }
}

fn ids_of(prepared: &Prepared) -> BTreeMap<String, String> {
    prepared.rows.iter().map(|r| (r.path.clone(), r.drive_id.clone())).collect()
}

fn is_reserved(prepared: &Prepared, path: &str) -> bool {
    prepared.rows.iter().any(|r| r.path == path && r.state == FolderState::Reserved)
}

//! Second folders of one part: what lies in them comes over, they step aside under another name. Nothing is deleted.

use std::collections::BTreeMap;

use super::Provisioner;
use crate::domain::tags;
use crate::drive::{Change, Entry, FileId, Query};
use crate::ledger::Technician;

impl Provisioner<'_> {
    /// Moves everything in `twin` into `keeper`, folder by folder where both have one of a name, then renames and
    /// unmarks the twin and takes it from the technician, so that nobody drops files into it again.
    pub(super) async fn merge_twin(&self, twin: &Entry, keeper: &FileId, technician: &Technician) -> anyhow::Result<()> {
        let children = self.drive.list(&Query::children_of(&twin.id).trashed(false)).await?;
        let ours = self.drive.list(&Query::children_of(keeper).folders_only().trashed(false)).await?;
        for child in children {
            if let Some(same) = ours.iter().find(|o| child.is_folder() && o.name == child.name && o.id != child.id) {
                Box::pin(self.merge_twin(&child, &same.id, technician)).await?;
            } else {
                let to = Change { add_parent: Some(keeper.clone()), remove_parent: Some(twin.id.clone()), ..Change::default() };
                self.drive.update(&child.id, &to).await?;
            }
        }
        let unmark: BTreeMap<String, Option<String>> =
            twin.app_properties.keys().filter(|k| k.starts_with(tags::PREFIX)).map(|k| (k.clone(), None)).collect();
        let aside = Change { name: Some(format!("{} (duplicada {})", twin.name, twin.id)), app_properties: unmark, ..Change::default() };
        self.drive.update(&twin.id, &aside).await?;
        let email = technician.email.as_ref().map(|e| e.as_str().to_owned());
        for grant in self.drive.permissions(&twin.id).await? {
            if !grant.inherited && grant.role != "owner" && grant.email.is_some() && grant.email == email {
                self.drive.revoke(&twin.id, &grant.id).await?;
            }
        }
        Ok(())
    }
}

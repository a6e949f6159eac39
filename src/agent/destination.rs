//! Where filed work orders go: `processados` or `erro`, or the sub-folder a template names.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cycle::Cycle;
use super::homes::{Home, id};
use super::setback::Setback;
use crate::domain::clock::Millis;
use crate::domain::folder::{Layout, Role, WantedFolder};
use crate::domain::tags;
use crate::drive::{FileId, NewFolder};
use crate::error::{Exit, Failure};
use crate::ledger::{Assigned, FolderRow, FolderState};

/// Ids asked for at once.
const IDS_AT_ONCE: usize = 20;

/// The path of a role for a file found `at`, below the technician's folder. The time a file was found never changes, so
/// neither does its place, however often filing it is tried.
pub(super) fn path(layout: &Layout, role: Role, at: Millis) -> String {
    let template = match role {
        Role::Processados => &layout.processed,
        Role::Erro => &layout.failed,
        _ => &layout.inbox,
    };
    let when = TimeZone::system().to_datetime(Timestamp::from_millisecond(at).unwrap_or_default());
    template.replace("{year}", &format!("{:04}", when.year())).replace("{month}", &format!("{:02}", when.month()))
}

impl Cycle<'_> {
    /// The folder on Drive for [`path`], made where it is not there yet.
    pub(super) async fn destination(&self, home: &Home, role: Role, at: Millis) -> Result<FileId, Setback> {
        let layout = &self.agent.settings.layout;
        let standing = if role == Role::Erro { &home.erro } else { &home.processados };
        let (fixed, whole) = (layout.path_of(role), path(layout, role, at));
        let Some(rest) = whole.strip_prefix(fixed).map(|r| r.trim_start_matches('/')).filter(|r| !r.is_empty()) else {
            return Ok(standing.clone());
        };
        let mut wanted: Vec<WantedFolder> = Vec::new();
        for part in rest.split('/') {
            let above = wanted.last().map_or(fixed, |w| w.path.as_str());
            wanted.push(WantedFolder { path: format!("{above}/{part}"), role: Role::Caminho });
        }
        let rows = self.rows(home, &wanted).await?;
        let mut parent = standing.clone();
        for row in rows {
            let folder = id(&row.drive_id)?;
            if row.state == FolderState::Reserved {
                self.make(home, &row, &folder, &parent).await?;
            }
            self.know_end(&folder, role);
            parent = folder;
        }
        Ok(parent)
    }

    /// Ids recorded before the first create, as for the tree itself: whoever comes second uses the same.
    async fn rows(&self, home: &Home, wanted: &[WantedFolder]) -> Result<Vec<FolderRow>, Setback> {
        loop {
            match self.agent.ledger.assign_ids(&home.technician.user, wanted).await? {
                Assigned::Ids(rows) => return Ok(rows),
                Assigned::NeedIds(n) => {
                    let ids = self.agent.drive.generate_ids(n.max(IDS_AT_ONCE)).await?;
                    self.agent.ledger.add_spare_ids(&ids).await?;
                }
            }
        }
    }

    async fn make(&self, home: &Home, row: &FolderRow, folder: &FileId, parent: &FileId) -> Result<(), Setback> {
        let user = &home.technician.user;
        let app_properties = tags::of(user, &row.path, row.role, &self.agent.settings.drive.parent_folder_id);
        let name = row.path.rsplit('/').next().unwrap_or_default().to_owned();
        self.agent.drive.create_folder(&NewFolder { id: folder.clone(), name, parent: parent.clone(), app_properties }).await?;
        self.agent.ledger.mark_created(user, &row.path).await?;
        Ok(())
    }

    /// What to do about a destination that Drive does not know, or that lies in the trash.
    pub(super) async fn destination_lost(&self, home: &Home, role: Role, folder: &FileId) -> Result<Failure, Setback> {
        let user = &home.technician.user;
        if *folder != home.processados && *folder != home.erro {
            // A sub-folder of a template: the next try makes another.
            if let Some((_, row)) = self.agent.ledger.folder_by_drive_id(folder.as_str()).await? {
                self.agent.ledger.forget_id(user, &row.path, folder.as_str()).await?;
            }
        }
        Ok(Failure::new(Exit::Refused, "destination_gone", format!("{}: the folder {role} on Drive is gone or in the trash", home.blame()))
            .hint(format!("`tecnico check {user} --repair`; the file waits where it is")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_in_from_when_the_file_was_found() {
        let layout = Layout {
            inbox: "pdfs/novos".into(),
            processed: "pdfs/processados/{year}/{month}".into(),
            failed: "pdfs/erro".into(),
            local_only: Vec::new(),
            archive: "arquivo".into(),
        };
        // The middle of a month, so that the machine's time zone does not matter.
        let at = "2026-11-15T12:00:00Z".parse::<Timestamp>().expect("a time").as_millisecond();
        assert_eq!(path(&layout, Role::Processados, at), "pdfs/processados/2026/11");
        assert_eq!(path(&layout, Role::Erro, at), "pdfs/erro");
    }
}

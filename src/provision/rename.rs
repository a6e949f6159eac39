//! Another name or address for a technician: the ledger says what is to be, the planner brings it about.

use super::remove::PATIENCE;
use super::{Applied, Plan, Prepared, Provisioner, Subject};
use crate::domain::clock;
use crate::domain::technician::{Email, UserId, folder_name};
use crate::error::{Exit, Failure};
use crate::ledger::{Renaming, Technician};

/// What a caller wants to be different.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The full name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<Email>,
}

/// A technician after `rename`.
pub struct Renamed {
    /// As they were.
    pub before: Technician,
    /// As they are, with their folders.
    pub prepared: Prepared,
    /// Whether the folder is another than the name would give, because that one was taken.
    pub renumbered_from: Option<String>,
    /// What was found to differ.
    pub plan: Plan,
    /// What has become of it.
    pub applied: Applied,
}

impl Provisioner<'_> {
    /// Gives a technician another name or address, with everything that hangs on it: both trees, the grant, `tecnicos.json`.
    /// The same again changes nothing; after a crash it goes on where it stopped, as `check --repair` does.
    ///
    /// Fails with `email_taken` (65) where another technician has the address, `cycle_busy` (75) where a cycle does not end.
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(user = %technician.user))]
    pub async fn rename(&self, technician: &Technician, changes: &Changes) -> anyhow::Result<Renamed> {
        let wanted = self.renaming(technician, changes).await?;
        let _lock = self.ledger.lock_technician(&technician.user).await?;
        let mut before = self.in_service(technician).await?;
        // No cycle may be at work in a tree that moves.
        let moves = changes.name.is_some() || before.place.is_some();
        let cycle = if moves { Some(self.ledger.lock_cycle(PATIENCE, || false).await?) } else { None };
        self.bring_home(&mut before).await?;
        if before.former_email.is_some() && changes.email.is_some() {
            // An earlier change of address never got to its end; its grant must not be forgotten.
            let mut prepared = self.known(before.clone()).await?;
            self.make_so(&mut prepared).await?;
            before = prepared.technician;
        }
        let occupied = self.occupied().await?;
        let mut technician =
            self.ledger.rename(&before.user, &wanted, &occupied, true, clock::now()).await?.unwrap_or_else(|| before.clone());
        self.bring_home(&mut technician).await?;
        drop(cycle);
        let renumbered_from = renumbered(&technician, &wanted);
        let mut prepared = self.known(technician).await?;
        let (plan, applied) = self.make_so(&mut prepared).await?;
        if let Some(entry) = &applied.registry {
            self.base.registry().upsert(entry)?;
        }
        Ok(Renamed { before, prepared, renumbered_from, plan, applied })
    }

    /// What a rename would make of them; writes nothing.
    pub async fn preview_rename(&self, technician: &Technician, changes: &Changes) -> anyhow::Result<Technician> {
        let wanted = self.renaming(technician, changes).await?;
        let now = self.in_service(technician).await?;
        let occupied = self.occupied().await?;
        Ok(self.ledger.rename(&now.user, &wanted, &occupied, false, clock::now()).await?.unwrap_or(now))
    }

    /// Notes that the backend's event of a rename is recorded. The event comes first: after a crash in between it is told
    /// twice, not never.
    pub async fn renamed(&self, user: &UserId) -> anyhow::Result<()> {
        Ok(self.ledger.rename_told(user).await?)
    }

    async fn renaming(&self, technician: &Technician, changes: &Changes) -> anyhow::Result<Renaming> {
        let user = &technician.user;
        let name = match changes.name.as_deref().map(str::trim) {
            Some(name) => {
                let folder = folder_name(name).map_err(|why| {
                    Failure::new(Exit::Data, "name_invalid", format!("for {user}: {why}")).hint("nothing was changed; give another --name")
                })?;
                Some((name.to_owned(), folder))
            }
            None => None,
        };
        if let Some(email) = &changes.email {
            self.check_address_is_free(technician, email).await?;
        }
        Ok(Renaming { name, email: changes.email.clone() })
    }

    /// Two technicians of one address: which novos would they be meant to use?
    pub(super) async fn check_address_is_free(&self, technician: &Technician, email: &Email) -> anyhow::Result<()> {
        let others = self.ledger.technicians().await?;
        let Some(other) = others.into_iter().find(|t| t.user != technician.user && t.email.as_ref() == Some(email)) else { return Ok(()) };
        let why = format!("{email} is the e-mail of {} already", self.naming(&other));
        Err(Failure::new(Exit::Data, "email_taken", why).hint("nothing was changed; give another --email").into())
    }

    async fn occupied(&self) -> anyhow::Result<std::collections::HashSet<String>> {
        Ok(self.survey(&[]).await?.occupied(&self.settings.layout))
    }

    /// Observes, plans and applies for a technician as the ledger has them.
    pub(super) async fn make_so(&self, prepared: &mut Prepared) -> anyhow::Result<(Plan, Applied)> {
        prepared.rows = self.assign(&prepared.technician, &self.settings.layout.drive_folders()).await?;
        let subject = Subject { user: &prepared.technician.user, folder: &prepared.technician.folder, rows: &prepared.rows };
        let survey = self.survey(&[subject]).await?;
        let there = self.observe(&prepared.technician, &prepared.rows, &survey).await?;
        let plan = self.plan(prepared, &there).await?;
        let applied = self.apply(prepared, &plan, &there, None).await?;
        Ok((plan, applied))
    }
}

fn renumbered(technician: &Technician, wanted: &Renaming) -> Option<String> {
    wanted.name.as_ref().map(|(_, folder)| folder.clone()).filter(|folder| *folder != technician.folder)
}

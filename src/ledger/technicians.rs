//! Who the technicians are, and the one folder name each of them holds.

use std::collections::HashSet;

use sqlx::{Sqlite, Transaction};

use super::Ledger;
use crate::domain::clock::Millis;
use crate::domain::technician::{Email, UserId, folder_key, numbered_folder};
use crate::error::Failure;

/// A technician as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technician {
    /// What the backend calls them.
    pub user: UserId,
    /// The full name.
    pub name: String,
    /// Whom `novos` is shared with.
    pub email: Option<Email>,
    /// The account on the portal the PDFs come from.
    pub portal_user: Option<String>,
    /// The folder's name, on the VM and on Drive. Theirs until a rename gives them another, also while they are removed.
    pub folder: String,
    /// When they were first recorded.
    pub created_at: Millis,
    /// When they were taken out, if they were: from then on nothing of theirs is processed.
    pub removed_at: Option<Millis>,
    /// When taking them out was begun, where it is not done yet.
    pub removing_at: Option<Millis>,
    /// Where their tree lies on the VM, below the base directory, where that is not `folder`.
    pub place: Option<String>,
    /// Their address before a change, while its grant may still be there.
    pub former_email: Option<Email>,
    /// What `tecnicos.json` said of them before they were taken out: the text of one JSON object.
    pub registry_entry: Option<String>,
    /// When they got another name or address, where the backend has not been told of it yet.
    pub renaming_at: Option<Millis>,
}

impl Technician {
    /// Whether their files are taken: they are in service, and their tree lies where it belongs.
    pub fn is_at_work(&self) -> bool {
        self.removed_at.is_none() && self.place.is_none()
    }
}

/// What a caller says about a technician. What is `None` stays as it is recorded.
#[derive(Debug, Clone, Default)]
pub struct WantedTechnician {
    /// The full name; a new technician without one is called by the user id.
    pub name: Option<String>,
    /// Whom to share with.
    pub email: Option<Email>,
    /// The portal account.
    pub portal_user: Option<String>,
    /// The folder a new technician would like ([`crate::domain::technician::folder_name`]).
    pub folder: String,
}

/// Whether the technician was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Recorded just now.
    New,
    /// Recorded before; the folder is the one of then.
    Known,
}

/// What a [`Ledger::reserve`] changed about a known technician.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The full name.
    Name,
    /// The e-mail.
    Email,
    /// The portal account.
    PortalUser,
    /// They had been removed and are back.
    RemovedAt,
}

/// The answer to [`Ledger::reserve`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// As recorded now.
    pub technician: Technician,
    /// New or known.
    pub outcome: Outcome,
    /// What changed about a known one; empty for a new one.
    pub changed: Vec<Field>,
}

/// `SELECT` of whole technicians, with what follows `FROM technicians`.
macro_rules! select_technicians {
    ($rest:literal) => {
        concat!(
            "SELECT user_id, name, email, portal_user, folder, created_at, removed_at, removing_at, place, former_email, registry_entry, ",
            "renaming_at FROM technicians ",
            $rest
        )
    };
}
pub(super) use select_technicians;

/// A row as SQL gives it.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    user_id: String,
    name: String,
    email: Option<String>,
    portal_user: Option<String>,
    folder: String,
    created_at: Millis,
    removed_at: Option<Millis>,
    removing_at: Option<Millis>,
    place: Option<String>,
    former_email: Option<String>,
    registry_entry: Option<String>,
    renaming_at: Option<Millis>,
}

impl Ledger {
    /// Records a technician, or what is new about a known one, and gives them a folder name of their own.
    ///
    /// A folder that another technician holds, or that `occupied` names (folders on the VM or in
    /// `tecnicos.json` that belong to somebody else), is passed over: `Ana_Maria`, `Ana_Maria_2`, `Ana_Maria_3` …
    /// A known technician keeps the folder whatever is wanted.
    pub async fn reserve(
        &self,
        user: &UserId,
        wanted: &WantedTechnician,
        occupied: &HashSet<String>,
        now: Millis,
    ) -> Result<Reserved, Failure> {
        let mut tx = self.write().await?;
        let reserved = match self.technician_in(&mut tx, user).await? {
            Some(known) => self.refresh(&mut tx, known, wanted).await?,
            None => self.enter(&mut tx, user, wanted, occupied, now).await?,
        };
        self.commit(tx).await?;
        Ok(reserved)
    }

    async fn refresh(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        known: Technician,
        wanted: &WantedTechnician,
    ) -> Result<Reserved, Failure> {
        let mut changed = Vec::new();
        let mut technician = known;
        if let Some(name) = wanted.name.as_ref().filter(|n| **n != technician.name) {
            technician.name.clone_from(name);
            changed.push(Field::Name);
        }
        if wanted.email.is_some() && wanted.email != technician.email {
            technician.email.clone_from(&wanted.email);
            changed.push(Field::Email);
        }
        if wanted.portal_user.is_some() && wanted.portal_user != technician.portal_user {
            technician.portal_user.clone_from(&wanted.portal_user);
            changed.push(Field::PortalUser);
        }
        if technician.removed_at.take().is_some() | technician.removing_at.take().is_some() {
            changed.push(Field::RemovedAt);
            // What somebody dropped into the archived `novos` is found by the next listing.
            self.unlist(tx, &technician.user).await?;
        }
        if !changed.is_empty() {
            sqlx::query(
                "UPDATE technicians SET name = $2, email = $3, portal_user = $4, removed_at = NULL, removing_at = NULL WHERE user_id = $1",
            )
            .bind(technician.user.as_str())
            .bind(&technician.name)
            .bind(technician.email.as_ref().map(Email::as_str))
            .bind(&technician.portal_user)
            .execute(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        }
        Ok(Reserved { technician, outcome: Outcome::Known, changed })
    }

    async fn enter(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        wanted: &WantedTechnician,
        occupied: &HashSet<String>,
        now: Millis,
    ) -> Result<Reserved, Failure> {
        let folder = self.free_folder(tx, user, &wanted.folder, occupied).await?;
        let technician = Technician {
            user: user.clone(),
            name: wanted.name.clone().unwrap_or_else(|| user.as_str().to_owned()),
            email: wanted.email.clone(),
            portal_user: wanted.portal_user.clone(),
            folder,
            created_at: now,
            removed_at: None,
            removing_at: None,
            place: None,
            former_email: None,
            registry_entry: None,
            renaming_at: None,
        };
        sqlx::query(
            "INSERT INTO technicians (user_id, name, email, portal_user, folder, folder_key, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(technician.user.as_str())
        .bind(&technician.name)
        .bind(technician.email.as_ref().map(Email::as_str))
        .bind(&technician.portal_user)
        .bind(&technician.folder)
        .bind(folder_key(&technician.folder))
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(Reserved { technician, outcome: Outcome::New, changed: Vec::new() })
    }

    /// `wanted`, or the first of `wanted_2`, `wanted_3` … that neither another technician nor `occupied` has.
    pub(super) async fn free_folder(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        wanted: &str,
        occupied: &HashSet<String>,
    ) -> Result<String, Failure> {
        let occupied: HashSet<String> = occupied.iter().map(|f| folder_key(f)).collect();
        let mut folder = wanted.to_owned();
        let mut number = 1;
        loop {
            let key = folder_key(&folder);
            let held: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM technicians WHERE folder_key = $1 AND user_id <> $2")
                .bind(&key)
                .bind(user.as_str())
                .fetch_one(&mut **tx)
                .await
                .map_err(|e| self.failed(e))?;
            if held == 0 && !occupied.contains(&key) {
                return Ok(folder);
            }
            number += 1;
            folder = numbered_folder(wanted, number);
        }
    }

    /// Gives a technician another user id, with everything that hangs on it. `false` where there is none of the old id,
    /// or one of the new.
    pub async fn rekey(&self, old: &UserId, new: &UserId) -> Result<bool, Failure> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE technicians SET user_id = $2 WHERE user_id = $1 AND NOT EXISTS (SELECT 1 FROM technicians WHERE user_id = $2)",
        )
        .bind(old.as_str())
        .bind(new.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Every technician not taken out, by folder name.
    pub async fn technicians(&self) -> Result<Vec<Technician>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(select_technicians!("WHERE removed_at IS NULL ORDER BY folder_key"))
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.technician_of(r)).collect()
    }

    /// The folders on the VM of all of them, as far as they were made: the VM's come before Drive's.
    pub async fn local_folders(&self) -> Result<Vec<String>, Failure> {
        sqlx::query_scalar(
            "SELECT folder FROM technicians t WHERE removed_at IS NULL AND place IS NULL
                AND EXISTS (SELECT 1 FROM folders f WHERE f.user_id = t.user_id AND f.state = 'created')",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))
    }

    /// How many there are, those taken out not among them.
    pub async fn technician_count(&self) -> Result<usize, Failure> {
        let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM technicians WHERE removed_at IS NULL")
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(usize::try_from(n).unwrap_or_default())
    }

    /// The technician of a user id, taken out or not.
    pub async fn technician(&self, user: &UserId) -> Result<Option<Technician>, Failure> {
        let row: Option<Row> = sqlx::query_as(select_technicians!("WHERE user_id = $1"))
            .bind(user.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.technician_of(r)).transpose()
    }

    /// Whose folder this is; spellings that a person takes for the same are the same.
    pub async fn technician_by_folder(&self, folder: &str) -> Result<Option<Technician>, Failure> {
        let row: Option<Row> = sqlx::query_as(select_technicians!("WHERE folder_key = $1"))
            .bind(folder_key(folder))
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.technician_of(r)).transpose()
    }

    /// The first technician not taken out, by folder name, who has this e-mail.
    pub async fn technician_by_email(&self, email: &Email) -> Result<Option<Technician>, Failure> {
        let row: Option<Row> = sqlx::query_as(select_technicians!("WHERE email = $1 AND removed_at IS NULL ORDER BY folder_key LIMIT 1"))
            .bind(email.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.technician_of(r)).transpose()
    }

    pub(super) async fn technician_in(&self, tx: &mut Transaction<'static, Sqlite>, user: &UserId) -> Result<Option<Technician>, Failure> {
        let row: Option<Row> = sqlx::query_as(select_technicians!("WHERE user_id = $1"))
            .bind(user.as_str())
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.technician_of(r)).transpose()
    }

    pub(super) fn technician_of(&self, row: Row) -> Result<Technician, Failure> {
        let email = |e: String| Email::parse(&e).map_err(|_| self.unreadable("e-mail", &e));
        Ok(Technician {
            user: self.user_of(&row.user_id)?,
            name: row.name,
            email: row.email.map(email).transpose()?,
            portal_user: row.portal_user,
            folder: row.folder,
            created_at: row.created_at,
            removed_at: row.removed_at,
            removing_at: row.removing_at,
            place: row.place,
            former_email: row.former_email.map(email).transpose()?,
            registry_entry: row.registry_entry,
            renaming_at: row.renaming_at,
        })
    }

    pub(super) fn user_of(&self, stored: &str) -> Result<UserId, Failure> {
        UserId::parse(stored).map_err(|_| self.unreadable("user id", stored))
    }
}

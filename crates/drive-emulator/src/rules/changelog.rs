//! Writing the change logs: whose log a change belongs in, and what it says there (`drive-v3-behaviour` 4).

use std::collections::BTreeSet;

use rusqlite::params;

use crate::error::ApiResult;
use crate::rules::cx::Cx;
use crate::store::files::{self, FileRow};
use crate::store::perms::Grantee;
use crate::store::settings::DescendantChanges;

/// The logs that show an item: `u:<email>` and `d:<drive>`.
pub type Audience = BTreeSet<String>;

/// What is remembered before a write, to find afterwards who lost access.
#[derive(Debug, Default)]
pub struct Before(Vec<(String, Audience)>);

impl Cx<'_> {
    /// The logs that show `file` now.
    pub fn audience(&self, file: &FileRow) -> ApiResult<Audience> {
        let mut logs = Audience::new();
        if let Some(drive) = &file.drive {
            logs.insert(format!("d:{drive}"));
            // Members follow the drive's own log; in their user log appear items they opened (4.17).
            let mut statement = self.db.prepare_cached("SELECT email FROM user_files WHERE file = ?1")?;
            for email in statement.query_map([&file.id], |row| row.get::<_, String>(0))? {
                logs.insert(format!("u:{}", email?));
            }
        }
        for grant in self.effective(file)? {
            let from_drive = grant.details.iter().all(|(_, from)| *from == file.drive && from.is_some());
            if from_drive {
                continue;
            }
            match &grant.perm.grantee {
                Grantee::User(email) => {
                    logs.insert(format!("u:{email}"));
                }
                Grantee::Group(group) => self.add_each(&mut logs, "SELECT email FROM members WHERE group_email = ?1", group)?,
                Grantee::Domain(domain) => {
                    self.add_each(&mut logs, "SELECT email FROM users WHERE substr(email, instr(email, '@') + 1) = ?1", domain)?;
                }
                Grantee::Anyone => {}
            }
        }
        Ok(logs)
    }

    fn add_each(&self, logs: &mut Audience, sql: &str, key: &str) -> ApiResult<()> {
        let mut statement = self.db.prepare_cached(sql)?;
        for email in statement.query_map([key], |row| row.get::<_, String>(0))? {
            logs.insert(format!("u:{}", email?));
        }
        Ok(())
    }

    /// To be called before a write on `file`; `deep` when its descendants' access may change.
    pub fn before(&self, file: &FileRow, deep: bool) -> ApiResult<Before> {
        let mut found = vec![(file.id.clone(), self.audience(file)?)];
        if deep && self.settings.switches.descendant_changes == DescendantChanges::All {
            for below in self.descendants(file)? {
                found.push((below.id.clone(), self.audience(&below)?));
            }
        }
        Ok(Before(found))
    }

    /// Everything below a folder, folders before their content.
    pub fn descendants(&self, folder: &FileRow) -> ApiResult<Vec<FileRow>> {
        let mut found = Vec::new();
        let mut open = vec![folder.clone()];
        while let Some(at) = open.pop() {
            if at.is_folder() {
                for child in files::children(self.db, &at.id, None)? {
                    open.push(child.clone());
                    found.push(child);
                }
            }
        }
        Ok(found)
    }

    /// To be called after the write: entries for who sees it now, tombstones for who did (4.12).
    pub fn log(&self, before: &Before) -> ApiResult<()> {
        self.changed();
        for (id, had) in &before.0 {
            let now = match files::get(self.db, id)? {
                Some(file) => self.audience(&file)?,
                None => Audience::new(),
            };
            for log in &now {
                self.append(log, "file", id, false)?;
            }
            for log in had.difference(&now) {
                self.append(log, "file", id, true)?;
            }
        }
        Ok(())
    }

    /// Entries for a new file.
    pub fn log_new(&self, file: &FileRow) -> ApiResult<()> {
        self.log(&Before(vec![(file.id.clone(), Audience::new())]))
    }

    /// One entry; an older one for the same item gives way to it (4.8).
    pub fn append(&self, log: &str, kind: &str, item: &str, removed: bool) -> ApiResult<()> {
        let mut left = self.settings.feed.drop_entries;
        if left > 0 {
            // The settings of this transaction are a copy: the stored count is the one that counts.
            let mut stored = crate::store::settings::Settings::load(self.db)?;
            left = stored.feed.drop_entries;
            if left > 0 {
                stored.feed.drop_entries -= 1;
                return stored.save(self.db);
            }
        }
        // REPLACE deletes the older row; AUTOINCREMENT gives the new one a place of its own at the end.
        self.db
            .prepare_cached("INSERT OR REPLACE INTO changes(log, kind, item, time, removed) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![log, kind, item, self.now, removed])?;
        self.after.borrow_mut().logs.insert(log.to_owned());
        Ok(())
    }
}

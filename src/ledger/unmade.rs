//! Technicians at work whose folders are not made as the layout names them: a creation that stopped half-way, or a layout
//! that was changed afterwards. Nothing of theirs is taken.

use super::{FolderState, Ledger, Technician};
use crate::domain::folder::{Layout, Role};
use crate::domain::technician::UserId;
use crate::error::{Exit, Failure};

/// How many of them are named.
const NAMED: usize = 3;
/// The folders a cycle cannot do without.
const NEEDED: [Role; 3] = [Role::Novos, Role::Processados, Role::Erro];

/// Whose folders are not made.
#[derive(Debug)]
pub struct Unmade {
    /// All of them.
    pub users: Vec<UserId>,
    /// The first few.
    named: Vec<Technician>,
    /// What the first of them lacks.
    lacks: Vec<String>,
}

impl Ledger {
    /// Of these technicians, or of all: whose folders are not made. Whoever another process is at work on is not among them.
    pub async fn unmade(&self, layout: &Layout, of: Option<&[UserId]>) -> Result<Option<Unmade>, Failure> {
        let mut idle = self.without_folders(layout).await?;
        idle.retain(|user| of.is_none_or(|of| of.contains(user)));
        if idle.is_empty() {
            return Ok(None);
        }
        let mut free = Vec::with_capacity(idle.len());
        for user in idle {
            if !self.is_worked_on(&user)? {
                free.push(user);
            }
        }
        // Read again: a creation may have ended meanwhile.
        let mut users = self.without_folders(layout).await?;
        users.retain(|user| free.contains(user));
        let Some(first) = users.first() else { return Ok(None) };
        let rows = self.folder_ids(first).await?;
        let is_made = |path: &str| rows.iter().any(|r| r.path == path && r.state == FolderState::Created);
        let lacks = NEEDED.map(|role| layout.path_of(role)).into_iter().filter(|path| !is_made(path)).map(str::to_owned).collect();
        let mut named = Vec::new();
        for user in users.iter().take(NAMED) {
            named.extend(self.technician(user).await?);
        }
        Ok(Some(Unmade { users, named, lacks }))
    }

    /// All of them, also those whom somebody is at work on.
    pub async fn without_folders(&self, layout: &Layout) -> Result<Vec<UserId>, Failure> {
        let users: Vec<String> = sqlx::query_scalar(
            "SELECT user_id FROM technicians t WHERE removed_at IS NULL AND place IS NULL AND (
                SELECT COUNT(*) FROM folders f WHERE f.user_id = t.user_id AND f.state = 'created' AND (
                    (f.path = $1 AND f.role = 'novos') OR (f.path = $2 AND f.role = 'processados') OR (f.path = $3 AND f.role = 'erro'))) < 3
             ORDER BY folder_key",
        )
        .bind(layout.path_of(Role::Novos))
        .bind(layout.path_of(Role::Processados))
        .bind(layout.path_of(Role::Erro))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        users.iter().map(|user| self.user_of(user)).collect()
    }
}

impl Unmade {
    /// What there is to say of it.
    pub fn failure(&self) -> Failure {
        let mut who: Vec<String> = self.named.iter().map(|t| format!("{} ({})", t.user, t.name)).collect();
        if self.users.len() > who.len() {
            who.push(format!("{} more", self.users.len() - who.len()));
        }
        let (folders, of) = (self.lacks.join(", "), who.join(", "));
        let message = format!("no folder on Drive is made as {folders} for {of}: none of their files is taken");
        let repair = match self.users.as_slice() {
            [one] => format!("`tecnico check {} --repair`", one.typed()),
            _ => "`tecnico check --repair`".to_owned(),
        };
        Failure::new(Exit::Refused, "folders_not_made", message)
            .hint(format!("{repair} makes what `layout` names now; where `layout` was changed by mistake, put it back as it was"))
    }
}

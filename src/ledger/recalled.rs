//! Files whose story another ledger knew: recorded with how they ended, not as something to be done.

use super::Ledger;
use crate::domain::clock::Millis;
use crate::domain::item::{Item, Sighted, Standing};
use crate::error::Failure;

/// A file as it was found where it had been filed.
#[derive(Debug, Clone)]
pub struct Recalled {
    /// The file and its version.
    pub sighted: Sighted,
    /// How far it is.
    pub standing: Standing,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Its copy, below the technician's folder.
    pub local_path: Option<String>,
    /// When it may have been found; names the sub-folder of a template.
    pub found_at: Millis,
}

impl Ledger {
    /// Records them all or none, each with `note` as its history. One that is known already stays as it is.
    pub async fn recall(&self, files: &[Recalled], note: &str, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        let mut seq = self.last_seq(&mut tx).await?;
        for file in files {
            if self.item_in(&mut tx, &file.sighted.key.item_id()).await?.is_some() {
                continue;
            }
            seq += 1;
            let mut item = Item::new(file.sighted.clone(), seq, file.found_at);
            item.standing = file.standing;
            item.reason.clone_from(&file.reason);
            item.local_path.clone_from(&file.local_path);
            (item.next_attempt_at, item.changed_at) = (now, now);
            self.insert_item(&mut tx, &item).await?;
            self.update_item(&mut tx, &item).await?;
            self.append_history(&mut tx, &item, None, note, now).await?;
        }
        self.commit(tx).await
    }
}

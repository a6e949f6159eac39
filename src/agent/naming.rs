//! Names of local copies, given away once: the ledger knows which names open items hold, but between a name and its record
//! another program may take the file away, and the name looks free.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cycle::Cycle;
use crate::domain::item::Item;
use crate::domain::technician::UserId;
use crate::error::Failure;

/// What was given away lately, a technician.
#[derive(Debug, Clone, Default)]
pub(super) struct Naming(Arc<Mutex<HashMap<UserId, Burst>>>);

/// From the first who wants a name until nobody does.
#[derive(Debug, Default)]
struct Burst {
    under_way: usize,
    /// Each name and the item it was given to.
    given: HashMap<String, String>,
}

/// The right of an item to a name. Kept until the name it took is recorded.
#[derive(Debug)]
pub(super) struct Claim {
    naming: Naming,
    user: UserId,
    item_id: String,
    held: HashSet<String>,
}

impl Cycle<'_> {
    /// What names an item may have.
    pub(super) async fn claim(&self, item: &Item) -> Result<Arc<Claim>, Failure> {
        let user = &item.sighted.user;
        // First this, then the ledger: what is recorded meanwhile is known by one of the two.
        let mut claim = self.shared.naming.claim(user, &item.id);
        claim.held = self.agent.ledger.held_names(user, &item.id).await?;
        Ok(Arc::new(claim))
    }
}

impl Naming {
    fn claim(&self, user: &UserId, item_id: &str) -> Claim {
        self.bursts().entry(user.clone()).or_default().under_way += 1;
        Claim { naming: self.clone(), user: user.clone(), item_id: item_id.to_owned(), held: HashSet::new() }
    }

    fn bursts(&self) -> MutexGuard<'_, HashMap<UserId, Burst>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Takes a name, unless it is another's.
    pub(super) fn take(&self, name: &str) -> bool {
        if self.held.contains(name) {
            return false;
        }
        let mut bursts = self.naming.bursts();
        let given = &mut bursts.entry(self.user.clone()).or_default().given;
        given.entry(name.to_owned()).or_insert_with(|| self.item_id.clone()) == &self.item_id
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut bursts = self.naming.bursts();
        if let Some(burst) = bursts.get_mut(&self.user) {
            burst.under_way = burst.under_way.saturating_sub(1);
            if burst.under_way == 0 {
                bursts.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_items_until_nobody_wants_any() {
        let (naming, ana, bia) = (Naming::default(), UserId::parse("42").expect("an id"), UserId::parse("43").expect("an id"));
        let (first, second) = (naming.claim(&ana, "1"), naming.claim(&ana, "2"));
        assert!(first.take("os.pdf") && first.take("os.pdf") && !second.take("os.pdf"));
        assert!(naming.claim(&bia, "3").take("os.pdf"), "another technician's");
        drop(first);
        assert!(!second.take("os.pdf"), "it may have been recorded after a look at the ledger");
        drop(second);
        assert!(naming.claim(&ana, "2").take("os.pdf"));
        let mut last = naming.claim(&ana, "4");
        last.held.insert("os.pdf".to_owned());
        assert!(!last.take("os.pdf") && last.take("os (4).pdf"));
    }
}

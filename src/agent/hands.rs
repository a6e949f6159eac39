//! Which files somebody has in hand: a worker, or a look that concludes something of one. Never two at a time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The files in hand, by their ids on Drive: the versions of one file have nothing to do side by side.
#[derive(Debug, Clone, Default)]
pub(super) struct Hands(Arc<Mutex<HashSet<String>>>);

/// A file in hand until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    hands: Hands,
    file_id: String,
}

impl Hands {
    /// Takes a file in hand; `None` where somebody has it.
    pub(super) fn take(&self, file_id: &str) -> Option<Held> {
        self.files().insert(file_id.to_owned()).then(|| Held { hands: self.clone(), file_id: file_id.to_owned() })
    }

    fn files(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.hands.files().remove(&self.file_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_in_one_hand_until_it_is_let_go() {
        let hands = Hands::default();
        let held = hands.take("file-1").expect("free");
        assert!(hands.clone().take("file-1").is_none());
        assert!(hands.take("file-2").is_some());
        drop(held);
        assert!(hands.take("file-1").is_some());
    }
}

//! Entries of `tecnicos.json` written beside the work, some at a time: each replacement of the file waits for the disk, and
//! no row of a bulk run is to stand still for it.

use tokio::task::{JoinHandle, spawn_blocking};

use crate::error::{Exit, Failure};
use crate::fs_layout::{Entry, Registry, Written};

/// How many entries are written in one replacement, at least.
const AT_ONCE: usize = 25;

/// Collects entries and writes them.
pub(super) struct RegistryWriter {
    registry: Registry,
    entries: Vec<Entry>,
    writing: Option<JoinHandle<Result<Vec<Written>, Failure>>>,
}

impl RegistryWriter {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry, entries: Vec::new(), writing: None }
    }

    /// Takes an entry; begins to write where enough are there and nothing is being written. Never waits.
    pub(super) async fn add(&mut self, entry: Entry) -> Result<(), Failure> {
        self.entries.push(entry);
        if self.entries.len() >= AT_ONCE && self.writing.as_ref().is_none_or(JoinHandle::is_finished) {
            self.written().await?;
            let (registry, entries) = (self.registry.clone(), std::mem::take(&mut self.entries));
            self.writing = Some(spawn_blocking(move || registry.upsert_all(&entries)));
        }
        Ok(())
    }

    /// Writes what is left. Every entry is in the file when this returns.
    pub(super) async fn finish(mut self) -> Result<(), Failure> {
        self.written().await?;
        let Self { registry, entries, .. } = self;
        ended(spawn_blocking(move || registry.upsert_all(&entries)).await)
    }

    async fn written(&mut self) -> Result<(), Failure> {
        match self.writing.take() {
            Some(writing) => ended(writing.await),
            None => Ok(()),
        }
    }
}

fn ended(result: Result<Result<Vec<Written>, Failure>, tokio::task::JoinError>) -> Result<(), Failure> {
    result.map_err(|e| Failure::new(Exit::Bug, "task_broke", "writing tecnicos.json broke off").because(e))?.map(|_| ())
}

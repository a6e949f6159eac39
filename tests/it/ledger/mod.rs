//! The ledger through its public face, on real files.

mod backup;
mod folders;
mod frozen;
mod items;
mod jobs;
mod missing;
mod open;
mod outbox;
mod rebuild;
mod restore;
mod technicians;

use std::path::PathBuf;

use tecnico::domain::event::Event;
use tecnico::domain::technician::{Email, UserId};
use tecnico::ledger::{Ledger, WantedTechnician};

/// A ledger in a directory of its own; the directory goes when this is dropped.
pub struct Fixture {
    pub _dir: tempfile::TempDir,
    pub path: PathBuf,
    pub ledger: Ledger,
}

/// What is to be sent now, to whichever address, in the order of the events.
pub async fn to_send(ledger: &Ledger, now: i64) -> Vec<Event> {
    let mut all = Vec::new();
    for address in ledger.due_addresses(now).await.expect("reads") {
        all.extend(ledger.due_deliveries_to(&address, now, 100).await.expect("reads"));
    }
    all.sort_by_key(|event| event.seq);
    all
}

pub async fn fixture() -> Fixture {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("ledger.db");
    let ledger = Ledger::open(&path).await.expect("a new ledger opens");
    Fixture { _dir: dir, path, ledger }
}

pub fn user(id: &str) -> UserId {
    UserId::parse(id).expect("a usable user id")
}

pub fn email(address: &str) -> Email {
    Email::parse(address).expect("a usable address")
}

pub fn wanted(folder: &str) -> WantedTechnician {
    WantedTechnician { name: Some(folder.replace('_', " ")), folder: folder.into(), ..WantedTechnician::default() }
}

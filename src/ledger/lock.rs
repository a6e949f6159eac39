//! Locks between processes, beside the ledger. Each dies with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Ledger;
use crate::config::owner::{self, Person};
use crate::domain::clock::{self, Millis};
use crate::domain::technician::UserId;
use crate::error::{Exit, Failure};

/// How long another process may work on a technician before we give up.
const PATIENCE: Duration = Duration::from_mins(2);
/// For how long somebody may have a lock in his hands that he only looks at.
const GLANCE: Duration = Duration::from_millis(100);
/// Held by whoever waits for a cycle to end.
const CYCLE_WANTED: &str = "cycle-wanted";
/// How often a held lock is tried again.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Held until dropped, or until the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    waited: bool,
    /// Removed with the lock: there may be tens of thousands of technicians.
    path: Option<PathBuf>,
    /// Who held it last and never gave it back.
    cut_off: Option<Holder>,
    /// Whether somebody has asked about them.
    heeded: AtomicBool,
}

/// The process that holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// When it took the lock.
    pub since: Millis,
}

impl Holder {
    fn line(self) -> String {
        format!("{:<10} {:<15}\n", self.pid, self.since)
    }
}

impl Lock {
    /// Whether somebody else held it first: what was looked at before may have changed.
    pub fn waited(&self) -> bool {
        self.waited
    }

    /// Who held it last and ended without giving it back: killed, or the machine lost its power.
    ///
    /// Where nobody asks, whoever holds it next is told the same.
    pub fn cut_off(&self) -> Option<Holder> {
        self.heeded.store(true, Ordering::Relaxed);
        self.cut_off
    }
}

impl Ledger {
    /// Waits until nobody else changes this technician's things: concurrent writes to one file's grants lose one of
    /// them (drive-v3-behaviour 3.4). Fails with `technician_busy` (exit 75) after two minutes.
    pub async fn lock_technician(&self, user: &UserId) -> Result<Lock, Failure> {
        let name = named("tecnico", user);
        let mut waited = false;
        let lock = wait_at(self.path(), &name, PATIENCE, || {
            waited = true;
            Ok(false)
        });
        match lock.await? {
            Some(mut lock) => {
                (lock.waited, lock.path) = (waited, Some(self.locks_dir()?.join(&name)));
                Ok(lock)
            }
            None => Err(Failure::new(Exit::Later, "technician_busy", format!("another tecnico is at work on {user}"))
                .hint("run the same command again when it is done")),
        }
    }

    /// Whether another process changes this technician's things at this moment.
    pub(super) fn is_worked_on(&self, user: &UserId) -> Result<bool, Failure> {
        let name = named("tecnico", user);
        let path = self.locks_dir()?.join(&name);
        let Some(mut lock) = self.try_lock(&name)? else { return Ok(true) };
        lock.path = Some(path);
        Ok(false)
    }

    /// Takes the turn to send to an address; `None` while somebody else has it.
    pub fn lock_address(&self, url: &str) -> Result<Option<Lock>, Failure> {
        let name = named("callback", &url);
        let path = self.locks_dir()?.join(&name);
        let mut lock = self.try_lock(&name)?;
        if let Some(lock) = &mut lock {
            lock.path = Some(path);
        }
        Ok(lock)
    }

    /// Waits until no cycle is under way, in whatever process, and keeps others from beginning. Fails with `cycle_busy`
    /// (exit 75) after `patience`, or as soon as `is_given_up` says so.
    pub async fn lock_cycle(&self, patience: Duration, is_given_up: impl Fn() -> bool) -> Result<Lock, Failure> {
        let mut wanted = None;
        let lock = wait_at(self.path(), "cycle", patience, || {
            if wanted.is_none() && !patience.is_zero() {
                wanted = self.try_lock(CYCLE_WANTED)?;
            }
            Ok(is_given_up())
        });
        lock.await?.ok_or_else(|| {
            Failure::new(Exit::Later, "cycle_busy", "another tecnico is going through the folders right now")
                .hint("nothing is lost: it takes care of everything there is; run this again when it is done")
        })
    }

    /// Whether somebody waits for the turn of a cycle that is under way: one that stays makes room.
    pub fn is_cycle_wanted(&self) -> Result<bool, Failure> {
        Ok(self.try_lock(CYCLE_WANTED)?.is_none())
    }

    /// Who is going through the folders at this moment. The lock ends with its process: a held one is a run under way.
    pub fn cycle_under_way(&self) -> Result<Option<Holder>, Failure> {
        if self.try_lock("cycle")?.is_some() {
            return Ok(None);
        }
        self.lock_holder("cycle")
    }

    /// Takes a lock of this name; `None` where another process holds it.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, Failure> {
        try_at(self.path(), name)
    }

    /// Who took the lock of this name last: its process, and since when.
    pub fn lock_holder(&self, name: &str) -> Result<Option<Holder>, Failure> {
        holder_at(self.path(), name)
    }

    fn locks_dir(&self) -> Result<PathBuf, Failure> {
        dir_of(self.path())
    }
}

/// Takes a lock of this name as soon as it is free; `None` where it is not after `patience`, in which each try that failed
/// asks whether it is `given_up`. Somebody who only looks at the lock for a moment turns nobody away.
pub(super) async fn wait_at(
    ledger: &Path,
    name: &str,
    patience: Duration,
    mut given_up: impl FnMut() -> Result<bool, Failure>,
) -> Result<Option<Lock>, Failure> {
    let until = Instant::now() + patience.max(GLANCE);
    loop {
        if let Some(lock) = try_at(ledger, name)? {
            return Ok(Some(lock));
        }
        if given_up()? || Instant::now() >= until {
            return Ok(None);
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

/// [`Ledger::try_lock`] for the ledger at this place, which need not be there or whole.
pub(super) fn try_at(ledger: &Path, name: &str) -> Result<Option<Lock>, Failure> {
    let path = dir_of(ledger)?.join(name);
    let file =
        OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path).map_err(|e| cannot(&path, e))?;
    match owner::like_its_folder(&path) {
        // Its holder removed it after our opening: it guards nothing, and is asked for again.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        owned => owned.map_err(|e| cannot(&path, e))?,
    }
    match file.try_lock() {
        // Its holder may have removed it between our opening and our locking: then it guards nothing.
        Ok(()) if !is_at(&file, &path) => Ok(None),
        Ok(()) => {
            let mut before = String::new();
            // What cannot be read tells nothing.
            let _ = (&file).read_to_string(&mut before).and_then(|_| (&file).rewind());
            // Who holds it, for people; a lock without a name still locks.
            let us = Holder { pid: std::process::id(), since: clock::now() };
            let _ = (&file).write_all(us.line().as_bytes());
            Ok(Some(Lock { file, waited: false, path: None, cut_off: holder(&before), heeded: AtomicBool::new(false) }))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(cannot(&path, e)),
    }
}

/// [`Ledger::lock_holder`] for the ledger at this place.
pub(super) fn holder_at(ledger: &Path, name: &str) -> Result<Option<Holder>, Failure> {
    let text = std::fs::read_to_string(dir_of(ledger)?.join(name)).unwrap_or_default();
    Ok(holder(&text))
}

fn dir_of(ledger: &Path) -> Result<PathBuf, Failure> {
    let mut name = ledger.file_name().unwrap_or_default().to_owned();
    name.push(".locks");
    let dir = ledger.with_file_name(name);
    match std::fs::create_dir(&dir) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(cannot(&dir, e)),
        _ => owner::like_its_folder(&dir).map(|()| dir.clone()).map_err(|e| cannot(&dir, e)),
    }
}

fn holder(text: &str) -> Option<Holder> {
    let mut words = text.split_whitespace();
    let (pid, since) = (words.next().and_then(|w| w.parse().ok()), words.next().and_then(|w| w.parse().ok()));
    pid.zip(since).map(|(pid, since)| Holder { pid, since })
}

impl Drop for Lock {
    fn drop(&mut self) {
        match self.cut_off.filter(|_| !self.heeded.load(Ordering::Relaxed)) {
            Some(before) => _ = self.file.rewind().and_then(|()| self.file.write_all(before.line().as_bytes())),
            // Given back: whoever comes next need not ask what became of us.
            None => _ = self.file.set_len(0),
        }
        if let Some(path) = &self.path {
            // One that stays behind is taken again by name.
            let _ = std::fs::remove_file(path);
        }
        // Closing alone is not enough: a program that is just being started holds a copy of the file until it runs.
        let _ = self.file.unlock();
    }
}

fn named(kind: &str, whom: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    whom.hash(&mut hasher);
    format!("{kind}-{:016x}", hasher.finish())
}

fn is_at(file: &File, path: &Path) -> bool {
    let same = |a: &std::fs::Metadata, b: &std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    matches!((&file.metadata(), &std::fs::metadata(path)), (Ok(ours), Ok(there)) if same(ours, there))
}

fn cannot(path: &Path, why: std::io::Error) -> Failure {
    let uid = |path: &Path| path.metadata().ok().map(|m| m.uid());
    let around = path.parent().and_then(uid);
    let message = format!("cannot use the lock {}", path.display());
    let (message, hint) = match uid(path).filter(|_| why.kind() == std::io::ErrorKind::PermissionDenied) {
        // Somebody else's file in the service's folder.
        Some(owner) if Some(owner) != around && owner != rustix::process::geteuid().as_raw() => {
            (format!("{message}, which belongs to {}", Person::of(owner).name), around.map_or_else(Person::me, Person::of).takes(&[path]))
        }
        _ => (message, "the ledger's directory must be writable by the user tecnico runs as".to_owned()),
    };
    Failure::new(Exit::CannotCreate, "lock_unusable", message).hint(hint).because(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_is_held_until_dropped() {
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = Ledger::open(&dir.path().join("ledger.db")).await.expect("opens");
        let held = ledger.try_lock("cycle").expect("tried").expect("free");
        assert!(ledger.try_lock("cycle").expect("tried").is_none());
        let holder = ledger.lock_holder("cycle").expect("read").expect("named");
        assert!(holder.pid == std::process::id() && holder.since <= clock::now(), "{holder:?}");
        drop(held);
        let again = ledger.try_lock("cycle").expect("tried").expect("free");
        assert_eq!(again.cut_off(), None, "it was given back");
        // As a process that is killed leaves it.
        let path = ledger.locks_dir().expect("there").join("cycle");
        drop(again);
        std::fs::write(&path, "4711       1763942500000  \n").expect("written");
        drop(ledger.try_lock("cycle").expect("tried").expect("free"));
        let after = ledger.try_lock("cycle").expect("tried").expect("free");
        assert_eq!(after.cut_off(), Some(Holder { pid: 4711, since: 1_763_942_500_000 }));
    }

    /// Somebody who only looks whether a cycle runs keeps none from beginning.
    #[tokio::test]
    async fn a_glance_at_the_lock_turns_no_cycle_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = Ledger::open(&dir.path().join("ledger.db")).await.expect("opens");
        let glance = ledger.try_lock("cycle").expect("tried").expect("free");
        let (cycle, ()) = tokio::join!(ledger.lock_cycle(Duration::ZERO, || false), async { drop(glance) });
        cycle.expect("the lock was only looked at");
    }

    #[tokio::test]
    async fn whoever_waits_for_a_cycle_is_seen_by_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = Ledger::open(&dir.path().join("ledger.db")).await.expect("opens");
        let cycle = ledger.lock_cycle(Duration::ZERO, || false).await.expect("free");
        assert!(!ledger.is_cycle_wanted().expect("asked"));
        assert_eq!(ledger.cycle_under_way().expect("asked").expect("held").pid, std::process::id());
        let (next, ()) = tokio::join!(ledger.lock_cycle(PATIENCE, || false), async {
            while !ledger.is_cycle_wanted().expect("asked") {
                tokio::time::sleep(TRY_EVERY).await;
            }
            drop(cycle);
        });
        assert!(!ledger.is_cycle_wanted().expect("asked"), "it has its turn");
        drop(next.expect("in its turn"));
        assert_eq!(ledger.cycle_under_way().expect("asked"), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_technician_is_worked_on_by_one_at_a_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = Ledger::open(&dir.path().join("ledger.db")).await.expect("opens");
        let inside = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (ledger, inside) = (ledger.clone(), inside.clone());
                tokio::spawn(async move {
                    let user = UserId::parse("42").expect("an id");
                    let _lock = ledger.lock_technician(&user).await.expect("locked");
                    let others = inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    others
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.expect("ended"), 0);
        }
        assert_eq!(std::fs::read_dir(ledger.locks_dir().expect("there")).expect("listed").count(), 0);
    }
}

//! Everything the emulator knows, in one SQLite file and a directory of blobs.
//!
//! Nothing authoritative is held in memory: several processes may serve one directory, and a kill at any
//! moment keeps every answered write (WAL needs no fsync to survive the death of a process).

pub mod accounts;
pub mod blobs;
pub mod files;
pub mod perms;
pub mod schema;
pub mod settings;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::ApiResult;

/// How long a statement waits for another process's write before it gives up.
const BUSY: Duration = Duration::from_secs(30);
/// Connections kept for later; more are opened while many requests run at once.
const POOLED: usize = 16;

/// The open store. Connections are kept in a pool; SQLite allows one writer, so writers queue here
/// instead of polling the file lock.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    pool: Mutex<Vec<Connection>>,
    turn: Mutex<()>,
    temporary: bool,
}

impl Store {
    /// Opens the store in `dir`, making it on first use.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        for part in ["blobs", "tmp"] {
            let path = dir.join(part);
            std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        let store = Self { dir: dir.to_path_buf(), pool: Mutex::default(), turn: Mutex::default(), temporary: false };
        // Changing a new database to WAL waits for nobody: two who do it at once would fail. Killed, a holder lets go.
        let opening = std::fs::File::create(dir.join("opening")).context("cannot make the lock for opening")?;
        opening.lock().context("cannot take the lock for opening")?;
        let mut connection = store.connect().context("cannot open drive.sqlite")?;
        schema::create(&mut connection).context("cannot make the tables")?;
        store.give(connection);
        Ok(store)
    }

    /// A store in a directory of its own that disappears with it.
    pub fn temporary() -> anyhow::Result<Self> {
        let name = format!("drive-emulator-{:016x}", rand::random::<u64>());
        let mut store = Self::open(&std::env::temp_dir().join(name))?;
        store.temporary = true;
        Ok(store)
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `work` on one consistent view of the store.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> ApiResult<T>) -> ApiResult<T> {
        self.run(TransactionBehavior::Deferred, work)
    }

    /// Runs `work` in a write transaction, committed when it returns `Ok`.
    pub fn write<T>(&self, work: impl FnOnce(&Connection) -> ApiResult<T>) -> ApiResult<T> {
        let _turn = lock(&self.turn);
        self.run(TransactionBehavior::Immediate, work)
    }

    fn run<T>(&self, behavior: TransactionBehavior, work: impl FnOnce(&Connection) -> ApiResult<T>) -> ApiResult<T> {
        let pooled = lock(&self.pool).pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let result = (|| {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        self.give(connection);
        result
    }

    fn give(&self, connection: Connection) {
        let mut pool = lock(&self.pool);
        if pool.len() < POOLED {
            pool.push(connection);
        }
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(self.dir.join("drive.sqlite"))?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.set_prepared_statement_cache_capacity(128);
        connection.create_scalar_function("natural_key", 1, FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC, |call| {
            Ok(crate::query::text::natural_key(&call.get::<String>(0)?))
        })?;
        Ok(connection)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.temporary {
            lock(&self.pool).clear();
            // Nothing can be done about a directory that will not go; the next boot clears /tmp.
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// Locks through poison: what these guard is sound after a panic elsewhere.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b1_46_a_store_of_an_older_version_learns_extensions_from_the_names() {
        let store = Store::temporary().expect("it opens");
        let file = |id: &str, name: &str| files::FileRow { id: id.into(), name: name.into(), ..files::FileRow::default() };
        let renamed = files::FileRow { original_name: Some("scan.tiff".into()), ..file("4", "plain") };
        let older = |db: &Connection| {
            for (id, name) in [("1", "a.tar.gz"), ("2", "plain"), ("3", "ends.")] {
                files::insert(db, &file(id, name))?;
            }
            files::insert(db, &renamed)?;
            Ok(db.execute_batch("ALTER TABLE files DROP COLUMN extension")?)
        };
        store.write(older).expect("it is as it was");
        let again = Store::open(store.dir()).expect("it opens again");
        let extension = |id: &str| again.read(|db| Ok(files::get(db, id)?.and_then(|file| file.extension))).expect("it reads");
        assert_eq!((extension("1").as_deref(), extension("2"), extension("3")), (Some("tar.gz"), None, None));
        assert_eq!(extension("4").as_deref(), Some("tiff"), "by the name it came with");
    }

    #[test]
    fn many_may_open_a_new_store_at_once() {
        for _ in 0..10 {
            let dir = std::env::temp_dir().join(format!("drive-emulator-open-{:016x}", rand::random::<u64>()));
            let barrier = std::sync::Barrier::new(12);
            std::thread::scope(|scope| {
                for _ in 0..12 {
                    scope.spawn(|| {
                        barrier.wait();
                        let store = Store::open(&dir).expect("it opens");
                        let write = |db: &Connection| Ok(db.execute("INSERT INTO drives(id, created) SELECT count(*), 0 FROM drives", [])?);
                        store.write(write).expect("it writes");
                    });
                }
            });
            let store = Store::open(&dir).expect("it opens again");
            let count = |db: &Connection| Ok(db.query_row("SELECT count(*) FROM drives", [], |row| row.get::<_, i64>(0))?);
            assert_eq!(store.read(count).expect("it reads"), 12);
            drop(store);
            std::fs::remove_dir_all(dir).expect("it goes");
        }
    }
}

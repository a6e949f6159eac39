//! `tecnicos.json` (CONTRACT 1.2): read whole by other programs at any moment, written by several of ours.
//!
//! Entries and keys tecnico does not know are kept as they were written, in their place.

use std::fs::TryLockError;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::handle::{self, io_failure, link_refused};
use super::{Base, Written, atomic};
use crate::domain::text::{sets_aside, shell_path};
use crate::error::{Exit, Failure};

const FILE: &str = "tecnicos.json";
const TEMP: &str = ".tecnicos.json.tmp";
const LOCK: &str = ".tecnicos.lock";
/// How long a writer waits for the others. One write takes milliseconds; a bulk run has eight writers.
const PATIENCE: Duration = Duration::from_secs(30);

/// One technician as `tecnicos.json` tells the other programs; the order of the fields is the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Entry {
    /// Full name.
    pub nome: String,
    /// E-mail address.
    pub email: String,
    /// User name at the portal.
    pub usuario_portal: String,
    /// Absolute path of the folder on the VM.
    pub pasta_vm: String,
    /// Drive id of the technician's folder.
    pub pasta_drive_id: String,
    /// Drive id of `novos`.
    pub pasta_novos_id: String,
}

/// The registry of one base directory.
#[derive(Debug, Clone)]
pub struct Registry {
    base: Base,
    patience: Duration,
}

impl Registry {
    pub(super) fn new(base: Base) -> Self {
        Self { base, patience: PATIENCE }
    }

    /// The same registry with another limit on the wait for other writers.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The absolute path of `tecnicos.json`.
    pub fn path(&self) -> PathBuf {
        self.base.path().join(FILE)
    }

    /// The file that says that `tecnico` has written to the registry, also after the registry itself is gone.
    pub fn trace(&self) -> PathBuf {
        self.base.path().join(LOCK)
    }

    /// All entries, in their order; none where there is no file. Elements that are no objects are passed over.
    /// Fails with `registry_damaged` (exit 65) where the file is not a JSON array.
    pub fn read(&self) -> Result<Vec<Entry>, Failure> {
        parse(&self.text()?.unwrap_or_else(|| "[]".to_owned()), &self.path())
    }

    /// Adds the entry, or brings the one with its `pasta_drive_id` (else its `pasta_vm`) up to date.
    /// An empty field of `entry` leaves what is there. Fails with `registry_busy` (exit 75) after the wait limit.
    pub fn upsert(&self, entry: &Entry) -> Result<Written, Failure> {
        Ok(self.upsert_all(std::slice::from_ref(entry))?[0])
    }

    /// Like [`Registry::upsert`] for many, in one replacement of the file; one answer an entry.
    pub fn upsert_all(&self, entries: &[Entry]) -> Result<Vec<Written>, Failure> {
        // A rerun writes nothing, not even the lock file.
        if let Some(text) = self.text()? {
            let (results, _) = merge_all(&text, &self.path(), entries)?;
            if results.iter().all(|r| *r == Written::Unchanged) {
                return Ok(results);
            }
        }
        let _lock = self.lock()?;
        let text = self.text()?.unwrap_or_else(|| "[]".to_owned());
        let (results, text) = merge_all(&text, &self.path(), entries)?;
        if results.iter().any(|r| *r != Written::Unchanged) {
            atomic::replace(&self.base.dir, self.base.path(), FILE, TEMP, text.as_bytes(), self.base.modes.file)?;
        }
        Ok(results)
    }

    /// What the entry of this tree says, with the keys of other programs: the text of one JSON object.
    pub fn raw(&self, pasta_drive_id: &str) -> Result<Option<String>, Failure> {
        let text = self.text()?.unwrap_or_else(|| "[]".to_owned());
        Ok(elements(&text, &self.path())?.iter().find(|raw| is_of(raw, pasta_drive_id)).map(|raw| raw.get().to_owned()))
    }

    /// Takes the entry of this tree out; `false` where there is none. The others stay as they were written.
    pub fn take_out(&self, pasta_drive_id: &str) -> Result<bool, Failure> {
        self.edit(|elements| {
            let before = elements.len();
            elements.retain(|raw| !is_of(raw, pasta_drive_id));
            elements.len() != before
        })
    }

    /// Puts back what [`Registry::raw`] gave, unless the tree has an entry by now; `false` where it has.
    pub fn put_back(&self, pasta_drive_id: &str, entry: Box<RawValue>) -> Result<bool, Failure> {
        self.edit(|elements| {
            let is_new = !elements.iter().any(|raw| is_of(raw, pasta_drive_id));
            if is_new {
                elements.push(entry);
            }
            is_new
        })
    }

    fn edit(&self, change: impl FnOnce(&mut Vec<Box<RawValue>>) -> bool) -> Result<bool, Failure> {
        let _lock = self.lock()?;
        let mut elements = elements(&self.text()?.unwrap_or_else(|| "[]".to_owned()), &self.path())?;
        let changed = change(&mut elements);
        if changed {
            let text = join(&elements.iter().map(|raw| raw.get().to_owned()).collect::<Vec<_>>());
            atomic::replace(&self.base.dir, self.base.path(), FILE, TEMP, text.as_bytes(), self.base.modes.file)?;
        }
        Ok(changed)
    }

    /// The permission bits of the file, where there is one.
    pub fn mode(&self) -> Result<Option<u32>, Failure> {
        let stat = handle::stat(&self.base.dir, FILE).map_err(|e| io_failure("look at", &self.path(), e))?;
        Ok(stat.map(|s| handle::mode(&s)))
    }

    /// Gives the file its mode again.
    pub fn fix_mode(&self) -> Result<(), Failure> {
        handle::open_file(&self.base.dir, FILE, OFlags::RDONLY, 0)
            .and_then(|file| handle::set_mode(&file, self.base.modes.file))
            .map_err(|e| io_failure("set the mode of", &self.path(), e))
    }

    fn text(&self) -> Result<Option<String>, Failure> {
        let mut file = match handle::open_file(&self.base.dir, FILE, OFlags::RDONLY, 0) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) if handle::is_link(&e) => return Err(link_refused(&self.path())),
            Err(e) => return Err(io_failure("open", &self.path(), e)),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| io_failure("read", &self.path(), e))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(e) => {
                let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
                let line = before.split(|b| *b == b'\n').count();
                let column = before.rsplit(|b| *b == b'\n').next().map_or(0, <[u8]>::len) + 1;
                Err(damaged(&self.path(), &format!("line {line}, column {column}: not UTF-8")).because(e))
            }
        }
    }

    /// The lock dies with its process. Readers need none: the file is replaced as a whole.
    fn lock(&self) -> Result<std::fs::File, Failure> {
        let path = self.trace();
        let file = handle::open_file(&self.base.dir, LOCK, OFlags::RDWR | OFlags::CREATE, self.base.modes.file)
            .map_err(|e| io_failure("open", &path, e))?;
        let deadline = Instant::now() + self.patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::new(Exit::Later, "registry_busy", format!("another process holds {}", path.display()))
                        .hint(format!("run it again in a moment; `fuser {}` names the holder", shell_path(&path))));
                }
                Err(TryLockError::Error(e)) => return Err(io_failure("lock", &path, e)),
            }
        }
    }
}

/// The entries of a registry text read from `path` (for `import`, from any file).
pub fn parse(text: &str, path: &Path) -> Result<Vec<Entry>, Failure> {
    let elements = elements(text, path)?;
    Ok(elements.iter().filter_map(|raw| object(raw)).map(|o| entry_of(&o)).collect())
}

fn elements(text: &str, path: &Path) -> Result<Vec<Box<RawValue>>, Failure> {
    serde_json::from_str(text).map_err(|e| {
        // The library says the place once more, at the end.
        let told = e.to_string();
        let what = told.split(" at line ").next().unwrap_or_default();
        damaged(path, &format!("line {}, column {}: {what}", e.line(), e.column().max(1)))
    })
}

fn damaged(path: &Path, why: &str) -> Failure {
    let message = format!("{} is damaged at {why}; it was left as it is", path.display());
    Failure::new(Exit::Data, "registry_damaged", message).hint(format!(
        "mend it by hand (it must be one JSON array), or set it aside with `{}` and run `tecnico check --repair`, which writes \
         every technician of the ledger again",
        sets_aside(path)
    ))
}

fn object(raw: &RawValue) -> Option<Map<String, Value>> {
    serde_json::from_str(raw.get()).ok()
}

fn is_of(raw: &RawValue, pasta_drive_id: &str) -> bool {
    object(raw).is_some_and(|o| o.get("pasta_drive_id").and_then(Value::as_str) == Some(pasta_drive_id))
}

fn entry_of(object: &Map<String, Value>) -> Entry {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Entry {
        nome: text("nome"),
        email: text("email"),
        usuario_portal: text("usuario_portal"),
        pasta_vm: text("pasta_vm"),
        pasta_drive_id: text("pasta_drive_id"),
        pasta_novos_id: text("pasta_novos_id"),
    }
}

/// The text with every entry in it, and what happened to each.
fn merge_all(text: &str, path: &Path, entries: &[Entry]) -> Result<(Vec<Written>, String), Failure> {
    let mut elements: Vec<String> = elements(text, path)?.iter().map(|raw| raw.get().to_owned()).collect();
    let mut objects: Vec<Map<String, Value>> = elements.iter().map(|raw| serde_json::from_str(raw).unwrap_or_default()).collect();
    let mut results = Vec::with_capacity(entries.len());
    for entry in entries {
        let same =
            |key: &str, value: &str| objects.iter().position(|o| !value.is_empty() && o.get(key).and_then(Value::as_str) == Some(value));
        let at = same("pasta_drive_id", &entry.pasta_drive_id).or_else(|| same("pasta_vm", &entry.pasta_vm));
        let Some(at) = at else {
            let object = merged(&Map::new(), entry);
            elements.push(pretty(&object));
            objects.push(object);
            results.push(Written::Added);
            continue;
        };
        let object = merged(&objects[at], entry);
        if object == objects[at] {
            results.push(Written::Unchanged);
        } else {
            elements[at] = pretty(&object);
            objects[at] = object;
            results.push(Written::Changed);
        }
    }
    Ok((results, join(&elements)))
}

/// Our six keys in the order of the contract, then the keys of others in theirs.
fn merged(old: &Map<String, Value>, entry: &Entry) -> Map<String, Value> {
    let Ok(Value::Object(mut object)) = serde_json::to_value(entry) else { return old.clone() };
    for (key, value) in &mut object {
        if value.as_str() == Some("")
            && let Some(kept) = old.get(key)
        {
            *value = kept.clone();
        }
    }
    for (key, value) in old {
        if !object.contains_key(key) {
            object.insert(key.clone(), value.clone());
        }
    }
    object
}

fn pretty(object: &Map<String, Value>) -> String {
    // JSON text holds no raw line end inside a string, so indenting by line is safe.
    format!("{:#}", Value::Object(object.clone())).replace('\n', "\n  ")
}

fn join(elements: &[String]) -> String {
    if elements.is_empty() {
        return "[]\n".to_owned();
    }
    format!("[\n  {}\n]\n", elements.join(",\n  "))
}

#[cfg(test)]
mod tests;

//! The promise (DESIGN §1), checked from outside: what users did, what lies on Drive and on the VM, what the ledger
//! says, what the backend heard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use drive_emulator::Control;
use md5::{Digest, Md5};
use serde_json::Value;
use tecnico::domain::item::{Item, Outcome, State};
use tecnico::ledger::{Ledger, Which};

use super::people::{Class, Kind, People, Person, Thing};
use super::receiver::Received;

/// Where local files lie, and how a Drive folder is called here.
const ENDS: [&str; 2] = ["pdfs/processados", "pdfs/erro"];

/// All that is looked at. Nothing may be under way.
pub struct Promise<'a> {
    /// Drive.
    pub control: &'a Control,
    /// The VM's base directory.
    pub vm: &'a Path,
    /// What tecnico knows.
    pub ledger: &'a Ledger,
    /// What users did.
    pub people: &'a People,
    /// What the backend got.
    pub received: &'a [Received],
    /// Content that was ever seen on the VM.
    pub ever_local: &'a BTreeSet<String>,
    /// What is signed with.
    pub secret: &'a str,
}

/// A file on the VM, below the base directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    /// Path.
    pub path: String,
    /// Lower-case hex.
    pub md5: String,
    /// It begins as PDFs do: an exported document.
    pub is_pdf: bool,
}

/// An ended item and how often it came to an end.
struct Told {
    item: Item,
    endings: usize,
    fetched: bool,
}

impl Promise<'_> {
    /// Everything that breaks the promise, one sentence each; empty when it is kept.
    pub async fn broken(&self) -> anyhow::Result<Vec<String>> {
        let mut broken = Vec::new();
        for item in self.ledger.open_items(None).await? {
            broken.push(format!("{} is still {}: {:?}", self.name(&item), item.standing.state, item.reason));
        }
        let mut told = Vec::new();
        for thing in &self.people.things {
            for item in self.ledger.items_of_file(&thing.id).await? {
                let history = self.ledger.history(&item.id).await?;
                let is_end = |s: State| matches!(s, State::Filed | State::Withdrawn);
                let endings = history.iter().filter(|l| is_end(l.to) && l.from != Some(l.to)).count();
                // A copy that a crash kept from being recorded may come to light only when the file is taken back.
                let fetched = item.local_path.is_some() || history.iter().any(|l| l.to == State::Fetched);
                if item.standing.state != State::Reported {
                    broken.push(format!("{} is {} and the backend does not know", self.name(&item), item.standing.state));
                }
                told.push(Told { item, endings, fetched });
            }
        }
        for thing in &self.people.things {
            self.on_drive(thing, &told, &mut broken);
        }
        self.on_vm(&told, &mut broken)?;
        self.at_the_backend(&told, &mut broken).await?;
        Ok(broken)
    }

    /// Nothing of a user's is deleted, changed or put where it does not belong.
    fn on_drive(&self, thing: &Thing, told: &[Told], broken: &mut Vec<String>) {
        let mut say = |what: String| broken.push(format!("{}: {what}", self.label(thing)));
        if thing.deleted {
            return;
        }
        let Ok(file) = self.control.file(&thing.id) else {
            return say("is gone from Drive".into());
        };
        if file["name"] != thing.name.as_str() {
            say(format!("is called {} on Drive", file["name"]));
        }
        if file["explicitlyTrashed"] != thing.trashed {
            say(format!("explicitlyTrashed is {}", file["explicitlyTrashed"]));
        }
        let content = thing.versions.last().map(|v| v.content.clone()).unwrap_or_default();
        if thing.kind == Kind::File && self.control.content(&thing.id).ok() != Some(content) {
            say("has another content on Drive".into());
        }
        if file["trashed"] == true {
            return;
        }
        let parent = file["parents"][0].as_str().unwrap_or_default();
        let end = self.people.all.iter().find_map(|p| p.ends.iter().position(|e| e == parent));
        if thing.kind == Kind::Folder {
            if parent != thing.parent && end.is_none() {
                say(format!("lies in {parent}, where nobody put it"));
            }
            return;
        }
        match end {
            Some(end) => Self::in_its_end(thing, end, &file, told, &mut say),
            None if self.people.is_in_novos(&file) && (is_ignored(&thing.name) || self.is_below_ignored(&file)) => {}
            None if self.people.is_in_novos(&file) => say("is still in novos".into()),
            None if parent != thing.parent => say(format!("lies in {parent}, where nobody put it")),
            None => {}
        }
    }

    /// A file in `processados` or `erro`: the ledger says so too, and the verdict fits the content.
    fn in_its_end(thing: &Thing, end: usize, file: &Value, told: &[Told], say: &mut impl FnMut(String)) {
        let outcome = [Outcome::Processado, Outcome::Erro][end];
        let head = file["headRevisionId"].as_str().unwrap_or_default();
        let items: Vec<&Told> = told.iter().filter(|t| t.item.sighted.key.file_id == thing.id).collect();
        let Some(version) = thing.versions.last() else { return };
        if thing.parent != file["parents"][0] && items.is_empty() {
            say("was moved, and the ledger knows nothing of it".into());
        }
        if thing.kind != Kind::File {
            if !items.iter().any(|t| t.item.standing.outcome == Some(outcome)) && version.reached {
                say(format!("lies in {}, but no item ended so", ENDS[end]));
            }
            return;
        }
        if !version.reached {
            // Replaced where it was filed already: no version of a novos.
            return;
        }
        match items.iter().find(|t| t.item.sighted.key.version == head) {
            None => say("its last version is not known to the ledger".into()),
            // Where the owner moved it there by hand, that says nothing.
            Some(t) if t.item.standing.outcome != Some(outcome) && thing.parent != file["parents"][0] => {
                say(format!("lies in {}, but its item ended as {:?}", ENDS[end], t.item.standing.outcome));
            }
            Some(_) => {}
        }
        let class = class_of(&version.content);
        if class == Some(Class::Bad) && outcome == Outcome::Processado && thing.parent != file["parents"][0] {
            say("was refused by the processor and lies in processados".into());
        }
        if matches!(class, Some(Class::Good | Class::Later)) && outcome == Outcome::Erro && !thing.renamed && is_accepted(&thing.name) {
            say(format!("is good and lies in erro: {}", file["description"]));
        }
    }

    /// Each fetched version lies on the VM once, where its outcome says; nothing else does.
    fn on_vm(&self, told: &[Told], broken: &mut Vec<String>) -> anyhow::Result<()> {
        let files = local_files(self.vm)?;
        for person in &self.people.all {
            let mut wanted: BTreeMap<(usize, String), i64> = BTreeMap::new();
            for t in told.iter().filter(|t| t.item.sighted.user.as_str() == person.user && t.fetched) {
                let end = usize::from(t.item.standing.outcome != Some(Outcome::Processado));
                // An exported document has no checksum to know it by.
                *wanted.entry((end, t.item.sighted.md5.clone().unwrap_or_default())).or_default() += 1;
            }
            for local in files.iter().filter(|f| f.path.starts_with(&format!("{}/", person.folder))) {
                match end_of(local, person) {
                    Some(end) => {
                        let md5 = if local.is_pdf { String::new() } else { local.md5.clone() };
                        *wanted.entry((end, md5)).or_default() -= 1;
                    }
                    None => broken.push(format!("{} lies around on the VM", local.path)),
                }
            }
            for ((end, md5), missing) in wanted.into_iter().filter(|(_, n)| *n != 0) {
                let named: Vec<String> =
                    told.iter().filter(|t| t.item.sighted.md5.clone().unwrap_or_default() == md5).map(|t| self.name(&t.item)).collect();
                let there: Vec<&str> = files.iter().filter(|f| f.md5 == md5).map(|f| f.path.as_str()).collect();
                broken.push(format!("{} of {}: {missing} too few of {md5:?} {named:?}; on the VM: {there:?}", ENDS[end], person.user));
            }
        }
        let there: BTreeSet<&String> = files.iter().map(|f| &f.md5).collect();
        for md5 in self.ever_local.iter().filter(|md5| !there.contains(md5)) {
            broken.push(format!("content {md5} was on the VM and is no more"));
        }
        Ok(())
    }

    /// Every ending was told, under one id of its own, signed, in the agreed words.
    async fn at_the_backend(&self, told: &[Told], broken: &mut Vec<String>) -> anyhow::Result<()> {
        let mut by_id: BTreeMap<&str, (&str, Value)> = BTreeMap::new();
        let mut by_job: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for request in self.received {
            let id = request.headers.get("webhook-id").map_or("", String::as_str);
            let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
            broken.extend(wrong_words(request, &body, self.secret).into_iter().map(|w| format!("callback {id}: {w}")));
            by_job.entry(body["job_id"].as_str().unwrap_or_default().to_owned()).or_default().insert(id);
            if let Some((before, _)) = by_id.insert(id, (&request.body, body))
                && before != request.body
            {
                broken.push(format!("callback {id} came with two bodies"));
            }
        }
        for t in told {
            let ids = by_job.get(&t.item.id).map_or(0, BTreeSet::len);
            if ids != t.endings {
                broken.push(format!("{} ended {} times, and the backend heard of it under {ids} ids", self.name(&t.item), t.endings));
            }
            let last = t.item.event_id.as_deref().and_then(|id| by_id.get(id)).map(|(_, body)| &body["result"]["files"][0]);
            let (outcome, file) = (t.item.standing.outcome.map(Outcome::as_str), t.item.sighted.key.file_id.as_str());
            let md5 = t.item.sighted.md5.as_deref();
            if last.is_none_or(|l| l["outcome"].as_str() != outcome || l["file_id"] != file || l["checksum"].as_str() != md5) {
                broken.push(format!("{} ended as {outcome:?}, and the backend heard {last:?}", self.name(&t.item)));
            }
        }
        for event in self.ledger.events(Which::All, u32::MAX).await? {
            match by_id.get(event.id.as_str()) {
                None => broken.push(format!("the event {} never reached the backend: {:?}", event.id, event.last_error)),
                Some((body, _)) if *body != event.event.payload => broken.push(format!("the event {} came as another", event.id)),
                Some(_) if event.delivered_at.is_none() => broken.push(format!("the event {} is not recorded as delivered", event.id)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn is_below_ignored(&self, file: &Value) -> bool {
        let mut at = file["parents"][0].as_str().unwrap_or_default().to_owned();
        while let Some(folder) = self.people.things.iter().find(|t| t.id == at) {
            if is_ignored(&folder.name) {
                return true;
            }
            let Ok(entry) = self.control.file(&at) else { return false };
            entry["parents"][0].as_str().unwrap_or_default().clone_into(&mut at);
        }
        false
    }

    fn label(&self, thing: &Thing) -> String {
        let index = self.people.things.iter().position(|t| t.id == thing.id).unwrap_or_default();
        format!("#{index} {:?}", thing.name)
    }

    fn name(&self, item: &Item) -> String {
        let seen = &item.sighted;
        let thing = self.people.things.iter().position(|t| t.id == seen.key.file_id);
        let version = thing.and_then(|n| self.people.things[n].versions.iter().position(|v| v.head == seen.key.version));
        format!("#{} v{} {:?}", thing.map_or("?".into(), |n| n.to_string()), version.map_or("?".into(), |n| n.to_string()), seen.name)
    }
}

/// The files of the technicians on the VM, work files of downloads apart.
pub fn local_files(vm: &Path) -> anyhow::Result<Vec<Local>> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(vm)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    folders.retain(|p| p.is_dir());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // A file may be moved on between the listing and the look.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let md5 = md5_of(&bytes);
            let path = path.strip_prefix(vm)?.to_string_lossy().into_owned();
            files.push(Local { path, md5, is_pdf: bytes.starts_with(b"%PDF") });
        }
    }
    files.sort();
    Ok(files)
}

/// Lower-case hex.
pub fn md5_of(bytes: &[u8]) -> String {
    format!("{:x}", Md5::digest(bytes))
}

/// Whether a local file is a download under way.
pub fn is_work_file(local: &Local) -> bool {
    local.path.rsplit('/').next().is_some_and(|name| name.starts_with('.'))
}

fn end_of(local: &Local, person: &Person) -> Option<usize> {
    let (folder, _) = local.path.rsplit_once('/')?;
    ENDS.iter().position(|end| folder == format!("{}/{end}", person.folder))
}

fn wrong_words(request: &Received, body: &Value, secret: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
    let signed = standardwebhooks::Webhook::new(secret).ok().and_then(|w| {
        let (id, seconds) = (header("webhook-id"), header("webhook-timestamp").parse().ok()?);
        w.sign(id, seconds, request.body.as_bytes()).ok()
    });
    if header("webhook-id").is_empty() || signed.as_deref() != Some(header("webhook-signature")) {
        wrong.push("the signature does not verify".into());
    }
    if request.target != "/api/callbacks/process" {
        wrong.push(format!("it came to {}", request.target));
    }
    let text = |v: &Value| v.as_str().is_some_and(|t| !t.is_empty());
    let result = &body["result"];
    let file = &result["files"][0];
    let outcome = file["outcome"].as_str().unwrap_or_default();
    let is_whole = text(&body["user_id"])
        && text(&body["job_id"])
        && body["status"] == "success"
        && text(&result["message"])
        && result["files_processed"] == u64::from(outcome == "processado")
        && result["files"].as_array().is_some_and(|f| f.len() == 1)
        && text(&file["file_id"])
        && file["name"].is_string()
        && ["processado", "erro", "retirado"].contains(&outcome)
        && (outcome == "processado" || text(&file["reason"]))
        && (file.get("checksum").is_none() || is_md5(&file["checksum"]));
    if !is_whole {
        wrong.push(format!("not as CONTRACT 3.4 says: {}", request.body));
    }
    wrong
}

fn is_md5(value: &Value) -> bool {
    value.as_str().is_some_and(|t| t.len() == 32 && t.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)))
}

fn class_of(content: &[u8]) -> Option<Class> {
    let text = String::from_utf8_lossy(content);
    match text.split_whitespace().next()? {
        "good" => Some(Class::Good),
        "bad" => Some(Class::Bad),
        "later" => Some(Class::Later),
        _ => None,
    }
}

fn is_accepted(name: &str) -> bool {
    name.trim().to_lowercase().ends_with(".pdf")
}

/// What `process.ignore` says by default.
pub fn is_ignored(name: &str) -> bool {
    let lower = name.to_lowercase();
    let begins = ["._", ".~lock.", "~$"].iter().any(|b| lower.starts_with(b));
    let ends = [".tmp", ".part", ".crdownload"].iter().any(|e| lower.ends_with(e));
    begins || ends || [".ds_store", "thumbs.db", "desktop.ini"].contains(&&*lower)
}

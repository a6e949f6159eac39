//! Technicians who act on Drive, and the record of what they did: what the promise is measured against.

use drive_emulator::Control;
use serde_json::Value;

/// What the test's processor makes of a content: its first word decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Accepted.
    Good,
    /// Refused.
    Bad,
    /// Accepted at the second try.
    Later,
}

impl Class {
    /// Content of this class that says which it is.
    pub fn content(self, rest: &str) -> Vec<u8> {
        let word = match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Later => "later",
        };
        format!("{word} {rest}\n").into_bytes()
    }
}

/// A processor that reads the first word of the file.
pub const PROCESSOR: &str = r#"command = ["/bin/sh", "-c", 'read word rest < "$1"; case $word in bad) echo "recusado: $rest" >&2; exit 3;; later) [ "$TECNICO_ATTEMPT" -ge 2 ] || exit 75;; esac; echo "{\"lido\": \"$word\"}"', "sh", "{path}"]
"#;

/// A technician's folders on Drive.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user id in tecnico.
    pub user: String,
    /// The Google account.
    pub email: String,
    /// The folder on the VM, below the base directory.
    pub folder: String,
    /// Id of `novos`.
    pub novos: String,
    /// Ids of `processados` and `erro`.
    pub ends: [String; 2],
}

/// What sort of thing somebody put into a `novos`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    File,
    /// A Google document.
    Doc,
    /// A shortcut.
    Shortcut,
    /// A folder.
    Folder,
}

/// One content a file has had.
#[derive(Debug, Clone)]
pub struct Version {
    /// `headRevisionId`; empty where there is none.
    pub head: String,
    /// Of its bytes.
    pub content: Vec<u8>,
    /// Whether it was ever in a `novos`, as far as the user's own acts put it there.
    pub reached: bool,
}

/// Something a user made, and how they last left it.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Drive's id.
    pub id: String,
    /// Index of the owner.
    pub owner: usize,
    /// What it is.
    pub kind: Kind,
    /// Its name, as last given.
    pub name: String,
    /// Whether it ever had another.
    pub renamed: bool,
    /// Where the owner last put it.
    pub parent: String,
    /// In the trash by its owner's own act.
    pub trashed: bool,
    /// Deleted by its owner.
    pub deleted: bool,
    /// Its contents, oldest first.
    pub versions: Vec<Version>,
}

/// The technicians and everything they made.
pub struct People {
    /// Who.
    pub all: Vec<Person>,
    /// What, in order of making.
    pub things: Vec<Thing>,
    /// What they did, one line an act.
    pub history: Vec<String>,
    control: Control,
}

impl People {
    /// Nobody has done anything yet.
    pub fn new(control: Control, all: Vec<Person>) -> Self {
        Self { all, things: Vec::new(), history: Vec::new(), control }
    }

    /// Puts a file into a folder; its index.
    pub fn put(&mut self, who: usize, parent: &str, name: &str, content: &[u8]) -> Option<usize> {
        let said = format!("put {name:?} of {} bytes ({})", content.len(), first_word(content));
        let made = self.control.put(&self.all[who].email, parent, name, content, mime_of(name));
        self.made(who, Kind::File, parent, name, &said, made.ok(), content)
    }

    /// Makes a folder; its index.
    pub fn mkdir(&mut self, who: usize, parent: &str, name: &str) -> Option<usize> {
        let made = self.control.mkdir(&self.all[who].email, parent, name);
        self.made(who, Kind::Folder, parent, name, &format!("mkdir {name:?}"), made.ok(), &[])
    }

    /// Makes a Google document; its index.
    pub fn doc(&mut self, who: usize, parent: &str, name: &str) -> Option<usize> {
        let made = self.control.google_doc(&self.all[who].email, parent, name, "document");
        self.made(who, Kind::Doc, parent, name, &format!("google doc {name:?}"), made.ok(), &[])
    }

    /// Makes a shortcut; its index.
    pub fn shortcut(&mut self, who: usize, parent: &str, name: &str, target: &str) -> Option<usize> {
        let made = self.control.shortcut(&self.all[who].email, parent, name, target);
        self.made(who, Kind::Shortcut, parent, name, &format!("shortcut {name:?}"), made.ok(), &[])
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one line of the record")]
    fn made(
        &mut self,
        owner: usize,
        kind: Kind,
        parent: &str,
        name: &str,
        said: &str,
        id: Option<String>,
        content: &[u8],
    ) -> Option<usize> {
        let index = self.things.len();
        let place = self.place_name(parent);
        self.history.push(format!(
            "{} {said} in {place}{}",
            self.all[owner].user,
            if id.is_some() { format!(" = #{index}") } else { ": refused".into() }
        ));
        let id = id?;
        let versions = vec![Version { head: String::new(), content: content.to_vec(), reached: false }];
        let thing =
            Thing { id, owner, kind, name: name.into(), renamed: false, parent: parent.into(), trashed: false, deleted: false, versions };
        self.things.push(thing);
        self.look(index);
        Some(index)
    }

    /// Replaces a file's content.
    pub fn replace(&mut self, index: usize, content: &[u8]) {
        let thing = &self.things[index];
        let done = self.control.replace(&self.all[thing.owner].email, &thing.id, content).is_ok();
        self.say(index, &format!("replace ({})", first_word(content)), done);
        if done {
            self.things[index].versions.push(Version { head: String::new(), content: content.to_vec(), reached: false });
            self.look(index);
        }
    }

    /// Renames a thing.
    pub fn rename(&mut self, index: usize, name: &str) {
        let thing = &self.things[index];
        let done = self.control.rename(&self.all[thing.owner].email, &thing.id, name).is_ok();
        self.say(index, &format!("rename to {name:?}"), done);
        if done {
            (self.things[index].name, self.things[index].renamed) = (name.to_owned(), true);
            self.look(index);
        }
    }

    /// Moves a thing.
    pub fn move_to(&mut self, index: usize, parent: &str) {
        let thing = &self.things[index];
        let done = self.control.move_to(&self.all[thing.owner].email, &thing.id, parent).is_ok();
        let place = self.place_name(parent);
        self.say(index, &format!("move to {place}"), done);
        if done {
            // `root` is a name for an id.
            let there = self.control.file(&self.things[index].id).ok();
            self.things[index].parent = there.and_then(|f| f["parents"][0].as_str().map(str::to_owned)).unwrap_or_default();
            self.look_at_all_below(index);
        }
    }

    /// Puts a thing into the trash, or takes it out.
    pub fn trash(&mut self, index: usize, trashed: bool) {
        let (id, email) = (&self.things[index].id, &self.all[self.things[index].owner].email);
        let done = if trashed { self.control.trash(email, id) } else { self.control.untrash(email, id) }.is_ok();
        self.say(index, if trashed { "trash" } else { "untrash" }, done);
        if done {
            self.things[index].trashed = trashed;
            self.look_at_all_below(index);
        }
    }

    /// Deletes a file for good.
    pub fn delete(&mut self, index: usize) {
        let thing = &self.things[index];
        let done = self.control.delete(&self.all[thing.owner].email, &thing.id).is_ok();
        self.say(index, "delete", done);
        self.things[index].deleted |= done;
    }

    /// Opens, stars or comments on a file: what the feed tells and nobody cares for.
    pub fn noise(&mut self, index: usize, what: &str) {
        let thing = &self.things[index];
        let done = self.control.touch_noise(&self.all[thing.owner].email, &thing.id, what).is_ok();
        self.say(index, what, done);
    }

    /// Shares a file with somebody, or takes the share back.
    pub fn share(&mut self, index: usize, with: &str, shared: bool) {
        let (id, email) = (&self.things[index].id, &self.all[self.things[index].owner].email);
        let done = if shared { self.control.share(email, id, with, "writer") } else { self.control.unshare(email, id, with) }.is_ok();
        self.say(index, if shared { "share" } else { "unshare" }, done);
    }

    fn say(&mut self, index: usize, act: &str, done: bool) {
        let who = &self.all[self.things[index].owner].user;
        self.history.push(format!("{who} #{index} {act}{}", if done { "" } else { ": refused" }));
    }

    /// Notes which version a thing has now, and whether that version is in a `novos`.
    fn look(&mut self, index: usize) {
        let Ok(file) = self.control.file(&self.things[index].id) else { return };
        let reached = file["trashed"] == false && self.is_in_novos(&file);
        if let Some(version) = self.things[index].versions.last_mut() {
            file["headRevisionId"].as_str().unwrap_or_default().clone_into(&mut version.head);
            version.reached |= reached;
        }
    }

    /// What was done to a folder was done to all in it.
    fn look_at_all_below(&mut self, index: usize) {
        if self.things[index].kind != Kind::Folder {
            return self.look(index);
        }
        for other in 0..self.things.len() {
            if !self.things[other].deleted {
                self.look(other);
            }
        }
    }

    /// Whether a file lies in a `novos`, or in a folder inside one.
    pub fn is_in_novos(&self, file: &Value) -> bool {
        let mut at = file["parents"][0].as_str().unwrap_or_default().to_owned();
        while !at.is_empty() {
            if self.all.iter().any(|p| p.novos == at) {
                return true;
            }
            let Ok(folder) = self.control.file(&at) else { return false };
            folder["parents"][0].as_str().unwrap_or_default().clone_into(&mut at);
        }
        false
    }

    fn place_name(&self, id: &str) -> String {
        let novos = self.all.iter().find(|p| p.novos == id).map(|p| format!("novos of {}", p.user));
        let folder = || self.things.iter().position(|t| t.id == id).map(|n| format!("#{n}"));
        novos.or_else(folder).unwrap_or_else(|| "My Drive".into())
    }
}

fn first_word(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    text.split_whitespace().next().unwrap_or("empty").to_owned()
}

fn mime_of(name: &str) -> &'static str {
    if name.to_lowercase().ends_with(".pdf") { "application/pdf" } else { "text/plain" }
}

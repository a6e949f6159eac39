//! Whose files are: by name, for people, and whose a new one is that root makes for the service.

use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;
use std::process::Command;

use crate::domain::text::{shell_path, shell_word};

/// The user whom the Debian package and `init` make.
pub const OF_THE_PACKAGE: &str = "tecnico";

/// Gives what root made to whom the folder around it belongs: the user of the service could not use it otherwise. Does
/// nothing for other users.
pub fn like_its_folder(path: &Path) -> io::Result<()> {
    like(path, path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Gives what root made to whom `model` belongs. Does nothing for other users.
pub fn like(path: &Path, model: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let model = model.metadata()?;
    if path.symlink_metadata()?.uid() == model.uid() {
        return Ok(());
    }
    lchown(path, Some(model.uid()), Some(model.gid()))
}

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The number.
    pub uid: u32,
    /// The name; `#102` for a number nobody has, as `sudo -u` takes it.
    pub name: String,
    /// The name of their group.
    pub group: String,
}

impl Person {
    /// The user of this number.
    pub fn of(uid: u32) -> Self {
        let entry = getent("passwd", &uid.to_string());
        let field = |at: usize| entry.as_ref().and_then(|fields| fields.get(at).cloned());
        let group = field(3).map(|gid| getent("group", &gid).and_then(|g| g.first().cloned()).unwrap_or(gid));
        Self { uid, name: field(0).unwrap_or_else(|| format!("#{uid}")), group: group.unwrap_or_else(|| uid.to_string()) }
    }

    /// Who runs this.
    pub fn me() -> Self {
        Self::of(rustix::process::geteuid().as_raw())
    }

    /// `command` as somebody at a terminal types it so that this user runs it.
    pub fn runs(&self, command: &str) -> String {
        if self.uid == rustix::process::geteuid().as_raw() && !self.is_service() {
            return command.to_owned();
        }
        format!("sudo -u {} {command}", shell_word(&self.name))
    }

    /// Whether nobody sits at a terminal as this user: Debian's numbers below 1000, but root.
    fn is_service(&self) -> bool {
        (1..1000).contains(&self.uid)
    }

    /// The command that gives these paths to this user.
    pub fn takes(&self, paths: &[&Path]) -> String {
        let words: Vec<String> = paths.iter().map(|p| shell_path(p)).collect();
        // chown knows a bare number; sudo wants it marked.
        format!("sudo chown {}: {}", self.name.trim_start_matches('#'), words.join(" "))
    }

    /// The command that makes the folder `path` for this user.
    pub fn makes_folder(&self, path: &Path) -> String {
        format!("sudo install -d -o {} -g {} -m 750 {}", self.name.trim_start_matches('#'), self.group, shell_path(path))
    }

    /// A shell's one line that writes `path` by this program of a shell, for this user alone to read.
    pub fn writes_secret(&self, program: &str, path: &Path) -> String {
        let script = format!("umask 077; {program} > {}", shell_path(path));
        self.runs(&format!("sh -c {}", shell_word(&script)))
    }
}

/// What stands before a command that somebody at a terminal is to type, for it to be run as this run is.
pub fn before_commands() -> String {
    let us = Person { uid: rustix::process::geteuid().as_raw(), name: String::new(), group: String::new() };
    if us.is_service() { Person::me().runs("") } else { String::new() }
}

/// The user tecnico works as: the first owner of these places who is not root; where all are root's or missing, whoever
/// runs this, and where that is root, the user of the package.
pub fn service<'p>(places: impl IntoIterator<Item = &'p Path>) -> Person {
    let me = rustix::process::geteuid().as_raw();
    let owner = places.into_iter().filter_map(|p| p.metadata().ok()).map(|m| m.uid()).find(|uid| *uid != 0);
    match owner {
        Some(uid) => Person::of(uid),
        None if me == 0 => of_the_package().unwrap_or_else(Person::me),
        None => Person::me(),
    }
}

/// The user of the package, where this machine has it.
pub fn of_the_package() -> Option<Person> {
    let uid = getent("passwd", OF_THE_PACKAGE)?.get(2)?.parse().ok()?;
    Some(Person::of(uid))
}

/// The fields of an entry of the system's databases; it knows users that /etc/passwd does not.
fn getent(database: &str, key: &str) -> Option<Vec<String>> {
    let output = Command::new("getent").args([database, key]).output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().next()?.split(':').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_called_by_name_and_a_number_nobody_has_by_that() {
        assert_eq!((Person::of(0).name, Person::of(0).group), ("root".to_owned(), "root".to_owned()));
        let nobody = Person::of(4_000_000);
        assert_eq!(nobody.runs("tecnico doctor"), "sudo -u '#4000000' tecnico doctor");
        assert_eq!(nobody.takes(&[Path::new("/srv/a b")]), "sudo chown 4000000: '/srv/a b'");
        assert_eq!(Person::me().runs("tecnico doctor"), "tecnico doctor");
    }

    #[test]
    fn for_a_service_somebody_at_a_terminal_types_sudo() {
        let someone = |uid| Person { uid, name: "tecnico".into(), group: "tecnico".into() };
        assert_eq!([0, 1, 102, 999, 1000, 4711].map(|uid| someone(uid).is_service()), [false, true, true, true, false, false]);
    }

    #[test]
    fn a_secret_is_written_by_one_line_that_a_shell_takes_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["plain", "it's one", "a $b \"c\""] {
            let path = dir.path().join(name);
            let line = Person::me().writes_secret("printf 'x%s' \"$((1 + 1))\"", &path);
            assert!(Command::new("sh").args(["-c", &line]).status().expect("sh").success(), "{line}");
            assert_eq!(std::fs::read_to_string(&path).expect("written"), "x2");
            assert_eq!(path.metadata().expect("there").mode() & 0o777, 0o600);
        }
    }
}

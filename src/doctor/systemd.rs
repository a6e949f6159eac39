//! The services as they are installed: whether they may write where the settings put things, and which of them run.
//!
//! For the first their files are read: systemd need not be running to be asked (a container, an installation under way).

mod running;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Finding, Findings};
use crate::config::Settings;
use crate::domain::technician::is_unprintable;
use crate::domain::text::{shell_path, shell_word, visible};
pub use running::starts_cycles;

/// The services that work with the ledger and the folders.
const SERVICES: [&str; 3] = [CYCLE, "tecnico-agent.service", "tecnico-serve.service"];
/// The one that the timer starts, and that ends by itself.
const CYCLE: &str = "tecnico-watch.service";
/// Where units lie, the one that counts first (systemd.unit(5)).
const FOLDERS: [&str; 4] = ["etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];
/// Where an admin's units and drop-ins lie, below the root.
pub const UNITS: &str = "/etc/systemd/system";
/// The drop-in of each service that is ours: whatever else is there is somebody's, and stays.
pub const DROP_IN: &str = "tecnico-paths.conf";
/// Where the units take keys from.
const KEYS: &str = "/etc/tecnico/keys";
/// Bytes that systemd takes of one.
const LARGEST_KEY: u64 = 1024 * 1024;
/// What `ProtectHome=` closes.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// What an installed service may write to.
struct Service {
    /// `ReadWritePaths=` and `StateDirectory=`.
    writable: Vec<PathBuf>,
    /// `BindPaths=`, as they are called inside.
    bound: Vec<PathBuf>,
    /// `ProtectSystem=strict`: everything else is read-only.
    is_strict: bool,
    /// `ProtectHome=`: homes are not there.
    is_homeless: bool,
}

impl Service {
    /// Whether the service can write below `path`.
    fn may_write(&self, path: &Path) -> bool {
        let below = |places: &[PathBuf]| places.iter().any(|place| path.starts_with(place));
        let reachable = !(self.is_homeless && is_home(path)) || below(&self.bound);
        reachable && (!self.is_strict || below(&self.writable) || below(&self.bound))
    }
}

/// Whether `ProtectHome=` is about this path.
fn is_home(path: &Path) -> bool {
    HOMES.iter().any(|home| path.starts_with(home))
}

/// Services that cannot write where the settings put things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutOut {
    /// Their names.
    pub services: Vec<&'static str>,
    /// The folders that one of them cannot write to now.
    pub folders: Vec<PathBuf>,
    /// All folders that our drop-in has to name: it is replaced as a whole.
    named: Vec<PathBuf>,
}

impl ShutOut {
    /// What they cannot do, as a sentence.
    pub fn message(&self) -> String {
        let folders: Vec<_> = self.folders.iter().map(|f| visible(&f.to_string_lossy()).into_owned()).collect();
        format!("{} may not write to {}: only this user can", self.services.join(", "), folders.join(" and "))
    }

    /// The drop-in that lets them in; `None` where systemd cannot be told of a folder with such a name.
    pub fn drop_in(&self) -> Option<String> {
        drop_in(&self.named).map(|lines| lines.join("\n") + "\n")
    }

    /// The command that writes the drop-ins, in one line. What runs all day is started anew, for it keeps the places it began
    /// with; a cycle of the timer's that is under way goes on to its end.
    pub fn command(&self) -> String {
        let Some(lines) = drop_in(&self.named) else {
            return "vm.base_dir and ledger.path: name folders without line ends and other characters that cannot be seen, for systemd \
                    reads none"
                .to_owned();
        };
        let lines: Vec<String> = lines.iter().map(|line| shell_word(line)).collect();
        let lasting: Vec<&str> = self.services.iter().copied().filter(|name| *name != CYCLE).collect();
        let anew = if lasting.is_empty() { String::new() } else { format!("; sudo systemctl try-restart {}", lasting.join(" ")) };
        format!(
            "for unit in {}; do printf '%s\\n' {} | sudo install -D -m 644 /dev/stdin {UNITS}/$unit.d/{DROP_IN}; done; \
             sudo systemctl daemon-reload{anew}",
            self.services.join(" "),
            lines.join(" ")
        )
    }
}

/// The lines of a drop-in that lets a service write below these folders. In quotes systemd takes what follows a backslash
/// as it is, and has no word for a line end.
fn drop_in(folders: &[PathBuf]) -> Option<Vec<String>> {
    let mut lines = vec!["# Made by tecnico, and replaced as a whole".to_owned(), "[Service]".to_owned()];
    lines.extend(folders.iter().any(|f| is_home(f)).then(|| "ProtectHome=tmpfs".to_owned()));
    for folder in folders {
        let key = if is_home(folder) { "BindPaths" } else { "ReadWritePaths" };
        let name = folder.to_str().filter(|name| !name.contains(is_unprintable))?;
        let name = name.replace('%', "%%").replace('\\', "\\\\").replace('"', "\\\"");
        lines.push([key, "=\"-", &name, "\""].concat());
    }
    Some(lines)
}

/// Which of the services installed below `root` cannot write where the settings put things; `None` where all can.
pub fn shut_out(root: &Path, settings: &Settings) -> Option<ShutOut> {
    let needed = BTreeSet::from([settings.base_dir.as_path(), settings.ledger_path.parent().unwrap_or(Path::new("/"))]);
    let closed = |service: &Service| -> BTreeSet<PathBuf> {
        needed.iter().filter(|folder| !service.may_write(folder)).map(|folder| folder.to_path_buf()).collect()
    };
    let (mut services, mut folders, mut named) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for name in SERVICES {
        let now = read(root, name, true).map(|s| closed(&s)).unwrap_or_default();
        if now.is_empty() {
            continue;
        }
        services.push(name);
        folders.extend(now);
        named.extend(read(root, name, false).map(|s| closed(&s)).unwrap_or_default());
    }
    let listed = |folders: BTreeSet<PathBuf>| folders.into_iter().collect();
    (!services.is_empty()).then(|| ShutOut { services, folders: listed(folders), named: listed(named) })
}

/// How many of the services are installed below `root`.
fn installed(root: &Path) -> usize {
    SERVICES.into_iter().filter(|name| read(root, name, true).is_some()).count()
}

/// An installed service with its drop-ins, or without the one that is ours.
fn read(root: &Path, name: &'static str, with_ours: bool) -> Option<Service> {
    let mut text = FOLDERS.iter().find_map(|folder| std::fs::read_to_string(root.join(folder).join(name)).ok())?;
    // One name counts once, and names go by the alphabet whatever folder they lie in.
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for folder in FOLDERS.iter().rev() {
        let files = std::fs::read_dir(root.join(folder).join(format!("{name}.d"))).into_iter().flatten().flatten();
        drop_ins.extend(files.filter(|f| f.path().extension().is_some_and(|e| e == "conf")).map(|f| (f.file_name(), f.path())));
    }
    for (_, path) in drop_ins.into_iter().filter(|(name, _)| with_ours || name != DROP_IN) {
        text.push('\n');
        text.push_str(&std::fs::read_to_string(path).unwrap_or_default());
    }
    let mut service = Service { writable: Vec::new(), bound: Vec::new(), is_strict: false, is_homeless: false };
    for (key, value) in text.lines().filter_map(|l| l.split_once('=')) {
        let value = value.trim();
        let paths = || shlex::split(value).unwrap_or_default().into_iter().map(|w| w.trim_start_matches(['-', '+']).replace("%%", "%"));
        match key.trim() {
            "ProtectSystem" => service.is_strict = value == "strict",
            "ProtectHome" => service.is_homeless = !matches!(value, "no" | "false" | "off" | "0"),
            "StateDirectory" => service.writable.extend(paths().map(|p| Path::new("/var/lib").join(p))),
            "ReadWritePaths" if value.is_empty() => service.writable.clear(),
            "ReadWritePaths" => service.writable.extend(paths().map(PathBuf::from)),
            "BindPaths" if value.is_empty() => service.bound.clear(),
            // SOURCE:DESTINATION:OPTIONS, or one name for both, which in quotes may have a colon in it.
            "BindPaths" => service.bound.extend(paths().flat_map(|p| [p.split(':').nth(1).map(PathBuf::from), Some(p.into())]).flatten()),
            _ => {}
        }
    }
    Some(service)
}

/// A key that systemd can hand to no service (`LoadCredential=`, systemd.exec(5)): with one in the folder none starts.
fn unfit_key(root: &Path) -> Option<Finding> {
    if installed(root) == 0 {
        return None;
    }
    let problem = |message: String, fix: String| Some(Finding::problem("services", message, fix));
    let keys = match std::fs::read_dir(root.join(KEYS.trim_start_matches('/'))) {
        Ok(keys) => keys,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let fix = format!("sudo install -d -o tecnico -g tecnico -m 700 {KEYS}");
            return problem(format!("{KEYS} does not exist, and no service starts without it"), fix);
        }
        // A folder of root's alone: the services get copies, and this user need not look.
        Err(_) => return None,
    };
    let is_fit = |name: &str| name.chars().all(|c| matches!(c, ' '..='~') && c != ':');
    let unfit = keys.flatten().find(|key| {
        let file = key.path().metadata().ok().filter(std::fs::Metadata::is_file);
        file.is_some_and(|file| file.len() > LARGEST_KEY || !key.file_name().to_str().is_some_and(is_fit))
    })?;
    let path = Path::new(KEYS).join(unfit.file_name());
    let message = format!(
        "no service starts while {} lies there: systemd takes names of plain ASCII without colons, and files of up to 1 MB",
        visible(&path.to_string_lossy())
    );
    problem(message, format!("sudo mv {} /root/", shell_path(&path)))
}

/// Whether each installed service may write where the settings put things, and whether what is enabled runs. `worked`: cycles
/// have run before.
pub fn services(settings: &Settings, worked: bool) -> Findings {
    let root = Path::new("/");
    let mut findings: Findings =
        shut_out(root, settings).map(|shut| Finding::problem("services", shut.message(), shut.command())).into_iter().collect();
    findings.extend(unfit_key(root));
    match running::units(root) {
        Ok(units) => findings.extend(running::judged(&units, running::Cron::of(root), worked, settings.serve.api_key_file.is_some())),
        Err(why) => findings.push(Finding::warning(
            "services",
            format!("systemd does not say what runs: {}", visible(&why)),
            "sudo systemctl status 'tecnico-*'",
        )),
    }
    if findings.is_empty() {
        let message = match installed(root) {
            0 => "no service of systemd's is installed".to_owned(),
            n => format!("the {n} services of systemd's may write where they have to"),
        };
        findings.push(Finding::good("services", message));
    }
    findings
}

#[cfg(test)]
mod tests;

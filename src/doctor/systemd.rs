//! The services as they are installed: whether they may write where the settings put things, and which of them run.
//!
//! Their files are read, for systemd itself need not be running to be asked (a container, an installation under way).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finding, Findings};
use crate::config::Settings;

/// The services that work with the ledger and the folders.
pub const SERVICES: [&str; 3] = ["tecnico-watch.service", "tecnico-agent.service", "tecnico-serve.service"];
/// Where units lie, the one that counts first (systemd.unit(5)).
const FOLDERS: [&str; 4] = ["etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];
/// What `ProtectHome=` closes.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// What an installed service may write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The unit's name.
    pub name: &'static str,
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
    pub fn may_write(&self, path: &Path) -> bool {
        let below = |places: &[PathBuf]| places.iter().any(|place| path.starts_with(place));
        let reachable = !(self.is_homeless && is_home(path)) || below(&self.bound);
        reachable && (!self.is_strict || below(&self.writable) || below(&self.bound))
    }
}

/// Whether `ProtectHome=` is about this path.
fn is_home(path: &Path) -> bool {
    HOMES.iter().any(|home| path.starts_with(home))
}

/// The lines of a drop-in that let a service write below `paths`.
pub fn drop_in(paths: &[&Path]) -> String {
    let mut text = "[Service]\n".to_owned();
    let homes = paths.iter().any(|p| is_home(p));
    if homes {
        text.push_str("ProtectHome=tmpfs\n");
    }
    for path in paths {
        let key = if is_home(path) { "BindPaths" } else { "ReadWritePaths" };
        let path = path.display().to_string().replace('%', "%%").replace('\\', "\\\\").replace('"', "\\\"");
        text.push_str(&[key, "=\"-", &path, "\"\n"].concat());
    }
    text
}

/// The services that are installed below `root`.
pub fn installed(root: &Path) -> Vec<Service> {
    SERVICES.into_iter().filter_map(|name| read(root, name)).collect()
}

fn read(root: &Path, name: &'static str) -> Option<Service> {
    let mut text = FOLDERS.iter().find_map(|folder| std::fs::read_to_string(root.join(folder).join(name)).ok())?;
    // One name counts once, and names go by the alphabet whatever folder they lie in.
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for folder in FOLDERS.iter().rev() {
        let files = std::fs::read_dir(root.join(folder).join(format!("{name}.d"))).into_iter().flatten().flatten();
        drop_ins.extend(files.filter(|f| f.path().extension().is_some_and(|e| e == "conf")).map(|f| (f.file_name(), f.path())));
    }
    for path in drop_ins.into_values() {
        text.push('\n');
        text.push_str(&std::fs::read_to_string(path).unwrap_or_default());
    }
    let mut service = Service { name, writable: Vec::new(), bound: Vec::new(), is_strict: false, is_homeless: false };
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
            "BindPaths" => service.bound.extend(paths().filter_map(|p| p.split(':').nth(1).or(p.split(':').next()).map(PathBuf::from))),
            _ => {}
        }
    }
    Some(service)
}

/// Whether each installed service may write where the settings put things, and whether the timer and the agent do the same work.
pub fn services(settings: &Settings) -> Findings {
    let installed = installed(Path::new("/"));
    let needed = [settings.base_dir.as_path(), settings.ledger_path.parent().unwrap_or(Path::new("/"))];
    let mut findings = Vec::new();
    for path in needed {
        let shut: Vec<&str> = installed.iter().filter(|s| !s.may_write(path)).map(|s| s.name).collect();
        if let [_, ..] = shut.as_slice() {
            let message = format!("{} may not write to {}: only this user can", shut.join(", "), path.display());
            findings.push(Finding::problem("services", message, let_in(&shut, path)));
        }
    }
    if is_enabled("tecnico-watch.timer") && is_enabled("tecnico-agent.service") {
        let message = "tecnico-watch.timer and tecnico-agent.service are both enabled: one of them is enough";
        findings.push(Finding::warning("services", message, "sudo systemctl disable --now tecnico-watch.timer"));
    }
    if findings.is_empty() {
        let message = match installed.len() {
            0 => "no service of systemd's is installed".to_owned(),
            n => format!("the {n} services of systemd's may write where they have to"),
        };
        findings.push(Finding::good("services", message));
    }
    findings
}

/// The command that writes the drop-ins.
fn let_in(services: &[&str], path: &Path) -> String {
    let text = drop_in(&[path]).replace('\n', "\\n").replace('%', "%%").replace('\'', "'\\''");
    format!(
        "for unit in {}; do printf '{text}' | sudo install -D -m 644 /dev/stdin /etc/systemd/system/$unit.d/paths.conf; done; sudo systemctl daemon-reload",
        services.join(" ")
    )
}

/// Whether systemd starts this unit with the machine; nobody does where there is no systemd.
fn is_enabled(unit: &str) -> bool {
    Command::new("systemctl").args(["is-enabled", "--quiet", unit]).output().is_ok_and(|ran| ran.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The services of the package, with this drop-in.
    fn with(drop_in: &str) -> Vec<Service> {
        let root = tempfile::tempdir().expect("a root");
        let (units, etc) = (root.path().join("usr/lib/systemd/system"), root.path().join("etc/systemd/system"));
        std::fs::create_dir_all(&units).expect("made");
        for name in SERVICES {
            let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(name);
            std::fs::copy(ours, units.join(name)).expect("copied");
            std::fs::create_dir_all(etc.join(format!("{name}.d"))).expect("made");
            std::fs::write(etc.join(format!("{name}.d/paths.conf")), drop_in).expect("written");
        }
        installed(root.path())
    }

    fn may_write(drop_in: &str, path: &str) -> bool {
        let services = with(drop_in);
        assert_eq!(services.len(), SERVICES.len());
        services.iter().all(|s| s.may_write(Path::new(path)))
    }

    #[test]
    fn the_units_write_to_the_places_of_the_package_and_nowhere_else() {
        assert!(may_write("", "/srv/tecnicos") && may_write("", "/var/lib/tecnico"));
        for path in ["/data/t", "/home/t", "/srv", "/var/lib"] {
            assert!(with("").iter().all(|s| !s.may_write(Path::new(path))), "{path}");
        }
        assert!(installed(Path::new("/nonexistent")).is_empty());
    }

    #[test]
    fn a_drop_in_lets_them_in_elsewhere() {
        for path in ["/data/t", "/home/t", "/data/our \"100%\" files"] {
            let text = drop_in(&[Path::new(path)]);
            assert!(may_write(&text, path) && may_write(&text, "/srv/tecnicos"), "{text}");
        }
        assert!(!may_write("[Service]\nReadWritePaths=-/home/t\n", "/home/t"), "a home is closed whatever is writable");
        assert!(!may_write("[Service]\nReadWritePaths=\n", "/srv/tecnicos"), "an empty line takes back what stands before it");
    }
}

//! The units of the package on a machine that is a folder, and systemd's own reading of what is written for them.

use std::process::Command;

use super::*;
use crate::config;

/// A machine with the services of the package.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a root");
        let units = root.path().join("usr/lib/systemd/system");
        std::fs::create_dir_all(&units).expect("made");
        for name in SERVICES {
            let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(name);
            std::fs::copy(ours, units.join(name)).expect("copied");
        }
        Self(root)
    }

    fn units(&self) -> PathBuf {
        self.0.path().join("etc/systemd/system")
    }

    fn with(self, file: &str, drop_in: &str) -> Self {
        for name in SERVICES {
            std::fs::create_dir_all(self.units().join(format!("{name}.d"))).expect("made");
            std::fs::write(self.units().join(format!("{name}.d/{file}")), drop_in).expect("written");
        }
        self
    }

    fn shut_out(&self, base_dir: &str, ledger: &str) -> Option<ShutOut> {
        let mut settings = config::resolve_text("[drive]\nparent_folder_id = \"1\"\n").expect("settings");
        (settings.base_dir, settings.ledger_path) = (base_dir.into(), Path::new(ledger).join("ledger.db"));
        shut_out(self.0.path(), &settings)
    }

    fn may_write(&self, folder: &str) -> bool {
        self.shut_out(folder, folder).is_none()
    }

    /// Does what is printed, here in place of the machine.
    fn run(&self, command: &str) {
        let command = command.replace(UNITS, "\"$UNITS\"");
        let script = format!("sudo() {{ \"$@\"; }}; systemctl() {{ :; }}; {command}");
        let ran = Command::new("bash").args(["-ec", &script]).env("UNITS", self.units()).status().expect("bash runs");
        assert!(ran.success(), "{script}");
    }
}

#[test]
fn the_units_write_to_the_places_of_the_package_and_nowhere_else() {
    let machine = Machine::new();
    assert!(machine.may_write("/srv/tecnicos") && machine.may_write("/var/lib/tecnico"));
    for path in ["/data/t", "/home/t", "/srv", "/var/lib"] {
        assert_eq!(machine.shut_out(path, path).expect(path).services, SERVICES);
    }
    assert_eq!((installed(machine.0.path()), installed(Path::new("/nonexistent"))), (SERVICES.len(), 0));
}

#[test]
fn one_finding_names_every_folder_and_its_command_lets_them_in_whatever_they_are_called() {
    for (base, ledger) in [
        ("/data/t", "/data/state"),
        ("/home/t", "/data/state"),
        ("/data/our \"100%\" files", "/data/it's $HOME `id`"),
        (r"/data/back\slash\n\", "/home/a: \"b\" c\\"),
        ("/data/* ; reboot #", "/data/-x"),
    ] {
        let machine = Machine::new();
        let shut = machine.shut_out(base, ledger).expect("shut out");
        assert!(shut.message().contains(base) && shut.message().contains(ledger), "{shut:?}");
        let ends = "; sudo systemctl daemon-reload; sudo systemctl try-restart tecnico-agent.service tecnico-serve.service";
        assert!(shut.command().ends_with(ends), "what runs keeps the places it began with: {}", shut.command());
        machine.run(&shut.command());
        assert_eq!(machine.shut_out(base, ledger), None, "{}", shut.command());
        assert!(machine.may_write("/srv/tecnicos") && !machine.may_write("/data") && !machine.may_write("/home"));
    }
}

/// A drop-in of an admin's stays, and ours goes on holding what is still needed.
#[test]
fn the_command_replaces_our_drop_in_and_no_other() {
    let others = "[Service]\nReadWritePaths=/data/admins\n";
    let machine = Machine::new().with("paths.conf", others);
    machine.run(&machine.shut_out("/data/t", "/data/admins/state").expect("shut out").command());
    let shut = machine.shut_out("/data/t", "/data/state").expect("shut out");
    assert_eq!(shut.folders, [PathBuf::from("/data/state")], "the one that is closed is named");
    machine.run(&shut.command());
    assert!(machine.shut_out("/data/t", "/data/state").is_none() && machine.may_write("/data/admins"));
    let folder = machine.units().join("tecnico-watch.service.d");
    assert_eq!(std::fs::read_to_string(folder.join("paths.conf")).expect("there"), others);
    assert_eq!(std::fs::read_dir(folder).expect("there").count(), 2);
}

/// systemd's own reading: what it takes for a second, relative name it complains of.
#[test]
fn systemd_reads_the_names_as_they_are() {
    let hostile = ["/data/a \"b\": c\\", "/home/a \"b\": c\\", "/home/it's 100%"].map(PathBuf::from);
    for folder in hostile {
        let lines = drop_in(std::slice::from_ref(&folder)).expect("a name systemd knows").join("\n");
        let dir = tempfile::tempdir().expect("a directory");
        let verify = |lines: &str| {
            let unit = dir.path().join("t.service");
            std::fs::write(&unit, format!("{lines}\nExecStart=/bin/true\n")).expect("written");
            let ran = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(unit).output().expect("systemd-analyze");
            String::from_utf8_lossy(&ran.stderr).into_owned()
        };
        assert_eq!(verify(&lines), "", "{lines}");
        let (separator, says) = if is_home(&folder) { (":", "ignoring: after") } else { (" ", "ignoring: after") };
        assert!(verify(&format!("{lines}{separator}after")).contains(says), "the name ends where it should: {lines}");
    }
}

#[test]
fn a_name_with_a_line_end_is_refused() {
    let shut = Machine::new().shut_out("/data/a\nReadWritePaths=/", "/data/state").expect("shut out");
    assert!(shut.drop_in().is_none() && !shut.command().contains("install") && !shut.message().contains('\n'), "{shut:?}");
}

#[test]
fn a_home_is_closed_whatever_is_writable_and_an_empty_line_takes_back_what_stands_before_it() {
    let machine = |drop_in| Machine::new().with("admins.conf", drop_in);
    assert!(!machine("[Service]\nReadWritePaths=-/home/t\n").may_write("/home/t"));
    assert!(machine("[Service]\nProtectHome=tmpfs\nBindPaths=/data/x:/home/t\n").may_write("/home/t"));
    assert!(!machine("[Service]\nReadWritePaths=\n").may_write("/srv/tecnicos"));
}

/// Found on a machine: `conta de serviço.json` beside the keys, and every unit ended before it began.
#[test]
fn a_key_that_systemd_cannot_hand_over_is_named() {
    let machine = Machine::new();
    let root = machine.0.path();
    assert!(unfit_key(root).is_some_and(|f| f.message.contains("does not exist") && f.fix.is_some_and(|fix| fix.contains("install -d"))));
    let keys = root.join("etc/tecnico/keys");
    std::fs::create_dir_all(keys.join("pasta á")).expect("made");
    std::fs::write(keys.join("service account (1).json"), "{}").expect("written");
    assert_eq!(unfit_key(root), None);
    for (name, bytes) in [("conta de serviço.json", 2), ("a:b.json", 2), ("large.json", LARGEST_KEY + 1)] {
        let file = keys.join(name);
        std::fs::File::create(&file).and_then(|f| f.set_len(bytes)).expect("written");
        let found = unfit_key(root).expect(name);
        assert!(
            found.message.contains(name)
                && found.fix.as_deref() == Some(&format!("sudo mv {} /root/", shell_path(&Path::new(KEYS).join(name))))
        );
        std::fs::remove_file(&file).expect("removed");
    }
    assert_eq!(unfit_key(tempfile::tempdir().expect("a root").path()), None, "no unit, no trouble");
}
